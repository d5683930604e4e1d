"""Scaling, turning and shifting a batch in one bilinear step, a few samples at a time."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.nn import functional

from thalweg.core.plan import Augmentation
from thalweg.data.batching.share import Share

__all__ = ["warp", "warp_with_masks", "warps"]

_PLACES = 300_000
"""So many pixels are sampled at a time."""


def warps(augmentation: Augmentation) -> bool:
    """Say whether samples are scaled or turned, so that a shift is part of that.

    Args:
        augmentation: Magnitudes.

    Returns:
        Whether `warp` has anything to do.

    Example:
        >>> warps(Augmentation.none())
        False
    """
    return augmentation.zoom > 0 or augmentation.rotate_degrees > 0


def warp(
    pixels: torch.Tensor, augmentation: Augmentation, random: np.random.Generator, *, share: Share | None = None
) -> torch.Tensor:
    """Scale, rotate and shift every picture of a batch by its own random amount.

    Args:
        pixels: float32 `(N, C, H, W)`.
        augmentation: Magnitudes.
        random: Source of the draws.
        share: Which samples of a batch these are, where they are not all.

    Returns:
        The warped batch; the same object when there is nothing to do. Borders repeat by reflection.
    """
    motion = _draw_motion(augmentation, random, share or Share(len(pixels), 0, len(pixels)), pixels.device)
    if motion is None:
        return pixels
    return _joined([_sampled(pixels[some], grid, "bilinear") for some, grid in _places(motion, pixels)])


def _draw_motion(
    augmentation: Augmentation, random: np.random.Generator, share: Share, device: torch.device
) -> torch.Tensor | None:
    """Draw how each sample moves, `(N, 2, 3)` as torch's `affine_grid` takes it; None when there is nothing to do."""
    if not warps(augmentation):
        return None
    count = share.count
    scale = 1 / (1 + random.uniform(-1, 1, count) * augmentation.zoom)
    angle = np.deg2rad(random.uniform(-1, 1, count) * augmentation.rotate_degrees)
    shift = random.uniform(-2, 2, (count, 2)) * augmentation.shift  # grid coordinates run from -1 to 1
    theta = np.zeros((count, 2, 3), dtype=np.float32)
    theta[:, 0, 0] = theta[:, 1, 1] = scale * np.cos(angle)
    theta[:, 1, 0] = scale * np.sin(angle)
    theta[:, 0, 1] = -theta[:, 1, 0]
    theta[:, :, 2] = shift
    return torch.from_numpy(theta[share.mine]).to(device)


def _places(motion: torch.Tensor, like: torch.Tensor) -> Iterator[tuple[slice, torch.Tensor]]:
    """Where every pixel is taken from, for torch's `grid_sample`, a few samples at a time."""
    # The places of a whole batch of large pictures do not stay in the processor's cache, and sampling by them took two
    # and a half times as long (64 pictures of 300 x 300).
    here = like.device.type == "cpu"  # other devices like one large piece of work better than many small ones
    together = max(1, _PLACES // (like.shape[2] * like.shape[3]) if here else len(like))
    for first in range(0, len(like), together):
        some = slice(first, first + together)
        yield some, functional.affine_grid(motion[some], list(like[some].shape), align_corners=False)


def _sampled(values: torch.Tensor, grid: torch.Tensor, mode: str) -> torch.Tensor:
    return functional.grid_sample(values, grid, mode=mode, padding_mode="reflection", align_corners=False)


def _joined(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def warp_with_masks(
    pixels: torch.Tensor,
    masks: torch.Tensor,
    augmentation: Augmentation,
    random: np.random.Generator,
    *,
    share: Share | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift pictures and their masks alike; a mask's pixels keep whole classes.

    Args:
        pixels: float32 `(N, C, H, W)`.
        masks: int64 `(N, H, W)`.
        augmentation: Magnitudes.
        random: Source of the draws.
        share: Which samples of a batch these are, where they are not all.

    Returns:
        Both, warped; pictures bilinear, masks by the nearest pixel, borders repeated by reflection.
    """
    motion = _draw_motion(augmentation, random, share or Share(len(pixels), 0, len(pixels)), pixels.device)
    if motion is None:
        return pixels, masks
    moved, classes = [], []
    for some, grid in _places(motion, pixels):
        moved.append(_sampled(pixels[some], grid, "bilinear"))
        classes.append(_sampled(masks[some][:, None].float(), grid, "nearest")[:, 0].long())
    return _joined(moved), _joined(classes)
