"""The arithmetic of windows against counting every place."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from thalweg.core.errors import ShapeError
from thalweg.core.window import Window, extent_after, same_padding

SMALL = st.integers(1, 9)


@given(st.integers(1, 60), SMALL, SMALL, st.integers(0, 8), st.none() | st.integers(0, 8), st.integers(1, 4))
def test_the_formula_counts_every_place_a_window_fits(extent, kernel, stride, padding, end, dilation):
    window = Window(kernel=kernel, stride=stride, padding=padding, padding_end=end, dilation=dilation)
    padded = extent + padding + (padding if end is None else end)
    last_tap = max(tap * dilation for tap in range(kernel))
    places = [start for start in range(0, padded, stride) if start + last_tap < padded]
    if places:
        assert extent_after(extent, window) == len(places)
    else:
        with pytest.raises(ShapeError, match="reaches over"):
            extent_after(extent, window)


@given(st.integers(1, 200), SMALL, SMALL, st.integers(1, 3))
def test_same_padding_gives_the_extent_over_the_stride_and_the_odd_position_to_the_end(
    extent, kernel, stride, dilation
):
    before, after = same_padding(extent, kernel, stride, dilation)
    assert 0 <= after - before <= 1
    window = Window(kernel=kernel, stride=stride, padding=before, padding_end=after, dilation=dilation)
    assume(window.reach <= extent + before + after)
    assert extent_after(extent, window) == math.ceil(extent / stride)


@pytest.mark.parametrize(
    "options",
    [
        {"kernel": 0}, {"kernel": 1.5}, {"kernel": True}, {"kernel": 1, "stride": 0}, {"kernel": 1, "padding": -1},
        {"kernel": 1, "dilation": 0}, {"kernel": 1, "padding_end": -1},
    ],
)  # fmt: skip
def test_a_number_out_of_range_is_refused(options):
    with pytest.raises(ShapeError):
        Window(**options)
