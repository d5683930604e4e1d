"""Tables whose header has several rows, as pandas writes columns of two levels: one row of names is made of them.

    ,train,train,val,val          split,train,train,val,val        ,train,,val,
    ,loss,acc,loss,acc            metric,loss,acc,loss,acc         epoch,loss,acc,loss,acc
    0,2.3,0.1,2.2,0.2             epoch,,,,                        1,2.3,0.1,2.2,0.2
                                  1,2.3,0.1,2.2,0.2

The last is how a spreadsheet writes cells that were merged. A level that names neither split nor quantity names runs.
"""

import csv
import io
import itertools
import re
from collections.abc import Sequence

from thalweg.histories.cells import number
from thalweg.histories.names import JUDGED, is_epoch, is_step, judges, meaning, words

__all__ = ["RUN_MARK", "one_header"]

RUN_MARK = " - "
"""What stands between a run and the name of its curve, as Weights & Biases writes both."""

_MOST_LEVELS = 4
_HEAD = 1 << 17
_UNNAMED = re.compile(r"Unnamed: \d+(?:_level_\d+)?")
_SUMMARIES = {"mean", "std", "min", "max", "median", "sem", "var", "count", "sum", "avg", "average", "first", "last"}

_Row = Sequence[str]


def one_header(text: str, separator: str) -> tuple[str, bool]:
    r"""Write the rows of a header as one.

    Args:
        text: The table.
        separator: What stands between its cells.

    Returns:
        The table with one row of names, and whether they begin with runs; as it was where its header has one row.

    Example:
        >>> one_header(",train,val\n,loss,loss\n0,3,4\n", ",")
        (',train/loss,val/loss\n0,3,4\n', False)
    """
    if separator == " ":
        return text, False
    lines = [line for line in text[:_HEAD].splitlines(keepends=True) if line.strip()][: _MOST_LEVELS + 2]
    rows = [_cells(line, separator) for line in lines]
    levels = list(itertools.takewhile(_is_header, rows))
    count = len(levels)
    if not 1 < count < len(rows) or len({len(row) for row in rows[: count + 1]}) != 1:
        return text, False
    index = _index(levels[-1]) if count > 2 else []  # noqa: PLR2004 - beside two levels
    names, runs = _named([row for row in levels[: count - bool(index)] if any(row)], index)
    if not _says_more(names, levels[0]):
        return text, False
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerow(names)
    return out.getvalue() + text[text.index(lines[count - 1]) + len(lines[count - 1]) :], runs


def _cells(line: str, separator: str) -> list[str]:
    try:
        cells = next(csv.reader([line.rstrip("\r\n")], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:  # whoever reads the table says it
        return []
    return ["" if _UNNAMED.fullmatch(cell.strip()) else cell.strip() for cell in cells]


def _is_header(row: _Row) -> bool:
    """Whether no cell of a row is a number."""

    def counts(cell: str) -> bool:
        try:
            return number(cell, decimal_comma=True) is not None
        except ValueError:
            return False

    return not any(map(counts, row))


def _index(row: _Row) -> list[str]:
    """The names of the rows' own columns, where a row holds them and nothing else."""
    named = list(itertools.takewhile(bool, row))
    return named if len(named) < len(row) and not any(row[len(named) :]) else []


def _named(levels: Sequence[_Row], index: Sequence[str]) -> tuple[list[str], bool]:
    """A name for each column, and whether a level of them names runs."""
    columns = [list(column) for column in zip(*map(_unmerged, levels), strict=True)]
    names = list(index)
    while len(names) < len(columns) and not index and _of_rows(columns[len(names)], first=not names):
        names.append("")
    rest = columns[len(names) :]
    run = next((place for place in range(len(levels)) if _names_runs(rest, place)), None)
    for column in rest:
        below = "/".join(cell for place, cell in enumerate(column) if cell and place != run)
        owned = run is not None and column[run] and below and not _counts("/".join(filter(None, column)))
        names.append(f"{column[run]}{RUN_MARK}{below}" if owned and run is not None else "/".join(filter(None, column)))
    return names, run is not None


def _unmerged(row: _Row) -> list[str]:
    """A row in which cells that were merged, and left all but the first blank, are filled."""
    filled: list[str] = []
    for cell in row:
        filled.append(cell or (filled[-1] if filled else ""))
    return filled


def _of_rows(column: _Row, *, first: bool) -> bool:
    """Whether a column numbers the rows: its header is blank, or says what the levels are called."""
    if not any(column):
        return True
    return first and all(column) and not any(_means(cell) or _counts(cell) for cell in column)


def _names_runs(columns: Sequence[_Row], place: int) -> bool:
    """Whether a level's cells tell runs apart: none says a split or a quantity, and what lies below them judges."""
    told = [column for column in columns if column[place] and not _counts("/".join(filter(None, column)))]
    cells = {column[place] for column in told}
    if not cells or any(_means(cell) or _counts(cell) or cell.lower() in _SUMMARIES for cell in cells):
        return False
    below = ["/".join(cell for at, cell in enumerate(column) if cell and at != place) for column in told]
    return (len(cells) == 1 or len(set(below)) < len(below)) and judges(below)


def _means(cell: str) -> bool:
    said = meaning(cell)
    return bool(said.quantity or said.split or meaning(f"{cell}/loss").split)


def _counts(name: str) -> bool:
    return any(is_epoch(part) or is_step(part) for part in (name, *name.split("/")) if words(part))


def _says_more(names: Sequence[str], first: _Row) -> bool:
    """Whether the levels together name more losses and accuracies than the first, or name them apart."""

    def judged(row: _Row) -> set[tuple[str, str, str]]:
        parted = (cell.rpartition(RUN_MARK) for cell in row)
        said = [(run, meaning(name)) for run, _, name in parted]
        return {(run, each.quantity, each.split) for run, each in said if each.quantity in JUDGED}

    together, alone = judged(names), judged(first)
    return len(together) > len(alone) or (len(together) == len(alone) > 0 and len(set(first)) < len(first))
