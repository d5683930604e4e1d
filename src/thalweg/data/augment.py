"""Random changes to training pictures, on whole batches and reproducible to the bit.

Mirroring, quarter turns and whole-pixel shifts only move bytes, so they are done while a picture is copied out of the
cache. Scaling and rotation are one bilinear warp of the batch, brightness and contrast one multiply-add. Every draw
comes from a generator seeded by (seed, epoch, batch): resuming in the middle of a run repeats the same pictures.
"""

import math

import numpy as np
import torch
from torch.nn import functional

from thalweg.core.plan import Augmentation

__all__ = ["augmentation_for", "change_colours", "place", "warp"]

WHITE = 255.0


def augmentation_for(choice: str, *, upright: bool) -> Augmentation:
    """Choose the augmentation that the word in a plan stands for.

    Args:
        choice: `auto`, `none` or `turns`.
        upright: Whether the pictures have an upright direction; if not, `auto` overturns them too, and `turns` also
            turns them by quarters.

    Returns:
        The magnitudes.

    Example:
        >>> augmentation_for("none", upright=True).shift
        0.0
    """
    if choice == "none":
        return Augmentation.none()
    if choice == "turns" or not upright:
        quarters = choice == "turns"
        return Augmentation(
            flip_vertical=True, quarter_turns=quarters, shift=0.05, zoom=0.0, contrast=0.2, saturation=0.0
        )
    return Augmentation()


def place(target: np.ndarray, picture: np.ndarray, augmentation: Augmentation, random: np.random.Generator) -> None:
    """Copy a picture into its place in a batch, mirrored, turned and shifted at random.

    Args:
        target: Where it goes, uint8 `(height, width, channels)`.
        picture: The cached picture, uint8, square and of the same shape.
        augmentation: Magnitudes; shifts are done here only when no warp follows.
        random: Source of the draws; the same number is drawn for every picture.
    """
    mirror, overturn, quarters = random.random(), random.random(), int(random.integers(4))
    across, down = random.uniform(-1, 1), random.uniform(-1, 1)
    if augmentation.flip_horizontal and mirror < 0.5:  # noqa: PLR2004 - half of the time
        picture = picture[:, ::-1]
    if augmentation.flip_vertical and overturn < 0.5:  # noqa: PLR2004 - half of the time
        picture = picture[::-1]
    if augmentation.quarter_turns and quarters:
        picture = np.rot90(picture, quarters)
    reach = 0.0 if _warps(augmentation) else augmentation.shift * picture.shape[0]
    x, y = round(across * reach), round(down * reach)
    if x or y:
        _copy_shifted(target, picture, x, y)
    else:
        target[...] = picture


def _copy_shifted(target: np.ndarray, picture: np.ndarray, x: int, y: int) -> None:
    """Copy with an offset of (x, y) pixels; the border that appears repeats the picture's edge."""
    height, width = picture.shape[:2]
    rows = slice(max(0, y), height + min(0, y))
    columns = slice(max(0, x), width + min(0, x))
    target[rows, columns] = picture[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)]
    if x > 0:
        target[rows, :x] = target[rows, x : x + 1]
    elif x < 0:
        target[rows, x:] = target[rows, x - 1 : x]
    if y > 0:
        target[:y] = target[y : y + 1]
    elif y < 0:
        target[y:] = target[y - 1 : y]


def _warps(augmentation: Augmentation) -> bool:
    return augmentation.zoom > 0 or augmentation.rotate_degrees > 0


def warp(pixels: torch.Tensor, augmentation: Augmentation, random: np.random.Generator) -> torch.Tensor:
    """Scale, rotate and shift every picture of a batch by its own random amount.

    Args:
        pixels: float32 `(N, C, H, W)`.
        augmentation: Magnitudes.
        random: Source of the draws.

    Returns:
        The warped batch; the same object when there is nothing to do. Borders repeat by reflection.
    """
    if not _warps(augmentation):
        return pixels
    count = len(pixels)
    scale = 1 / (1 + random.uniform(-1, 1, count) * augmentation.zoom)
    angle = np.deg2rad(random.uniform(-1, 1, count) * augmentation.rotate_degrees)
    shift = random.uniform(-2, 2, (count, 2)) * augmentation.shift  # grid coordinates run from -1 to 1
    theta = np.zeros((count, 2, 3), dtype=np.float32)
    theta[:, 0, 0] = theta[:, 1, 1] = scale * np.cos(angle)
    theta[:, 1, 0] = scale * np.sin(angle)
    theta[:, 0, 1] = -theta[:, 1, 0]
    theta[:, :, 2] = shift
    grid = functional.affine_grid(torch.from_numpy(theta), list(pixels.shape), align_corners=False)
    return functional.grid_sample(pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def change_colours(pixels: torch.Tensor, augmentation: Augmentation, random: np.random.Generator) -> torch.Tensor:
    """Change brightness, contrast and saturation of every picture by its own random amount.

    Args:
        pixels: float32 `(N, C, H, W)` from 0 to 255; changed in place.
        augmentation: Magnitudes.
        random: Source of the draws.

    Returns:
        The batch, clamped to 0..255.
    """
    count, channels = pixels.shape[:2]
    draws = random.uniform(-1, 1, (3, count)).astype(np.float32)
    patch = random.random((5, count))
    brightness, contrast, saturation = (torch.from_numpy(row)[:, None, None, None] for row in draws)
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
