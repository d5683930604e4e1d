"""The report as one HTML file: no network access, opened by double click, readable on a phone and on paper.

Three walls stand between a hostile file name and the reader. Every expression of the template is made printable and
escaped (jinja2's `finalize` and autoescape), drawings are checked element by element, and the page's own content
security policy allows exactly one script by its hash, no connection, and no picture that is not inside the file.
"""

import base64
import functools
import hashlib
import importlib.resources
import json
import re
from collections.abc import Iterator
from typing import Any

from thalweg.core.errors import PlanError
from thalweg.core.languages import Said, Speaker, speaker, spoken
from thalweg.core.report import (
    Block,
    Comparisons,
    Curves,
    Drawing,
    Listing,
    Matrix,
    Paragraph,
    Picture,
    PictureGrid,
    Report,
    Table,
)
from thalweg.rendering.figures.confusion import WIDEST_GRID, frequent_confusions, matrix_rows
from thalweg.rendering.figures.curves import draw_curves, figure_facts, tabulate_curves
from thalweg.rendering.markup import is_number, isolated, shown
from thalweg.rendering.pages.drawings import check_drawing
from thalweg.rendering.pages.page_data import carried
from thalweg.rendering.translated import translated
from thalweg.rendering.words import words_for

__all__ = ["content_security_policy", "render_html"]

_NEXT = ("Next:", "Try first:")
"""How a line of the answer begins that says what to do."""
_SPOKEN = ("closer", "copied", "csv", "digits", "further", "log", "reset", "selected")
"""Words that the page's script says."""
_ROWS_SHOWN = 24
_PICTURES_SHOWN = 24
_PROSE, _FEW = 48, 4
"""A cell that is longer is a sentence, a table of more columns is one of numbers."""
_LONG_LABEL = 32
"""Labels of marks that are longer are told in full under the figure as well."""


def render_html(report: Report, *, language: str | None = None, data: bool = False) -> str:
    """Write a report as one HTML file.

    Args:
        report: What to say.
        language: Language to write it in: `en`, or one that has a catalogue; by default that of the command line.
        data: Whether the page carries its numbers along, for `thalweg export`; a run has them in `report.json`.

    Returns:
        The page, which needs nothing from anywhere.

    Raises:
        PlanError: There are no words for the language, or a block holds what no page may hold.

    Example:
        >>> page = render_html(Report(title="small on elpv", answer=("0.84 right.",), sections=()))
        >>> page.startswith("<!doctype html>"), "<title>small on elpv" in page
        (True, True)
    """
    from markupsafe import Markup

    language = language or spoken()
    words, voice = words_for(language), speaker(language, isolated=True)
    english, report = report, translated(report, language)
    style, script = _asset("report.css"), _asset("report.js")
    sections = [
        {
            "id": f"part-{number}",
            "title": section.title,
            "blocks": list(_views(section.blocks, f"part-{number}", voice)),
        }
        for number, section in enumerate(report.sections, start=1)
    ]
    page: str = (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            lines=[
                {"text": line, "next": plain.startswith(_NEXT)}
                for line, plain in zip(report.answer[1:], english.answer[1:], strict=True)
            ],
            fill=voice.fill,
            number=voice.number,
            way=lambda text: words["direction"] if isinstance(text, Said) else "auto",
            sections=sections,
            page_words=json.dumps({name: words[name] for name in _SPOKEN}, ensure_ascii=False),
            words=words,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            data=Markup(carried(english)) if data else "",  # noqa: S704 - cannot end its element
            policy=Markup(content_security_policy(script)),  # noqa: S704 - made of a hash
        )
    )
    return page


