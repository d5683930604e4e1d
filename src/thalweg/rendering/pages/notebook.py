"""Pieces of a page for a notebook's cell: no script, nothing loaded, the notebook's own fonts and colours.

A cell is no page: styles must stay inside it, so that every rule begins with a class of ours, and figures lie on their
own paper, because they follow the screen's dark mode and the notebook may have one of its own. What is said is said in
the language of the moment (`thalweg.speak`).
"""

import base64
from collections.abc import Iterable, Sequence

from thalweg.core.languages import Said, Speaker, speaker, spoken
from thalweg.core.report import (
    Block,
    Curves,
    Drawing,
    Matrix,
    Paragraph,
    Picture,
    PictureGrid,
    Report,
    Section,
    Table,
)
from thalweg.rendering.figures.curves import draw_curves
from thalweg.rendering.markup import escape
from thalweg.rendering.pages.drawings import check_drawing
from thalweg.rendering.translated import translated, translated_block
from thalweg.rendering.words import words_for

__all__ = ["blocks_html", "cell", "folded", "listed", "report_html"]

_STYLE = (
    "<style>.tw-cell{font:14px/1.5 system-ui,sans-serif;max-width:60rem}.tw-cell p{margin:.25em 0}"
    ".tw-cell .tw-title{font-weight:700;font-size:1.1em}.tw-cell .tw-wide{overflow-x:auto}"
    ".tw-cell table{border-collapse:collapse;margin:.5em 0;font-variant-numeric:tabular-nums}"
    ".tw-cell caption,.tw-cell figcaption{text-align:start;font-style:italic;opacity:.85}"
    ".tw-cell th,.tw-cell td{text-align:start;padding:.15em .7em;border-bottom:1px solid rgba(128,128,128,.35)}"
    ".tw-cell figure{margin:.6em 0}.tw-cell figure svg{max-width:100%;height:auto;border-radius:8px}"
    ".tw-cell svg.tw{background:var(--tw-paper)}"
    ".tw-cell summary{cursor:pointer;font-weight:600;margin:.3em 0}"
    ".tw-cell .tw-pictures{display:flex;flex-wrap:wrap;gap:.4em}"
    ".tw-cell .tw-pictures img{height:72px;border-radius:4px}"
    ".tw-cell .tw-warning{border-inline-start:3px solid #c65102;padding-inline-start:.6em}"
    ".tw-cell code{white-space:pre-wrap}</style>"
)
_MOST_ROWS, _MOST_PICTURES, _WIDEST = 40, 16, 12


def cell(title: str, lines: Sequence[str], parts: Iterable[str] = ()) -> str:
    """Put a cell together.

    Args:
        title: What it shows, in English or already `Said`.
        lines: Sentences under it.
        parts: HTML made by this file or by other renderers of this package.

    Returns:
        HTML.

    Example:
        >>> "&lt;b&gt;" in cell("<b>", ("One line.",))
        True
    """
    voice = _voice()
    named = voice.say(title, "title")
    head = f'<p class="tw-title"{_way(named)}>{escape(named)}</p>' if title else ""
    told = "".join(f"<p{_way(line)}>{escape(line)}</p>" for line in map(voice.say, lines))
    frame = "" if voice.language == "en" else f' lang="{voice.language}" dir="{voice.direction}"'
    return f'<div class="tw-cell"{frame}>{_STYLE}{head}{told}{"".join(parts)}</div>'


def report_html(report: Report, *, opened: Sequence[str] = ()) -> str:
    """Show a report in a cell: its answer, and its sections folded.

    Args:
        report: What to say.
        opened: Titles of sections that are not folded.

    Returns:
        HTML.
    """
    spoken_report = translated(report, spoken())
    sections = [
        _section(section, opened=english.title in opened)
        for section, english in zip(spoken_report.sections, report.sections, strict=True)
    ]
    return cell(spoken_report.title, spoken_report.answer, sections)


