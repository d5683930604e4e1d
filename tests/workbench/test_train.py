"""Training from a folder to a report: files of a run, splits, networks, and which accuracy is told."""

import csv
import hashlib
import json
import pathlib
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import thalweg
from thalweg.core.codec import from_plain
from thalweg.core.dataset import DataSummary
from thalweg.core.errors import PlanError, SourceError
from thalweg.core.plan import TrainingPlan
from thalweg.workbench.telling.telling import silent
from thalweg.workbench.train import train

QUICK = {"epochs": 2, "image_size": 32, "batch_size": 8, "lr": 0.01}


@pytest.fixture(scope="module")
def run(photo_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    return thalweg.train(photo_folder, out=folder / "run", **QUICK)


def table(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def digest(folder):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_run_folder_holds_what_it_promises(run):
    folder = pathlib.Path(run.run)
    promised = "plan.toml environment.json data.json history.csv steps.csv metrics.json model.safetensors network.json"
    for name in (*promised.split(), "checkpoints", "report.html"):
        assert (folder / name).exists(), name
    rows = table(folder / "history.csv")
    assert list(rows[0]) == [
        "epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds",
        "images_per_second",
    ]  # fmt: skip
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert len((folder / "steps.csv").read_text().splitlines()) == 1 + 2 * 5
    plan = TrainingPlan.from_toml((folder / "plan.toml").read_text())
    assert (plan.epochs, plan.learning_rate, plan.image_size) == (2, 0.002, 32)
    assert (plan.rate_from, plan.given_rate) == ("recipe", 0.01)


def test_with_one_held_out_split_the_last_epoch_is_reported_and_the_best_apart(run):
    rows = table(pathlib.Path(run.run) / "history.csv")
    assert run.split == "validation"
    assert run.accuracy == pytest.approx(float(rows[-1]["val_accuracy"]))
    assert run.best_accuracy == pytest.approx(max(float(row["val_accuracy"]) for row in rows))
    low, high = run.accuracy_interval
    assert low <= run.accuracy <= high


def test_with_three_splits_the_kept_epoch_is_chosen_on_validation_and_told_on_test(photo_folder, tmp_path):
    result = thalweg.train(photo_folder, out=tmp_path / "run", test=0.25, validation=0.25, repair=False, **QUICK)
    assert (result.train_files, result.validation_files, result.test_files) == (24, 12, 12)
    assert result.split == "test"
    folder = tmp_path / "run"
    assert result.kept_epoch in {result.best_epoch, QUICK["epochs"]}
    best = folder / "checkpoints" / f"best-{result.best_epoch:06d}.safetensors"
    assert (best.read_bytes() == (folder / "model.safetensors").read_bytes()) == (
        result.kept_epoch == result.best_epoch
    )
    again = thalweg.evaluate(folder)
    assert (again.split, again.accuracy) == ("test", result.accuracy)


def test_the_users_folder_is_left_as_it_was(photo_folder, tmp_path):
    before = digest(photo_folder)
    thalweg.check(photo_folder)
    thalweg.train(photo_folder, out=tmp_path / "run", **QUICK | {"epochs": 1, "repair": False})
    assert digest(photo_folder) == before


def test_two_runs_with_one_seed_are_equal_to_the_bit(run, photo_folder, tmp_path):
    again = thalweg.train(photo_folder, out=tmp_path / "run", **QUICK)
    one, two = (pathlib.Path(each.run) / "model.safetensors" for each in (run, again))
    assert one.read_bytes() == two.read_bytes()
    assert again.accuracy == run.accuracy


@pytest.fixture(scope="module")
def plain_run(photo_folder, tmp_path_factory):
    return thalweg.train(
        photo_folder, out=tmp_path_factory.mktemp("plain") / "run", network="plain", **QUICK | {"epochs": 1}
    )


@pytest.mark.parametrize("network", ["plain", "plain-sequential", "plain-functional"])
def test_both_forms_of_plain_train_to_the_same_bits(photo_folder, plain_run, tmp_path, network):
    result = thalweg.train(photo_folder, out=tmp_path / "run", network=network, **QUICK | {"epochs": 1})
    one, two = (pathlib.Path(each.run) / "model.safetensors" for each in (result, plain_run))
    assert one.read_bytes() == two.read_bytes()
    assert result.accuracy == plain_run.accuracy


@pytest.fixture(scope="module")
def odd_folder(tmp_path_factory):
    """Three classes, with a broken file, a twin across classes' files, an empty class and names that bite."""
    folder = tmp_path_factory.mktemp("odd") / "گربه‌ها <b>"
    random = np.random.default_rng(5)
    for label, name in enumerate(("سفید", "a<script>alert(1)</script>", "c d")):
        (folder / name.replace("/", "_")).mkdir(parents=True)
        for index in range(8):
            pattern = np.kron(random.integers(0, 150, (6, 6)), np.ones((4, 4)))[..., None] * np.ones(3)
            pattern[..., label] += 90
            path = folder / name.replace("/", "_") / f"{index}.png"
            Image.fromarray(pattern.clip(0, 255).astype(np.uint8)).save(path)
    (folder / "empty").mkdir()
    (folder / "c d" / "broken\n.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (folder / "c d" / "notes.txt").write_text("no picture")
    (folder / "c d" / "twin.png").write_bytes((folder / "c d" / "0.png").read_bytes())
    return folder


def test_odd_folders_train_and_every_oddity_is_named(odd_folder, tmp_path):
    result = thalweg.train(odd_folder, out=tmp_path / "run", **QUICK | {"epochs": 1, "repair": False})
    assert len(result.classes) == 3
    assert result.files == 25
    reasons = {notice.file: notice.reason for notice in result.left_out}
    assert any("broken" in file for file in reasons)
    assert any("notes.txt" in file for file in reasons)
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<script>alert" not in page
    assert "سفید" in page
    data = json.loads((tmp_path / "run" / "data.json").read_text())
    assert data.pop("schema") == 1
    summary = from_plain(DataSummary, data)
    (twins,) = [group for group in summary.duplicates if group.kind == "exact"]
    sides = [part for part in (summary.train, summary.validation) if set(twins.files) & set(part)]
    assert len(sides) == 1, "twins stand on both sides of the split"


def test_a_plan_in_minutes_ends_in_time(photo_folder, tmp_path):
    result = thalweg.train(photo_folder, out=tmp_path / "run", minutes=0.2, image_size=32, batch_size=8, lr=0.01)
    assert result.epochs >= 1
    rows = table(tmp_path / "run" / "history.csv")
    assert float(rows[-1]["learning_rate"]) < 0.5 * 0.01


def test_a_class_without_a_readable_picture_is_named_with_the_reason(photo_folder, tmp_path):
    shutil.copytree(photo_folder / "red", tmp_path / "photos" / "red")
    (tmp_path / "photos" / "blue").mkdir()
    (tmp_path / "photos" / "blue" / "1.jpg").write_bytes(b"no picture")
    with pytest.raises(
        SourceError, match=r"^no picture of 'blue' can be read \(1 file is left out, such as blue/1\.jpg: "
    ):
        thalweg.check(tmp_path / "photos")


def test_a_run_that_patience_ends_says_so(photo_folder, tmp_path):
    said = []
    train(photo_folder, out=tmp_path / "run", patience=1, repair=False,
          listener=replace(silent(), say=said.append), **{**QUICK, "epochs": 40, "lr": 0.3})  # fmt: skip
    rows = table(tmp_path / "run" / "history.csv")
    assert f"Stopped after epoch {len(rows)} (--patience): no lower validation loss for one epoch." in said
    assert len(rows) < 40


def test_a_class_the_network_does_not_know_is_refused(run, odd_folder):
    with pytest.raises(thalweg.ThalwegError, match="3 of 3 classes that the run does not know"):
        thalweg.evaluate(run.run, odd_folder)


def test_predictions_agree_with_the_evaluation(run, photo_folder):
    rows = table(pathlib.Path(run.run) / "predictions.csv")
    result = thalweg.predict(run.run, [photo_folder / row["file"] for row in rows])
    (alone,) = thalweg.predict(run.run, str(photo_folder / rows[0]["file"])).predictions  # one name, not its letters
    assert alone.file == result.predictions[0].file
    for row, prediction in zip(rows, result.predictions, strict=True):
        assert prediction.class_ == row["predicted"]
        assert prediction.probabilities["red"] == pytest.approx(float(row["p_red"]), abs=2e-3)


def test_an_unfinished_run_cannot_predict_and_says_how_to_go_on(run, tmp_path, photo_folder):
    folder = tmp_path / "unfinished"
    folder.mkdir()
    for name in ("plan.toml", "data.json", "network.json"):
        (folder / name).write_bytes((pathlib.Path(run.run) / name).read_bytes())
    with pytest.raises(thalweg.ThalwegError, match=r"not finished: thalweg resume"):
        thalweg.predict(folder, [photo_folder / "red" / "red-00.png"])


def test_a_network_may_be_tried_on_one_class_alone(run, photo_folder, tmp_path):
    (tmp_path / "new" / "red").mkdir(parents=True)
    for path in sorted((photo_folder / "red").iterdir())[:5]:
        (tmp_path / "new" / "red" / path.name).write_bytes(path.read_bytes())
    result = thalweg.evaluate(run.run, tmp_path / "new")
    assert result.test_files == 5
    assert result.accuracy in {0.0, 0.2, 0.4, 0.6, 0.8, 1.0}
    (tmp_path / "new" / "red").rename(tmp_path / "new" / "purple")
    with pytest.raises(thalweg.ThalwegError, match="does not know"):
        thalweg.evaluate(run.run, tmp_path / "new")


def test_a_run_ends_with_its_own_diagnosis(run):
    folder = pathlib.Path(run.run)
    stored = json.loads((folder / "findings.json").read_text())
    codes = [finding["code"] for finding in stored["findings"]]
    assert codes == [finding.code for finding in run.findings]
    assert "CUR014" in codes, "the loss of single batches is noisy"
    assert stored["learning_rate"]["verdict"] in {"too_low", "about_right", "too_high", "undetermined"}
    page = (folder / "report.html").read_text()
    assert ">Diagnosis<" in page
    assert "CUR014 mini_batch_like" in page
    (again,) = thalweg.diagnose(folder).results
    assert [finding.code for finding in again.findings] == [code for code in codes if not code.startswith("DAT")]


def test_a_diagnosis_that_fails_leaves_the_run_alone(run, monkeypatch):
    from thalweg.workbench import diagnose

    told = []
    monkeypatch.setattr(diagnose, "read", lambda _: 1 / 0)
    assert diagnose.diagnose_run(pathlib.Path(run.run), say=told.append) is None
    assert told == ["The curves could not be judged: ZeroDivisionError: division by zero."]


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"split_file": "none.csv"}, "none.csv: the split file cannot be read"),
        ({"group_by": "(["}, "is no regular expression"),
        ({"group_by": "patient"}, "has 0 groups"),
    ],
)
def test_a_split_that_no_source_can_have_is_told_before_one_is_read(option, told):
    with pytest.raises(PlanError, match=told):
        thalweg.train("no/such/folder", **option)