def content_security_policy(script: str) -> str:
    """Write the policy that lets a browser run one script and load nothing.

    Args:
        script: The text of the only script allowed.

    Returns:
        The value of a `Content-Security-Policy`.

    Example:
        >>> content_security_policy("")[:20]
        "default-src 'none'; "
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return importlib.resources.files("thalweg.rendering").joinpath("templates", name).read_text("utf-8").strip()


@functools.cache
def _environment() -> Any:  # noqa: ANN401 - jinja2 is loaded only where a page is made
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("thalweg.rendering", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else shown(value),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["data_uri"] = _data_uri
    environment.globals["newline"] = Markup("\n")
    environment.filters["isolated"] = _isolated
    environment.filters["path"] = lambda text: Markup(isolated(text, path=True))  # noqa: S704 - escaped there
    environment.filters["paragraphs"] = lambda text: [type(text)(part) for part in text.splitlines() if part.strip()]
    return environment


def _data_uri(picture: Picture) -> str:
    """Write a picture into the page; base64 needs no escaping, and escaping megabytes would take seconds."""
    from markupsafe import Markup

    if picture.media_type not in {"image/jpeg", "image/png"}:
        raise PlanError(f"picture {shown(picture.file)} is {shown(picture.media_type)}; a page shows JPEG and PNG")
    encoded = base64.b64encode(picture.data).decode("ascii")
    return Markup(f"data:{picture.media_type};base64,{encoded}")  # noqa: S704 - a checked type and base64


def _inert(facts: dict[str, object]) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(facts, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _views(blocks: tuple[Block, ...], place: str, voice: Speaker) -> Iterator[dict[str, Any]]:
    """Give each block what the template cannot work out itself; the key `kind` chooses its macro."""
    from markupsafe import Markup

    for number, block in enumerate(blocks, start=1):
        view: dict[str, Any] = {"block": block, "id": f"{place}-{number}"}
        match block:
            case Paragraph():
                view |= {"kind": "paragraph"}
            case Table():
                view |= {"kind": "table", **_table_view(block.header, block.rows)}
            case Curves():
                header, rows, step, total = tabulate_curves(block)
                rows = [tuple(map(voice.number, row)) for row in rows]
                heights = (210, 220) if block.small else (320, 300)
                wide = draw_curves(block, height=heights[0], voice=voice)
                narrow = draw_curves(block, width=360, height=heights[1], voice=voice)
                view |= {"kind": "curves", "wide": Markup(wide), "narrow": Markup(narrow)}  # noqa: S704 - escaped there
                view |= {**_table_view(header, tuple(rows)), "step": step, "total": total}
                view |= {"facts": Markup(_inert(figure_facts(block)))}  # noqa: S704 - escaped there
                view |= {"reasons": [mark for mark in block.marks if mark.reason or len(mark.label) > _LONG_LABEL]}
            case PictureGrid():
                view |= {"kind": "pictures", "first": block.pictures[:_PICTURES_SHOWN]}
                view |= {"rest": block.pictures[_PICTURES_SHOWN:]}
            case Matrix():
                view |= {"kind": "matrix", "grid": len(block.labels) <= WIDEST_GRID, "rows": matrix_rows(block)}
                view |= {"pairs": frequent_confusions(block), "dense": len(block.labels) > 8}  # noqa: PLR2004 - columns
            case Comparisons():
                view |= {"kind": "comparisons", "legend": [(name, _colour(shade)) for name, shade in block.legend]}
            case Listing():
                view |= {"kind": "listing"}
            case Drawing():
                view |= {"kind": "drawing", "svg": Markup(check_drawing(block.svg))}  # noqa: S704 - just checked
                table = block.numbers
                view |= _table_view(table.header, table.rows) if table else {"header": ()}
        yield view


def _colour(shade: str) -> str:
    """A colour that may stand in a style."""
    if not re.fullmatch(r"#[0-9a-f]{6}", shade):
        raise PlanError(f"{shown(shade)} is no colour; a page takes such as #804080")
    return shade


def _isolated(text: str) -> str:
    """A sentence with its names set apart, which one that was translated has done already."""
    from markupsafe import Markup

    return text if isinstance(text, Said) else Markup(isolated(text))  # noqa: S704 - escaped there


def _table_view(header: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    """Split a table into what is seen at once and what is folded; find the columns of numbers, and sentences."""
    columns = max([len(header), *map(len, rows)]) if rows else len(header)
    numeric = [
        bool(rows) and all(is_number(row[column]) for row in rows if column < len(row)) for column in range(columns)
    ]
    # On a phone a table of sentences stands cell under cell, each under the name of its column.
    prose = columns == len(header) <= _FEW and any(len(cell) > _PROSE for row in rows for cell in row[1:])
    shown, rest = rows[:_ROWS_SHOWN], rows[_ROWS_SHOWN:]
    return {"header": header, "rows": shown, "rest": rest, "numeric": numeric, "prose": prose}
