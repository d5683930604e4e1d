"""Signals in tables: `.csv`, `.tsv` or `.txt`, one signal a row, with a column of labels.

Which column is the label: one called `label`, `class`, `target`, `y` and the like; else the only column of words; else
the last column, or the first (as the UCR archive has it), where it holds whole numbers that repeat. It is said which.
Columns called `record`, `patient`, `subject` ... say what belongs together. The rest are the values, in order.
"""

import codecs
import csv
import itertools
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.arrays.axes import FEWEST_STEPS, is_pixel, sides_of_pixels
from thalweg.data.arrays.part import ArrayPart
from thalweg.data.files.belonging import best_column
from thalweg.data.formats.npz import GROUPS

__all__ = ["TABLES", "holds_pixels", "open_rows", "read_table", "reads_as_number", "without_labels"]

TABLES = (".csv", ".tsv", ".txt")
"""Endings of tables."""

_LABELS = frozenset({"label", "labels", "class", "classes", "target", "targets", "y", "category", "species", "type"})
_IGNORED = frozenset({"", "id", "index", "idx", "file", "filename", "name", "unnamed: 0"})
_LOOKED_AT = 200  # rows by which columns are told apart
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")
_MOST_NUMBERED = 100  # a column of more different whole numbers is no label


def open_rows(path: Path) -> Iterator[list[str]]:
    """Read a table row by row, whatever separates its cells.

    Args:
        path: The file.

    Yields:
        Rows of cells; empty lines are passed over.

    Raises:
        SourceError: The file cannot be read as text.
    """
    try:
        with path.open("rb") as file:
            wide = file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}  # Excel's "Unicode text"
        with path.open(encoding="utf-16" if wide else "utf-8-sig", newline="") as file:
            head = file.read(1 << 16)
            file.seek(0)
            line = head.partition("\n")[0]
            marks = ",;\t" if any(mark in line for mark in ",;\t") else " "  # names may have spaces in them
            separator = max(marks, key=lambda mark: (line.count(mark), mark == ";"))  # `0,5;0,7`
            reader = csv.reader(file, delimiter=separator, skipinitialspace=separator == " ")
            for row in reader:
                cells = [cell.strip() for cell in row]
                if separator != ",":  # `0,5` of a spreadsheet that separates cells by semicolons
                    cells = [cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell for cell in cells]
                while cells and not cells[-1]:  # a separator at the end of a line
                    cells.pop()
                if cells:
                    yield cells
    except UnicodeError as error:
        raise SourceError(
            f"{printable(path.name)}: cannot be read as a table, being no text in UTF-8 ({error}): save it as CSV UTF-8"
        ) from None
    except (OSError, csv.Error) as error:
        raise SourceError(f"{printable(path.name)}: cannot be read as a table ({error})") from None


def read_table(
    path: Path, aside: Path | None = None, *, labelled: bool | None = True, values: int | None = None
) -> list[ArrayPart]:
    """Read signals that stand in a table, one a row; or pictures, where its columns are called pixels.

    Args:
        path: The file.
        aside: Folder for the numbers on their way; None keeps them in memory.
        labelled: Whether labels are needed; without, a column of labels may still be there. None takes a column that
            is called so.
        values: Numbers a row that a trained network takes, where known: of so many columns none is a label.

    Returns:
        One part.

    Raises:
        SourceError: There is no column of labels, rows differ in length, or a cell is no number.
    """
    rows = open_rows(path)
    first = list(itertools.islice(rows, _LOOKED_AT + 1))
    shown = printable(path.name)
    if not first:
        raise SourceError(f"{shown}: is empty")
    header = first[0] if not all(reads_as_number(cell) for cell in first[0]) and _is_header(first) else None
    body = first[1:] if header else first
    if not body:
        raise SourceError(f"{shown}: has a header and no rows")
    columns = _Columns(shown, header, body, labelled=_called(header) if labelled is None else labelled, values=values)
    count = 0
    labels: list[str] = []
    groups: list[str] = []
    with tempfile.TemporaryFile(dir=aside) as scratch:
        for number, row in enumerate(itertools.chain(body, rows), 2 if header else 1):
            if len(row) != columns.width:
                raise SourceError(
                    f"{shown}: row {number:,} has {len(row):,} cells where {columns.width:,} are usual: "
                    f"signals must have one length; cut or fill them"
                )
            scratch.write(_numbers(row, columns.values, shown, number).data)
            count += 1
            if columns.label is not None:
                labels.append(row[columns.label])
            if columns.group is not None:
                groups.append(row[columns.group])
        scratch.flush()
        sides = columns.sides or (len(columns.values),)
        pictures = np.memmap(scratch, np.float32, mode="r", shape=(count, *sides))  # outlives the file
    return [
        ArrayPart(
            file=path.name,
            part=None,
            pictures=pictures,
            labels=_as_array(labels) if labels and labelled is not False else None,
            groups=np.asarray(groups) if groups else None,
            grouped_by=columns.group_name,
            said=columns.said if labelled is not False else "",
        )
    ]


def holds_pixels(path: Path) -> bool:
    """Tell whether the rows of a table are pictures.

    Args:
        path: A file.

    Returns:
        True where its columns are called pixels.
    """
    names = [name for name in _first_row(path) if not _called([name]) and name.lower() not in _IGNORED]
    return bool(sides_of_pixels(names))


