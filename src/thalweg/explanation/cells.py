"""A grid of cells over a sample: the unit that occlusion covers, and that insertion and deletion order."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Cells", "cells_over"]

CELLS = {1: 32, 2: 8, 3: 5}
"""Cells along each axis of a signal, a picture, a volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Where the cells of a sample begin and end.

    Args:
        edges: For each axis the positions where cells begin, and the end of the last one.
    """

    edges: tuple[tuple[int, ...], ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Cells along each axis."""
        return tuple(len(axis) - 1 for axis in self.edges)

    @property
    def extents(self) -> tuple[int, ...]:
        """Positions along each axis."""
        return tuple(axis[-1] for axis in self.edges)

    def __len__(self) -> int:
        """Number of cells."""
        return math.prod(self.counts)

    def windows(self, *, grown: bool = False) -> list[tuple[slice, ...]]:
        """The cells in row-major order.

        Args:
            grown: Whether each reaches half a cell into its neighbours, as the patches of occlusion do.

        Returns:
            Slices along the spatial axes.
        """
        spans = []
        for axis in self.edges:
            ends = list(itertools.pairwise(axis))
            if grown:
                ends = [
                    (max(0, first - (last - first) // 2), min(axis[-1], last + (last - first) // 2))
                    for first, last in ends
                ]
            spans.append([slice(first, last) for first, last in ends])
        return list(itertools.product(*spans))

    def numbers(self) -> Tensor:
        """The number of the cell that each position lies in.

        Returns:
            int64, of the sample's extents.
        """
        found = torch.empty(self.extents, dtype=torch.int64)
        for number, window in enumerate(self.windows()):
            found[window] = number
        return found

    def means(self, maps: Tensor, *, grown: bool = False) -> Tensor:
        """The mean of maps over each cell.

        Args:
            maps: `(N, *extents)`.
            grown: Whether over the patches of occlusion.

        Returns:
            `(N, *counts)`.

        Example:
            >>> cells_over((4,), 2).means(torch.tensor([[0.0, 2.0, 3.0, 5.0]])).tolist()
            [[1.0, 4.0]]
        """
        flat = torch.stack([maps[(slice(None), *each)].flatten(1).mean(1) for each in self.windows(grown=grown)], 1)
        return flat.reshape(len(maps), *self.counts)


def cells_over(extents: Sequence[int], most: int | None = None) -> Cells:
    """Cut a sample into cells of nearly equal size.

    Args:
        extents: Positions along each axis.
        most: Cells along an axis; 32 for signals, 8 for pictures and 5 for volumes by default.

    Returns:
        The cells; no more along an axis than it has positions.

    Example:
        >>> cells_over((7,), 3).edges
        ((0, 2, 5, 7),)
    """
    wanted = CELLS[len(extents)] if most is None else most
    edges = []
    for extent in extents:
        count = max(1, min(extent, wanted))
        edges.append(tuple(round(extent * place / count) for place in range(count + 1)))
    return Cells(edges=tuple(edges))
