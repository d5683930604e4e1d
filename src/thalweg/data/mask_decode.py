"""From a mask file to the class of every pixel, as whatever stands in it says: a number, a palette or a colour."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import PictureError, SourceError
from thalweg.core.files import printable
from thalweg.core.masks import VOID, Colour, voc_palette
from thalweg.data.damage import reason_of
from thalweg.data.decode import PIXEL_LIMIT, read_picture_file
from thalweg.data.mask_classes import ClassTable
from thalweg.data.pillow_notes import listening

__all__ = ["MaskCoding", "choose_coding", "read_mask", "read_values", "spelled_value"]

UNKNOWN = 254
"""Index of pixels whose value is in no table, before they are counted and become void."""
MOST_CLASSES = 254
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_MODES = frozenset({"1", "L", "P", "I", "I;16", "I;16B", "LA", "PA", "RGB", "RGBA"})
_LOOKED_AT = 24
_COLOURS = 3  # axes of a coloured mask
_MANY = 64
_BINARY = frozenset({0, 255})


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
    """

    classes: tuple[str, ...]
    palette: tuple[Colour, ...]
    coloured: bool
    meaning: Mapping[int, int]
    about: str
    through_palette: bool = False

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


def read_values(path: Path, *, through_palette: bool = False) -> tuple[npt.NDArray[np.int64], bool]:
    """Read what the pixels of a mask hold.

    Args:
        path: The file.
        through_palette: Whether the colours of a palette are wanted, not the numbers of its entries.

    Returns:
        A number a pixel, of shape (height, width), and whether it stands for a colour.

    Raises:
        PictureError: The file is no mask that can be read.
    """
    from PIL import Image

    data = read_picture_file(path)
    with listening():
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                image: Image.Image = opened
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
            return red, False
        return red << 16 | green << 8 | blue, True
    return pixels.astype(np.int64).clip(0, (1 << 16) - 1), False


def _check_size(width: int, height: int) -> None:
    if width * height > PIXEL_LIMIT:
        raise PictureError(f"the mask claims {width:,} x {height:,} pixels, more than the limit of {PIXEL_LIMIT:,}")


def read_mask(path: Path, coding: MaskCoding) -> tuple[npt.NDArray[np.uint8], dict[int, int]]:
    """Read the class of every pixel.

    Args:
        path: The mask.
        coding: What its pixels mean.

    Returns:
        uint8 of shape (height, width) with 255 for void, and how many pixels held each value that no table knows.

    Raises:
        PictureError: The file cannot be read, or holds colours where numbers are wanted.
    """
    values, coloured = read_values(path, through_palette=coding.through_palette)
    if coloured and not coding.coloured:
        raise PictureError("the mask holds colours, and the other masks hold numbers")
    if coding.coloured and not coloured:
        values = values * 0x010101  # grey is a colour too
    indices = coding.indices(values)
    strange = indices == UNKNOWN
    unknown: dict[int, int] = {}
    if strange.any():
        found, counts = np.unique(values[strange], return_counts=True)
        unknown = dict(zip(found.tolist(), counts.tolist(), strict=True))
        indices[strange] = VOID
    return indices, unknown


