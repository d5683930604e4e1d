"""Shapes: read back as written, and never empty."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.core.errors import ShapeError
from thalweg.core.shape import Shape

SHAPES = st.builds(Shape, st.integers(1, 4096), st.lists(st.integers(1, 512), max_size=3).map(tuple))


@given(SHAPES)
def test_a_shape_is_read_back_from_its_text(shape):
    assert Shape.parse(str(shape)) == shape
    assert Shape.parse(",".join(map(str, shape.as_tuple()))) == shape
    assert shape.size == math.prod(shape.as_tuple())
    assert shape.axes == len(shape.as_tuple()) - 1


@pytest.mark.parametrize("sizes", [(0,), (3, 0), (3, -1), (3, 2.0), (True,), (1, 2, 2, 2, 2)])
def test_a_size_that_is_none_is_refused(sizes):
    with pytest.raises(ShapeError):
        Shape(sizes[0], sizes[1:])


@pytest.mark.parametrize("text", ["", "3,", "a", "3,2x", "3;2", "3,0", "1.5"])
def test_text_that_is_no_shape_is_refused(text):
    with pytest.raises(ShapeError):
        Shape.parse(text)
