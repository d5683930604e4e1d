"""From cached pictures to batches of tensors: order, augmentation, conversion, as functions of (seed, epoch, batch).

Because nothing is carried from one batch to the next, a run can be resumed at any step and sees the same pictures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from thalweg.core.plan import Augmentation
from thalweg.data.augment import change_colours, place, warp

__all__ = ["Batch", "Batches"]

ORDER, CHANGES = 1, 2  # streams of random numbers that must not overlap


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's pictures.

    Args:
        pixels: float32 `(N, channels, side, side)` from 0 to 255, channels-last in memory.
        labels: int64 `(N,)`.
        indices: Positions of the pictures in the split.
    """

    pixels: torch.Tensor
    labels: torch.Tensor
    indices: np.ndarray


class Batches:
    """The pictures of one split, as batches.

    Args:
        pixels: All cached pictures, uint8 `(rows, side, side, 1 or 3)`.
        rows: Row of each picture of this split in `pixels`.
        labels: Class index of each picture of this split.
        batch_size: Pictures a batch, or a few less, so that all batches of an epoch have nearly the same size.
        seed: Decides order and augmentation.
        augmentation: Random changes, or None for evaluation (then the order is fixed too).
        channels: Channels of the tensors; grey pictures are repeated.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        rows: Sequence[int] | np.ndarray,
        labels: Sequence[int] | np.ndarray,
        *,
        batch_size: int,
        seed: int = 0,
        augmentation: Augmentation | None = None,
        channels: int = 3,
    ) -> None:
        self.pixels = pixels
        self.rows = np.asarray(rows, dtype=np.int64)
        self.labels = np.asarray(labels, dtype=np.int64)
        self.batch_size = batch_size
        self.seed = seed
        self.augmentation = augmentation
        self.channels = channels

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self.rows)

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return -(-len(self.rows) // self.batch_size)

    def order(self, epoch: int) -> np.ndarray:
        """Order of the pictures in an epoch.

        Args:
            epoch: Counted from 1.

        Returns:
            Positions in the split; as stored when there is no augmentation, shuffled otherwise.
        """
        if self.augmentation is None:
            return np.arange(len(self.rows))
        return np.random.default_rng((self.seed, ORDER, epoch)).permutation(len(self.rows))

    def epoch(self, epoch: int, *, first: int = 0, side: int | None = None) -> Iterator[Batch]:
        """Give the batches of an epoch.

        Args:
            epoch: Counted from 1.
            first: Number of batches to leave out at the start, when a run goes on in the middle.
            side: Side to scale the pictures down to, in pixels; None keeps the cached size.

        Yields:
            One batch after the other.
        """
        # Sizes differ by one at most: a small last batch would disturb batch normalisation and weigh its pictures more.
        for number, indices in enumerate(np.array_split(self.order(epoch), max(1, self.steps))):
            if number >= first:
                yield self.batch(indices, epoch, number, side)

    def batch(self, indices: np.ndarray, epoch: int, number: int, side: int | None = None) -> Batch:
        """Make one batch.

        Args:
            indices: Positions in the split.
            epoch: Counted from 1; with `number` it decides the augmentation.
            number: The batch's number in the epoch.
            side: Side to scale down to, in pixels, or None.

        Returns:
            The batch.
        """
        block = np.empty((len(indices), *self.pixels.shape[1:]), dtype=np.uint8)
        random = np.random.default_rng((self.seed, CHANGES, epoch, number))
        for target, row in zip(block, self.rows[indices], strict=True):
            if self.augmentation is None:
                target[...] = self.pixels[row]
            else:
                place(target, self.pixels[row], self.augmentation, random)
        pixels = torch.from_numpy(block).permute(0, 3, 1, 2).float()
        if self.augmentation is not None:
            pixels = warp(pixels, self.augmentation, random)
        if side is not None and side != pixels.shape[-1]:
            pixels = functional.interpolate(pixels, size=(side, side), mode="bilinear", antialias=True)
        if self.augmentation is not None:
            pixels = change_colours(pixels, self.augmentation, random)
        if pixels.shape[1] < self.channels:
            pixels = pixels.expand(-1, self.channels, -1, -1)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        return Batch(pixels, torch.from_numpy(self.labels[indices]), indices)
