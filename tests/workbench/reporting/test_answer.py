"""The one next step that a report names, from the plainest facts of a run."""

import json
from types import SimpleNamespace

import pytest

from thalweg.core.plan import TrainingPlan
from thalweg.core.run_folder import RunFolder
from thalweg.workbench.reporting.answer import answer_lines

RESULT = SimpleNamespace(
    findings=(),
    left_out=(),
    network="small",
    parameters=1,
    train_files=90,
    epochs=4,
    seconds=1.0,
    images_per_second=1.0,
)
EVALUATION = SimpleNamespace(
    accuracy=0.8, accuracy_interval=(0.7, 0.9), majority_accuracy=0.5, majority_class="cat", files=90,
    split="validation", auc=0.9, balanced_accuracy=0.8, classes=(), confusion=(),
)  # fmt: skip


@pytest.fixture
def advice(tmp_path):
    """The advice of a run with such accuracies, options and reading."""

    def given(train, held, *, reading=None, evaluation=EVALUATION, done=4, **options):
        rows = [f"{epoch},0.5,{train},0.5,{held},0.001,1,100" for epoch in range(1, 5)]
        names = "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,images_per_second"
        (tmp_path / "history.csv").write_text("\n".join((names, *rows)) + "\n")
        (tmp_path / "plan.toml").write_text(TrainingPlan(source="photos", **options).to_toml())
        (tmp_path / "data.json").write_text(json.dumps({"schema": 1, "reading": reading}))
        result = SimpleNamespace(**{**vars(RESULT), "epochs": done})
        return answer_lines(result, evaluation, RunFolder(tmp_path))[-1]

    return given


def test_photos_trained_from_nothing_are_advised_a_pretrained_start(advice):
    assert "try a pretrained start, --backbone efficientnet-lite0" in advice(0.82, 0.8)
    assert advice(0.99, 0.8).endswith(
        "more pictures would help most, or a pretrained start: --backbone efficientnet-lite0."
    )


@pytest.mark.parametrize("what", [{"reading": {"form": "signal"}}, {"backbone": "efficientnet-lite0"}])
def test_where_there_is_none_or_it_was_taken_none_is_advised(advice, what):
    assert "pretrained" not in advice(0.82, 0.8, **what)
    assert advice(0.99, 0.8, **what).endswith("more pictures would help most.")


@pytest.mark.parametrize(("head", "said"), [(0.83, True), (0.8, False)])
def test_fine_tuning_that_ends_below_its_head_is_told(advice, tmp_path, head, said):
    (tmp_path / "backbone.json").write_text(json.dumps({"schema": 1, "head_first": {"accuracy": head, "files": 90}}))
    told = advice(0.82, 0.8, backbone="efficientnet-lite0", epochs=4)
    assert ("the head alone was right on 83.0% of the files that now are 80.0% right" in told) == said
    assert ("--epochs 12, or keep that, --head-only" in told) == said
    assert "head alone" not in advice(0.82, 0.8, backbone="efficientnet-lite0", minutes=5.0)
    assert "head alone" not in advice(0.82, 0.8, backbone="efficientnet-lite0", freeze="all", head_only=True)


def test_a_run_no_better_than_guessing_is_advised_to_look_at_its_samples(advice):
    guessing = SimpleNamespace(**{**vars(EVALUATION), "accuracy_interval": (0.4, 0.6)})
    assert "are the labels right" in advice(0.5, 0.5, evaluation=guessing, done=120)
    assert "are the labels right" in advice(0.5, 0.5, evaluation=guessing, minutes=1.0)


def test_no_better_than_guessing_after_a_few_epochs_is_advised_to_train_longer(advice):
    guessing = SimpleNamespace(**{**vars(EVALUATION), "accuracy_interval": (0.4, 0.6)})
    told = advice(0.5, 0.5, evaluation=guessing, done=3, epochs=3)
    assert told == "Next: train longer, 3 of the usual 200 epochs tell little (leave --epochs out)."


def test_no_better_than_guessing_but_learned_by_heart_is_advised_more_pictures(advice):
    guessing = SimpleNamespace(**{**vars(EVALUATION), "accuracy_interval": (0.4, 0.6)})
    assert "more pictures would help most, or a pretrained start" in advice(0.92, 0.5, evaluation=guessing)
