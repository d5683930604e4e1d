"""A report in another language: every sentence, header, label and mark of it, names and commands left alone."""

from dataclasses import replace
from typing import TypeVar, cast

from thalweg.core.languages import Said, Speaker, speaker
from thalweg.core.report import (
    Block,
    Comparisons,
    Curves,
    Drawing,
    KeyNumber,
    Line,
    Listing,
    Mark,
    Matrix,
    Paragraph,
    Picture,
    PictureGrid,
    Report,
    Section,
    Table,
)
from thalweg.rendering.said_drawing import said_drawing, said_line

__all__ = ["translated", "translated_block"]

_Kind = TypeVar("_Kind", bound=Block)

_NAMES = {"class", "file", "files", "run", "layer", "place", "field", "signal"}
"""Headers whose columns hold names, which are not looked up."""
_OURS = {"what", "called", "findings", "other findings", "remedy", "what it costs", "could also be"}
"""Headers whose columns hold words of ours, listed in a catalogue under the header's own name."""


def translated(report: Report, language: str) -> Report:
    """Say a report in another language; what its catalogue does not know stays English.

    Args:
        report: In English.
        language: As of `--lang`.

    Returns:
        The report with its texts as `Said`.

    Raises:
        PlanError: There is no catalogue for the language.

    Example:
        >>> translated(Report(title="t", answer=("No file was left out.",), sections=()), "fa").answer
        ('هیچ فایلی کنار گذاشته نشد.',)
    """
    if language == "en":
        return report
    voice = speaker(language, isolated=True)
    return replace(
        report,
        title=voice.say(report.title, "title"),
        answer=tuple(map(voice.say, report.answer)),
        sections=tuple(
            Section(
                title=voice.say(section.title, "title"), blocks=tuple(_block(block, voice) for block in section.blocks)
            )
            for section in report.sections
        ),
        numbers=tuple(_number(number, voice) for number in report.numbers),
        provenance={voice.say(name, "header"): text for name, text in report.provenance.items()},
    )


def translated_block(block: _Kind, language: str) -> _Kind:
    """Say a block of a report in another language.

    Args:
        block: In English.
        language: As of `--lang`.

    Returns:
        The block with its texts as `Said`.

    Raises:
        PlanError: There is no catalogue for the language.

    Example:
        >>> translated_block(Paragraph(text="No file was left out."), "fa").text
        'هیچ فایلی کنار گذاشته نشد.'
    """
    return block if language == "en" else cast("_Kind", _block(block, speaker(language, isolated=True)))


def _block(block: Block, voice: Speaker) -> Block:  # noqa: PLR0911 - a kind a line
    match block:
        case Paragraph(style="command"):
            return block
        case Paragraph(text=text):
            return replace(block, text=voice.say(text))
        case Table():
            return _table(block, voice)
        case Curves():
            return replace(
                block,
                caption=voice.say(block.caption),
                x_label=voice.say(block.x_label, "label"),
                y_label=voice.say(block.y_label, "label"),
                lines=tuple(_line(line, voice) for line in block.lines),
                marks=tuple(_mark(mark, voice) for mark in block.marks),
            )
        case PictureGrid():
            pictures = tuple(_picture(picture, voice) for picture in block.pictures)
            return replace(block, caption=voice.say(block.caption), pictures=pictures)
        case Matrix():
            pictures_of = {key: tuple(_picture(each, voice) for each in some) for key, some in block.pictures.items()}
            unit = voice.say(block.unit, "label")
            return replace(block, caption=voice.say(block.caption), pictures=pictures_of, unit=unit)
        case Comparisons():
            pairs = tuple(
                replace(pair, truth=_picture(pair.truth, voice), answer=_picture(pair.answer, voice))
                for pair in block.pictures
            )
            return replace(block, caption=voice.say(block.caption), pictures=pairs)
        case Listing(caption=caption):
            return replace(block, caption=voice.say(caption))
        case Drawing():
            numbers = None if block.numbers is None else _table(block.numbers, voice)
            svg, words = said_drawing(block.svg, voice), _lines(block.alternative, voice)
            return replace(block, caption=voice.say(block.caption), svg=svg, alternative=words, numbers=numbers)


def _lines(text: str, voice: Speaker) -> str:
    """A text alternative, line by line; one of sentences is no drawing in characters, whose spaces count."""
    lines = text.splitlines()
    return text if len(lines) > 1 and "─" in text else Said("\n".join(said_line(line, voice) for line in lines))


def _table(table: Table, voice: Speaker) -> Table:
    named = [head in _NAMES for head in table.header]
    contexts = [head if head in _OURS else "cell" for head in table.header]
    rows = tuple(
        tuple(
            cell if named[place] and not place else voice.number(voice.say(cell, contexts[place]))
            for place, cell in enumerate(row[: len(named)])
        )
        + tuple(voice.number(voice.say(cell, "cell")) for cell in row[len(named) :])
        for row in table.rows
    )
    header = tuple(voice.say(head, "header") for head in table.header)
    return replace(table, caption=voice.say(table.caption), header=header, rows=rows)


def _line(line: Line, voice: Speaker) -> Line:
    return replace(line, label=voice.say(line.label, "label"))


def _mark(mark: Mark, voice: Speaker) -> Mark:
    return replace(mark, label=voice.say(mark.label, "label"), reason=voice.say(mark.reason))


def _picture(picture: Picture, voice: Speaker) -> Picture:
    return replace(picture, caption=voice.say(picture.caption), badge=voice.say(picture.badge, "label"))


def _number(number: KeyNumber, voice: Speaker) -> KeyNumber:
    said = voice.say(number.value, "label")
    return replace(
        number,
        label=voice.say(number.label, "label"),
        value=voice.number(said) if said is number.value else said,
        note=voice.say(number.note),
    )
