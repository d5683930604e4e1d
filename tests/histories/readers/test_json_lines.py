import json

import pytest

from thalweg.core.errors import LogError


def test_lines_in_detectron2s_form(sample, curve, near):
    (run,), truth = sample("detectron2", "metrics.json")
    assert run.format == "detectron2 JSON lines"
    assert near(curve(run, "batch_loss"), {step + 1: loss for step, loss in truth["iterations"]})


def test_losses_between_evaluations_make_an_epoch(log, curve):
    rows = (
        (9, "total", 4),
        (19, "total", 2),
        (19, "validation", 5),
        (29, "total", 1),
        (39, "total", 1),
        (39, "validation", 3),
    )
    lines = [json.dumps({"iteration": at, f"{name}_loss": value}) + "\n" for at, name, value in rows]
    (run,) = log("metrics.json", "".join(lines))
    assert curve(run, "train_loss") == {1: 3.0, 2: 1.0}
    assert curve(run, "val_loss") == {1: 5.0, 2: 3.0}
    assert "from one evaluation to the next" in " ".join(run.notes)


def test_half_a_line_at_the_end_and_nested_objects(log, curve, near):
    (run,) = log(
        "log.jsonl", '{"epoch": 0, "train": {"loss": 2}}\n{"epoch": 1, "train": {"loss": NaN}}\n{"epoch": 2, "tr'
    )
    assert near(curve(run, "train_loss"), {1: 2.0, 2: float("nan")})
    assert run.notes == ("the last line is cut off and was left out",)


def test_lines_without_numbers_are_refused(log):
    with pytest.raises(LogError, match=r"log\.jsonl"):
        log("log.jsonl", '{"message": "hello"}\n{"message": "bye"}\n')
