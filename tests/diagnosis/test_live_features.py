"""Numbers of a watched run's beginning: free of units, missing where nothing was measured, nothing of later steps."""

import math

import numpy as np
import pytest

from thalweg.core.history import RunHistory
from thalweg.core.network_facts import NetworkFacts
from thalweg.core.signal import Signal
from thalweg.diagnosis.live import Live
from thalweg.diagnosis.live_features import measure_live

STEPS = tuple(range(10, 101, 10))


def signals(*, until=100, scale=1.0, without="", odd=()):
    """A hundred steps of an even run; `odd` are values that the critical step and the loss have instead."""
    some, every = [step for step in STEPS if step <= until], range(1, until + 1)
    given = {
        ("batch_learning_rate", "run"): dict.fromkeys(every, 0.1),
        ("batch_loss", "run"): dict(zip(STEPS, odd, strict=True)) if odd else {n: scale * 0.99**n for n in every},
        ("batch_critical_step", "run"): dict(zip(STEPS, odd, strict=True)) if odd else dict.fromkeys(some, 0.5),
        ("batch_update_ratio", "first"): dict.fromkeys(some, 0.01),
        ("batch_weight_norm", "first"): {step: scale * (1 + step / 100) for step in some},
        ("batch_alignment", "run"): dict.fromkeys(some, -0.5),
        ("batch_noise_scale", "run"): dict.fromkeys(some, 320.0),
        ("batch_gradient_norm", "run"): dict.fromkeys(some, scale * 2.0),
        ("batch_actual_decrease", "run"): dict.fromkeys(some, scale * 0.5),
        ("batch_predicted_decrease", "run"): dict.fromkeys(some, scale * 1.0),
    }
    return tuple(
        Signal(name=name, unit="1", subject=subject, steps=tuple(points), values=tuple(points.values()))
        for (name, subject), points in given.items()
        if name != without
    )


def live(**options):
    return Live.of(RunHistory(signals=signals(**options), network=NetworkFacts(optimizer="Adam", batch_size=32)))


def test_the_numbers_are_what_they_say():
    found = measure_live(live())
    assert found["edge_peak"] == found["edge_last"] == pytest.approx(math.log(0.2))
    assert found["moved_first"] == pytest.approx(math.log(0.01))
    assert found["moved_far"] == pytest.approx(math.log(0.01 * 100))
    assert found["grown_most"] == pytest.approx(math.log(2.0 / 1.1))
    assert found["turn_mean"] == -0.5
    assert found["noise_last"] == pytest.approx(math.log(10))
    assert found["kept_level"] == 0.5
    assert found["edge_beyond"] == found["kept_never"] == 0
    assert found["kind_normalises"] == 1


def test_another_unit_of_the_loss_changes_nothing_that_is_not_its_level():
    one, other = measure_live(live()), measure_live(live(scale=1000.0))
    levels = {"bl_first", "bl_end"}
    assert {name: value for name, value in one.items() if name not in levels} == pytest.approx({
        name: value for name, value in other.items() if name not in levels
    })


def test_what_comes_later_is_not_looked_at():
    assert measure_live(live(until=100), until=50) == measure_live(live(until=50))


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("batch_critical_step", "edge_"), ("batch_alignment", "turn_"), ("batch_actual_decrease", "kept_")],
)
def test_what_was_not_measured_has_no_number(name, prefix):
    assert any(number.startswith(prefix) for number in measure_live(live()))
    assert not any(number.startswith(prefix) for number in measure_live(live(without=name)))


def test_numbers_that_are_not_finite_break_nothing():
    found = measure_live(live(odd=(1.0, np.nan, np.inf, 0.0, -1.0) * 2))
    assert all(math.isfinite(value) for value in found.values())
    assert found["bl_broken"] >= 0
