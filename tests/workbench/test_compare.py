import json
import math
import pathlib

import jsonschema
import pytest

from thalweg.cli.main import main
from thalweg.core.comparison import judge_difference
from thalweg.core.errors import PlanError, ThalwegError
from thalweg.core.plan import TrainingPlan
from thalweg.workbench.compare import compare

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas"
HEADER = "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,images_per_second\n"


@pytest.fixture
def run_folder(tmp_path):
    def make(name, *, seed, accuracy, **options):
        folder = tmp_path / name
        folder.mkdir()
        plan = TrainingPlan(source="photos", seed=seed, epochs=3, **options)
        (folder / "plan.toml").write_text(plan.to_toml(), encoding="utf-8")
        rows = "".join(f"{n},{1 / n},{accuracy},{1 / n},{accuracy - 0.01 * (3 - n)},0.1,{n},5\n" for n in (1, 2, 3))
        (folder / "history.csv").write_text(HEADER + rows, encoding="utf-8")
        metrics = {"schema": 1, "accuracy": accuracy, "accuracy_interval": [accuracy - 0.1, accuracy + 0.1]}
        (folder / "metrics.json").write_text(json.dumps({**metrics, "split": "test", "seconds": 3.0}), encoding="utf-8")
        return folder

    return make


def test_runs_that_differ_by_seed_alone_tell_what_chance_does(run_folder):
    good = [run_folder(f"گربه{n}", seed=n, accuracy=0.90 + n / 200) for n in range(3)]
    bad = [run_folder(f"b{n}", seed=n, accuracy=0.80 + n / 200, learning_rate=1e-5) for n in range(2)]
    answer = compare(*good, *bad)
    assert answer.differing == ("learning_rate",)
    assert [run.group for run in answer.runs] == [1, 1, 1, 2, 2]
    (accuracy,) = [each for each in answer.differences if each.metric == "test accuracy"]
    assert accuracy.difference == pytest.approx(0.1025)
    assert accuracy.larger_than_seeds
    assert accuracy.interval[0] == pytest.approx(0.1025 - 3.182 * math.sqrt((5e-5 + 1.25e-5) / 3) * math.sqrt(5 / 6))
    (epochs,) = [each for each in answer.differences if each.metric == "epochs"]
    assert not epochs.larger_than_seeds


def test_a_rate_that_trials_chose_is_no_choice(run_folder):
    found = {"rate_from": "trials", "given_rate": 1.0}
    one = run_folder("a", seed=1, accuracy=0.9, learning_rate=0.01, **found)
    other = run_folder("b", seed=2, accuracy=0.91, learning_rate=0.02, **found)
    asked = run_folder("c", seed=2, accuracy=0.91, learning_rate=0.02)
    assert [run.group for run in compare(one, other, asked).runs] == [1, 1, 2]


def test_without_repeated_seeds_nothing_is_called_larger(run_folder, capsys):
    one, other = (
        run_folder(name, seed=1, accuracy=value, learning_rate=value) for name, value in (("a", 0.9), ("b", 0.1))
    )
    answer = compare(one, other)
    assert {each.larger_than_seeds for each in answer.differences} == {None}
    with pytest.raises(SystemExit):
        main(["compare", str(one), str(other)])
    out = capsys.readouterr().out
    assert "no difference can be told from chance" in out
    assert "test accuracy: 0.9 (0.800 to 1.000)" in out


def test_one_json_object_and_a_page(run_folder, tmp_path, capsys):
    folders = [run_folder(f"r{n}", seed=n, accuracy=0.5) for n in range(2)]
    (tmp_path / "log.csv").write_text("epoch,loss,val_loss\n" + "".join(f"{n},{0.9**n},{0.8**n}\n" for n in range(9)))
    words = ["compare", *map(str, folders), str(tmp_path / "log.csv"), "--json", "--html", str(tmp_path / "page.html")]
    with pytest.raises(SystemExit) as stop:
        main(words)
    answer = json.loads(capsys.readouterr().out)
    assert stop.value.code == 0
    jsonschema.validate(answer, json.loads((SCHEMAS / "compare.json").read_text(encoding="utf-8")))
    assert len(answer["runs"]) == 3
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "run\u00a03 (group 2)" in page
    assert "Training loss" in page


def test_what_cannot_be_compared_is_refused(run_folder, tmp_path):
    with pytest.raises(PlanError, match="needs two runs"):
        compare(run_folder("one", seed=1, accuracy=0.5))
    with pytest.raises(ThalwegError):
        compare(tmp_path / "none", tmp_path / "neither")


def test_equal_values_are_no_difference_and_one_pair_is_known_by_hand():
    same = judge_difference("x", {1: [1.0, 1.0], 2: [1.0, 1.0]}, 1, 2)
    assert (same.difference, same.larger_than_seeds) == (0, False)
    apart = judge_difference("x", {1: [0.0, 2.0], 2: [10.0]}, 1, 2)
    assert apart.spread == pytest.approx(math.sqrt(2))
    assert apart.interval[1] - apart.interval[0] == pytest.approx(2 * 12.706 * math.sqrt(2) * math.sqrt(1.5))
    assert not apart.larger_than_seeds


def test_the_same_again_is_no_draw_of_chance(run_folder, tmp_path, capsys):
    first = run_folder("a", seed=1, accuracy=0.9)
    copy, other = run_folder("copy", seed=1, accuracy=0.9), run_folder("b", seed=1, accuracy=0.89, learning_rate=1e-5)
    answer = compare(first, copy, other)
    assert {each.larger_than_seeds for each in answer.differences} == {None}
    assert any("they count as one" in note for note in answer.notes)
    (tmp_path / "link").symlink_to(first)
    with pytest.raises(PlanError, match="needs two runs"):
        compare(first, tmp_path / "link", first)
    with pytest.raises(SystemExit):
        main(["compare", str(first), str(copy)])
    out = capsys.readouterr().out
    assert "differ in nothing, seed included" in out
    assert "seed alone" not in out
