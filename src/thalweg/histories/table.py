"""Tables of text: the separator, the header and the columns, a chunk of rows at a time so that a million rows fit."""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.cells import MISSING, number, numbers
from thalweg.histories.levels import one_header
from thalweg.histories.names import is_epoch, is_step, judges, meaning
from thalweg.histories.recording import Floats
from thalweg.histories.refusing import refuse_unknown, shown_names

__all__ = ["Table", "read_table"]

_CHUNK = 20_000
_SEPARATORS = (",", ";", "\t", "|")
_DECIMAL_COMMA = re.compile(r"(?:^|[;\t|])\s*[-+]?\d+,\d+(?:[eE][-+]?\d+)?\s*%?\s*(?=$|[;\t|])", re.MULTILINE)
_SHOWN = 60
_SAMPLED = 20
_RULE = re.compile(r"\s*\|?[=+|-]*={3,}[=+|-]*\s*(?:$|\n)")
_TOLD = re.compile(r"\s*\"?sep=([,;\t|])\"?[ \t]*\r?\n", re.IGNORECASE)
_TURNED = 1 << 20
_COUNT = re.compile(r"\d{1,18}")

_CUT = "the last row is cut off and was left out"
_LEVELS = "the header has several rows: each column has the names above it, put together"

Mask = np.typing.NDArray[np.bool_]


@dataclass(slots=True)
class Table:
    """Named columns of numbers, and those of words.

    Args:
        names: The header, stripped; `1`, `2`, ... where there is none.
        values: The columns of numbers by name.
        recorded: Which of their cells hold something.
        words: The columns that hold words.
        rows: Number of rows.
        headless: True where the file has no header.
        separator: What stands between cells.
        runs: True where names begin with that of their run.
        notes: What was repaired or left out.
    """

    names: tuple[str, ...]
    values: dict[str, Floats]
    recorded: dict[str, Mask]
    words: dict[str, list[str]]
    rows: int
    headless: bool = False
    separator: str = ","
    runs: bool = False
    notes: list[str] = field(default_factory=list)


