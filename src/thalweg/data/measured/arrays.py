"""Sources that come as arrays: `.npz` and `.npy` files, tables, the idx files of MNIST, the batches of CIFAR.

All samples are stored in the user's cache, mapped into memory: signals and volumes as they were measured, pictures in 8
bits. Pictures are then checked, compared, shown and explained like photos; no verb has to know where they came from.
"""

import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from thalweg.core.dataset import Part, Wanted
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.arrays.part import ArrayPart, refuse_uneven, unflattened
from thalweg.data.files.part_names import PART_NAMES
from thalweg.data.formats.channel_files import channel_files, is_channel_file, read_channels
from thalweg.data.formats.cifar import is_cifar_name, read_cifar
from thalweg.data.formats.idx import idx_part, read_idx_pairs
from thalweg.data.formats.npz import is_label_file, read_npy, read_npz
from thalweg.data.formats.series_files import SERIES, one_length, read_series
from thalweg.data.formats.split_tables import joined, label_table_of, read_with_labels
from thalweg.data.formats.tables import TABLES, holds_pixels, read_table, without_labels
from thalweg.data.measured.array_pictures import write_pictures
from thalweg.data.measured.measuring import form_of_parts, write_arrays

__all__ = ["ARRAYS_VERSION", "array_files", "picture_arrays", "read_parts", "with_partners", "write_samples"]

ARRAYS_VERSION = 6
"""Changes whenever other pictures or names are written for the same arrays, so that older ones are not found."""


_NOTES = (".txt", ".md", ".html")


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
    if path.is_dir() and (channels := channel_files(path)):
        return channels
    if not path.is_dir():
        return (path,) if _is_array_name(path.name) or path.name.lower().endswith(TABLES) else ()
    with os.scandir(path) as entries:
        found = sorted((Path(entry.path), _leads_to_folder(entry)) for entry in entries if entry.name[0] != ".")
    if any(folder for _, folder in found):
        return ()
    files = _one_a_stem([file for file, _ in found if _is_array_name(file.name) or _is_named_text(file)])
    # A lone file of a folder of photos may be called train.npz by accident: arrays must be what the folder is about.
    stems = {file.stem for file in files}
    others = [file for file, _ in found if file.suffix.lower() not in _NOTES and file.stem not in stems]
    return files if len(files) > len(others) else ()


def _is_named_text(path: Path) -> bool:
    """`Coffee_TRAIN.txt` of the UCR archive; other texts beside arrays are notes."""
    return path.suffix.lower() == ".txt" and _named_part(path) is not None


def _one_a_stem(files: Sequence[Path]) -> tuple[Path, ...]:
    """Of tables of one name the first kind: the UCR archive has each as .tsv and .txt."""
    chosen: dict[str, Path] = {}
    order = (".tsv", ".csv", ".txt", ".ts", ".arff")
    if any(file.suffix.lower() == ".ts" for file in files):  # each channel of the archive's .arff is a file of its own
        files = [file for file in files if file.suffix.lower() != ".arff"]
    for file in sorted(files, key=lambda each: order.index(each.suffix.lower()) if each.suffix.lower() in order else 0):
        name = file.stem if file.name.lower().endswith((*TABLES, *SERIES)) else file.name
        chosen.setdefault(name, file)
    return tuple(sorted(chosen.values()))


def _leads_to_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False


def _is_array_name(name: str) -> bool:
    ending = name.lower().endswith((".npz", ".npy", ".csv", ".tsv", *SERIES))
    return ending or idx_part(name) is not None or is_cifar_name(name)


def picture_arrays(path: Path) -> tuple[tuple[Path, ...], ...]:
    """Find the arrays that may hold pictures, whose labels need not be known.

    Args:
        path: A file, or a folder of such files.

    Returns:
        Files that are read together, one after the other; nothing where the place is of another kind.

    Example:
        >>> picture_arrays(Path("photos.zip")), picture_arrays(Path("rows.csv")), len(picture_arrays(Path("x.npz")))
        ((), (), 1)
    """
    files = tuple(file for file in array_files(path) if not file.name.lower().endswith(TABLES) or holds_pixels(file))
    together = any(idx_part(file.name) or is_cifar_name(file.name) for file in files)
    if len(files) > 1 and not together:
        files = tuple(file for file in files if not (file.suffix.lower() == ".npy" and is_label_file(file.stem)))
        if not all(_named_part(file) for file in files):
            return tuple((file,) for file in files)
    return (files,) if files else ()


def with_partners(files: Sequence[Path]) -> tuple[Path, ...]:
    """Add the files that belong to `.npy` files: labels and groups that lie beside them.

    Args:
        files: What `array_files` gave.

    Returns:
        All files that decide what is read.
    """
    beside = {
        each
        for file in files
        if file.suffix.lower() == ".npy"
        for each in file.parent.glob("*.npy")
        if is_label_file(each.stem)
    }
    tables = [labels for file in files if (labels := label_table_of(file))]
    return tuple(dict.fromkeys([*files, *sorted(beside), *tables]))


