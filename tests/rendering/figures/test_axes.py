import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from thalweg.rendering.figures.axes import format_tick, log_ticks, nice_ticks, value_axis

reals = st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-9)


@given(reals, reals)
def test_ticks_cover_the_range_with_even_steps(one, other):
    low, high = min(one, other), max(one, other)
    if high - low < 1e-6 * max(abs(low), abs(high)):
        return
    ticks = nice_ticks(low, high)
    steps = [late - early for early, late in itertools.pairwise(ticks)]
    assert ticks[0] <= low + 1e-6 * (high - low)
    assert ticks[-1] >= high - 1e-6 * (high - low)
    assert 2 <= len(ticks) <= 9
    assert max(steps) - min(steps) <= 1e-6 * max(steps)


def test_a_single_value_still_gets_an_axis():
    assert nice_ticks(0.5, 0.5)[0] < 0.5 < nice_ticks(0.5, 0.5)[-1]
    assert nice_ticks(0, 0) == (-1.0, -0.5, 0.0, 0.5, 1.0)


@given(st.floats(1e-12, 1e6), st.floats(1, 1e12))
def test_logarithmic_ticks_cover_the_range(low, factor):
    ticks = log_ticks(low, low * factor)
    assert ticks[0] <= low * 1.0001
    assert ticks[-1] >= low * factor * 0.9999
    assert len(ticks) <= 9


def test_ticks_have_as_many_decimals_as_their_step_needs():
    assert [format_tick(value, 0.05) for value in (0.0, 0.05, 0.1)] == ["0.00", "0.05", "0.10"]
    assert format_tick(2e6, 1e6) == "2e6"


def test_an_axis_places_its_ends_and_knows_no_logarithm_of_zero():
    axis = value_axis([0.01, 10.0], 100, 0, log=True)
    assert axis.place(0.01) == 100
    assert abs(axis.place(10)) < 1e-9
    assert abs(axis.place(0.1) - 200 / 3) < 1e-9
    assert math.isnan(axis.place(0))
    assert value_axis([], 0, 1).ticks[0] == 0