def read_table(text: str, place: str) -> Table:
    r"""Read a table with any separator.

    Args:
        text: The file's text.
        place: Its name, for errors.

    Returns:
        The table.

    Raises:
        LogError: There is no table there.

    Example:
        >>> read_table("epoch;loss\n0;0,5\n1;0,25\n", "a.csv").values["loss"]
        array([0.5 , 0.25])
    """
    text, told = _told_separator(text)
    text, cut = _whole(_uncommented(_unboxed(text)))
    head = text[:20_000]
    lines = [line for line in head.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise LogError(f"{place} holds no rows")
    whole, runs = one_header(text, told or _separator(lines))
    if levelled := whole != text:
        text, lines = whole, whole[:20_000].splitlines()
    elif not told and (above := _preamble(lines)):
        text = text[text.index(lines[above]) :]
        lines = lines[above:]
    separator = told or _separator(lines)
    comma = separator != "," and bool(_DECIMAL_COMMA.search("\n".join(lines[1:])))
    if turned := _turned(text, separator, decimal_comma=comma):
        text, separator = turned, "," if separator == " " else separator
        lines = turned.splitlines()
    rows = _rows(text, separator)
    try:
        first = next(row for row in rows if _says_something(row))
        names, headless = _header(first, decimal_comma=comma)
        if headless:
            rows = itertools.chain([first], rows)
        if not headless and _numbered(lines, separator, len(names)):
            names = ("", *names)  # the rows are numbered and the header is not, as pandas and R print a table
        table = Table(names, {}, {}, {}, 0, headless, separator, runs)
        table.notes += [_CUT] if cut else []
        table.notes += [_LEVELS] if levelled else []
        return _columns(rows, [] if headless else first, place, table, decimal_comma=comma)
    except StopIteration:
        raise LogError(f"{place} holds no rows") from None
    except csv.Error as error:
        raise LogError(f"{place} is no table that can be read: {printable(str(error))}") from None


def _told_separator(text: str) -> tuple[str, str]:
    """The text without a first line `sep=;`, which tells Excel the separator."""
    found = _TOLD.match(text)
    return (text[found.end() :], found[1]) if found else (text, "")


def _preamble(lines: Sequence[str]) -> int:
    """How many lines stand above a header that counts and judges, where the first line is none."""

    def is_header(line: str) -> bool:
        names = next((line.split(each) for each in _SEPARATORS if each in line), [])
        counts = any(is_epoch(name) or is_step(name) for name in names)
        return counts and judges(name.strip(" \"'") for name in names)

    return next((place for place, line in enumerate(lines[:_SAMPLED]) if is_header(line)), 0)


def _whole(text: str) -> tuple[str, bool]:
    """The text without a last line that ends in a separator, without a line's end, as no line before it does."""
    body, _, last = text.rpartition("\n")
    before = body.rstrip("\r").rpartition("\n")[2]
    if last and last[-1:] in _SEPARATORS and body and before.strip("\r")[-1:] not in _SEPARATORS:
        return body + "\n", True
    return text, False


def _separator(lines: list[str]) -> str:
    """The separator that gives the first lines one and the same number of cells, more than one."""
    sample = lines[:20] if len(lines) < 20 else lines[:19]  # noqa: PLR2004 - the last line of the head may be cut

    def cells(separator: str) -> tuple[int, int]:
        counts = [line.count(separator) for line in sample]
        return (sum(count == counts[0] for count in counts) if counts[0] else 0, counts[0])

    best = max(_SEPARATORS, key=cells)
    # `epoch;loss` above `0;0,5`: the header has no comma, the rows one each.
    if best == "," and ";" in lines[0]:
        best = ";"
    if cells(best)[1] == 0 and all(len(line.split()) > 1 for line in sample[:2]):
        return " "
    return best


def _uncommented(text: str) -> str:
    """A table whose names stand behind `#`, as numpy's `savetxt` writes them, with its names as a header."""
    if not text.startswith("#"):
        return text
    head = text[:_TURNED].splitlines(keepends=True)
    above = list(itertools.takewhile(lambda line: line.startswith("#"), head))
    names = above[-1].lstrip("#").strip()
    below = head[len(above)].strip() if len(above) < len(head) else ""
    mark = next((each for each in _SEPARATORS if each in below), None)
    cells = [cell.strip() for cell in names.split(mark)]
    if len(cells) < 2 or len(cells) != len(below.split(mark)) or not any(meaning(cell).quantity for cell in cells):  # noqa: PLR2004
        return text
    return names + "\n" + text[sum(map(len, above)) :]


def _unboxed(text: str) -> str:
    """A table between rules of `=`, its header over several lines, as MATLAB prints it, with one line of names."""
    if not _RULE.match(text[:_TURNED].lstrip()):
        return text
    rows = [line.strip().strip("|").split("|") for line in text.splitlines() if "|" in line and not _RULE.match(line)]
    above = list(itertools.takewhile(lambda row: not any(any(map(str.isdigit, cell)) for cell in row), rows))
    if not above or len({len(row) for row in above}) != 1:
        return text
    names = [" ".join(cell.strip() for cell in column if cell.strip()) for column in zip(*above, strict=True)]
    return "\n".join("|".join(cell.strip() for cell in row) for row in [names, *rows[len(above) :]]) + "\n"


def _numbered(lines: list[str], separator: str, width: int) -> bool:
    """Whether each row has one cell more than the header, with a number first and something last."""
    if len(lines) < 3:  # noqa: PLR2004 - one row is no rule
        return False
    below = list(itertools.islice(_rows("\n".join(lines[:_SAMPLED]), separator), 1, None))[:-1]
    if not below or not all(
        len(row) == width + 1 and _COUNT.fullmatch(row[0].strip()) and row[-1].strip() for row in below
    ):
        return False
    counted = [int(row[0]) for row in below]
    return counted == list(range(counted[0], counted[0] + len(counted)))


def _turned(text: str, separator: str, *, decimal_comma: bool) -> str:
    """A table that lies on its side, a name before each row of numbers, set upright; empty for any other."""
    if len(text) > _TURNED:
        return ""
    try:
        rows = [[cell.strip() for cell in row] for row in _rows(text, separator) if _says_something(row)]
    except csv.Error:
        return ""
    if len(rows) < 2 or len(rows) > len(rows[0]) or len({len(row) for row in rows}) != 1:  # noqa: PLR2004 - one row is a header
        return ""
    try:
        numbered = [[number(cell, decimal_comma=decimal_comma) for cell in row[1:]] for row in rows]
    except ValueError:
        return ""
    names = {row[0] for row in rows}
    if len(names) < len(rows) or any(not name or name[:1].isdigit() for name in names) or len(numbered[0]) < 2:  # noqa: PLR2004 - `loss,0.9` may be a pair
        return ""
    out = io.StringIO()
    csv.writer(out, delimiter=separator if separator != " " else ",").writerows(zip(*rows, strict=True))
    return out.getvalue()


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    source = io.StringIO(text, newline=None)
    if separator == " ":
        return (line.split() for line in source)
    return csv.reader(source, delimiter=separator, skipinitialspace=True)


def _header(row: Sequence[str], *, decimal_comma: bool) -> tuple[tuple[str, ...], bool]:
    """The names, or numbers for names where the first row is one of numbers already."""

    def counts(cell: str) -> bool:
        try:
            return number(cell, decimal_comma=decimal_comma) is not None
        except ValueError:
            return False

    if any(counts(cell) for cell in row) and all(counts(cell) or cell.strip().lower() in MISSING for cell in row):
        return tuple(str(place) for place in range(1, len(row) + 1)), True
    names: list[str] = []
    seen: dict[str, int] = {}
    for cell in row:
        name = cell.strip().strip("'\"`").strip()
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}.{seen[name] - 1}")
    return tuple(names), False


