import math

import pytest

NAMES = {"loss": "train_loss", "accuracy": "train_accuracy", "val_loss": "val_loss", "val_accuracy": "val_accuracy"}


def test_every_curve_is_what_keras_reported(sample, curve, near, points):
    (run,), truth = sample("keras", "log.csv")
    assert run.format == "Keras CSVLogger"
    assert run.notes == ()
    for theirs, ours in NAMES.items():
        assert near(curve(run, ours), points(truth[theirs]))


def test_epochs_without_validation_are_gaps(sample, curve, near, points):
    (run,), truth = sample("keras", "every_second.csv")
    assert near(curve(run, "train_loss"), points(truth["loss"]))
    assert near(curve(run, "val_loss"), dict(zip((2, 4, 6), map(float, truth["val_loss"]), strict=True)))


def test_a_resumed_run_counts_once(sample, curve, near, points):
    (run,), (first, second) = sample("keras", "resumed.csv")
    assert near(curve(run, "train_loss"), points(first["loss"][:2] + second["loss"]))
    assert "goes back to epoch 2" in run.notes[0]


def test_two_runs_in_one_file_stay_two(sample, curve, near, points):
    runs, truth = sample("keras", "two_runs.csv")
    assert [near(curve(run, "val_loss"), points(one["val_loss"])) for run, one in zip(runs, truth, strict=True)] == [
        True
    ] * 2
    assert runs[1].place.endswith("run 2 of 2")


def test_nan_is_a_value(sample, curve, near, points):
    (run,), truth = sample("keras", "not_a_number.csv")
    assert near(curve(run, "train_loss"), points(truth["loss"]))
    assert math.isnan(curve(run, "train_loss")[12])


def test_a_run_resumed_from_further_back_forgets_what_came_after(log, curve):
    (run,) = log("log.csv", "epoch,accuracy,loss\n0,0.1,5\n1,0.1,4\n2,0.1,3\n3,0.1,2\n1,0.1,9\n2,0.1,8\n")
    assert curve(run, "train_loss") == {1: 5.0, 2: 9.0, 3: 8.0}


def test_a_second_fit_that_goes_on_is_one_run(log, curve):
    rows = "epoch,accuracy,loss\n0,0.1,2.0\n1,0.2,1.5\n2,0.3,1.0\n0,0.4,0.9\n1,0.5,0.8\n"
    (run,) = log("log.csv", rows)
    assert curve(run, "train_loss") == {1: 2.0, 2: 1.5, 3: 1.0, 4: 0.9, 5: 0.8}
    assert "one run that went on" in run.notes[0]


@pytest.mark.parametrize("end", ["3,0.9,", "3,0.9", "3,"])
def test_a_last_row_cut_off_is_left_out(log, end, curve):
    (run,) = log("log.csv", f"epoch,accuracy,loss\n0,0.1,2.0\n1,0.2,1.5\n2,0.3,1.0\n{end}")
    assert curve(run, "train_loss") == {1: 2.0, 2: 1.5, 3: 1.0}
