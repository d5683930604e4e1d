"""Maps laid over samples, filters, feature maps and patches as small pictures.

Over a sample, orange speaks for the class and blue against it; what says nothing keeps the sample's own look, a little
darker. A map that has one sign everywhere is shown by how it differs from its own weakest place, but for a rest, so
that an even map looks even. Feature maps and saliency go from black to pale yellow.
"""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from thalweg.core.report import Picture
from thalweg.workbench.loading.pictures import SIDE, drawn, encoded

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["bright_tile", "filter_tiles", "overlay", "patch_sheet", "smooth"]

_FOR, _AGAINST = np.array([255.0, 138.0, 20.0]), np.array([52.0, 120.0, 255.0])
_DIM, _MOST_COLOUR = 0.72, 0.78
_HEAT = np.array([[0, 0, 4], [60, 15, 112], [150, 38, 104], [229, 92, 48], [251, 181, 30], [252, 255, 190]], float)
_TILE, _SHEET, _GAP = 72, 3, 2
_GROUND = (13, 20, 23)
_MOST_FILTERS = 32


def overlay(values: np.ndarray, map_: np.ndarray | None, caption: str, *, file: str = "", badge: str = "", frames: bool = False, heat: bool = False, at: tuple[int, ...] | None = None) -> Picture:  # fmt: skip  # noqa: E501
    """Lay a map over a sample.

    Args:
        values: The sample, `(*extents, channels)`.
        map_: `(*extents)`; None shows the sample alone.
        caption: What is shown below it.
        file: Where the sample came from.
        badge: A short word shown on it.
        frames: Whether the first axis of a volume is time.
        heat: Whether to show the map alone, from black to pale yellow.
        at: For volumes: the place through which slices are cut; the strongest of the map by default.

    Returns:
        The picture.
    """
    axes = values.ndim - 1
    if axes == 1:
        map_ = None if map_ is None else _raised(map_)
        return encoded(_band(values, map_, heat=heat), "PNG", caption, file, badge)
    map_ = None if map_ is None else _raised(map_)
    pairs = _planes(values, map_, at, frames=frames) if axes == 3 else [(_coloured(values), map_)]  # noqa: PLR2004
    scale = 1.0 if map_ is None else _scale(map_)
    shown = [_laid(plane, part, scale, heat=heat) for plane, part in pairs]
    image = _beside(shown)
    return encoded(image, "JPEG", caption, file, badge)


def bright_tile(map_: np.ndarray, caption: str) -> Picture:
    """A feature map, from its smallest value in black to its largest in pale yellow.

    Args:
        map_: With one to three axes; of a volume the slice with the largest value is shown.
        caption: What is shown below it.

    Returns:
        The picture.
    """
    if map_.ndim == 1:
        return encoded(drawn(map_[:, None]), "PNG", caption)
    if map_.ndim == 3:  # noqa: PLR2004 - a volume
        map_ = map_[np.unravel_index(int(map_.argmax()), map_.shape)[0]]
    span = float(np.ptp(map_)) or 1.0
    return encoded(_enlarged(_heat((map_ - map_.min()) / span)), "PNG", caption)


