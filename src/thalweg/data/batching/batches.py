"""From cached samples to batches of tensors: order, augmentation, conversion, as functions of (seed, epoch, batch).

Because nothing is carried from one batch to the next, a run can be resumed at any step and sees the same samples; and
the next batch can be made by a thread of its own while a step computes with the one before.
Pictures, signals and volumes go the same way; they differ in the number of axes between samples and channels.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from thalweg.core.plan import Augmentation
from thalweg.data.batching.augment import change_colours, change_values, pass_over, place
from thalweg.data.batching.share import Share
from thalweg.data.batching.warping import warp, warp_with_masks

__all__ = ["Batch", "Batches", "as_tensor"]

ORDER, CHANGES = 1, 2  # streams of random numbers that must not overlap
_PICTURE = 4  # axes of a batch of pictures
_FORMATS = {3: torch.contiguous_format, 4: torch.channels_last, 5: torch.channels_last_3d}
_SCALING = {3: "linear", 4: "bilinear", 5: "trilinear"}


def as_tensor(block: np.ndarray, *, ordered: bool = True, device: str | torch.device = "cpu") -> torch.Tensor:
    """Turn stored samples into what a network takes.

    Args:
        block: `(N, ..., channels)`, of any number type.
        ordered: Whether to lay the numbers out as convolutions like them best.
        device: Where to; bytes travel there as bytes.

    Returns:
        float32 `(N, channels, ...)`.
    """
    small = block if block.dtype == np.uint8 else block.astype(np.float32)
    values = torch.from_numpy(np.ascontiguousarray(small)).to(device).movedim(-1, 1).float()
    return values.contiguous(memory_format=_FORMATS[values.ndim]) if ordered else values


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's samples.

    Args:
        pixels: float32 `(N, channels, side, side)` from 0 to 255, channels-last in memory; or measured values with one
            or three axes behind the channels.
        labels: int64 `(N,)`, or `(N, height, width)` where every pixel has a class, with 255 for none.
        indices: Positions of the pictures in the split.
        whole: Samples of the batch over all ranks.
    """

    pixels: torch.Tensor
    labels: torch.Tensor
    indices: np.ndarray
    whole: int = 0


