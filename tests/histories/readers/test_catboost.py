import json

import pytest

from thalweg.core.errors import LogError
from thalweg.histories.reading import read

LEARN, TEST = [2.0, 1.0, 0.5], [1.9, 1.4, 1.5]
LINES = "".join(
    f"{place}:\tlearn: {one:.7f}\ttest: {two:.7f}\tbest: {min(TEST[: place + 1]):.7f} ({min(place, 1)})\t"
    f"total: {place + 1}2ms\tremaining: 1m {place}s\n"
    for place, (one, two) in enumerate(zip(LEARN, TEST, strict=True))
)
AROUND = "Learning rate set to 0.05\n{}\nbestTest = 1.4\nbestIteration = 1\n\nShrink model to first 2 iterations.\n"


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        AROUND.format(LINES),
        LINES.replace("\t", "     "),
        LINES.replace("\tbest:", "\ttest1: 9.0000000\tbest:"),
        LINES.replace("test:", "test0:"),
        "\n".join(f"2024-01-01 10:10:10,123 INFO {line}" for line in LINES.splitlines()),
    ],
)
def test_what_is_printed(log, curve, points, text):
    (run,) = log("run.log", text)
    assert curve(run, "train_loss") == points(LEARN)
    assert curve(run, "val_loss") == points(TEST)
    assert curve(run, "val_accuracy") is None
    assert any("adds a tree" in note for note in run.notes)


def test_training_alone_is_printed(log, curve, points):
    (run,) = log(
        "run.txt", "".join(f"{n}:\tlearn: {each}\ttotal: 1ms\tremaining: 0us\n" for n, each in enumerate(LEARN))
    )
    assert curve(run, "train_loss") == points(LEARN)
    assert curve(run, "val_loss") is None


@pytest.mark.parametrize(
    "line",
    [
        "{n}:\tlearn: 0.{n}5\ttest: 0.{n}1\tbest: 0.{n}1 ({n})\ttotal: 1ms\tremaining: 1s\n",
        "{n}:\ttest: 0.8{n}\tbest: 0.8{n} ({n})\ttotal: 1ms\tremaining: 1s\n",
        "{n}:\tlearn: 0.7{n}\ttotal: 1ms\tremaining: 1s\n",
    ],
)
def test_a_score_without_a_name_is_no_loss(log, curve, line):
    text = "".join(line.format(n=n) for n in range(1, 5))
    with pytest.raises(LogError, match="a score that rises and does not name it"):
        log("run.log", text)
    said = {"train_accuracy": "learn"} if "test" not in line else {"val_accuracy": "test"}
    (run,) = log("run.log", text, columns=said)
    assert len(curve(run, next(iter(said)))) == 4
    assert curve(run, "train_loss") is None or "learn" in line


def _info(folder):
    """A `catboost_info` as the library leaves it, but for its events."""
    metrics = [{"best_value": "Min", "name": "MultiClass"}, {"best_value": "Max", "name": "Accuracy"}]
    meta = {"learn_sets": ["learn"], "test_sets": ["test"], "learn_metrics": metrics, "test_metrics": metrics}
    rows = [
        {"iteration": n, "learn": [a, 1 - a / 4], "test": [b, 1 - b / 4], "passed_time": 0.1, "remaining_time": 0.2}
        for n, (a, b) in enumerate(zip(LEARN, TEST, strict=True))
    ]
    (folder / "catboost_training.json").write_text(json.dumps({"meta": meta, "iterations": rows}))
    for name, values in (("learn_error.tsv", LEARN), ("test_error.tsv", TEST)):
        table = "".join(f"{n}\t{each}\t{1 - each / 4}\n" for n, each in enumerate(values))
        (folder / name).write_text("iter\tMultiClass\tAccuracy\n" + table)
    for name in ("learn", "test1"):
        (folder / name).mkdir()
        (folder / name / "events.csv").write_text("step,loss\n1,2\n2,1\n")  # stands for events.out.tfevents
    (folder / "time_left.tsv").write_text("iter\tPassed\tRemaining\n0\t1\t2\n")


@pytest.mark.parametrize("name", ["", "catboost_training.json", "learn_error.tsv", "test_error.tsv"])
def test_its_folder_and_each_file_of_it_are_one_run(tmp_path, curve, points, name):
    _info(tmp_path)
    (run,) = read(tmp_path / name)
    for split, values in (("train", LEARN), ("val", TEST)):
        assert curve(run, f"{split}_loss") == points(values)
        assert curve(run, f"{split}_accuracy") == points([1 - each / 4 for each in values])


def test_the_half_of_a_run_that_is_there(tmp_path, curve, points):
    _info(tmp_path)
    (tmp_path / "catboost_training.json").unlink()
    (tmp_path / "learn_error.tsv").unlink()
    (run,) = read(tmp_path)
    assert curve(run, "val_loss") == points(TEST)
    assert curve(run, "train_loss") is None


def test_a_row_without_its_number_is_left_out(log, curve):
    (run,) = log("test_error.tsv", "iter\tLogloss\n0\t0.9\nnan\t0.8\n2\t0.7\n")
    assert curve(run, "val_loss") == {1: 0.9, 3: 0.7}
