"""Random changes to training samples, on whole batches and reproducible to the bit.

Mirroring, quarter turns and whole-pixel shifts only move bytes, so they are done while a sample is copied out of the
cache, whatever its number of axes. Scaling and rotation are one bilinear warp of the batch, brightness and contrast one
multiply-add, and so are a signal's gain and noise. Every draw comes from a generator seeded by (seed, epoch, batch):
resuming in the middle of a run repeats the same samples.

A signal is shifted, scaled and given noise, never reversed: time has a direction. A volume is shifted and mirrored
along every axis; a clip is mirrored left to right only.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from thalweg.core.dataset import Form
from thalweg.core.errors import PlanError
from thalweg.core.plan import Augmentation
from thalweg.data.batching.share import Share
from thalweg.data.batching.warping import warps

__all__ = [
    "augmentation_for",
    "change_colours",
    "change_values",
    "copy_shifted",
    "described_changes",
    "pass_over",
    "place",
]

WHITE = 255.0


def augmentation_for(
    choice: str,
    *,
    upright: bool,
    form: Form = "picture",
    masks: bool = False,
    mirror: bool | None = None,
    shift: bool | None = None,
) -> Augmentation:
    """Choose the augmentation that a plan stands for.

    Args:
        choice: `auto`, `none` or `turns`.
        upright: Whether the pictures have an upright direction; if not, `auto` overturns them too, and `turns` also
            turns them by quarters.
        form: What the samples are.
        masks: Whether every pixel has a class: then things may be much nearer or further than they were, a part of the
            picture is cut out, and light and colour change as from one drive to another.
        mirror: Whether samples are mirrored; None for yes.
        shift: Whether they are shifted and scaled; None for yes.

    Returns:
        The magnitudes.

    Raises:
        PlanError: Signals or volumes shall be turned by quarters.

    Example:
        >>> augmentation_for("none", upright=True).shift
        0.0
        >>> augmentation_for("auto", upright=True, mirror=False).flip_horizontal
        False
    """
    changes = _usual(choice, upright=upright, form=form, masks=masks)
    if mirror is False:
        changes = replace(changes, flip_horizontal=False, flip_vertical=False, flip_depth=False)
    return replace(changes, shift=0.0, zoom=0.0) if shift is False else changes


def _usual(choice: str, *, upright: bool, form: Form, masks: bool) -> Augmentation:
    if choice == "none":
        return Augmentation.none()
    if masks:
        turned = choice == "turns" or not upright
        wide = Augmentation(zoom=0.5, brightness=0.2, contrast=0.35, saturation=0.4)
        return replace(wide, flip_vertical=turned, quarter_turns=choice == "turns", shift=0.0 if turned else 0.12)
    if form != "picture":
        if choice == "turns":
            raise PlanError(f"--augment turns is for pictures; {form}s take auto or none")
        if form == "signal":
            return replace(Augmentation.none(), shift=0.05, gain=0.1, noise=0.05)
        return replace(
            Augmentation.none(), flip_horizontal=True, flip_vertical=not upright, flip_depth=not upright, shift=0.05
        )
    if choice == "turns" or not upright:
        quarters = choice == "turns"
        return Augmentation(
            flip_vertical=True, quarter_turns=quarters, shift=0.05, zoom=0.0, contrast=0.2, saturation=0.0
        )
    return Augmentation()


def place(target: np.ndarray, picture: np.ndarray, augmentation: Augmentation, random: np.random.Generator) -> None:
    """Copy a sample into its place in a batch, mirrored, turned and shifted at random.

    Args:
        target: Where it goes, `(height, width, channels)`, or with one or three axes before the channels.
        picture: The cached sample, of the same shape; one that is not square is turned by half turns only.
        augmentation: Magnitudes; shifts are done here only when no warp follows.
        random: Source of the draws; the same number is drawn for every sample.
    """
    if picture.ndim != 3:  # noqa: PLR2004 - a picture with its channels
        _place_values(target, picture, augmentation, random)
        return
    mirror, overturn, quarters = random.random(), random.random(), int(random.integers(4))
    across, down = random.uniform(-1, 1), random.uniform(-1, 1)
    if augmentation.flip_horizontal and mirror < 0.5:  # noqa: PLR2004 - half of the time
        picture = picture[:, ::-1]
    if augmentation.flip_vertical and overturn < 0.5:  # noqa: PLR2004 - half of the time
        picture = picture[::-1]
    if augmentation.quarter_turns and quarters:
        square = picture.shape[0] == picture.shape[1]
        picture = np.rot90(picture, quarters if square else 2 * (quarters % 2))
    reach = 0.0 if warps(augmentation) else augmentation.shift * picture.shape[0]
    x, y = round(across * reach), round(down * reach)
    if x or y:
        copy_shifted(target, picture, (y, x))
    else:
        target[...] = picture


def pass_over(axes: int, random: np.random.Generator) -> None:
    """Make the draws of `place` for a sample that is made elsewhere.

    Args:
        axes: Axes of a sample, channels included.
        random: Source of the draws.
    """
    if axes != 3:  # noqa: PLR2004 - a picture with its channels
        random.random(axes - 1)
        random.uniform(-1, 1, axes - 1)
        return
    random.random()
    random.random()
    random.integers(4)
    random.uniform(-1, 1)
    random.uniform(-1, 1)


def _place_values(
    target: np.ndarray, values: np.ndarray, augmentation: Augmentation, random: np.random.Generator
) -> None:
    """The same for signals and volumes: the last axis is mirrored as a picture's width is, the first as depth."""
    axes = values.ndim - 1
    draws, moves = random.random(axes), random.uniform(-1, 1, axes)
    flips = (augmentation.flip_depth, augmentation.flip_vertical, augmentation.flip_horizontal)[-axes:]
    chosen = tuple(axis for axis in range(axes) if flips[axis] and draws[axis] < 0.5)  # noqa: PLR2004 - half of the time
    if chosen:
        values = np.flip(values, chosen)
    extents = values.shape[:-1]
    offsets = tuple(round(move * augmentation.shift * extent) for move, extent in zip(moves, extents, strict=True))
    copy_shifted(target, values, offsets)