class Batches:
    """The pictures of one split, as batches.

    Args:
        pixels: All cached samples: uint8 `(rows, side, side, 1 or 3)`, or values `(rows, extents, channels)`.
        rows: Row of each picture of this split in `pixels`.
        labels: Class index of each picture of this split.
        batch_size: Pictures a batch, or a few less, so that all batches of an epoch have nearly the same size.
        seed: Decides order and augmentation.
        augmentation: Random changes, or None for evaluation (then the order is fixed too).
        channels: Channels of the tensors; grey pictures are repeated.
        mean: Mean of each channel of measured values, around which augmentation scales.
        deviation: Standard deviation of each, which augmentation's noise is measured in.
        masks: All cached masks, uint8 `(rows, height, width)`, where every pixel has a class; they are mirrored,
            shifted and scaled with their pictures, and are the labels.
        mask_rows: Row of each picture's mask.
        part: Gives the first sample made here, and one behind the last, of so many, where ranks share each batch; what
            is random is drawn for the whole batch, so that a sample looks the same whoever makes it.
        device: Where pictures are warped, scaled and coloured, and end; bytes are what travels there. Labels stay with
            the processor where there is one a sample.
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
        mean: Sequence[float] = (),
        deviation: Sequence[float] = (),
        masks: np.ndarray | None = None,
        mask_rows: Sequence[int] | np.ndarray = (),
        part: Callable[[int], tuple[int, int]] | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.pixels = pixels
        self.rows = np.asarray(rows, dtype=np.int64)
        self.labels = np.asarray(labels, dtype=np.int64)
        self.batch_size = batch_size
        self.seed = seed
        self.augmentation = augmentation
        self.channels = channels if pixels.ndim == _PICTURE else int(pixels.shape[-1])
        self.mean, self.deviation = mean or (0.0,) * self.channels, deviation or (1.0,) * self.channels
        self.masks, self.mask_rows = masks, np.asarray(mask_rows, dtype=np.int64)
        self.part = part
        self.device = torch.empty(0, device=device).device  # a thread of its own would take the first of several GPUs

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
            side: Side to scale the pictures to, or the longest axis of other samples; None keeps the cached size.

        Yields:
            One batch after the other.
        """
        # Sizes differ by one at most: a small last batch would disturb batch normalisation and weigh its pictures more.
        parts = list(enumerate(np.array_split(self.order(epoch), max(1, self.steps))))[first:]
        with ThreadPoolExecutor(1, thread_name_prefix="batches") as ahead:  # the next is made while this one is used
            coming: deque[Future[Batch]] = deque()
            try:
                for number, indices in parts:
                    coming.append(ahead.submit(self.batch, indices, epoch, number, side))
                    if len(coming) > 1:
                        yield coming.popleft().result()
                while coming:
                    yield coming.popleft().result()
            finally:
                for batch in coming:
                    batch.cancel()

    def batch(self, indices: np.ndarray, epoch: int, number: int, side: int | None = None) -> Batch:
        """Make one batch.

        Args:
            indices: Positions in the split, of the whole batch.
            epoch: Counted from 1; with `number` it decides the augmentation.
            number: The batch's number in the epoch.
            side: Side to scale down to, in pixels, or None.

        Returns:
            The batch.
        """
        share = Share(len(indices), *(self.part(len(indices)) if self.part else (0, len(indices))))
        if self.masks is not None:
            return self._masked(self.masks, indices, epoch, number, side, share)
        random = np.random.default_rng((self.seed, CHANGES, epoch, number))
        block, rows = self._block(self.pixels.shape[1:], share), self.rows[indices]
        for target, row in self._made_here(block, rows, share, random):
            if self.augmentation is None:
                target[...] = self.pixels[row]
            else:
                place(target, self.pixels[row], self.augmentation, random)
        indices = indices[share.mine]
        pixels = as_tensor(block, ordered=False, device=self.device)
        pictures = pixels.ndim == _PICTURE
        if pictures and self.augmentation is not None:
            pixels = warp(pixels, self.augmentation, random, share=share)
        pixels = self._scaled(pixels, side)
        if pictures and self.augmentation is not None:
            pixels = change_colours(pixels, self.augmentation, random, share=share)
        elif self.augmentation is not None:
            mean, deviation = self.mean, self.deviation
            pixels = change_values(pixels, self.augmentation, random, mean=mean, deviation=deviation, share=share)
        if pixels.shape[1] < self.channels:
            pixels = pixels.expand(-1, self.channels, -1, -1)
        pixels = pixels.contiguous(memory_format=_FORMATS[pixels.ndim])
        return Batch(pixels, torch.from_numpy(self.labels[indices]), indices, share.count)

    def _masked(
        self, masks: np.ndarray, indices: np.ndarray, epoch: int, number: int, side: int | None, share: Share
    ) -> Batch:
        """Pictures and masks, changed alike: a mask goes through every move as one more channel of its picture."""
        height, width, channels = self.pixels.shape[1:]
        random = np.random.default_rng((self.seed, CHANGES, epoch, number))
        block = self._block((height, width, channels + 1), share)
        for target, index in self._made_here(block, indices, share, random):
            both = np.dstack((self.pixels[self.rows[index]], masks[self.mask_rows[index]]))
            if self.augmentation is None:
                target[...] = both
            else:
                place(target, both, self.augmentation, random)
        indices = indices[share.mine]
        both_there = torch.from_numpy(block).to(self.device)
        pixels = both_there[..., :channels].contiguous().movedim(-1, 1).float()
        labels = both_there[..., channels].long()
        if self.augmentation is not None:
            pixels, labels = warp_with_masks(pixels, labels, self.augmentation, random, share=share)
        if side is not None and side != max(height, width):
            wanted = tuple(max(1, round(side * extent / max(height, width))) for extent in (height, width))
            pixels = functional.interpolate(pixels, size=wanted, mode="bilinear", antialias=True)
            labels = functional.interpolate(labels[:, None].float(), size=wanted, mode="nearest-exact")[:, 0].long()
        if self.augmentation is not None:
            pixels = change_colours(pixels, self.augmentation, random, share=share)
        if pixels.shape[1] < self.channels:
            pixels = pixels.expand(-1, self.channels, -1, -1)
        return Batch(pixels.contiguous(memory_format=torch.channels_last), labels, indices, share.count)

    def _block(self, shape: Sequence[int], share: Share) -> np.ndarray:
        return np.empty((share.last - share.first, *shape), dtype=self.pixels.dtype)

    def _made_here(
        self, block: np.ndarray, things: np.ndarray, share: Share, random: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, int]]:
        """This rank's places in the batch with what goes there; the draws of all others are made in between."""
        for number, thing in enumerate(things):
            if share.first <= number < share.last:
                yield block[number - share.first], int(thing)
            elif self.augmentation is not None:
                pass_over(block.ndim - 1, random)

    @staticmethod
    def _scaled(pixels: torch.Tensor, side: int | None) -> torch.Tensor:
        """Pictures at another side; signals and volumes with their longest axis at another, never at a larger one."""
        extents = pixels.shape[2:]
        if pixels.ndim == _PICTURE:
            wanted: tuple[int, ...] = tuple(extents) if side is None else (side, side)
        else:
            factor = min(1.0, (side or max(extents)) / max(extents))
            wanted = tuple(max(1, round(factor * extent)) for extent in extents)
        if wanted == tuple(extents):
            return pixels
        antialias = {"antialias": True} if pixels.ndim == _PICTURE else {}
        return functional.interpolate(pixels, size=wanted, mode=_SCALING[pixels.ndim], **antialias)
