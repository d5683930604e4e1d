"""What a case knows of the learning rate, and what it advises."""

import pytest

from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.signal import Signal
from thalweg.diagnosis.case import open_case


def case(verdict="too_high", factor=None, plan=None, **curves):
    signals = tuple(
        Signal(name=name, unit="1", steps=tuple(range(1, len(values) + 1)), values=tuple(values))
        for name, values in curves.items()
    )
    return open_case(RunHistory(signals=signals, plan=plan or {}), LearningRateEstimate(verdict=verdict, factor=factor))


def test_the_rate_is_the_largest_recorded_or_the_planned_one():
    assert case(learning_rate=[0.01, 0.1, 0.05]).rate == 0.1
    assert case(plan={"learning_rate": 0.3}).rate == 0.3
    assert case(plan={"learning_rate": None}).rate is None
    assert case(learning_rate=[0.0, 0.0]).rate is None


@pytest.mark.parametrize(
    ("verdict", "factor", "lower", "higher"),
    [
        ("too_high", 5.0, {"learning_rate": 0.02}, None),
        ("too_high", None, {"learning_rate": 0.01}, None),
        ("too_low", 0.1, None, {"learning_rate": 1.0}),
        ("undetermined", None, {"learning_rate": 0.01}, {"learning_rate": 0.3}),
        ("about_right", 1.0, None, None),
    ],
)
def test_advice_follows_the_verdict(verdict, factor, lower, higher):
    known = case(verdict, factor, learning_rate=[0.1] * 3)
    assert [dict(remedy.edit) for remedy in known.lower_rate()] == ([] if lower is None else [lower])
    assert [dict(remedy.edit) for remedy in known.raise_rate()] == ([] if higher is None else [higher])


def test_steps_of_a_schedule_are_found():
    assert case(learning_rate=[0.1, 0.1, 0.01, 0.01, 0.001]).rate_drops() == [3.0, 5.0]
    assert case(learning_rate=[0.1, 0.09, 0.08]).rate_drops() == []
    assert case(learning_rate=[0.1, 0.04]).scheduled
    assert not case(learning_rate=[0.1, 0.09]).scheduled
    assert not case(train_loss=[1.0]).scheduled


def test_training_loss_goes_before_batches_and_they_before_validation():
    losses = {"train_loss": [1.0], "batch_loss": [2.0], "val_loss": [3.0]}
    for name in tuple(losses):
        assert case(**losses).loss.name == name
        del losses[name]
    assert case().loss is None
    assert case(val_accuracy=[0.5]).accuracy.name == "val_accuracy"
