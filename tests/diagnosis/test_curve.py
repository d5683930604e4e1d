"""A curve's noise, trend and levels, against what they were made from."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.core.signal import Signal
from thalweg.diagnosis.curve import Curve, rank_trend


def curve(values, name="train_loss"):
    return Curve.of(Signal(name=name, unit="1", steps=tuple(range(1, len(values) + 1)), values=tuple(values)))


def test_noise_is_found_beside_a_trend():
    random = np.random.default_rng(1)
    values = 5 * np.exp(-np.arange(400) / 90) + random.normal(0, 0.1, 400)
    assert curve(values).noise == pytest.approx(0.1, rel=0.2)
    assert curve(5 * np.exp(-np.arange(400) / 90)).noise < 1e-3


def test_the_trend_is_a_normal_score():
    random = np.random.default_rng(2)
    scores = [rank_trend(random.normal(size=30)) for _ in range(400)]
    assert np.mean(scores) == pytest.approx(0, abs=0.15)
    assert np.std(scores) == pytest.approx(1, abs=0.12)
    assert rank_trend(np.arange(2000.0)) > 10


def test_what_is_not_finite_is_kept_apart():
    kept = curve([1.0, math.inf, 0.5, math.nan])
    assert (kept.values.tolist(), kept.steps.tolist(), kept.broken.tolist(), kept.last) == ([1, 0.5], [1, 3], [2, 4], 4)
    assert Curve.of(None) is None
    assert Curve.of(Signal(name="a", unit="1")) is None


def test_windows_are_said_in_the_unit_of_the_curve():
    assert curve([1, 2, 3]).window() == "epochs 1-3"
    assert curve([1, 2, 3], "batch_loss").window() == "steps 1-3"
    assert curve([1], "batch_loss").window() == "step 1"
    assert curve([math.nan]).window() == "epochs"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_a_part_holds_values_of_the_curve_in_order(values, start, end):
    whole = curve(values)
    part = whole.part(min(start, end), max(start, end))
    assert 1 <= len(part) <= len(whole)
    first = int(part.steps[0]) - 1
    assert part.values.tolist() == values[first : first + len(part)]


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40))
def test_smoothing_stays_within_the_values_and_a_constant_stays_itself(values):
    smooth = curve(values).smooth()
    assert len(smooth) == len(values)
    assert min(values) <= smooth.min() <= smooth.max() <= max(values)
    assert curve([values[0]] * 5).smooth().tolist() == [values[0]] * 5
