"""Bringing measured values to a common size: axis by axis, with the triangle filter that Pillow resizes pictures by.

    y_i = sum_j w_ij x_j,   w_ij ~ max(0, 1 - |p_i - j| / max(1, s)),   p_i = (i + 1/2) s - 1/2,   s = before / after

so that going down every input value counts (no aliasing), and going up values are joined by straight lines.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["cut_or_fill", "pick_frames", "resize"]

Values = npt.NDArray[Any]


def resize(values: Values, extents: Sequence[int], *, first_axis: int = 0) -> npt.NDArray[np.float32]:
    """Resize axes one after the other.

    Args:
        values: Numbers of any shape.
        extents: New sizes of consecutive axes.
        first_axis: The first of these axes.

    Returns:
        float32 array with the new sizes.

    Example:
        >>> [round(float(each), 2) for each in resize(np.array([0.0, 1.0, 2.0, 3.0]), [2])]
        [0.71, 2.29]
    """
    result = np.asarray(values, np.float32)
    for axis, size in enumerate(extents, first_axis):
        if result.shape[axis] != size:
            before, after = result.shape[:axis], result.shape[axis + 1 :]
            weights = _weights(result.shape[axis], size)
            flat = result.reshape(math.prod(before), result.shape[axis], math.prod(after))
            # One product for the whole block where nothing comes after the axis, otherwise one a row.
            mixed = flat[:, :, 0] @ weights.T if flat.shape[2] == 1 else weights @ flat
            result = mixed.reshape(*before, size, *after)
    return np.ascontiguousarray(result, np.float32)


def _weights(before: int, after: int) -> npt.NDArray[np.float32]:
    """One row a new position: a triangle around its place, as wide as one new position going down."""
    step = before / after
    reach = max(1.0, step)
    places = (np.arange(after) + 0.5) * step - 0.5
    triangle = np.maximum(0.0, 1 - np.abs(places[:, None] - np.arange(before)) / reach)
    return np.asarray(triangle / triangle.sum(axis=1, keepdims=True), np.float32)


def cut_or_fill(values: Values, length: int) -> Values:
    """Bring a signal to a length without changing its time scale: the middle is kept, or the last value goes on.

    Args:
        values: `(steps, channels)`.
        length: Steps wanted.

    Returns:
        `(length, channels)`.

    Example:
        >>> cut_or_fill(np.array([[1], [2], [3]]), 5)[:, 0].tolist(), cut_or_fill(np.array([[1], [2], [3]]), 1).tolist()
        ([1, 2, 3, 3, 3], [[2]])
    """
    spare = len(values) - length
    if spare >= 0:
        return values[spare // 2 : spare // 2 + length]
    return np.concatenate([values, np.repeat(values[-1:], -spare, axis=0)])


def pick_frames(count: int, wanted: int) -> list[int]:
    """Choose frames of a clip, evenly spread; the last one is repeated where there are too few.

    Args:
        count: Frames that there are.
        wanted: Frames to take.

    Returns:
        Their positions.

    Example:
        >>> pick_frames(10, 5), pick_frames(2, 4)
        ([0, 2, 4, 7, 9], [0, 1, 1, 1])
    """
    if count <= wanted:
        return [min(index, count - 1) for index in range(wanted)]
    return [round(index * (count - 1) / max(1, wanted - 1)) for index in range(wanted)]