def filter_tiles(weight: torch.Tensor, *, grey: bool = False) -> tuple[Picture, ...]:
    """The filters of a first convolution as pictures.

    Args:
        weight: `(filters, channels, *kernel)`.
        grey: Whether all channels of the input are alike, so that a filter is the sum of its channels.

    Returns:
        At most 32: in colour where there are three channels, otherwise the mean over channels; a line for a signal, the
        middle slice for a volume. Grey is zero.
    """
    tiles = []
    for number, each in enumerate(weight[:_MOST_FILTERS].detach().float().cpu().numpy()):
        caption = str(number)
        if each.ndim == 2:  # noqa: PLR2004 - channels, steps
            tiles.append(encoded(drawn(each.T), "PNG", caption))
            continue
        plane = each[:, each.shape[1] // 2] if each.ndim == 4 else each  # noqa: PLR2004 - channels and three axes
        colour = plane if len(plane) == 3 and not grey else plane.mean(axis=0, keepdims=True).repeat(3, axis=0)  # noqa: PLR2004
        largest = float(np.abs(colour).max()) or 1.0
        pixels = ((colour / largest + 1) * 127.5).round().astype(np.uint8).transpose(1, 2, 0)
        tiles.append(encoded(_enlarged(pixels), "PNG", caption))
    return tuple(tiles)


def smooth(map_: np.ndarray) -> np.ndarray:
    """Average each value with its neighbours: single values of a gradient are noise to the eye.

    Args:
        map_: With one to three axes.

    Returns:
        The same extents.
    """
    width = 1 + 2 * max(1, max(map_.shape) // 48)
    for axis in range(map_.ndim):
        padded = np.pad(map_, [(width // 2,) * 2 if each == axis else (0, 0) for each in range(map_.ndim)], mode="edge")
        map_ = np.lib.stride_tricks.sliding_window_view(padded, width, axis=axis).mean(axis=-1)
    return map_


def patch_sheet(patches: Sequence[np.ndarray], caption: str) -> Picture:
    """Up to nine patches as one square picture.

    Args:
        patches: `(*extents, channels)` each, the strongest first.
        caption: What is shown below it.

    Returns:
        The picture, with the contrast stretched to the whole range over all nine.
    """
    from PIL import Image

    side = (SIDE - (_SHEET - 1) * _GAP) // _SHEET
    sheet = Image.new("RGB", (SIDE, SIDE), _GROUND)
    low = min((float(patch.min()) for patch in patches), default=0.0)
    span = max((float(patch.max()) for patch in patches), default=1.0) - low or 1.0
    for place, patch in zip(itertools.product(range(_SHEET), repeat=2), patches, strict=False):
        if patch.ndim == 2:  # noqa: PLR2004 - steps, channels
            small = drawn(patch).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
        else:
            middle = patch if patch.ndim == 3 else patch[len(patch) // 2]  # noqa: PLR2004 - a picture
            even = ((middle - low) / span * 255).round().astype(np.uint8)
            small = Image.fromarray(_coloured(even)).resize((side, side), Image.Resampling.BILINEAR)
        sheet.paste(small, (place[1] * (side + _GAP), place[0] * (side + _GAP)))
    return encoded(sheet, "JPEG", caption)


def _coloured(values: np.ndarray) -> np.ndarray:
    """A picture as red, green and blue; measured values in their own range."""
    if values.dtype != np.uint8:
        numbers = values.astype(np.float64)
        span = float(np.ptp(numbers)) or 1.0
        values = ((numbers - numbers.min()) / span * 255).round().astype(np.uint8)
    if values.shape[-1] != 3:  # noqa: PLR2004 - red, green, blue
        values = values.mean(axis=-1, keepdims=True).round().astype(np.uint8).repeat(3, axis=-1)
    return values


def _planes(
    values: np.ndarray, map_: np.ndarray | None, at: tuple[int, ...] | None, *, frames: bool
) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Three slices of a volume where the map is strongest, one across each axis; or three frames."""
    colour = _coloured(values)
    if frames:
        times = np.linspace(0, len(values) - 1, 3).round().astype(int)
        return [(colour[time], None if map_ is None else map_[time]) for time in times]
    if at is None:
        strong = np.abs(map_) if map_ is not None else colour.sum(axis=-1, dtype=np.int64)
        at = tuple(int(each) for each in np.unravel_index(int(strong.argmax()), strong.shape))
    return [
        (np.take(colour, at[axis], axis=axis), None if map_ is None else np.take(map_, at[axis], axis=axis))
        for axis in range(3)
    ]


def _raised(map_: np.ndarray) -> np.ndarray:
    low, high = float(map_.min()), float(map_.max())
    base = low if low > 0 else min(high, 0.0)
    return map_ - 0.8 * base


def _scale(map_: np.ndarray) -> float:
    return float(np.quantile(np.abs(map_), 0.995)) or float(np.abs(map_).max()) or 1.0


def _laid(plane: np.ndarray, map_: np.ndarray | None, scale: float, *, heat: bool) -> np.ndarray:
    if map_ is None:
        return plane
    share = np.clip(map_ / scale, -1, 1)
    return _heat(np.abs(share)) if heat else _blended(plane, share)


def _blended(plane: np.ndarray, share: np.ndarray) -> np.ndarray:
    colour = np.where(share[..., None] > 0, _FOR, _AGAINST)
    strength = (_MOST_COLOUR * np.abs(share) ** 0.8)[..., None]
    mixed = plane * _DIM * (1 - strength) + colour * strength
    return np.asarray(mixed.round().clip(0, 255), dtype=np.uint8)


def _heat(share: np.ndarray) -> np.ndarray:
    place = np.clip(share, 0, 1) * (len(_HEAT) - 1)
    below = np.minimum(place.astype(int), len(_HEAT) - 2)
    rest = (place - below)[..., None]
    return np.asarray((_HEAT[below] * (1 - rest) + _HEAT[below + 1] * rest).round(), dtype=np.uint8)


def _band(values: np.ndarray, map_: np.ndarray | None, *, heat: bool) -> "Image.Image":
    if map_ is None:
        return drawn(values)
    share = np.clip(map_ / _scale(map_), -1, 1)
    ground = np.full((len(share), 3), 255.0)
    strength = (0.65 * np.abs(share))[:, None]
    colour = np.where(share[:, None] > 0, _FOR, np.array([150.0, 40, 110]) if heat else _AGAINST)
    return drawn(values, np.asarray((ground * (1 - strength) + colour * strength).round(), dtype=np.uint8))


def _beside(shown: Sequence[np.ndarray]) -> "Image.Image":
    """Pictures side by side, enlarged where they are small; three go two above one, nearly a square."""
    from PIL import Image

    images = [Image.fromarray(each) for each in shown]
    side = SIDE if len(images) == 1 else SIDE // 2
    images = [_fitted(image, side) for image in images]
    if len(images) == 1:
        return images[0]
    sheet = Image.new("RGB", (2 * side + _GAP, 2 * side + _GAP), _GROUND)
    for place, image in zip(itertools.product((0, side + _GAP), repeat=2), images, strict=False):
        sheet.paste(image, (place[1], place[0]))
    return sheet


def _fitted(image: "Image.Image", side: int) -> "Image.Image":
    from PIL import Image

    factor = side / max(image.size)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.BILINEAR if factor < 1 else Image.Resampling.NEAREST)


def _enlarged(pixels: np.ndarray) -> "Image.Image":
    from PIL import Image

    image = Image.fromarray(pixels)
    factor = max(1, _TILE // max(image.size))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
