"""The numbers that a page carries along: its report as data inside of it, to be exported again.

A run keeps its report as `report.json`. Pages of labs, comparisons, diagnoses, landscapes, explanations and derivations
stand alone: a script element of JSON, which no browser runs, holds theirs. Pictures are not in it a second time, they
are taken from where the page shows them.
"""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from thalweg.core.codec import dumps, from_plain
from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.core.report import Block, Comparisons, Matrix, Picture, PictureGrid, Report

__all__ = ["carried", "read_page"]

_ELEMENT = re.compile(r'<script type="application/json" id="data">([^<]*)</script>')
_SHOWN = re.compile(r'src="data:(image/(?:png|jpeg));base64,([A-Za-z0-9+/=]*)"')
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
    """A block whose pictures have lost their bytes."""
    match block:
        case PictureGrid():
            return replace(block, pictures=tuple(replace(each, data=b"") for each in block.pictures))
        case Comparisons():
            pairs = tuple(
                replace(pair, truth=replace(pair.truth, data=b""), answer=replace(pair.answer, data=b""))
                for pair in block.pictures
            )
            return replace(block, pictures=pairs)
        case Matrix():
            return replace(block, pictures={})
        case _:
            return block


def read_page(path: Path) -> Report:
    """Read the report that a page carries.

    Args:
        path: The page.

    Returns:
        The report in English, with the pictures that the page shows; those of a matrix stay there.

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
        page = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise RunError(f"{printable(path)} cannot be read: {error.strerror}") from None
    found = _ELEMENT.search(page)
    if found is None:
        raise RunError(
            f"{printable(path)} carries no numbers: name a run, or a page that lab, compare, diagnose, landscape, "
            "explain or derive has written (a count is CSV with --format csv)"
        )
    try:
        report = from_plain(Report, json.loads(found[1]), printable(path.name))
    except (json.JSONDecodeError, RecursionError) as error:
        raise RunError(f"{printable(path)} is damaged: {error}") from None
    return _with_pictures(report, _SHOWN.findall(page))


def _with_pictures(report: Report, shown: list[tuple[str, str]]) -> Report:
    """Pictures stand in the page in the order of the report; where their number is another, they are left out."""
    wanted = sum(1 for section in report.sections for block in section.blocks for _ in _pictures(block))
    given = iter(shown if len(shown) == wanted else ())
    sections = tuple(
        replace(section, blocks=tuple(_shown(block, given) for block in section.blocks)) for section in report.sections
    )
    return replace(report, sections=sections)


def _pictures(block: Block) -> Iterator[Picture]:
    """The pictures of a block as the page shows them: of a pair, truth before answer."""
    match block:
        case PictureGrid():
            yield from block.pictures
        case Comparisons():
            for pair in block.pictures:
                yield from (pair.truth, pair.answer)


def _shown(block: Block, given: Iterator[tuple[str, str]]) -> Block:
    filled = [_filled(picture, kind, text) for picture, (kind, text) in zip(_pictures(block), given, strict=False)]
    match block:
        case PictureGrid():
            return replace(block, pictures=tuple(filled))
        case Comparisons():
            pairs = zip(block.pictures, filled[::2], filled[1::2], strict=False)
            return replace(
                block, pictures=tuple(replace(pair, truth=truth, answer=answer) for pair, truth, answer in pairs)
            )
        case _:
            return block


def _filled(picture: Picture, kind: str, text: str) -> Picture:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    return replace(picture, data=data, media_type="image/png" if kind == "image/png" else "image/jpeg")
