"""Many pictures of one size at once: resized, shown in miniature, seen to be grey; to the bit as Pillow does each.

Pillow resizes one axis after the other, and along a row no pixel knows of another row. So the rows of many pictures are
one tall picture to it, and their columns another: two calls for a block of pictures instead of one for each. Which axis
comes first is Pillow's to choose, by the sizes, and differs by its version; it shows in the last bit. So it is asked,
with noise.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from thalweg.data.storing.store_values import THUMBNAIL

__all__ = ["Block", "are_grey", "miniatures", "resized"]

Block: TypeAlias = npt.NDArray[np.uint8]
_Size: TypeAlias = tuple[int, int]

_PROBES = 4


def resized(pictures: Block, size: _Size) -> Block:
    """Squash pictures to a size with Pillow's antialiased bilinear filter.

    Args:
        pictures: uint8 of shape (n, height, width, 1 or 3).
        size: Wanted width and height in pixels.

    Returns:
        uint8 of shape (n, *reversed size, 1 or 3).

    Example:
        >>> resized(np.array([0, 100, 200, 60], np.uint8).reshape(1, 2, 2, 1), (1, 1)).tolist()
        [[[[90]]]]
    """
    if pictures.shape[2:0:-1] == size:
        return pictures
    if not len(pictures):
        return np.zeros((0, *size[::-1], pictures.shape[3]), np.uint8)
    way = _one_by_one if len(pictures) == 1 else _way(pictures.shape[1:], size)
    return way(pictures, size)


@lru_cache(maxsize=64)
def _way(shape: tuple[int, ...], size: _Size) -> Callable[[Block, _Size], Block]:
    """The way that gives what Pillow gives for pictures of a shape; one by one where noise does not tell."""
    noise = np.random.default_rng(0).integers(0, 256, (_PROBES, *shape), dtype=np.uint8)
    told = _one_by_one(noise, size)
    fitting = [way for way in (_rows_first, _columns_first) if np.array_equal(way(noise, size), told)]
    one_axis = shape[0] == size[1] or shape[1] == size[0]
    return fitting[0] if len(fitting) == 1 or (fitting and one_axis) else _one_by_one


def _one_by_one(pictures: Block, size: _Size) -> Block:
    from PIL import Image

    flat = pictures[..., 0] if pictures.shape[3] == 1 else pictures
    made = [np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BILINEAR)) for each in flat]
    return np.stack(made).reshape(len(pictures), size[1], size[0], -1)


def _rows_first(pictures: Block, size: _Size) -> Block:
    return _across(_across(pictures, size[0]).swapaxes(1, 2), size[1]).swapaxes(1, 2)


def _columns_first(pictures: Block, size: _Size) -> Block:
    return _across(_across(pictures.swapaxes(1, 2), size[1]).swapaxes(1, 2), size[0])


def _across(pictures: Block, wide: int) -> Block:
    from PIL import Image

    count, high, before, channels = pictures.shape
    if before == wide:
        return pictures
    rows = np.ascontiguousarray(pictures).reshape(count * high, before, channels)
    image = Image.fromarray(rows[..., 0] if channels == 1 else rows)
    return np.asarray(image.resize((wide, len(rows)), Image.Resampling.BILINEAR)).reshape(count, high, wide, channels)


def miniatures(pictures: Block) -> Block:
    """Show pictures as the small grey ones that duplicates are found by.

    Args:
        pictures: uint8 of shape (n, height, width, 1 or 3).

    Returns:
        uint8 of shape (n, THUMBNAIL, THUMBNAIL).

    Example:
        >>> miniatures(np.full((2, 4, 5, 3), 7, np.uint8))[1, 15, 15]
        np.uint8(7)
    """
    from PIL import Image

    count, high, wide, channels = pictures.shape
    if channels == 3:  # noqa: PLR2004 - red, green and blue
        tall = Image.fromarray(np.ascontiguousarray(pictures).reshape(count * high, wide, channels))
        pictures = np.asarray(tall.convert("L")).reshape(count, high, wide, 1)
    # Not the box filter: where sizes do not divide, it treats left and right differently, and mirrored twins differ.
    return resized(pictures, (THUMBNAIL, THUMBNAIL))[..., 0]


def are_grey(pictures: Block) -> npt.NDArray[np.bool_]:
    """Tell which pictures have three equal channels, or one.

    Args:
        pictures: uint8 of shape (n, height, width, 1 or 3).

    Returns:
        One answer a picture.

    Example:
        >>> are_grey(np.array([[5, 5, 5], [5, 6, 5]], np.uint8).reshape(2, 1, 1, 3)).tolist()
        [True, False]
    """
    return np.asarray((pictures == pictures[..., :1]).reshape(len(pictures), -1).all(axis=1))
