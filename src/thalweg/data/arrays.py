"""Pictures that come as arrays: `.npz` files, the idx files of MNIST, the batches of CIFAR.

Such a source is brought into the form of every other, one folder a class with a PNG a picture, in the user's cache. So
its pictures are checked, compared, shown and explained like photos, and no verb has to know where they came from.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from thalweg.core.dataset import Notice, Part
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.array_part import ArrayPart
from thalweg.data.array_values import as_labels, as_pictures
from thalweg.data.cifar import is_cifar_name, read_cifar
from thalweg.data.idx import idx_part, read_idx_pairs
from thalweg.data.npz import read_npz
from thalweg.data.part_names import PART_NAMES

__all__ = ["ARRAYS_VERSION", "array_files", "write_pictures"]

ARRAYS_VERSION = 1
"""Changes whenever other pictures or names are written for the same arrays, so that older ones are not found."""

_FOLDERS = {"train": "train", "validation": "val", "test": "test", None: ""}
_MOST_SHOWN = 20


def array_files(path: Path) -> tuple[Path, ...]:
    """Find the files of a source that holds arrays.

    Args:
        path: What the user named: a file, or a folder of such files without sub-folders of pictures.

    Returns:
        The files, sorted; nothing where the source is of another kind.

    Example:
        >>> array_files(Path("photos.zip"))
        ()
    """
    if not path.is_dir():
        return (path,) if _is_array_name(path.name) else ()
    with os.scandir(path) as entries:
        found = sorted((Path(entry.path), entry.is_dir()) for entry in entries if not entry.name.startswith("."))
    if any(folder for _, folder in found):
        return ()
    files = tuple(file for file, _ in found if _is_array_name(file.name))
    # A lone file of a folder of photos may be called train.npz by accident: arrays must be what the folder is about.
    return (
        files
        if 2 * len(files) > sum(not file.name.lower().endswith((".txt", ".md", ".html")) for file, _ in found)
        else ()
    )


def _is_array_name(name: str) -> bool:
    return name.lower().endswith(".npz") or idx_part(name) is not None or is_cifar_name(name)


def read_parts(files: Sequence[Path]) -> tuple[ArrayPart, ...]:
    """Read every part of a source.

    Args:
        files: What `array_files` gave.

    Returns:
        The parts, as they are stored.

    Raises:
        SourceError: A file is damaged, is not understood, or lacks its partner.
    """
    if any(is_cifar_name(file.name) for file in files):
        return tuple(read_cifar(files))
    if any(idx_part(file.name) for file in files):
        return tuple(read_idx_pairs(files))
    named = [(file, _part_of_file(file, files)) for file in files]
    return tuple(replace(read, part=read.part or whole) for file, whole in named for read in read_npz(file))


def _part_of_file(file: Path, files: Sequence[Path]) -> Part | None:
    part = PART_NAMES.get(file.stem.lower())
    if part is None and len(files) > 1:
        names = ", ".join(printable(each.name) for each in files[:5])
        raise SourceError(
            f"{printable(file.parent)}: {len(files)} array files ({names}) of which {printable(file.name)} is neither "
            f"train, val nor test; name the one to train on, or call them so"
        )
    return part if len(files) > 1 else None


def write_pictures(
    files: Sequence[Path], folder: Path, progress: Callable[[str], None] | None = None
) -> tuple[tuple[Notice, ...], tuple[Notice, ...]]:
    """Write the pictures of an array source as folders of PNG files.

    Args:
        files: What `array_files` gave.
        folder: Where to; made here.
        progress: Called with a line of text before the work.

    Returns:
        What was left out, and what is odd about the rest.

    Raises:
        SourceError: The arrays are no labelled pictures; the message says what they seem to be.
    """
    from PIL import Image

    parts = read_parts(files)
    if progress is not None:
        count = sum(len(part.pictures) for part in parts)
        progress(f"Writing {count:,} pictures out of {', '.join(printable(file.name) for file in files[:4])} ...")
    labels, classes, label_notes = as_labels([(part.file, part.labels, part.classes) for part in parts])
    for part, numbers in zip(parts, labels, strict=True):
        if len(part.pictures) != len(numbers):
            raise SourceError(
                f"{printable(part.file)}: {len(part.pictures):,} pictures and {len(numbers):,} labels "
                f"do not belong together"
            )
    pictures, notes, broken = as_pictures([(part.file, part.pictures) for part in parts])
    names = _folder_names(classes)
    left_out: list[Notice] = []
    for part, pixels, numbers, bad in zip(parts, pictures, labels, broken, strict=True):
        top = folder / _FOLDERS[part.part]
        stem = _safe(part.file.removesuffix(".gz").removesuffix(".npz").removesuffix(".bin"))
        for label in np.unique(numbers):
            (top / names[label]).mkdir(parents=True, exist_ok=True)
        for index, (picture, label) in enumerate(zip(pixels, numbers, strict=True)):
            if index in bad:
                if len(left_out) < _MOST_SHOWN:
                    left_out.append(Notice(f"{part.file}[{index}]", "holds values that are not finite"))
                continue
            Image.fromarray(picture).save(top / names[label] / f"{stem}-{index:06d}.png", compress_level=1)
    more = sum(map(len, broken)) - len(left_out)
    if more > 0:
        left_out.append(Notice("", f"{more:,} further pictures hold values that are not finite"))
    return tuple(left_out), tuple(Notice("", note) for note in (*notes, *label_notes))


def _safe(name: str) -> str:
    kept = "".join("_" if character in "/\\\0:" or not character.isprintable() else character for character in name)
    return kept.strip(". ")[:100]


def _folder_names(classes: Sequence[str]) -> list[str]:
    """Names of folders for classes, which may have been called anything."""
    names: list[str] = []
    for number, name in enumerate(classes):
        safe = _safe(name) or f"class {number}"
        names.append(safe if safe.lower() not in {each.lower() for each in names} else f"{safe} ({number})")
    return names
