"""From a mask file to the class of every pixel, as whatever stands in it says: a number, a palette or a colour."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import PictureError
from thalweg.core.files import printable
from thalweg.core.masks import VOID, Colour
from thalweg.data.decoding.damage import reason_of
from thalweg.data.decoding.decode import PIXEL_LIMIT, read_picture_file
from thalweg.data.decoding.pillow_notes import listening
from thalweg.data.masks.lossy import BETWEEN, MOVED, nearest_classes

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "BETWEEN",
    "MOVED",
    "HeldValues",
    "MaskCoding",
    "read_held",
    "read_mask",
    "spelled_colour",
    "spelled_value",
]

UNKNOWN = 254
"""Index of pixels whose value is in no table, before they are counted and become void."""
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_MODES = frozenset({"1", "L", "P", "I", "I;16", "I;16B", "LA", "PA", "RGB", "RGBA"})
_COLOURS = 3  # axes of a coloured mask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskCoding:
    """What the pixels of masks mean.

    Args:
        classes: Class names in index order.
        palette: Colour of each class.
        coloured: Whether pixels hold colours; else numbers.
        meaning: Index of the class, or 255, by number or by red * 65536 + green * 256 + blue.
        about: The coding in words.
        through_palette: Whether the colours of a palette count, not the numbers of its entries.
        reach: How far from a known number or colour the pixels of a lossy mask may lie and still be meant by it: less
            than half of the way to the next one.
        smeared: Whether masks that are no JPEG hold greys at their borders all the same, as after resizing.
    """

    classes: tuple[str, ...]
    palette: tuple[Colour, ...]
    coloured: bool
    meaning: Mapping[int, int]
    about: str
    through_palette: bool = False
    reach: float = 0.0
    smeared: bool = False

    @property
    def numbers(self) -> tuple[int, ...]:
        """What each class's pixels hold, where that fits a byte and 255 stays void; else nothing."""
        number = {index: value for value, index in self.meaning.items()}
        found = tuple(number.get(index, VOID) for index in range(len(self.classes)))
        return found if not self.coloured and all(value < VOID for value in found) else ()

    def indices(self, values: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """The class of every pixel.

        Args:
            values: What the pixels hold.

        Returns:
            uint8 of the same shape; 255 for void, 254 for what no table knows.
        """
        table = np.full(1 << 24 if self.coloured else 1 << 16, UNKNOWN, np.uint8)
        for value, index in self.meaning.items():
            table[value] = index
        return np.asarray(table[np.minimum(values, len(table) - 1)])


@dataclass(frozen=True, slots=True, eq=False)
class HeldValues:
    """What a mask's file holds.

    Args:
        values: A number a pixel, `(height, width)`.
        coloured: Whether these are colours.
        lossy: Whether the format changes values a little.
        palette: The colours of the file's palette, by number, where it has one.
    """

    values: npt.NDArray[np.int64]
    coloured: bool
    lossy: bool
    palette: tuple[Colour, ...]


def read_held(path: Path, *, through_palette: bool) -> HeldValues:
    """Read all that a mask's file says.

    Args:
        path: The file.
        through_palette: Whether the colours of a palette are wanted, not the numbers of its entries.

    Returns:
        Its values, and what they are.

    Raises:
        PictureError: The file is no mask that can be read.
    """
    from PIL import Image

    if path.is_dir():
        return _union(path)
    data = read_picture_file(path)
    with listening():
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                image: Image.Image = opened
                lossy = opened.format == "JPEG"
                palette = _palette_of(opened)
                _check_size(*image.size)
                if (through_palette and image.mode == "P") or image.mode not in _MODES:
                    image = image.convert("RGB")  # CMYK and the like, too
                pixels = np.asarray(image)
        except PictureError:
            raise
        except Exception as error:
            raise PictureError(reason_of(error, data)) from error
    if pixels.ndim == _COLOURS and pixels.shape[2] == 2:  # noqa: PLR2004 - a number and its opacity
        pixels = pixels[..., 0]
    if pixels.ndim == _COLOURS:
        red, green, blue = (pixels[..., channel].astype(np.int64) for channel in range(3))
        if (red == green).all() and (red == blue).all():
            return HeldValues(red, False, lossy, ())
        return HeldValues(red << 16 | green << 8 | blue, True, lossy, ())
    return HeldValues(pixels.astype(np.int64).clip(0, (1 << 16) - 1), False, lossy, palette)


def _union(folder: Path) -> HeldValues:
    """The masks of single objects in a folder as one: 255 where any of them has something."""
    whole: npt.NDArray[np.bool_] | None = None
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
        try:
            there = read_held(path, through_palette=False).values != 0
        except PictureError as error:
            raise PictureError(f"{printable(path.name)}: {error}") from None
        if whole is not None and whole.shape != there.shape:
            raise PictureError(f"{printable(path.name)}: has another size than the masks beside it")
        whole = there if whole is None else whole | there
    if whole is None:
        raise PictureError("the folder of its masks is empty")
    return HeldValues(whole.astype(np.int64) * VOID, False, False, ())


def _palette_of(image: "Image.Image") -> tuple[Colour, ...]:
    """The colours of a file's palette, by number."""
    flat = image.getpalette() if image.mode == "P" else None
    return tuple((flat[at], flat[at + 1], flat[at + 2]) for at in range(0, len(flat) - 2, 3)) if flat else ()


def _check_size(width: int, height: int) -> None:
    if width * height > PIXEL_LIMIT:
        raise PictureError(f"the mask claims {width:,} x {height:,} pixels, more than the limit of {PIXEL_LIMIT:,}")


def read_mask(path: Path, coding: MaskCoding) -> tuple[npt.NDArray[np.uint8], dict[int, int]]:
    """Read the class of every pixel.

    Args:
        path: The mask.
        coding: What its pixels mean.

    Returns:
        uint8 of shape (height, width) with 255 for void, and how many pixels held each value that no table knows; of
        a lossy file, how many were taken for the nearest value (`MOVED`) and how many for none (`BETWEEN`).

    Raises:
        PictureError: The file cannot be read, holds colours where numbers are wanted, or is lossy where numbers lie
            too close to each other.
    """
    held = read_held(path, through_palette=coding.through_palette)
    values = held.values
    if held.coloured and not coding.coloured:
        raise PictureError("the mask holds colours, and the other masks hold numbers")
    if coding.coloured and not held.coloured:
        values = values * 0x010101  # grey is a colour too
    if held.lossy or coding.smeared:
        return nearest_classes(values, coding.meaning, coding.reach, coloured=coding.coloured)
    indices = coding.indices(values)
    strange = indices == UNKNOWN
    unknown: dict[int, int] = {}
    if strange.any():
        found, counts = np.unique(values[strange], return_counts=True)
        unknown = dict(zip(found.tolist(), counts.tolist(), strict=True))
        indices[strange] = VOID
    return indices, unknown


def spelled_colour(value: int) -> str:
    """Write a colour that is kept as one number.

    Args:
        value: red * 65536 + green * 256 + blue.

    Returns:
        Such as `(1, 2, 3)`.

    Example:
        >>> spelled_colour(0x010203)
        '(1, 2, 3)'
    """
    return f"({value >> 16}, {value >> 8 & 255}, {value & 255})"


def spelled_value(value: int, *, coloured: bool) -> str:
    """Say what a pixel holds.

    Args:
        value: The number.
        coloured: Whether it stands for a colour.

    Returns:
        Such as `the colour (1, 2, 3)` or `the value 7`.

    Example:
        >>> spelled_value(0x010203, coloured=True), spelled_value(7, coloured=False)
        ('the colour (1, 2, 3)', 'the value 7')
    """
    return f"the colour {spelled_colour(value)}" if coloured else f"the value {value}"
