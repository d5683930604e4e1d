"""Pictures of arrays a block at a time, for a network that is to say what they show; nothing is stored.

Everything is read by the same readers, and as strictly, as for training; labels are taken where they are there, for
nothing but the names.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import ValueRange
from thalweg.core.errors import SourceError
from thalweg.data.array_names import folder_names, frames_of_names, picture_name
from thalweg.data.array_part import ArrayPart
from thalweg.data.array_pictures import NOT_FINITE
from thalweg.data.array_values import as_labels, as_pictures
from thalweg.data.arrays import read_parts
from thalweg.data.blocks import Block, resized
from thalweg.data.measuring import form_of_parts

__all__ = ["PictureRows", "picture_rows"]

_COLOUR, _CHANNELS = 4, 3  # axes of a block of coloured pictures


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PictureRows:
    """Some pictures of an array, in their order.

    Args:
        names: What each is called, as in training.
        pixels: uint8 `(n, height, width, 3)` at the size asked for.
        broken: Why a picture cannot be used, by its position; its pixels say nothing.
    """

    names: tuple[str, ...]
    pixels: Block
    broken: dict[int, str]


def picture_rows(
    files: Sequence[Path], aside: Path, *, size: tuple[int, int], trained: ValueRange | None, most: int
) -> tuple[tuple[str, ...], Iterator[PictureRows]]:
    """Read the pictures of arrays.

    Args:
        files: What `picture_arrays` gave as one.
        aside: Folder in which large arrays are unpacked; it must stay while blocks are asked for.
        size: Wanted width and height in pixels.
        trained: What was black and white in the arrays that the network was trained on.
        most: Pictures a block.

    Returns:
        What was assumed, in sentences; and the blocks, in the order of parts and rows.

    Raises:
        SourceError: The files are damaged, hold Python objects, or hold no pictures.
    """
    parts = read_parts(files, aside, labelled=None)
    form_of_parts(parts, "pictures")  # numbers, and not empty
    pictures, notes, broken = as_pictures([(part.file, part.pictures) for part in parts], trained=trained)

    named = list(zip(frames_of_names(parts), _classes(parts), strict=True))

    def blocks() -> Iterator[PictureRows]:
        for shown, (frame, classes), bad in zip(pictures, named, broken, strict=True):
            for start in range(0, len(shown), most):
                block = shown[start : start + most]
                small = resized(block if block.ndim == _COLOUR else block[..., None], size)
                rows = range(start, start + len(block))
                yield PictureRows(
                    names=tuple(picture_name(frame, row, classes(row)) for row in rows),
                    pixels=small if small.shape[3] == _CHANNELS else np.repeat(small, _CHANNELS, axis=3),
                    broken={row - start: NOT_FINITE for row in rows if row in bad},
                )

    return notes, blocks()


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
