"""From every way to store colour to 8 bits: deep grey scaled, palettes looked up, transparency shown on white."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import PictureError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["eight_bit", "scale_deep_grey"]

_FEWEST_LEVELS = 16  # fewer shades than this after scaling, and the picture is stretched to be visible at all
_DEEP = ("I", "F")  # I;16, I;16B, I;16L, I;16N and I are whole numbers; F is floating point


def eight_bit(image: "Image.Image", notes: list[str]) -> "Image.Image":
    """Show a loaded picture of any mode in 8 bits.

    Args:
        image: The picture, upright.
        notes: Where a sentence is added when the values had to be stretched.

    Returns:
        The picture in mode `L` if it is stored as grey, else `RGB`.

    Example:
        >>> from PIL import Image
        >>> eight_bit(Image.new("LA", (1, 1), (0, 0)), []).getpixel((0, 0))
        (255, 255, 255)
    """
    from PIL import Image

    if image.mode.startswith(_DEEP):
        values = np.asarray(image)
        shown = scale_deep_grey(values, notes)
        clear = image.info.get("transparency")
        if isinstance(clear, int):
            shown[values == clear] = 255
        return Image.fromarray(shown)
    if image.has_transparency_data or image.mode in {"PA", "La", "RGBa"}:
        seen = image.convert("RGBA")
        white = Image.new("RGBA", seen.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, seen).convert("RGB")
    if image.mode in {"L", "RGB"}:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def scale_deep_grey(values: npt.NDArray[np.generic], notes: list[str]) -> npt.NDArray[np.uint8]:
    r"""Bring grey values of more than 8 bits to 0..255.

        shown = round(255 value / (2^k - 1)),   k = 8..16 the fewest bits that hold the largest value

    So a full-range 16-bit picture is divided by 257, a 12-bit X-ray by 4095/255, and an 8-bit one in a 16-bit file
    stays as it is. Floating point from 0 to 1 is multiplied by 255. What lies outside, and what would keep fewer than
    16 shades of more that it has, is stretched from its smallest to its largest value, and noted.

    Args:
        values: Whole or floating-point grey values.
        notes: Where a sentence is added when the values were stretched.

    Returns:
        uint8 array of the same shape.

    Raises:
        PictureError: No value is finite.

    Example:
        >>> scale_deep_grey(np.array([0, 257, 65535]), []).tolist()
        [0, 1, 255]
    """
    finite = np.isfinite(values)
    if not finite.any():
        raise PictureError("no pixel holds a finite value")
    exact = values.astype(np.float64)
    if not finite.all():
        exact[~finite] = exact[finite].min()
        notes.append(f"{int((~finite).sum()):,} pixels are not finite; shown as the darkest")
    low, high = float(exact.min()), float(exact.max())
    if np.issubdtype(values.dtype, np.floating) and high <= 1:
        full = 1.0
    else:
        full = float(2 ** max(8, int(np.ceil(np.log2(max(high, 0) + 1)))) - 1)
    inside = low >= 0 and full <= 65535  # noqa: PLR2004 - 16 bits
    if inside and not _loses_shades(exact, low, high, full):
        return np.rint(exact * (255 / full)).astype(np.uint8)
    notes.append(f"grey values from {low:g} to {high:g} stretched to the full range")
    span = (high - low) or 1.0
    return np.rint((exact - low) * (255 / span)).astype(np.uint8)


def _loses_shades(exact: npt.NDArray[np.float64], low: float, high: float, full: float) -> bool:
    if (high - low) * 255 / full >= _FEWEST_LEVELS:
        return False
    return np.unique(exact).size > np.unique(np.rint(exact * (255 / full))).size