def choose_coding(root: Path, masks: Sequence[str], table: ClassTable | None, source: str) -> MaskCoding:
    """Decide what the pixels of a source's masks mean.

    Args:
        root: The source's folder.
        masks: Its masks.
        table: Its classes, where a table says them.
        source: As the user named it, for messages.

    Returns:
        The coding.

    Raises:
        SourceError: Colours without a table, or fewer than two classes.
    """
    step = 1 if table is None else max(1, len(masks) // _LOOKED_AT)
    palette = table is not None and not table.numbered and all(row.colour for row in table.rows)
    values: set[int] = set()
    coloured, read, problem = 0, 0, ""
    for mask in masks[::step]:
        try:
            found, is_colour = read_values(root / mask, through_palette=palette)
        except PictureError as error:
            problem = problem or f"{printable(mask)}: {error}"
            continue
        read, coloured = read + 1, coloured + is_colour
        values |= set(np.unique(found).tolist())
        if table is None and len(values) > MOST_CLASSES + 1:
            break
    if not read:
        raise SourceError(f"{printable(source)}: no mask of {len(masks):,} can be read; {problem}")
    if coloured:
        return replace(_colours(table, values, source), through_palette=palette)
    return _numbers(table, values, source)


def _colours(table: ClassTable | None, values: set[int], source: str) -> MaskCoding:
    rows = [row for row in table.rows if row.colour is not None] if table else []
    if not rows:
        shown = ", ".join(_spelled(value) for value in sorted(values)[:3])
        more = f"more than {_MANY}" if len(values) > _MANY else str(len(values))
        raise SourceError(
            f"{printable(source)}: the masks are coloured ({more} colours, such as {shown}) and "
            f"{'the table has no colours' if table else 'no classes.csv says what they mean'}: "
            f"write one beside the folders with the columns name,r,g,b"
        )
    assert table is not None  # noqa: S101 - it has rows
    kept = [row for row in rows if not row.void]
    number = {row.name: index for index, row in enumerate(kept)}
    meaning = {_key(row.colour): number.get(row.name, VOID) for row in rows if row.colour is not None}
    return MaskCoding(
        classes=tuple(number),
        palette=tuple(row.colour for row in kept if row.colour is not None),
        coloured=True,
        meaning=MappingProxyType(meaning),
        about=f"masks hold colours; {len(kept)} classes from {printable(table.place)}{_voids(table)}",
    )


def _numbers(table: ClassTable | None, values: set[int], source: str) -> MaskCoding:
    if table is not None:
        kept = table.classes
        if len(kept) > MOST_CLASSES:
            raise SourceError(f"{printable(source)}: {len(kept):,} classes; at most {MOST_CLASSES} are supported")
        meaning = {row.value: VOID for row in table.rows if row.void}
        meaning |= {row.value: index for index, row in enumerate(kept)}
        meaning.setdefault(VOID, VOID)
        spare = iter(voc_palette(len(kept) + 1)[1:])
        return MaskCoding(
            classes=tuple(row.name for row in kept),
            palette=tuple(row.colour or next(spare) for row in kept),
            coloured=False,
            meaning=MappingProxyType(meaning),
            about=f"masks hold numbers; {len(kept)} classes from {printable(table.place)}{_voids(table)}",
        )
    names: tuple[str, ...]
    if values == _BINARY:
        names, meaning, said = ("background", "foreground"), {0: 0, 255: 1}, "0 is background, 255 foreground"
    else:
        found = sorted(values - {VOID})
        if len(found) > MOST_CLASSES:
            raise SourceError(
                f"{printable(source)}: the masks hold more than {MOST_CLASSES} different numbers and no classes.csv "
                f"says what they mean; are they masks (and not saved as JPEG)?"
            )
        names = tuple(f"class {value}" for value in found)
        meaning = {value: index for index, value in enumerate(found)} | {VOID: VOID}
        said = "no classes.csv names them; 255 counts as void"
    if len(names) < 2:  # noqa: PLR2004 - something must be told apart
        raise SourceError(f"{printable(source)}: all masks hold one value ({min(values)}); two classes are needed")
    return MaskCoding(
        classes=names,
        palette=voc_palette(len(names)),
        coloured=False,
        meaning=MappingProxyType(meaning),
        about=f"masks hold numbers; {len(names)} of them: {said}",
    )


def _voids(table: ClassTable) -> str:
    names = [printable(row.name) for row in table.rows if row.void]
    return f"; {', '.join(names[:3])} counts as void" if names and len(names) <= 3 else ""  # noqa: PLR2004 - a few


def _key(colour: Colour | None) -> int:
    red, green, blue = colour or (0, 0, 0)
    return red << 16 | green << 8 | blue


def _spelled(value: int) -> str:
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
    return f"the colour {_spelled(value)}" if coloured else f"the value {value}"
