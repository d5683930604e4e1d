import math

import pytest

from thalweg.core.errors import LogError
from thalweg.histories.reading import read

BOX, OBJ, CLS = [0.1, 0.08, 0.06], [0.07, 0.06, 0.05], [0.04, 0.03, 0.02]
VAL = [(0.09, 0.05, 0.03), (0.08, 0.04, 0.02), (0.07, 0.03, 0.01)]
SCORES = (0.5, 0.4, 0.3, 0.2)


def row(epoch, parts, judged, total=None, last=2):
    cells = [*parts, sum(parts) if total is None else total, 68, 640, *judged]
    return f"{f'{epoch}/{last}':>10}{'5.61G':>10}" + "".join(f"{cell:10.4g}" for cell in cells) + "\n"


ROWS = [row(n, each, (*SCORES, *VAL[n])) for n, each in enumerate(zip(BOX, OBJ, CLS, strict=True))]
TRAIN = [sum(each) for each in zip(BOX, OBJ, CLS, strict=True)]
HEADER = "Epoch gpu_mem box obj cls total targets img_size\n"


@pytest.mark.parametrize(
    "text", ["".join(ROWS), HEADER + "".join(ROWS), "".join(ROWS) + "\n", "".join(ROWS) + ROWS[0][:40]]
)
def test_the_sums_of_its_losses(log, curve, near, points, text):
    (run,) = log("results.txt", text)
    assert near(curve(run, "train_loss"), points(TRAIN))
    assert near(curve(run, "val_loss"), points([sum(each) for each in VAL]))
    assert curve(run, "val_accuracy") is None
    assert curve(run, "metrics/precision") == points([0.5] * 3)
    assert curve(run, "metrics/mAP_0.5:0.95") == points([0.2] * 3)


def test_v3_has_f1_where_later_ones_have_another_map(log, curve, points):
    (run,) = log("results.txt", "".join(row(n, (BOX[n], OBJ[n], 0), (0.5, 0.4, 0.3, 0.45, *VAL[n])) for n in range(3)))
    assert curve(run, "metrics/F1") == points([0.45] * 3)


def test_validation_that_was_not_run_is_no_zero(log, curve, near):
    lines = [row(n, each, (0,) * 7) for n, each in enumerate(zip(BOX, OBJ, CLS, strict=True))]
    (run,) = log("results.txt", "".join(lines[:2]) + ROWS[2])
    assert near(curve(run, "val_loss"), {3: sum(VAL[2])})


@pytest.mark.parametrize("more", [(0.01,), (0.02, 0.01)])
def test_losses_that_validation_lacks_are_not_compared(log, curve, near, points, more):
    lines = [row(n, (BOX[n], OBJ[n], CLS[n], *more), (*SCORES, *VAL[n])) for n in range(3)]
    (run,) = log("results.txt", "".join(lines))
    assert near(curve(run, "train_loss"), points([each + sum(more) for each in TRAIN]))
    assert curve(run, "val_loss") is None
    assert "their sums are not compared" in " ".join(run.notes)


def test_a_loss_that_is_no_number(log, curve):
    (run,) = log("results.txt", ROWS[0] + row(1, (math.nan,) * 3, (*SCORES, *VAL[1])))
    assert math.isnan(curve(run, "train_loss")[2])


def test_a_second_training_in_the_same_file_is_a_run(log, curve, near, points):
    runs = log("results.txt", "".join(ROWS * 2))
    assert [near(curve(run, "train_loss"), points(TRAIN)) for run in runs] == [True, True]


@pytest.mark.parametrize(
    "text",
    [
        "".join(row(n, (0.1, 0.2, 0.3), (*SCORES, *VAL[n]), total=0.9) for n in range(3)),  # no sum of its parts
        "".join(each.replace("G", "") for each in ROWS),
        ROWS[0] + "something else\n" + ROWS[1] + ROWS[2],
    ],
)
def test_other_columns_are_not_taken_for_it(log, text):
    with pytest.raises(LogError):
        log("results.txt", text)


def test_a_folder_of_its_runs(tmp_path):
    for name in ("exp", "exp2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.txt").write_text("".join(ROWS))
    assert [run.format for run in read(tmp_path)] == ["YOLO's results.txt"] * 2