def _columns(rows: Iterator[list[str]], first: list[str], place: str, table: Table, *, decimal_comma: bool) -> Table:
    """Turn rows into columns, a chunk at a time."""
    names = table.names
    parts: list[list[tuple[Floats, Mask]]] = [[] for _ in names]
    worded: dict[int, list[str]] = {}
    odd = strange = 0
    last_odd = False
    while chunk := list(itertools.islice(rows, _CHUNK)):
        if set(map(len, chunk)) != {len(names)} or first in chunk:
            chunk, lost, last_odd = _sound(chunk, len(names), first)
            odd += lost
        else:
            last_odd = False
        strange += _add(chunk, parts, worded, table.rows, decimal_comma=decimal_comma)
        table.rows += len(chunk)
    for index, name in enumerate(names):
        if index in worded:
            table.words[name] = worded[index]
        elif parts[index]:
            table.values[name] = np.concatenate([values for values, _ in parts[index]])
            table.recorded[name] = np.concatenate([recorded for _, recorded in parts[index]])
    if not table.rows or not table.values:
        refuse_unknown(names, place)
        shown = shown_names(names)
        raise LogError(f"{place} has no row of numbers under its header ({shown})")
    _tell(table, odd - last_odd, strange, last_odd=last_odd)
    return table


def _says_something(row: list[str]) -> bool:
    return any(cell.strip() for cell in row) and not row[0].startswith("#")


def _sound(chunk: list[list[str]], width: int, header: list[str]) -> tuple[list[list[str]], int, bool]:
    """The rows that have a cell a column, how many have not, and whether the last has not."""
    said = [row for row in chunk if _says_something(row) and row != header]
    for row in said:
        if len(row) == width + 1 and not row[-1].strip():
            row.pop()  # a separator at the end of each line
    whole = [row for row in said if len(row) == width]
    return whole, len(said) - len(whole), bool(said) and len(said[-1]) != width


def _tell(table: Table, odd: int, strange: int, *, last_odd: bool) -> None:
    if last_odd:
        table.notes.append(_CUT)
    if odd:
        table.notes.append(f"{odd:,} rows have another number of cells than the header ({len(table.names)}): left out")
    if strange:
        table.notes.append(f"{strange:,} cells are neither numbers nor empty: taken as missing")


def _add(
    rows: list[list[str]],
    parts: list[list[tuple[Floats, Mask]]],
    worded: dict[int, list[str]],
    before: int,
    *,
    decimal_comma: bool,
) -> int:
    """Add rows to the columns; the number of cells that are neither numbers nor empty."""
    strange = 0
    for index, cells in enumerate(zip(*rows, strict=True)):
        if index in worded:
            worded[index].extend(cells)
            continue
        try:
            parts[index].append(numbers(cells, decimal_comma=decimal_comma))
        except ValueError:
            values, recorded, lost = _salvaged(cells, decimal_comma=decimal_comma)
            parts[index].append((values, recorded))
            if 2 * lost > len(cells) and before == 0:  # a column of words
                worded[index] = list(cells)
            else:
                strange += lost
    return strange


def _salvaged(cells: Sequence[str], *, decimal_comma: bool) -> tuple[Floats, Mask, int]:
    """A column with some cells that are no numbers: they count as not recorded."""
    values, recorded, lost = np.full(len(cells), np.nan), np.zeros(len(cells), dtype=np.bool_), 0
    for place, cell in enumerate(cells):
        try:
            read = number(cell, decimal_comma=decimal_comma)
        except ValueError:
            lost += 1
            continue
        if read is not None:
            values[place], recorded[place] = read, True
    return values, recorded, lost