def read_parts(
    files: Sequence[Path], aside: Path | None = None, *, labelled: bool | None = True, values: int | None = None
) -> tuple[ArrayPart, ...]:
    """Read every part of a source.

    Args:
        files: What `array_files` gave.
        aside: Folder in which large arrays are unpacked; it must stay while the parts are used.
        labelled: Whether labels are needed; None takes those that are there.
        values: Numbers a row of a table that a trained network takes, where known.

    Returns:
        The parts, as they are stored.

    Raises:
        SourceError: A file is damaged, is not understood, or lacks its partner.
    """
    if any(is_cifar_name(file.name) for file in files):
        return tuple(read_cifar(files))
    if any(idx_part(file.name) for file in files):
        return tuple(read_idx_pairs(files, labelled=labelled))
    if any(is_channel_file(file) for file in files):
        return tuple(read_channels(files))
    bare: frozenset[Path] = frozenset()
    beside = {file: labels for file in files if labelled is not False and (labels := label_table_of(file))}
    files = [file for file in files if file not in beside.values()]
    if len(files) > len(beside) and len(files) > 1:
        files = [
            file
            for file in files
            if not (file.suffix.lower() == ".npy" and is_label_file(file.stem))
            and "submission" not in file.name.lower()
        ]
        bare = without_labels(files) if labelled else bare
        files = [file for file in files if file not in bare]
    parts: list[ArrayPart] = []
    loose = len(files) > 1 and all(file.name.lower().endswith(TABLES) and not _named_part(file) for file in files)
    for file in files:
        whole = None if loose else _part_of_file(file, files)
        if file in beside:
            read = read_with_labels(file, beside[file], aside)
        else:
            read = _read_one(file, aside, labelled=labelled, values=values)
        parts += [replace(each, part=each.part or whole) for each in read]
    if loose:
        parts = joined(parts)
    if parts and all(file.name.lower().endswith(SERIES) for file in files):
        parts = one_length(parts)
    if bare and parts:
        left_out = ", ".join(printable(file.name) for file in sorted(bare))
        parts[0] = replace(parts[0], said=f"{parts[0].said}; {left_out}: no column of labels, left out".lstrip("; "))
    return tuple(parts)


def _read_one(file: Path, aside: Path | None, *, labelled: bool | None, values: int | None) -> list[ArrayPart]:
    if file.suffix.lower() == ".npz":
        return read_npz(file, aside, labelled=labelled)
    if file.suffix.lower() == ".npy":
        return read_npy(file, labelled=labelled)
    if file.name.lower().endswith(SERIES):
        return [replace(each, labels=each.labels if labelled is not False else None) for each in read_series(file)]
    return read_table(file, aside, labelled=labelled, values=values)


def _named_part(file: Path) -> Part | None:
    named = [PART_NAMES[word] for word in re.split(r"[_\-. ]", file.stem.lower()) if word in PART_NAMES]
    return named[0] if len(named) == 1 else None


def _part_of_file(file: Path, files: Sequence[Path]) -> Part | None:
    part = _named_part(file)
    if part is None and len(files) > 1:
        names = ", ".join(printable(each.name) for each in files[:5])
        raise SourceError(
            f"{printable(file.parent)}: {len(files)} array files ({names}) of which {printable(file.name)} is neither "
            f"train, val nor test; name the one to train on, or call them so"
        )
    return part if len(files) > 1 else None


def write_samples(
    files: Sequence[Path], folder: Path, wanted: Wanted, progress: Callable[[str], None] | None = None
) -> None:
    """Store the samples of an array source: pictures in 8 bits, signals and volumes as they were measured.

    Args:
        files: What `array_files` gave.
        folder: Where to; made here.
        wanted: What the user says they are.
        progress: Called with a line of text before the work.

    Raises:
        SourceError: The arrays are no labelled samples; the message says what they seem to be.
    """
    with tempfile.TemporaryDirectory(prefix="members-", dir=folder.parent, ignore_cleanup_errors=True) as aside:
        parts = read_parts(files, Path(aside))
        for part in parts:  # before axes are told apart: samples that do not come first would mislead that
            if part.labels is not None and np.ndim(part.labels) and len(part.labels) in part.pictures.shape[1:]:
                refuse_uneven(part, len(part.labels))
        if wanted.form == "pictures":
            parts = tuple(map(unflattened, parts))
        axes = form_of_parts(parts, wanted.form)
        if axes[0].form == "picture":
            write_pictures(parts, folder, progress, trained=wanted.shown)
        else:
            write_arrays(parts, axes, folder, progress)
