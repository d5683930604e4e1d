"""Small pictures for the report, taken from the cache: the same values that the network saw.

A picture is shown as it is, a signal as a line a channel, a volume as three slices through its centre of mass, a clip
as three of its frames. Each is drawn in its own range of values.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from thalweg.core.report import Picture

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["as_picture", "drawn", "encoded", "thumbnails"]

SIDE = 144
_WIDE, _HIGH, _MARGIN, _FINE = 216, 96, 4, 2
_COLOURS = ("#1f5fa8", "#c2571a", "#2f7d4f", "#7a4fa3", "#8a6d1f", "#a33a5b", "#3a8f99", "#555555")
_SIGNAL, _PICTURE = 2, 3  # axes of a sample with its channels
_FRAMES = 3


def as_picture(values: np.ndarray, caption: str, *, file: str = "", badge: str = "", frames: bool = False) -> Picture:
    """Encode a sample as a small picture.

    Args:
        values: uint8 `(height, width, 1 or 3)`, or measured values `(steps, channels)` or
            `(depth, height, width, channels)`.
        caption: What is shown below it.
        file: Where it came from.
        badge: A short word shown on it.
        frames: Whether the first axis of a volume is time.

    Returns:
        A JPEG of at most 144 pixels a side for a picture, otherwise a PNG.
    """
    from PIL import Image

    if values.ndim == _SIGNAL:
        return encoded(drawn(values), "PNG", caption, file, badge)
    if values.ndim != _PICTURE:
        return encoded(Image.fromarray(_slices(values, frames=frames)), "PNG", caption, file, badge)
    image = Image.fromarray(values[:, :, 0] if values.shape[2] == 1 else values)
    if max(image.size) > SIDE:
        image.thumbnail((SIDE, SIDE))
    elif max(image.size) < SIDE // 2:
        factor = SIDE // (2 * max(image.size)) or 1
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    return encoded(image, "JPEG", caption, file, badge)


def encoded(
    image: "Image.Image", form: Literal["JPEG", "PNG"], caption: str, file: str = "", badge: str = ""
) -> Picture:
    """Encode a drawn picture.

    Args:
        image: The picture.
        form: `JPEG` for photos, `PNG` for what must stay sharp.
        caption: What is shown below it.
        file: Where it came from.
        badge: A short word shown on it.

    Returns:
        The picture.
    """
    out = io.BytesIO()
    if form == "JPEG":
        image.save(out, "JPEG", quality=82)
        return Picture(data=out.getvalue(), media_type="image/jpeg", caption=caption, file=file, badge=badge)
    image.save(out, "PNG", optimize=True)
    return Picture(data=out.getvalue(), media_type="image/png", caption=caption, file=file, badge=badge)


def drawn(values: np.ndarray, bands: np.ndarray | None = None) -> "Image.Image":
    """A signal as lines, one a channel, over a line at zero where zero is in range.

    Args:
        values: `(steps, channels)`.
        bands: Colours behind it, uint8 `(any number, 3)`, from its first to its last step; white by default.

    Returns:
        The drawing.
    """
    from PIL import Image, ImageDraw

    shown = values.astype(np.float64)
    low, high = float(shown.min()), float(shown.max())
    span = (high - low) or 1.0
    wide, high_side, margin = _WIDE * _FINE, _HIGH * _FINE, _MARGIN * _FINE
    image = Image.new("RGB", (wide, high_side), "white")
    pen = ImageDraw.Draw(image)
    if bands is not None:
        image.paste(
            Image.fromarray(bands[None]).resize((wide - 2 * margin, high_side), Image.Resampling.BILINEAR), (margin, 0)
        )

    def down(value: float) -> float:
        return margin + (high - value) / span * (high_side - 2 * margin)

    if low <= 0 <= high:
        pen.line([(margin, down(0)), (wide - margin, down(0))], fill="#cccccc", width=1)
    across = np.linspace(margin, wide - margin, len(shown))
    for channel in reversed(range(shown.shape[1])):
        line = [(float(x), down(float(y))) for x, y in zip(across, shown[:, channel], strict=True)]
        pen.line(line, fill=_COLOURS[channel % len(_COLOURS)], width=_FINE)
    return image.resize((_WIDE, _HIGH), Image.Resampling.LANCZOS).quantize(64 if bands is None else 128)


def _slices(values: np.ndarray, *, frames: bool) -> np.ndarray:
    """Three slices of a volume side by side, one across each axis; or three frames."""
    shown = values.astype(np.float64)
    colour = shown.shape[3] == 3  # noqa: PLR2004 - red, green, blue
    shown = shown if colour else shown.mean(axis=3, keepdims=True)
    low, span = shown.min(), np.ptp(shown) or 1.0
    grey = ((shown - low) / span * 255).round().astype(np.uint8)
    if frames:
        chosen = [grey[index] for index in np.linspace(0, len(grey) - 1, _FRAMES).round().astype(int)]
    else:
        mass = (shown - low).sum(axis=3)
        places = np.indices(mass.shape, sparse=True)
        centre = [round(float((mass * place).sum() / (mass.sum() or 1.0))) for place in places]
        chosen = [np.take(grey, centre[axis], axis=axis) for axis in range(3)]
    high = max(each.shape[0] for each in chosen)
    factor = max(1, SIDE // 2 // high)
    step = max(1, high // SIDE)
    gap = np.full((high * factor // step, 2, grey.shape[3]), 255, np.uint8)
    row: list[np.ndarray] = []
    for each in chosen:
        framed = np.full((high, *each.shape[1:]), 255, np.uint8)
        framed[: each.shape[0]] = each
        row += [framed.repeat(factor, axis=0).repeat(factor, axis=1)[::step, ::step][: len(gap)], gap]
    joined = np.concatenate(row[:-1], axis=1)
    return joined if colour else joined[..., 0]


def thumbnails(
    pixels: np.ndarray,
    rows: Sequence[int],
    captions: Sequence[str],
    files: Sequence[str],
    badge: str = "",
    *,
    frames: bool = False,
) -> tuple[Picture, ...]:
    """Encode several cached samples.

    Args:
        pixels: The cache, `(rows, ..., channels)`.
        rows: Rows to show.
        captions: One a row.
        files: One a row.
        badge: A short word shown on each.
        frames: Whether the first axis of volumes is time.

    Returns:
        The pictures in the same order.
    """
    return tuple(
        as_picture(np.asarray(pixels[row]), caption, file=file, badge=badge, frames=frames)
        for row, caption, file in zip(rows, captions, files, strict=True)
    )