def without_labels(files: Sequence[Path]) -> frozenset[Path]:
    """Tables without a column of labels beside others that have one, such as the `test.csv` of a competition.

    Args:
        files: All files of a source.

    Returns:
        Those tables.
    """
    called = {path: _called(_first_row(path)) for path in files if path.name.lower().endswith(TABLES)}
    return frozenset(path for path, has in called.items() if not has) if any(called.values()) else frozenset()


def _first_row(path: Path) -> list[str]:
    try:
        return next(open_rows(path), [])
    except SourceError:
        return []


def _called(header: Sequence[str] | None) -> bool:
    """Whether a column is called as labels are."""
    return any(name.lower() in _LABELS for name in header or ())


class _Columns:
    """Which column is what."""

    def __init__(
        self, shown: str, header: list[str] | None, body: list[list[str]], *, labelled: bool, values: int | None
    ) -> None:
        self.width = len(body[0])
        names = [name.lower() for name in header] if header else [f"column {index}" for index in range(self.width)]
        if header and len(names) == self.width - 1:  # pandas leaves the index without a name at times
            names = ["", *names]
        if len(names) != self.width:
            raise SourceError(f"{shown}: the header names {len(names):,} columns, the rows have {self.width:,}")
        self.group = next(
            (index for index, name in enumerate(names) if name.removesuffix("_id") in GROUPS), best_column(names)
        )
        self.group_name = names[self.group].removesuffix("_id") if self.group is not None else ""
        left = [index for index in range(self.width) if index != self.group and names[index] not in _IGNORED]
        bare = not labelled and values is not None and len(left) <= values
        self.label = None if bare else self._label(shown, names, left, body)
        if self.label is None and labelled:
            raise SourceError(f"{shown}: no column holds labels; call one 'label', or put class numbers last")
        self.said = ""
        if self.label is not None:
            name = f" ({printable(header[self.label - self.width])[:40]})" if header else ""
            self.said = f"labels are in column {self.label + 1} of {self.width}{name}"
        self.values = [index for index in left if index != self.label]
        if len(self.values) < FEWEST_STEPS:
            raise SourceError(
                f"{shown}: {len(self.values)} columns of numbers a row are no signal ({FEWEST_STEPS} are needed); "
                f"a table of features is not trained; where each row is a step of a recording, save each recording as "
                f"a file of its own in one folder a class"
            )
        self.sides = sides_of_pixels([names[index] for index in self.values]) if header else ()

    @staticmethod
    def _label(shown: str, names: list[str], left: list[int], body: list[list[str]]) -> int | None:
        named = [index for index in left if names[index] in _LABELS]
        if named:
            return named[0]
        whole_rows = [row for row in body if len(row) == len(names)]
        words = [index for index in left if not all(_is_value(row[index]) for row in whole_rows)]
        if len(words) == 1:
            return words[0]
        if len(words) > 1 and len(left) - 1 < FEWEST_STEPS:
            return words[0]  # too few numbers for a signal, whichever it is: that is said
        if words:
            row = next(row for row in whole_rows if not _is_value(row[words[0]]))
            raise SourceError(
                f"{shown}: {len(words):,} columns hold words, such as {printable(row[words[0]])[:40]!r} in column "
                f"{words[0] + 1}; call the one with the labels 'label'"
            )
        for index in (left[-1], left[0]):
            if is_pixel(names[index]):
                continue
            cells = {row[index] for row in whole_rows}
            if all(_is_whole(cell) for cell in cells) and len(cells) <= min(_MOST_NUMBERED, max(2, len(body) // 2)):
                return index
        return None


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Words above numbers: the first row has a word where all others have numbers, or one of the usual names."""
    if any(cell.lower().removesuffix("_id") in (*_LABELS, *GROUPS) for cell in rows[0]):
        return True
    return (
        any(
            not reads_as_number(cell) and all(reads_as_number(row[index]) for row in rows[1:] if index < len(row))
            for index, cell in enumerate(rows[0])
        )
        and len(rows) > 1
    )


def reads_as_number(cell: str) -> bool:
    """Whether a cell of a table is a number.

    Args:
        cell: Its text.

    Returns:
        True also for nan and infinity.

    Example:
        >>> reads_as_number(" 1e-3"), reads_as_number("seconds")
        (True, False)
    """
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_value(cell: str) -> bool:
    return not cell or reads_as_number(cell)  # an empty cell is a value that is missing


def _is_whole(cell: str) -> bool:
    return reads_as_number(cell) and float(cell).is_integer()


def _numbers(row: Sequence[str], chosen: Sequence[int], shown: str, number: int) -> npt.NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):
            return np.asarray([row[index] or "nan" for index in chosen], np.float64).astype(np.float32)
    except ValueError:
        bad = next(index for index in chosen if row[index] and not reads_as_number(row[index]))
        raise SourceError(
            f"{shown}: row {number:,}, column {bad + 1}: {printable(row[bad])[:40]!r} is no number"
        ) from None


def _as_array(labels: Sequence[str]) -> npt.NDArray[np.generic]:
    if all(reads_as_number(label) for label in labels):
        return np.asarray(labels, np.float64)
    return np.asarray(labels)
