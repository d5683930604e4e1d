import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.diagnosis.shape import LONGEST, settled, shape


def test_a_curve_is_cut_where_it_stops_being_finite_for_good() -> None:
    curve, broken = settled(np.array([4.0, np.nan, 2.0, np.inf, np.nan, np.nan]))
    assert curve.tolist() == [4.0, 3.0, 2.0]
    assert broken == pytest.approx(0.5)


def test_nothing_finite_is_broken_from_the_start() -> None:
    curve, broken = settled(np.array([np.nan, np.nan]))
    assert len(curve) == 0
    assert broken == 1.0


def test_long_curves_are_averaged() -> None:
    curve, _ = settled(np.arange(10_000.0))
    assert len(curve) == LONGEST
    assert curve[0] == pytest.approx(np.arange(10_000.0)[:40].mean(), abs=1)


def test_the_unit_of_a_loss_moves_its_levels_only() -> None:
    y = np.array([2.3, 1.9, 1.2, 1.3, 1.0, 0.9, 0.95, 0.85])
    one, other = shape(y, ""), shape(7 * y, "")
    levels = {"first", "end"}
    assert {name for name in one if abs(one[name] - other[name]) > 1e-6} == levels
    assert other["end"] - one["end"] == pytest.approx(math.log(7))


def test_slow_and_steady_differs_from_early_and_done() -> None:
    steady, done = shape(np.linspace(2.3, 2.2, 20), ""), shape(2.3 * np.exp(-np.arange(20.0)) + 0.2, "")
    assert steady["late_share"] == pytest.approx(1 / 3, abs=0.05)
    assert done["late_share"] < 0.01
    assert steady["convex"] == pytest.approx(0, abs=0.01)
    assert done["convex"] < -0.3


def test_noise_is_told_from_change() -> None:
    rng = np.random.default_rng(0)
    calm = shape(np.linspace(2, 1, 50), "")
    rough = shape(np.linspace(2, 1, 50) + 0.1 * rng.normal(size=50), "")
    assert math.exp(rough["grain"]) == pytest.approx(0.1, rel=0.4)
    assert calm["grain"] < -10


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=40))
def test_any_numbers_give_numbers(values: list[float]) -> None:
    found = shape(np.array(values, dtype=float), "x_")
    assert all(math.isfinite(value) for value in found.values())