def copy_shifted(target: np.ndarray, values: np.ndarray, offsets: tuple[int, ...]) -> None:
    """Copy with an offset along each axis; the border that appears repeats the edge.

    Args:
        target: Where to, of the same shape.
        values: What is copied.
        offsets: So many places along each of the first axes.
    """
    sizes = values.shape[: len(offsets)]
    inside = [slice(max(0, by), size + min(0, by)) for by, size in zip(offsets, sizes, strict=True)]
    taken = tuple(slice(max(0, -by), size - max(0, by)) for by, size in zip(offsets, sizes, strict=True))
    target[tuple(inside)] = values[taken]
    for axis in reversed(range(len(offsets))):  # axes behind this one are full already, those before it are not yet
        by, before = offsets[axis], tuple(inside[:axis])
        if by > 0:
            target[*before, slice(0, by)] = target[*before, slice(by, by + 1)]
        elif by < 0:
            target[*before, slice(sizes[axis] + by, None)] = target[
                *before, slice(sizes[axis] + by - 1, sizes[axis] + by)
            ]


def change_colours(
    pixels: torch.Tensor, augmentation: Augmentation, random: np.random.Generator, *, share: Share | None = None
) -> torch.Tensor:
    """Change brightness, contrast and saturation of every picture by its own random amount.

    Args:
        pixels: float32 `(N, C, H, W)` from 0 to 255; changed in place.
        augmentation: Magnitudes.
        random: Source of the draws.
        share: Which samples of a batch these are, where they are not all.

    Returns:
        The batch, clamped to 0..255.
    """
    channels = pixels.shape[1]
    share = share or Share(len(pixels), 0, len(pixels))
    draws = random.uniform(-1, 1, (3, share.count))[:, share.mine].astype(np.float32)
    patch = random.random((5, share.count))[:, share.mine]
    brightness, contrast, saturation = torch.from_numpy(draws).to(pixels.device)[:, :, None, None, None]
    if augmentation.saturation and channels > 1:
        grey = pixels.mean(dim=1, keepdim=True)
        pixels = grey + (pixels - grey) * (1 + saturation * augmentation.saturation)
    if augmentation.contrast or augmentation.brightness:
        gain = 1 + contrast * augmentation.contrast
        middle = pixels.mean(dim=(1, 2, 3), keepdim=True)
        offset = middle * (1 - gain) + brightness * (augmentation.brightness * WHITE)
        pixels = pixels.mul_(gain).add_(offset)
    if augmentation.saturation or augmentation.contrast or augmentation.brightness:
        pixels = pixels.clamp_(0, WHITE)
    if augmentation.erase:
        _erase(pixels, augmentation.erase, patch)
    return pixels


