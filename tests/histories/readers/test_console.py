import pytest

from thalweg.core.errors import LogError

NAMES = {"loss": "train_loss", "accuracy": "train_accuracy", "val_loss": "val_loss", "val_accuracy": "val_accuracy"}
PRINTED = 1.1e-3  # of a value around 0.5, printed with four decimals


@pytest.mark.parametrize("name", ["redirected.log", "lines.txt", "between.log", "terminal.log"])
def test_every_curve_is_what_keras_reported(sample, curve, near, points, name):
    (run,), truth = sample("keras_console", name)
    assert run.format == "console progress"
    for theirs, ours in NAMES.items():
        assert near(curve(run, ours), points(truth[theirs]), PRINTED)


def test_the_learning_rate_is_read_and_what_evaluate_prints_is_not(sample, curve):
    (run,), _ = sample("keras_console", "between.log")
    assert curve(run, "learning_rate")[1] == 0.1
    assert len(curve(run, "train_loss")) == 5
    assert not any("Test" in signal.name for signal in run.history.signals)


def test_epochs_without_validation_are_gaps(sample, curve, near, points):
    (run,), truth = sample("keras_console", "every_second.txt")
    assert near(curve(run, "train_loss"), points(truth["loss"]), PRINTED)
    assert near(curve(run, "val_loss"), dict(zip((2, 4, 6), map(float, truth["val_loss"]), strict=True)), PRINTED)


def test_two_fits_in_one_text_stay_two(sample, curve, near, points):
    runs, truth = sample("keras_console", "folds.txt")
    told = [
        near(curve(run, "val_loss"), points(each["val_loss"]), PRINTED) for run, each in zip(runs, truth, strict=True)
    ]
    assert told == [True, True]


OLDER = (
    "Using TensorFlow backend.\nTrain on 60000 samples, validate on 10000 samples\nEpoch 1/2\n"
    "   32/60000 [..............................] - ETA: 2:03 - loss: 2.4010 - acc: 0.0938\b\b\b\b\r"
    "60000/60000 [==============================] - 5s 83us/step - loss: 0.2912 - acc: 0.9152\b\b\b\r"
    "60000/60000 [==============================] - 6s 93us/step - loss: 0.2912 - acc: 0.9152 - val_loss: 0.1385"
    " - val_acc: 0.9591\nEpoch 00001: val_loss improved from inf to 0.13850, saving model to best.h5\nEpoch 2/2\n"
    "60000/60000 - 4s - loss: 0.1400 - acc: 0.9580 - val_loss: 0.1100 - val_acc: 0.9650 - lr: 1.0e-03 - 4s/epoch\n"
    "10000/10000 [==============================] - 0s 40us/step - loss: 0.5 - acc: 0.5\n"
)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_older_kerases(log, curve, end):
    (run,) = log("out.txt", OLDER.replace("\n", end))
    assert curve(run, "train_loss") == {1: 0.2912, 2: 0.14}
    assert curve(run, "val_accuracy") == {1: 0.9591, 2: 0.965}
    assert curve(run, "learning_rate") == {2: 0.001}


LOOPS = {
    "commas": "Epoch [1/3], Loss: 0.9, Val Loss: 0.8, Val Acc: 50.0%\n"
    "Epoch [2/3], Loss: 0.5, Val Loss: 0.6, Val Acc: 75%\n",
    "bars": "epoch 1/3 | loss=0.9 | val_loss=0.8 | val_acc=0.5\nepoch 2/3 | loss=0.5 | val_loss=0.6 | val_acc=0.75\n",
    "two lines": "Epoch 0/3\n----------\ntrain Loss: 0.9 Acc: 0.1\nval Loss: 0.8 Acc: 0.5\n\nEpoch 1/3\n----------\n"
    "train Loss: 0.5 Acc: 0.2\nval Loss: 0.6 Acc: 0.75\n\nTraining complete in 1m 3s\nBest val Acc: 0.750000\n",
    "logging": "2026-11-29 10:00:00,123 INFO root: Epoch 1/3 - loss: 0.9 - val_loss: 0.8 - val_acc: 0.5\n"
    "2026-11-29 10:00:09,456 INFO root: Epoch 2/3 - loss: 0.5 - val_loss: 0.6 - val_acc: 0.75\n",
    "tqdm": "Epoch 1/3:   0%|          | 0/938 [00:00<?, ?it/s]\r"
    "Epoch 1/3:  50%|#####     | 469/938 [00:06<00:06, 75.1it/s, loss=1.2]\r"
    "Epoch 1/3: 100%|##########| 938/938 [00:12<00:00, 75.1it/s, loss=0.9]\nval_loss: 0.8 val_acc: 0.5\n"
    "Epoch 2/3: 100%|##########| 938/938 [00:12<00:00, 75.1it/s, loss=0.5]\nval_loss: 0.6 val_acc: 0.75\n",
}


