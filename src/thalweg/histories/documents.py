"""Documents that quote logs: notebooks with their outputs, and pages of HTML with tables.

A cell's output is taken as a program's: what it printed, and the tables that it shows, such as fastai's and
transformers'. Nothing in a document is run, and code is not looked at.
"""

import csv
import itertools
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

from thalweg.histories.log_file import LogFile
from thalweg.histories.names import JUDGED, is_epoch, is_step, meaning
from thalweg.histories.readers.drawn import as_csv

__all__ = ["NOTEBOOK", "is_course", "is_document", "quoted"]

NOTEBOOK = ".ipynb"
"""How the names of notebooks end."""

_PAGE = re.compile(r"<(?:table|pre)\b", re.IGNORECASE)
_MOST = 2_000
"""Parts of a document that are looked at."""


def is_document(file: LogFile) -> bool:
    """Tell whether a file is a notebook or a page of HTML.

    Args:
        file: The file.

    Returns:
        True where its logs are in its parts.
    """
    if file.path.suffix.lower() == NOTEBOOK:
        return True
    if file.head.lstrip()[:1] == b"{":
        return b'"nbformat"' in file.head or (b'"cell_type"' in file.head and _cells(file) is not None)
    return file.head.lstrip()[:1] == b"<" and bool(_PAGE.search(file.text))


def quoted(file: LogFile) -> Iterator[LogFile]:
    """Take a document apart.

    Args:
        file: A notebook or a page of HTML.

    Yields:
        Its outputs and tables, each as a file.
    """
    parts = _notebook(file) if file.text.lstrip()[:1] == "{" else _page(file.text)
    for kind, place, text in itertools.islice(parts, _MOST):
        if text.strip():
            yield LogFile.of_text(file.path.with_suffix(kind), f"{file.place}, {place}" if place else file.place, text)


def is_course(part: LogFile) -> bool:
    """Tell whether a part may be the course of a training, as far as its header says.

    Args:
        part: What a document quotes.

    Returns:
        False for a table that counts nothing and has one column alone that judges: `age, loss` are anybody's data.
    """
    if part.path.suffix != ".csv":
        return True
    names = next(csv.reader([part.text.partition("\n")[0]]), [])
    judged = {(meaning(name).quantity, meaning(name).split) for name in names if meaning(name).quantity in JUDGED}
    return len(judged) != 1 or any(is_epoch(name) or is_step(name) for name in names)


def _cells(file: LogFile) -> list[object] | None:
    found = file.json
    cells = found.get("cells") if isinstance(found, dict) else None
    return cells if isinstance(cells, list) else None


def _notebook(file: LogFile) -> Iterator[tuple[str, str, str]]:
    """The outputs of code: kind, place and text of each."""
    for number, cell in enumerate(_cells(file) or [], start=1):
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        printed: list[str] = []
        tables: list[str] = []
        for output in outputs if isinstance(outputs, list) else []:
            if not isinstance(output, dict):
                continue
            data = output.get("data")
            shown: Mapping[str, object] = data if isinstance(data, dict) else {}
            page = [text for _, _, text in _page(_text(shown.get("text/html"))) if text]
            tables += page
            if not page:
                printed.append(_text(output.get("text")) or _text(shown.get("text/plain")))
        yield ".txt", f"cell {number}", "".join(f"{text}\n" if text[-1:] != "\n" else text for text in printed if text)
        for place, text in enumerate(tables, start=1):
            yield ".csv", f"cell {number}" + (f", table {place}" if len(tables) > 1 else ""), text


def _text(found: object) -> str:
    """A text of a notebook, which may be a list of lines."""
    return "".join(part for part in found if isinstance(part, str)) if isinstance(found, list) else str(found or "")


def _page(text: str) -> Iterator[tuple[str, str, str]]:
    """The tables and the preformatted texts of HTML."""
    if not _PAGE.search(text):
        return
    reader = _Page()
    reader.feed(text)
    reader.close()
    for rows in reader.tables:
        width = max(map(len, rows), default=0)
        whole = [row for row in rows if len(row) == width]
        if len(whole) > 1 and width > 1:
            yield ".csv", "", as_csv(whole[0], whole[1:])
    for printed in reader.printed:
        yield ".txt", "", printed


class _Page(HTMLParser):
    """Collects the cells of tables and what stands in `pre`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self.printed: list[str] = []
        self._into: list[str] | None = None  # where text goes: a cell's words, or those of a `pre`

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row, a cell or a preformatted text."""
        del attrs
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag == "pre" or (tag in {"td", "th"} and self.tables and self.tables[-1]):
            self._into = []

    def handle_endtag(self, tag: str) -> None:
        """Close a cell or a preformatted text."""
        if self._into is None:
            return
        if tag in {"td", "th"} and self.tables and self.tables[-1]:
            self.tables[-1][-1].append(" ".join("".join(self._into).split()))
            self._into = None
        elif tag == "pre":
            self.printed.append("".join(self._into))
            self._into = None

    def handle_data(self, data: str) -> None:
        """Take in text."""
        if self._into is not None:
            self._into.append(data)
