"""Pictures with their masks laid over them, for the report: what a network was shown, what it answered."""

import io
from collections.abc import Sequence

import numpy as np

from thalweg.core.masks import VOID, Colour
from thalweg.core.report import Compared, Picture

__all__ = ["compared", "legend_of", "overlay"]

_WIDEST = 420
_SMALLEST = 160
_STRENGTH = 0.6


def overlay(
    pixels: np.ndarray, mask: np.ndarray, palette: Sequence[Colour], caption: str, *, file: str = "", badge: str = ""
) -> Picture:
    """A picture with its mask over it; void lets the picture through, darkened.

    Args:
        pixels: uint8 `(height, width, 1 or 3)`.
        mask: uint8 `(height, width)`, 255 where there is no class.
        palette: Colour of each class.
        caption: What is shown below it.
        file: Where it came from.
        badge: A short word shown on it.

    Returns:
        A JPEG of at most 420 pixels a side.
    """
    from PIL import Image

    table = np.zeros((VOID + 1, 3), np.float32)
    table[: len(palette)] = palette
    strength = np.full(VOID + 1, _STRENGTH, np.float32)
    share = strength[mask][..., None]
    shown = np.broadcast_to(pixels.astype(np.float32), (*mask.shape, 3)) * (1 - share) + table[mask] * share
    image = Image.fromarray(shown.round().clip(0, 255).astype(np.uint8))
    longest = max(image.size)
    if longest > _WIDEST:
        image.thumbnail((_WIDEST, _WIDEST))
    elif longest < _SMALLEST:
        factor = -(-_SMALLEST // longest)
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return Picture(data=out.getvalue(), media_type="image/jpeg", caption=caption, file=file, badge=badge)


def compared(
    pixels: np.ndarray, truth: np.ndarray, answer: np.ndarray, palette: Sequence[Colour], caption: str, *, file: str
) -> Compared:
    """A picture under its true mask, and under the predicted one.

    Args:
        pixels: uint8 `(height, width, 1 or 3)`.
        truth: uint8 `(height, width)`, 255 where there is no class.
        answer: uint8 `(height, width)`.
        palette: Colour of each class.
        caption: What is shown below it.
        file: Where it came from.

    Returns:
        Both.
    """
    return Compared(
        truth=overlay(pixels, truth, palette, "", file=file),
        answer=overlay(pixels, answer, palette, caption, file=file),
    )


def legend_of(classes: Sequence[str], palette: Sequence[Colour]) -> tuple[tuple[str, str], ...]:
    """Names and colours.

    Args:
        classes: Class names.
        palette: Their colours.

    Returns:
        Such as `(("road", "#804080"),)`.

    Example:
        >>> legend_of(["road"], [(128, 64, 128)])
        (('road', '#804080'),)
    """
    return tuple((name, "#{:02x}{:02x}{:02x}".format(*colour)) for name, colour in zip(classes, palette, strict=True))