@pytest.mark.parametrize("name", LOOPS)
def test_what_loops_print(log, curve, name):
    (run,) = log("out.log", LOOPS[name])
    assert list(curve(run, "train_loss").values()) == [0.9, 0.5]
    assert list(curve(run, "val_loss").values()) == [0.8, 0.6]
    assert list(curve(run, "val_accuracy").values()) == [0.5, 0.75]


def test_an_epoch_that_was_interrupted_is_left_out(log, curve):
    text = "Epoch 1/9\n5/5 - 1s - loss: 0.9\nEpoch 2/9\n5/5 - 1s - loss: 0.5\nEpoch 3/9\n"
    text += "\r2/5 [==>...] - ETA: 3s - loss: 7.0"
    (run,) = log("out.log", text)
    assert curve(run, "train_loss") == {1: 0.9, 2: 0.5}
    assert "epoch 3 is not finished" in " ".join(run.notes)


def test_a_diverging_run_prints_nan(log, curve):
    (run,) = log(
        "out.log", "Epoch 1/3\n5/5 - 1s - loss: 9e+12\nEpoch 2/3\n5/5 - 1s - loss: inf\nEpoch 3/3\n5/5 - loss: nan\n"
    )
    assert str(curve(run, "train_loss")) == "{1: 9000000000000.0, 2: inf, 3: nan}"


def test_fit_for_one_epoch_in_a_loop_is_one_run(log, curve):
    (run,) = log("out.log", "".join(f"Epoch 1/1\n5/5 - 1s - loss: {loss}\n" for loss in (0.9, 0.5, 0.4)))
    assert curve(run, "train_loss") == {1: 0.9, 2: 0.5, 3: 0.4}
    assert "3 times one epoch" in " ".join(run.notes)


def test_a_name_for_a_column_works_here_too(log, curve):
    text = "Epoch 1/2\n5/5 - my thing: 0.9\nEpoch 2/2\n5/5 - my thing: 0.5\n"
    (run,) = log("out.log", text, columns={"train_loss": "my thing"})
    assert curve(run, "train_loss") == {1: 0.9, 2: 0.5}


@pytest.mark.parametrize(
    "text",
    [
        "Epoch 1/3\n\r1/5 [=>...] - ETA: 3s - loss: 7.0\r2/5 [==>...] - ETA: 3s - loss: 6.0",
        "Epoch 1/3\nEpoch 2/3\nEpoch 3/3\n",
        "Epoch 1/3\n5/5 - 1s\nEpoch 2/3\n5/5 - 1s\n",
        "Epoch " + "9" * 400 + "/" + "9" * 400 + "\nloss: 0.5\n",
        "Epoch 1/2\n" + "a " * 20_000 + "loss",
        "Epoch 1/2\n" + "a" * 300_000 + " " * 300_000 + "=",
        "an epoch 1/2 of no interest\n\x1b[2K\x1b[",
    ],
)
def test_what_holds_no_epoch_is_refused_in_one_line(log, text):
    with pytest.raises(LogError) as told:
        log("out.log", text)
    assert "\n" not in str(told.value)


def test_a_table_is_not_taken_for_a_console(log):
    (run,) = log("log.txt", "epoch,loss\n0,0.9\n1,0.5\n")
    assert run.format == "Keras CSVLogger"
