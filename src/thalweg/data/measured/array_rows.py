"""Pictures of arrays a block at a time, for a network that is to say what they show; nothing is stored.

Everything is read by the same readers, and as strictly, as for training; labels are taken where they are there, for
nothing but the names.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import ValueRange
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.arrays.axes import FEWEST_STEPS, FLATTENED, LONG, flattened_sides
from thalweg.data.arrays.names import folder_names, frames_of_names, picture_name
from thalweg.data.arrays.part import ArrayPart
from thalweg.data.arrays.values import as_labels, as_pictures
from thalweg.data.measured.array_pictures import NOT_FINITE
from thalweg.data.measured.arrays import read_parts
from thalweg.data.measured.measuring import form_of_parts
from thalweg.data.storing.blocks import Block, resized

__all__ = ["PictureRows", "picture_rows"]

_COLOUR, _CHANNELS, _ALPHA = 4, 3, 4  # axes of a block of coloured pictures


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PictureRows:
    """Some pictures of an array, in their order.

    Args:
        names: What each is called, as in training; the one picture of an array without rows is called nothing.
        pixels: uint8 `(n, height, width, 3)` at the size asked for.
        broken: Why a picture cannot be used, by its position; its pixels say nothing.
    """

    names: tuple[str, ...]
    pixels: Block
    broken: dict[int, str]


def picture_rows(
    files: Sequence[Path],
    aside: Path,
    *,
    size: tuple[int, int],
    trained: ValueRange | None,
    most: int,
    only: str = "",
    colours: bool = False,
) -> tuple[tuple[str, ...], Iterator[PictureRows]]:
    """Read the pictures of arrays.

    Args:
        files: What `picture_arrays` gave as one.
        aside: Folder in which large arrays are unpacked; it must stay while blocks are asked for.
        size: Wanted width and height in pixels.
        trained: What was black and white in the arrays that the network was trained on.
        most: Pictures a block.
        only: The one picture that is wanted, by its name; empty for all.
        colours: Whether the network was trained on coloured pictures, so that three planes are one of them.

    Returns:
        What was assumed, in sentences; and the blocks, in the order of parts and rows.

    Raises:
        SourceError: The files are damaged, hold Python objects, or hold no pictures.
    """
    parts = read_parts(files, aside, labelled=None)
    alone, saying = _one_picture(parts, colours=colours)
    if alone is not None:
        parts = (alone,)
    form_of_parts(parts, "pictures")  # numbers, and not empty
    pictures, notes, broken = as_pictures([(part.file, part.pictures) for part in parts], trained=trained)

    named = list(zip(frames_of_names(parts), _classes(parts), strict=True))

    def blocks() -> Iterator[PictureRows]:
        for shown, (frame, classes), bad in zip(pictures, named, broken, strict=True):
            for start in range(0, len(shown), most):
                rows = range(start, min(start + most, len(shown)))
                names = {row: picture_name(frame, row, classes(row)) if alone is None else "" for row in rows}
                wanted = [row for row in rows if only in {"", names[row]}]
                if not wanted:
                    continue
                block = shown[np.array(wanted)] if only else shown[rows.start : rows.stop]
                small = resized(block if block.ndim == _COLOUR else block[..., None], size)
                yield PictureRows(
                    names=tuple(names[row] for row in wanted),
                    pixels=small if small.shape[3] == _CHANNELS else np.repeat(small, _CHANNELS, axis=3),
                    broken={place: NOT_FINITE for place, row in enumerate(wanted) if row in bad},
                )

    return (*saying, *notes), blocks()


def _one_picture(parts: Sequence[ArrayPart], *, colours: bool) -> tuple[ArrayPart | None, tuple[str, ...]]:
    """An array that is no row of pictures, being one itself: (height, width), with 1 or 3 channels last, or 3 first."""
    part = parts[0]
    values = part.pictures
    sides = values.shape
    if len(parts) != 1 or values.dtype.kind not in "buif" or values.ndim not in {2, 3}:
        return None, ()
    shown = "x".join(map(str, sides))
    if colours and part.labels is None and values.ndim == _CHANNELS == sides[0] and min(sides[1:]) >= FEWEST_STEPS:
        planes = replace(part, pictures=np.moveaxis(values, 0, -1)[None])
        return planes, (f"{printable(part.file)}: {shown} is read as one picture, channels first",)
    narrow = min(sides[:2]) < FEWEST_STEPS
    if narrow or (values.ndim == _CHANNELS and sides[2] not in {1, _CHANNELS, _ALPHA}):
        return None, ()
    said: tuple[str, ...] = ()
    if values.ndim == 2:  # noqa: PLR2004 - height and width
        if max(sides) >= LONG * min(sides) and sides[1] not in FLATTENED:
            return None, ()
        if sides[1] in FLATTENED and sides[0] != sides[1]:
            each = ", ".join(map(str, (-1, *flattened_sides(sides[1]))))
            raise SourceError(
                f"{printable(part.file)}: {shown} may be one grey picture or {sides[0]:,} flattened ones: save x[None] "
                f"for the one, x.reshape({each}) for the others"
            )
        said = (f"{printable(part.file)}: {shown} is read as one grey picture",)
    elif sides[2] == _ALPHA:
        raise SourceError(f"{printable(part.file)}: {shown} may be a picture of 4 channels: save x[..., :3]")
    return replace(part, pictures=values[None], labels=None), said


def _classes(parts: Sequence[ArrayPart]) -> list[Callable[[int], str]]:
    """The class of a row as a folder is called; nothing in parts whose labels are missing, or are no classes."""
    known: dict[int, Callable[[int], str]] = {}
    having = [
        (number, part.file, part.labels, part.classes)
        for number, part in enumerate(parts)
        if part.labels is not None and np.shape(part.labels)[:1] == part.pictures.shape[:1]
    ]
    if having:
        with contextlib.suppress(SourceError):
            labels, classes, _ = as_labels([(file, values, classes) for _, file, values, classes in having])
            folders = folder_names(classes)
            known = {
                number: partial(_named, folders, numbers) for (number, *_), numbers in zip(having, labels, strict=True)
            }
    return [known.get(number, _unknown) for number in range(len(parts))]


def _named(folders: Sequence[str], numbers: npt.NDArray[np.int64], row: int) -> str:
    return folders[int(numbers[row])]


def _unknown(row: int) -> str:
    del row
    return ""
