import math

import numpy as np
import pytest

from thalweg.core.history import RunHistory
from thalweg.core.signal import Signal
from thalweg.diagnosis.features import curves_of, features, measure
from thalweg.diagnosis.wording import course, signal_of, what, window_of

EPOCHS = np.arange(1, 13)
CURVES = {
    "train_loss": 2.3 / EPOCHS,
    "val_loss": 2.3 / EPOCHS + 0.1,
    "train_accuracy": 1 - 0.9 / EPOCHS,
    "val_accuracy": 0.95 - 0.9 / EPOCHS,
    "batch_loss": 2.3 / np.sqrt(np.arange(1, 201)),
}


def test_only_what_was_recorded_is_measured() -> None:
    alone = measure({"val_accuracy": CURVES["val_accuracy"]})
    assert all(name.startswith("ve_") for name in alone)
    assert any(name.startswith("bl_") for name in measure({"batch_loss": CURVES["batch_loss"]}))


def test_guessing_is_seen_whatever_the_number_of_classes() -> None:
    for classes in (2, 10, 100):
        found = measure({"val_loss": np.full(5, math.log(classes)), "val_accuracy": np.full(5, 1 / classes)})
        assert found["guess_val_end"] == pytest.approx(0, abs=1e-9)
    assert measure(CURVES)["guess_val_end"] > 0.05


def test_the_learning_rate_is_not_looked_at() -> None:
    steps = tuple(range(1, 13))
    signals = tuple(
        Signal(name=name, unit="1", steps=steps, values=tuple(map(float, CURVES[name])))
        for name in ("train_loss", "val_loss")
    )
    rate = Signal(name="learning_rate", unit="1", steps=steps, values=(100.0,) * 12)
    assert features(RunHistory(signals=(*signals, rate))) == features(RunHistory(signals=signals))
    assert set(curves_of(RunHistory(signals=(*signals, rate)))) == {"train_loss", "val_loss"}


def test_every_number_has_words_a_curve_and_a_window() -> None:
    signals = tuple(
        Signal(name=name, unit="1", steps=tuple(range(1, len(values) + 1)), values=tuple(map(float, values)))
        for name, values in CURVES.items()
    )
    history = RunHistory(signals=signals)
    for name in features(history):
        assert history.signal(signal_of(name)) is not None, name
        assert " " in what(name), name
        assert window_of(name, history).startswith(("epoch", "step")), name


def test_the_course_is_told_with_its_numbers() -> None:
    assert "no finite number any more" in course(measure({"train_loss": np.array([1.0, np.nan, np.nan])}))
    rough = {"train_loss": 2.3 / EPOCHS, "val_loss": np.where(EPOCHS % 2, 1.0, 9.0)}
    assert "the training loss fell by" in course(measure(rough))
    assert "9.00 times its lowest" in course(measure(rough))
    guessing = {"val_loss": np.full(6, math.log(10)), "val_accuracy": np.full(6, 0.1)}
    assert course(measure(guessing)).startswith("the validation loss did not move")
    assert "those of guessing" in course(measure(guessing))
