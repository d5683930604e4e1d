"""Tables drawn among other text: with rules and bars, in Markdown, in colours, pasted from a notebook.

skorch, scikit-learn's boosting, PrettyTable and rich draw them in a terminal, model cards have them in Markdown, and
transformers' table comes out of a notebook with tabs. A line of names, among them a counter and a loss or an accuracy,
is a header; lines under it with as many cells are its rows. A cell that a row leaves blank is found by where it stands.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from thalweg.histories.cells import number
from thalweg.histories.database import MAGIC
from thalweg.histories.log_file import LogFile
from thalweg.histories.names import is_epoch, is_step, judges, may_count
from thalweg.histories.printed import pieces
from thalweg.histories.readers import table
from thalweg.histories.readers.reader import Reader
from thalweg.histories.recording import Recording

__all__ = ["READER", "as_csv"]

_FILES = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".yaml", ".yml"}
_BARS = re.compile(r"[|│┃║]")
_RULE = re.compile(r"[-=+|:_\s\u2500-\u257f]*")
_APART = re.compile(r"\s{2,}|\t")
_CELL = re.compile(r"\S+")
_FAR = re.compile(r"\S+(?:\s\S+)*")
_LONGEST = 2_000
_MOST = 60
"""Columns of a header."""


@dataclass(slots=True)
class _Drawn:
    """A header and its rows."""

    names: tuple[str, ...]
    spans: list[tuple[int, int]]
    plain: bool  # nothing that the reader of tables does not know
    rows: list[list[str]] = field(default_factory=list)
    passed: int = 0


def as_csv(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""Write cells as a table of text.

    Args:
        names: The header.
        rows: The rows, as long as it.

    Returns:
        The table, with commas.

    Example:
        >>> as_csv(["epoch", "loss"], [["1", "0,5"]])
        'epoch,loss\r\n1,"0,5"\r\n'
    """
    out = io.StringIO()
    csv.writer(out).writerows([names, *rows])
    return out.getvalue()


def _recognises(file: LogFile) -> bool:
    if file.head.startswith(MAGIC) or file.path.suffix.lower() in _FILES or file.text.lstrip()[:1] == "{":
        return False
    return any(len(each.rows) > 1 and not each.plain for each in _tables(file.printed))


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    found = [each for each in _tables(file.printed) if len(each.rows) > 1]
    made: list[Recording] = []
    for place, each in enumerate(found, start=1):
        where = f"{file.place}, table {place} of {len(found)}" if len(found) > 1 else file.place
        made += table.READER.read(LogFile.of_text(file.path, where, as_csv(each.names, each.rows)), columns)
    return made


def _tables(text: str) -> Iterator[_Drawn]:
    drawn: _Drawn | None = None
    first = True
    for line in text.split("\n"):
        if drawn is None and not first and "\x1b" not in line and not may_count(line):
            continue  # no header
        drawings = pieces(line)
        if not drawings:
            continue
        row, coloured = drawings[-1].rstrip(), drawings[-1] != line.rstrip("\r")
        if header := _header(row):
            if drawn is None or header != drawn.names:
                if drawn is not None:
                    yield drawn
                drawn = _Drawn(names=header, spans=_spans(row), plain=first and _is_plain(row))
        elif drawn is not None:
            _add(drawn, row, coloured=coloured)
        first = False
    if drawn is not None:
        yield drawn


def _header(row: str) -> tuple[str, ...] | None:
    """The names of a header: of a counter, and of something that tells how a run goes."""
    if len(row) > _LONGEST or not may_count(row):
        return None
    for cells in (_cut(row), row.split()):
        names = tuple(cell.strip(" *`'\"") for cell in cells)
        if not 1 < len(names) <= _MOST or any(map(_is_cell, names)):
            continue
        counts = any(is_epoch(name) or is_step(name) for name in names)
        if counts and len(set(names)) == len(names) and judges(names):
            return names
    return None


def _is_plain(row: str) -> bool:
    """Whether a header is one that the reader of tables cuts alike: no bars, no names of two words."""
    return not _BARS.search(row) and ("\t" in row or len(_cut(row)) in {1, len(row.split())})


def _add(drawn: _Drawn, row: str, *, coloured: bool) -> None:
    if _RULE.fullmatch(row):
        drawn.plain = False
        if not drawn.rows and len(spans := _spans(row)) == len(drawn.names):
            drawn.spans = spans
        return
    width = len(drawn.names)
    cells = next((each for each in (_cut(row), row.split()) if len(each) == width), None) or _placed(row, drawn)
    counters = [place for place, name in enumerate(drawn.names) if is_epoch(name) or is_step(name)]
    if cells is None or not any(_is_cell(cells[place]) for place in counters):
        drawn.passed += 1
        drawn.plain = False
        return
    drawn.plain = drawn.plain and not coloured
    drawn.rows.append(cells)


def _cut(row: str) -> list[str]:
    """The cells of a line, by its bars, its tabs, or spaces of two or more."""
    text = row.strip()
    if _BARS.search(text):
        cells = _BARS.split(text)
        return [cell.strip() for cell in cells[not cells[0].strip() : len(cells) - (not cells[-1].strip())]]
    return [cell.strip() for cell in (text.split("\t") if "\t" in text else _APART.split(text))]


def _spans(row: str) -> list[tuple[int, int]]:
    return [found.span() for found in _FAR.finditer(row)]


def _placed(row: str, drawn: _Drawn) -> list[str] | None:
    """A row that lacks cells, each under the name that it stands below; None where that is not plain."""
    found = list(_CELL.finditer(row))
    if not 1 < len(found) < len(drawn.names) or len(drawn.spans) != len(drawn.names) or _BARS.search(row):
        return None
    cells = [""] * len(drawn.names)
    for each in found:
        under = [place for place, (start, end) in enumerate(drawn.spans) if each.start() < end and start < each.end()]
        if len(under) != 1 or cells[under[0]]:
            return None
        cells[under[0]] = each[0]
    return cells


def _is_cell(text: str) -> bool:
    try:
        return number(text) is not None
    except ValueError:
        return False


READER = Reader(name="table among text", recognises=_recognises, read=_read)
