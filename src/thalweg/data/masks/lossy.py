"""Masks that were saved as JPEG: what their pixels were meant to hold, where that can still be told.

JPEG changes every value a little and those at edges a lot. Where the known numbers or colours lie far apart, a pixel is
taken for the nearest one if it lies less than half of the way to the next; what lies between two is void, since a blend
of sky and road at their border may well be the colour of a third class. Where they lie close (class numbers 0, 1, 2),
nothing can be told, and the mask is refused.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import PictureError
from thalweg.core.masks import VOID

__all__ = ["BETWEEN", "MOVED", "is_black_and_white", "nearest_classes", "reach_of"]

BETWEEN, MOVED = -1, -2
"""Keys among unknown values: pixels of lossy masks that lie between two known ones, and that were moved to one."""
_CLOSEST = 8.0  # numbers nearer than twice this are not told apart after JPEG
_MOST_GREY = 0.02  # of a mask of black and white
_NEAR = 64


def reach_of(meaning: Mapping[int, int], *, coloured: bool) -> float:
    """Half of the way between the two known values that lie closest.

    Args:
        meaning: Class by number or colour.
        coloured: Whether these are colours.

    Returns:
        The distance, in grey levels or in RGB.

    Example:
        >>> reach_of({0: 0, 255: 1}, coloured=False), reach_of({0x800000: 0, 0x808080: 1}, coloured=True) > 90
        (127.5, True)
    """
    known = _points(list(meaning), coloured=coloured)
    if len(known) < 2:  # noqa: PLR2004 - two have a distance
        return 0.0
    apart = np.sqrt(((known[:, None] - known[None]) ** 2).sum(2))
    return float(apart[apart > 0].min() / 2) if (apart > 0).any() else 0.0


def _points(values: list[int], *, coloured: bool) -> npt.NDArray[np.float64]:
    numbers = np.array(values, np.int64)
    if not coloured:
        return numbers[:, None].astype(np.float64)
    return np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], axis=1).astype(np.float64)


def nearest_classes(
    values: npt.NDArray[np.int64], meaning: Mapping[int, int], reach: float, *, coloured: bool
) -> tuple[npt.NDArray[np.uint8], dict[int, int]]:
    """Take every pixel of a lossy mask for the nearest known value.

    Args:
        values: What the pixels hold.
        meaning: Class, or 255, by number or colour.
        reach: Distance from which on a pixel belongs to none.
        coloured: Whether values are colours.

    Returns:
        uint8 classes with 255 for void, and how many pixels were not exact: `MOVED`, and `BETWEEN` which are void.

    Raises:
        PictureError: Known numbers lie too close to be told apart.

    Example:
        >>> found, odd = nearest_classes(np.array([[3, 250, 120]]), {0: 0, 255: 1}, 100.0, coloured=False)
        >>> found.tolist(), odd
        ([[0, 1, 255]], {-1: 1, -2: 2})
    """
    if reach < _CLOSEST:
        raise PictureError(
            f"is a JPEG, which changes numbers, and classes are {2 * reach:g} apart: save the masks as PNG"
        )
    known = list(meaning)
    found, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    apart = np.sqrt(
        ((_points(found.tolist(), coloured=coloured)[:, None] - _points(known, coloured=coloured)[None]) ** 2).sum(2)
    )
    nearest, distance = apart.argmin(1), apart.min(1)
    classes = np.array([meaning[value] for value in known], np.uint8)[nearest]
    between = distance >= reach
    classes[between] = VOID
    odd = {
        BETWEEN: int(counts[between].sum()),
        MOVED: int(counts[(distance > 0) & ~between].sum()),
    }
    return classes[place].reshape(values.shape), {key: number for key, number in odd.items() if number}


def is_black_and_white(values: npt.NDArray[np.int64]) -> bool:
    """Whether nearly all pixels are near black or near white.

    Args:
        values: Grey levels.

    Returns:
        Whether at most a fiftieth is neither.

    Example:
        >>> is_black_and_white(np.array([[0, 3, 250, 255]])), is_black_and_white(np.array([[0, 80, 255]]))
        (True, False)
    """
    grey = (values >= _NEAR) & (values < VOID + 1 - _NEAR)
    return bool(grey.mean() <= _MOST_GREY)
