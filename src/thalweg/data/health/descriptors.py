"""A plain description of pictures for telling classes apart without training: shapes of edges, and colours.

Each picture is cut into 4 x 4 cells. A cell is described by how strong its edges are in eight directions, relative to
the picture's strongest (Dalal and Triggs 2005, Histograms of oriented gradients), by its mean colour, and by how much
it varies. Nothing is learned, so that a description says nothing about the label that stands beside it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["describe_pictures"]

Floats = npt.NDArray[Any]

CELLS, DIRECTIONS = 4, 8
_SIDE = 32
_BLOCK = 512


def describe_pictures(pixels: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Describe pictures.

    Args:
        pixels: uint8 `(n, height, width, 1 or 3)`.
        rows: Which of them.

    Returns:
        float32 `(len(rows), features)`.

    Example:
        >>> describe_pictures(np.zeros((2, 8, 8, 1), np.uint8), np.arange(2)).shape[0]
        2
    """
    blocks = [_described(pixels[rows[start : start + _BLOCK]]) for start in range(0, len(rows), _BLOCK)]
    return np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32)


def _described(block: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    values = _small(block.astype(np.float32) / 255)
    grey = values.mean(axis=3)
    down, right = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, right)
    direction = (np.arctan2(down, right) / np.pi * DIRECTIONS) % DIRECTIONS
    lower = np.floor(direction).astype(int) % DIRECTIONS
    share = direction - np.floor(direction)
    edges = np.stack(
        [
            _cells(strength * ((lower == each) * (1 - share) + ((lower + 1) % DIRECTIONS == each) * share))
            for each in range(DIRECTIONS)
        ],
        axis=2,
    ).reshape(len(block), -1)
    edges = np.sqrt(edges / (edges.max(axis=1, keepdims=True) + 1e-6))
    means = np.concatenate([_cells(values[..., channel]) for channel in range(values.shape[3])], axis=1)
    spread = np.sqrt(np.maximum(_cells(grey**2) - _cells(grey) ** 2, 0))
    small = grey.reshape(len(block), _SIDE // 2, 2, _SIDE // 2, 2).mean(axis=(2, 4)).reshape(len(block), -1)
    return np.concatenate([edges, means, spread, small], axis=1).astype(np.float32)


def _small(values: Floats) -> Floats:
    """Average to 32 x 32; smaller pictures are repeated first."""
    for axis in (1, 2):
        extent = values.shape[axis]
        edges = np.linspace(0, extent, _SIDE + 1)
        low = np.minimum(np.floor(edges[:-1]).astype(int), extent - 1)
        high = np.maximum(np.ceil(edges[1:]).astype(int), low + 1)
        total = np.concatenate([np.zeros_like(values.take([0], axis)), values.cumsum(axis)], axis=axis)
        count = (high - low).reshape([-1 if each == axis else 1 for each in range(4)])
        values = (total.take(high, axis) - total.take(low, axis)) / count
    return values


def _cells(values: Floats) -> Floats:
    extent = _SIDE // CELLS
    means: Floats = values.reshape(len(values), CELLS, extent, CELLS, extent).mean(axis=(2, 4))
    return means.reshape(len(values), -1)
