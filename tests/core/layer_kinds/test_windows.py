import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.layer_kinds.settings import per_axis
from thalweg.core.layer_kinds.windows import extents_after, places, windows
from thalweg.core.shape import Shape
from thalweg.core.window import Window


def test_every_axis_has_its_own_numbers():
    words = {"kernel_size": (3, 1), "stride": 2, "padding": ((0, 1), (2, 2)), "dilation": (1, 2)}
    assert windows(words, (9, 9)) == (
        Window(kernel=3, stride=2, padding=0, padding_end=1, dilation=1),
        Window(kernel=1, stride=2, padding=2, dilation=2),
    )


def test_pooling_without_a_stride_steps_by_its_window():
    assert windows({"kernel_size": (2, 3), "stride": None, "padding": "valid"}, (9, 9)) == (
        Window(kernel=2, stride=2),
        Window(kernel=3, stride=3),
    )


@pytest.mark.parametrize(("extent", "stride", "pair"), [(224, 2, (0, 1)), (225, 2, (1, 1)), (10, 4, (0, 1))])
def test_same_depends_on_what_comes_in(extent, stride, pair):
    (window,) = windows({"kernel_size": 3, "stride": stride, "padding": "same"}, (extent,))
    assert (window.padding, window.padding_total - window.padding) == pair
    assert places(extent, window) == -(-extent // stride)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 30), st.integers(1, 7), st.integers(1, 9), st.booleans(), st.data())
def test_places_are_torchs(extent, kernel, stride, ceil_mode, data):
    padding = data.draw(st.integers(0, kernel // 2))
    window = Window(kernel=kernel, stride=stride, padding=padding)
    if kernel > extent + 2 * padding:
        with pytest.raises(ShapeError):
            places(extent, window, ceil_mode=ceil_mode)
        return
    batch = torch.empty((1, 1, extent), device="meta")
    pooled = functional.max_pool1d(batch, kernel, stride, padding, ceil_mode=ceil_mode)
    assert places(extent, window, ceil_mode=ceil_mode) == pooled.shape[-1]


def test_a_window_too_wide_names_the_axis():
    words = {"kernel_size": (3, 9), "stride": 1, "padding": 0}
    with pytest.raises(ShapeError, match=r"2x8x8: on spatial axis 2 of 2 the window reaches over 9 .* only 8"):
        extents_after(words, Shape(2, (8, 8)))


def test_numbers_for_other_axes_are_refused():
    with pytest.raises(SpecError, match=r"\(1, 2, 3\) has 3 numbers for 2 spatial axes"):
        per_axis((1, 2, 3), 2)
