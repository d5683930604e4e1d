"""Signals whose channels lie in files of their own, one sample a line in each, as the HAR set of UCI has them.

    train/y_train.txt                              the class of each line
    train/subject_train.txt                        whom it is of, where that is there
    train/Inertial Signals/body_acc_x_train.txt    one channel: the steps of a sample a line
    activity_labels.txt                            1 WALKING

Tables of features beside them (`X_train.txt`) are no signals and are left out, which is said.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Part
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.arrays.axes import FEWEST_STEPS, Axes
from thalweg.data.arrays.part import ArrayPart
from thalweg.data.files.part_names import part_of
from thalweg.data.files.walk import list_folder

__all__ = ["channel_files", "is_channel_file", "read_channels"]

_LABELS = re.compile(r"(?:y|labels?)_(?P<part>[a-z]+)\.txt", re.IGNORECASE)
_SUBJECTS = re.compile(r"(?:subjects?|patients?|users?)_[a-z]+\.txt", re.IGNORECASE)
_NAMES = ("activity_labels.txt", "class_names.txt", "labels.txt")


def channel_files(path: Path) -> tuple[Path, ...]:
    """Find the files of a source whose channels lie in files of their own.

    Args:
        path: The source's folder.

    Returns:
        All files that decide what is read; nothing where it is of another kind.

    Example:
        >>> channel_files(Path("no/such/folder"))
        ()
    """
    listing = list_folder(os.fspath(path))
    found: list[Path] = []
    for name in filter(part_of, listing.all_folders):
        inside = list_folder(os.fspath(path), name)
        labels = [file for file in inside.files if (match := _LABELS.fullmatch(file)) and part_of(match["part"])]
        if len(labels) != 1 or not inside.all_folders:
            continue
        channels = [
            path / name / inner / file
            for inner in inside.all_folders
            for file in list_folder(os.fspath(path), f"{name}/{inner}").files
            if file.lower().endswith(".txt")
        ]
        if channels:
            subjects = [path / name / file for file in inside.files if _SUBJECTS.fullmatch(file)]
            found += [path / name / labels[0], *subjects, *channels]
    return (*found, *(path / name for name in _NAMES if name in listing.files)) if found else ()


def is_channel_file(path: Path) -> bool:
    """Tell whether a file is the labels of such a source, by its name.

    Args:
        path: The file.

    Returns:
        Whether it is.

    Example:
        >>> is_channel_file(Path("train/y_train.txt")), is_channel_file(Path("Coffee_TRAIN.txt"))
        (True, False)
    """
    return _LABELS.fullmatch(path.name) is not None and part_of(path.parent.name) is not None


def read_channels(files: Sequence[Path]) -> list[ArrayPart]:
    """Read such a source.

    Args:
        files: What `channel_files` gave.

    Returns:
        A part for each of the source's.

    Raises:
        SourceError: Files of one part differ in their lines, or hold something that is no number.
    """
    names = next((_names(file) for file in files if file.name in _NAMES), {})
    parts = []
    for labels in filter(is_channel_file, files):
        own = [file for file in files if labels.parent in file.parents and file != labels]
        groups = [_lines(file) for file in own if _SUBJECTS.fullmatch(file.name)]
        channels = [file for file in own if file.parent != labels.parent]
        values = [_table(file) for file in channels]
        said = _lines(labels)
        for file, each in zip(channels, values, strict=True):
            if each.shape != (len(said), values[0].shape[1]) or each.shape[1] < FEWEST_STEPS:
                raise SourceError(
                    f"{printable(file.name)}: {'x'.join(map(str, each.shape))} numbers where {len(said):,} labels and "
                    f"{values[0].shape[1]:,} steps are usual"
                )
        part: Part | None = part_of(labels.parent.name)
        parts.append(
            ArrayPart(
                file=labels.parent.name,
                part=part,
                pictures=np.stack(values, axis=1),
                labels=np.asarray([names.get(each, each) for each in said]),
                groups=np.asarray(groups[0]) if groups and len(groups[0]) == len(said) else None,
                grouped_by="subject" if groups else "",
                known=Axes(form="signal", channel=0, why="a file a channel"),
                said=f"{len(channels)} channels of a file each, such as {printable(channels[0].stem)}; tables of "
                f"features beside them are left out",
            )
        )
    return parts


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeError) as error:
        raise SourceError(f"{printable(path.name)}: cannot be read ({error})") from None


def _names(path: Path) -> dict[str, str]:
    """`1 WALKING` a line."""
    pairs = [line.split(None, 1) for line in _lines(path)]
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) > 1}


def _table(path: Path) -> npt.NDArray[np.float32]:
    try:
        return np.loadtxt(path, np.float32, ndmin=2)
    except (OSError, ValueError) as error:
        raise SourceError(f"{printable(path.name)}: is no table of numbers ({error})") from None