def folded(title: str, inner: str, *, opened: bool = False) -> str:
    """Fold a part away under its title.

    Args:
        title: What is in it.
        inner: HTML made by a renderer of this package.
        opened: Whether it is open at first.

    Returns:
        HTML.
    """
    named = _voice().say(title, "title")
    return f"<details{' open' if opened else ''}><summary>{escape(named)}</summary>{inner}</details>"


def listed(lines: Iterable[str]) -> str:
    """Show sentences as a list.

    Args:
        lines: In English.

    Returns:
        HTML.

    Example:
        >>> listed(("One.", "Two."))
        '<ul><li dir="auto">One.</li><li dir="auto">Two.</li></ul>'
    """
    return "<ul>" + "".join(f"<li{_way(line)}>{escape(line)}</li>" for line in map(_voice().say, lines)) + "</ul>"


def blocks_html(blocks: Iterable[Block]) -> str:
    """Show blocks of a report.

    Args:
        blocks: Text, tables, curves, drawings, pictures, confusion matrices.

    Returns:
        HTML; what only a page can show (sliders) is left to the page.

    Example:
        >>> blocks_html([Table(caption="", header=("a",), rows=(("1",),))]).count("<td")
        1
    """
    return "".join(_block(translated_block(block, spoken())) for block in blocks)


def _voice() -> Speaker:
    return speaker(spoken(), isolated=True)


def _way(text: str) -> str:
    """A sentence of ours runs as its language does, whatever it begins with; somebody else's as it begins."""
    return f' dir="{_voice().direction if isinstance(text, Said) else "auto"}"'


def _section(section: Section, *, opened: bool) -> str:
    return folded(section.title, "".join(map(_block, section.blocks)), opened=opened)


def _block(block: Block) -> str:  # noqa: PLR0911 - one answer a kind
    match block:
        case Paragraph(style="command"):
            return f"<p><code>{escape(block.text)}</code></p>"
        case Paragraph():
            kind = ' class="tw-warning"' if block.style == "warning" else ""
            return f"<p{kind}{_way(block.text)}>{escape(block.text)}</p>"
        case Table():
            return _table(block.caption, block.header, block.rows)
        case Curves():
            return _figure(draw_curves(block, voice=_voice()), block.caption)
        case Drawing():
            return _figure(check_drawing(block.svg), block.caption)
        case PictureGrid():
            shown = "".join(map(_picture, block.pictures[:_MOST_PICTURES]))
            return _figure(f'<div class="tw-pictures">{shown}</div>', block.caption)
        case Matrix() if len(block.labels) <= _WIDEST:
            rows = tuple((label, *map(str, counts)) for label, counts in zip(block.labels, block.counts, strict=True))
            return _table(block.caption, (words_for(spoken())["true"], *block.labels), rows)
        case _:
            caption = escape(getattr(block, "caption", ""))
            return f"<p>{caption} {escape(_voice().say('The report shows this.'))}</p>"


def _figure(inner: str, caption: str) -> str:
    return f"<figure>{inner}<figcaption>{escape(caption)}</figcaption></figure>"


def _table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col"{_way(name)}>{escape(name)}</th>' for name in header)
    body = "".join(
        "<tr>" + "".join(f"<td{_way(text)}>{escape(text)}</td>" for text in row) + "</tr>" for row in rows[:_MOST_ROWS]
    )
    more = words_for(spoken())["more_rows"].format(count=_voice().number(f"{len(rows) - _MOST_ROWS:,}"))
    rest = f"<p>{escape(more)}</p>" if len(rows) > _MOST_ROWS else ""
    return (
        f'<div class="tw-wide"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{rest}"
    )


def _picture(picture: Picture) -> str:
    if picture.media_type not in {"image/jpeg", "image/png"}:
        return ""
    data = base64.b64encode(picture.data).decode("ascii")
    caption = escape(picture.caption)
    return f'<img src="data:{picture.media_type};base64,{data}" alt="{caption}" title="{caption}">'
