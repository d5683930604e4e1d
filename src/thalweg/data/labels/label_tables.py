r"""Pictures whose classes stand in a table: `train.csv` beside `train/`, one-hot columns, paths of somebody's machine.

The table's own cells say what is what. The column of files is the one whose cells name most pictures that lie there:
by path, by the end of a path (`D:\data\img\1.png`, `/content/drive/img/1.png`), by name, or by a name without
its ending. The column of classes is one called so, or the only one left whose words repeat; columns of 0 and 1 with a
single 1 a row are one class each. What may have several classes a picture is refused: here a picture has one.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thalweg.core.dataset import Notice, Part, Sample
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.files.kinds import FileKind, reason_against, shown_kind
from thalweg.data.files.named_files import Names
from thalweg.data.files.walk import list_folder, walk_folders
from thalweg.data.labels.label_table import LISTS, Table

__all__ = ["Labelled", "label_tables", "labels_of", "same_side"]

_EXAMPLES = ("submission",)  # the answers in them are made up
_MOST_TABLES = 12
_MOST_NOTICES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What tables say about the pictures of a source.

    Args:
        classes: Class names, sorted.
        samples: The pictures that have a class.
        left_out: Rows and pictures that are not used, each with its reason.
        warnings: What was read as what.
        covered: Share of the source's pictures that have a class.
        named: Whether the column of classes has one of the usual names.
        together: Pictures that belong together, such as those of a patient.
    """

    classes: tuple[str, ...]
    samples: tuple[Sample, ...]
    left_out: tuple[Notice, ...]
    warnings: tuple[Notice, ...]
    covered: float
    named: bool
    together: tuple[tuple[str, ...], ...]


def label_tables(root: Path) -> tuple[str, ...]:
    """Find what may be tables of labels: in the folder itself and in those of its parts.

    Args:
        root: Folder of the source.

    Returns:
        Paths below it, without opening any.
    """
    top = os.fspath(root)
    listing = list_folder(top)
    inside = [
        f"{folder}/{name}" for folder in listing.folders[:_MOST_TABLES] for name in list_folder(top, folder).files
    ]
    return tuple(
        name
        for name in (*listing.files, *inside)
        if name.lower().endswith(LISTS) and not any(word in name.lower() for word in _EXAMPLES)
    )


def labels_of(root: Path, tables: Sequence[str], *, kind: FileKind = "picture") -> Labelled | None:
    """Read the classes of a source's pictures, or recordings, from its tables.

    Args:
        root: Folder of the source.
        tables: What `label_tables` found.
        kind: What the files are.

    Returns:
        Pictures and classes; None where no table names pictures that lie there.

    Raises:
        SourceError: A table names the pictures, but their classes cannot be told, or are several a picture.
    """
    top = os.fspath(root)
    listing, against = list_folder(top), reason_against(kind)
    found, _ = walk_folders(top, listing.folders, linked=listing.linked, against=against)
    beside = [file for file in listing.files if not against(top, file)]
    names = Names([*beside, *(file for files in found.values() for file in files)])
    if not names.files:
        return None
    read: list[Table] = []
    silent: list[SourceError] = []
    for table in tables if len(tables) <= _MOST_TABLES else _likely(tables):
        try:
            if (one := Table.read(root, table, names)) is not None:
                read.append(one)
        except SourceError as error:
            silent.append(error)
    if not read and silent:
        raise silent[0]
    return _together(read, names, kind, tables) if read else None


def _likely(tables: Sequence[str]) -> list[str]:
    """Of many tables (labels of boxes, one a picture) those in the source's own folder."""
    return [table for table in tables if "/" not in table][:_MOST_TABLES]


def _together(read: Sequence[Table], names: Names, kind: FileKind, tables: Sequence[str]) -> Labelled:
    """Join tables; those named after parts (`train.csv`, `test.csv`) say which part a picture belongs to."""
    chosen, what = _one_or_parts(read), shown_kind(kind)[0]
    by_part = len({table.own_part for table in chosen} - {None}) > 1
    labels: dict[str, str] = {}
    parts: dict[str, Part] = {}
    left_out: list[Notice] = []
    warnings: list[Notice] = []
    together: list[tuple[str, ...]] = []
    for table in chosen:
        labels |= table.labels
        parts |= table.parts
        if by_part and table.own_part:
            parts |= dict.fromkeys(table.labels, table.own_part)
        left_out += [Notice(cell, f"{table.name} names it, but no such {what[:-1]} is there") for cell in table.missing]
        warnings.append(
            Notice(table.name, f"{len(table.labels):,} {what} have their class from this table: {table.said}")
        )
        members: dict[str, list[str]] = {}
        for file, group in table.groups.items():
            members.setdefault(group, []).append(file)
        if len(members) > 1 and (several := [tuple(files) for files in members.values() if len(files) > 1]):
            together += several
            warnings.append(Notice(table.name, same_side(what, table.grouped_by, len(members))))
    without = sorted(names.files - set(labels) - set(tables))  # of recordings that are tables, too
    left_out += [Notice(file, "no table says its class") for file in without[:_MOST_NOTICES]]
    if len(without) > _MOST_NOTICES:
        left_out.append(Notice("", f"{len(without) - _MOST_NOTICES:,} more {what} have no class in any table"))
    classes = tuple(sorted(set(labels.values())))
    index = {name: place for place, name in enumerate(classes)}
    if len(set(parts.values())) < 2 or "train" not in parts.values():  # noqa: PLR2004 - a split has two sides
        parts = {}
    samples = tuple(Sample(file, index[label], parts.get(file)) for file, label in sorted(labels.items()))
    return Labelled(
        classes=classes,
        samples=samples,
        left_out=tuple(left_out),
        warnings=tuple(warnings),
        covered=len(labels) / max(1, len(names.files - set(tables))),
        named=all(table.named for table in chosen),
        together=tuple(together),
    )


def same_side(what: str, column: str, number: int) -> str:
    """Say that files are kept together.

    Args:
        what: What the files are.
        column: The column that says what belongs together.
        number: How many different ones there are.

    Returns:
        The sentence.

    Example:
        >>> same_side("pictures", "patient_id", 7)
        "pictures with the same 'patient_id' stay on one side of the split (7 of them)"
    """
    return f"{what} with the same {printable(column)!r} stay on one side of the split ({number:,} of them)"


def _one_or_parts(read: Sequence[Table]) -> list[Table]:
    """Tables of different parts together, or else the one that names most pictures."""
    apart: dict[Part | None, Table] = {}
    for table in sorted(read, key=lambda each: len(each.labels)):
        apart[table.own_part] = table
    if len(set(apart) - {None}) > 1:
        return [table for part, table in apart.items() if part is not None]
    alike: dict[str, list[Table]] = {}
    for table in read:
        alike.setdefault(table.name.rpartition("/")[2], []).append(table)
    several = max(alike.values(), key=lambda tables: sum(len(each.labels) for each in tables))
    named = [file for table in several for file in table.labels]
    if len(several) > 1 and len(set(named)) == len(named):
        return several  # REFERENCE.csv in each of the folders of recordings
    return [max(read, key=lambda each: len(each.labels))]