def change_values(
    values: torch.Tensor,
    augmentation: Augmentation,
    random: np.random.Generator,
    *,
    mean: Sequence[float],
    deviation: Sequence[float],
    share: Share | None = None,
) -> torch.Tensor:
    """Scale every signal around its channel's mean, and add noise, by its own random amount.

    Args:
        values: float32 `(N, C, ...)`; changed in place.
        augmentation: Magnitudes.
        random: Source of the draws.
        mean: Of each channel over the training part.
        deviation: Of each channel over the training part.
        share: Which samples of a batch these are, where they are not all.

    Returns:
        The batch.
    """
    ones = (1,) * (values.ndim - 2)
    share = share or Share(len(values), 0, len(values))
    there = values.device
    middle = torch.tensor(mean, dtype=torch.float32, device=there).reshape(1, -1, *ones)
    if augmentation.gain:
        draws = random.uniform(-1, 1, share.count)[share.mine].astype(np.float32)
        gain = 1 + torch.from_numpy(draws).to(there).reshape(-1, 1, *ones) * augmentation.gain
        values = values.sub_(middle).mul_(gain).add_(middle)
    if augmentation.noise:
        drawn = random.standard_normal((share.count, *values.shape[1:]), dtype=np.float32)[share.mine]
        spread = torch.tensor(deviation, dtype=torch.float32, device=there).reshape(1, -1, *ones)
        values = values.add_(torch.from_numpy(drawn).to(there).mul_(spread * augmentation.noise))
    return values


def described_changes(augmentation: Augmentation) -> str:
    """Say in words what augmentation does to signals or volumes.

    Args:
        augmentation: Magnitudes.

    Returns:
        Words for a sentence; empty where nothing is changed.

    Example:
        >>> described_changes(augmentation_for("auto", upright=True, form="signal"))
        'shifted by up to 5 % of an axis, scaled by up to 10 %, noise of 0.05 standard deviations'
    """
    flips = (("depth", augmentation.flip_depth), ("height", augmentation.flip_vertical))
    mirrored = [name for name, on in (*flips, ("width", augmentation.flip_horizontal)) if on]
    said = (
        f"mirrored along {' and '.join(mirrored)}" if mirrored else "",
        f"shifted by up to {100 * augmentation.shift:g} % of an axis" if augmentation.shift else "",
        f"scaled by up to {100 * augmentation.gain:g} %" if augmentation.gain else "",
        f"noise of {augmentation.noise:g} standard deviations" if augmentation.noise else "",
    )
    return ", ".join(part for part in said if part)


def _erase(pixels: torch.Tensor, share: float, draws: np.ndarray) -> None:
    """Blank a rectangle of 2 to 20 % of the area in some pictures (random erasing, Zhong et al. 2017)."""
    height, width = pixels.shape[2:]
    for picture, (chosen, area, aspect, down, across) in zip(pixels, draws.T, strict=True):
        if chosen >= share:
            continue
        ratio = math.exp((2 * aspect - 1) * math.log(3.3))
        side = math.sqrt(height * width * (0.02 + 0.18 * area))
        tall = min(height - 1, max(1, round(side * math.sqrt(ratio))))
        wide = min(width - 1, max(1, round(side / math.sqrt(ratio))))
        top, left = int(down * (height - tall)), int(across * (width - wide))
        picture[:, top : top + tall, left : left + wide] = picture.mean()
