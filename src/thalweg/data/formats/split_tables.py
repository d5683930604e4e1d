"""Tables of signals in pieces: labels in a table beside (`X_train.csv`, `y_train.csv`), or a table a subject."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.arrays.part import ArrayPart
from thalweg.data.files.walk import list_folder
from thalweg.data.formats.npz import is_sample_name, partners
from thalweg.data.formats.tables import TABLES, open_rows, read_table, reads_as_number

__all__ = ["joined", "label_table_of", "read_with_labels"]


def label_table_of(path: Path) -> Path | None:
    """Find the table of the labels of a table.

    Args:
        path: The table of values, called so by its name: `x_train.csv`, `X.csv`.

    Returns:
        `y_train.csv` and the like beside it; None for every other file.

    Example:
        >>> label_table_of(Path("no/such/beats.csv"))
    """
    words = path.stem.lower().replace("-", "_").split("_")
    if path.suffix.lower() not in TABLES or not any(map(is_sample_name, words)):
        return None
    listing = list_folder(os.fspath(path.parent))
    beside = {name.lower(): path.parent / name for name in listing.files if name.lower().endswith(path.suffix.lower())}
    wanted = (f"{stem}{path.suffix.lower()}" for stem in partners(path.stem))
    return next((beside[name] for name in wanted if name in beside and beside[name] != path), None)


def joined(parts: Sequence[ArrayPart]) -> list[ArrayPart]:
    """Take several tables, none of which is called train or test, for one source.

    Args:
        parts: What was read of each.

    Returns:
        The same, with that said; rows of one table belong together where there are three or more of several classes
        each, since such tables are subjects or recordings.

    Raises:
        SourceError: Their rows differ in length.
    """
    sizes = {part.pictures.shape[1:] for part in parts}
    if len(sizes) > 1:
        least, most = min(sizes)[0], max(sizes)[0]
        raise SourceError(
            f"{len(parts)} tables of {least:,} to {most:,} values a row ({printable(parts[0].file)} ...): name the one "
            f"to train on"
        )
    kinds = [len(np.unique(part.labels)) if part.labels is not None else 0 for part in parts]
    apart = len(parts) > 2 and min(kinds) > 1 and all(part.groups is None for part in parts)  # noqa: PLR2004 - a split
    made = [
        replace(part, groups=np.full(len(part.pictures), part.file), grouped_by="table") if apart else part
        for part in parts
    ]
    said = f"{len(parts)} tables are read as one source, since none is called train or test"
    return [replace(made[0], said="; ".join(filter(None, (made[0].said, said)))), *made[1:]]


def read_with_labels(path: Path, labels: Path, aside: Path | None = None) -> list[ArrayPart]:
    """Read a table of values and the labels beside it.

    Args:
        path: The values, a sample a row.
        labels: The labels, one a row, in the last column.
        aside: Folder for the numbers on their way; None keeps them in memory.

    Returns:
        One part.

    Raises:
        SourceError: The two have different numbers of rows, or the labels are no column.
    """
    read = read_table(path, aside, labelled=False)
    cells = [row[-1] for row in open_rows(labels)]
    count = len(read[0].pictures)
    if len(cells) == count + 1:
        cells = cells[1:]
    if len(cells) != count:
        raise SourceError(
            f"{printable(path.name)} has {count:,} rows, {printable(labels.name)} beside it {len(cells):,}: they do "
            f"not belong together"
        )
    numbers = all(map(reads_as_number, cells))
    values = np.asarray(cells, np.float64) if numbers else np.asarray(cells)
    return [replace(part, labels=values, said=f"labels are in {printable(labels.name)}") for part in read]
