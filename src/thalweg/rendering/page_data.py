"""The numbers that a page carries along: its report as data inside of it, without pictures, to be exported again.

A run keeps its report as `report.json`. Pages of labs, comparisons, diagnoses, landscapes and explanations stand alone:
a script element of JSON, which no browser runs, holds theirs.
"""

import json
import re
from dataclasses import replace
from pathlib import Path

from thalweg.core.codec import dumps, from_plain
from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.core.report import Block, Comparisons, Matrix, PictureGrid, Report

__all__ = ["carried", "read_page"]

_ELEMENT = re.compile(r'<script type="application/json" id="data">([^<]*)</script>')
_LARGEST = 64 << 20


def carried(report: Report) -> str:
    """Write a report as data for the page that shows it.

    Args:
        report: In English.

    Returns:
        JSON without pictures, which cannot end the element it stands in.

    Example:
        >>> "<" in carried(Report(title="<b>", answer=(), sections=()))
        False
    """
    sections = tuple(replace(section, blocks=tuple(map(_bare, section.blocks))) for section in report.sections)
    text = dumps(replace(report, sections=sections))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _bare(block: Block) -> Block:
    match block:
        case PictureGrid():
            return replace(block, pictures=())
        case Comparisons():
            return replace(block, pictures=())
        case Matrix():
            return replace(block, pictures={})
        case _:
            return block


def read_page(path: Path) -> Report:
    """Read the report that a page carries.

    Args:
        path: The page.

    Returns:
        The report in English, without its pictures.

    Raises:
        RunError: The file cannot be read, is too large, or carries none.

    Example:
        >>> read_page(Path("no/such/page.html"))
        Traceback (most recent call last):
        thalweg.core.errors.RunError: no/such/page.html cannot be read: No such file or directory
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise RunError(f"{printable(path)} is larger than {_LARGEST:,} bytes: no page of thalweg is")
        found = _ELEMENT.search(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise RunError(f"{printable(path)} cannot be read: {error.strerror}") from None
    if found is None:
        raise RunError(
            f"{printable(path)} carries no numbers: name a run, or a page that lab, compare, diagnose, landscape or "
            "explain has written"
        )
    try:
        return from_plain(Report, json.loads(found[1]), printable(path.name))
    except (json.JSONDecodeError, RecursionError) as error:
        raise RunError(f"{printable(path)} is damaged: {error}") from None
