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


def test_what_transformers_prints_beside_its_bar(log, curve):
    bar = "\r 20%|##   | 10/300 [00:10<10:00, 11.2it/s]"
    text = "".join(
        f"{bar}{{'loss': {loss}, 'learning_rate': 5e-05, 'epoch': {epoch}.0}}\n"
        f"{{'eval_loss': {loss + 0.1:.1f}, 'eval_runtime': 3.1, 'epoch': {epoch}.0}}\n"
        for epoch, loss in enumerate((0.9, 0.6, 0.5), start=1)
    )
    (run,) = log("out.txt", "Loading the model\n" + text + "{'train_runtime': 9.0, 'train_loss': 0.7, 'epoch': 3.0}\n")
    assert curve(run, "train_loss") == {1: 0.9, 2: 0.6, 3: 0.5}
    assert curve(run, "val_loss") == {1: 1.0, 2: 0.7, 3: 0.6}


def test_objects_behind_time_and_level_as_fairseq_prints_them(log, curve):
    text = "".join(
        f'2023-01-01 10:10:10 | INFO | train | {{"epoch": {epoch}, "train_loss": "{loss}", "train_wps": "9"}}\n'
        f'2023-01-01 10:10:11 | INFO | valid | {{"epoch": {epoch}, "valid_loss": "{loss}", "valid_wps": "9"}}\n'
        for epoch, loss in enumerate((0.9, 0.6, 0.5), start=1)
    )
    (run,) = log("train.log", "2023-01-01 10:10:09 | INFO | fairseq.tasks | loaded 100 examples\n" + text)
    assert curve(run, "train_loss") == curve(run, "val_loss") == {1: 0.9, 2: 0.6, 3: 0.5}


def test_evaluations_of_mmengine_belong_to_the_epoch_before_them(log, curve):
    rows = []
    for epoch, loss in enumerate((0.9, 0.6, 0.5), start=1):
        for batch in (100, 200):
            step = (epoch - 1) * 200 + batch
            rows.append(f'{{"lr": 0.1, "loss": {loss}, "epoch": {epoch}, "iter": {step}, "step": {step}}}\n')
        rows.append(f'{{"accuracy/top1": {10.0 * epoch}, "time": 0.01, "step": {epoch}}}\n')
    (run,) = log("20230101_101010.json", "".join(rows))
    assert curve(run, "val_accuracy") == {1: 0.1, 2: 0.2, 3: 0.3}
    assert curve(run, "train_loss") == {1: 0.9, 2: 0.6, 3: 0.5}
    assert list(curve(run, "batch_loss")) == [100, 200, 300, 400, 500, 600]


def test_evaluations_of_mmengine_by_iterations(log, curve):
    rows = "".join(
        f'{{"loss": 0.{9 - step}, "iter": {step}00, "step": {step}00}}\n{{"accuracy": 0.{step}, "step": {step}00}}\n'
        for step in (1, 2, 3)
    )
    (run,) = log("scalars.json", rows)
    assert list(curve(run, "val_accuracy").values()) == [0.1, 0.2, 0.3]
