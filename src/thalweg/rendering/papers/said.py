"""A paper in the reader's language: its sentences, titles and captions; formulas are the same in every language."""

from dataclasses import replace

from thalweg.core.languages import Said, Speaker
from thalweg.rendering.papers.paper import Grid, Matrix, Paper, Part, Section, Sketch, Verdict, Words

__all__ = ["begun", "said_paper"]


def said_paper(paper: Paper, voice: Speaker) -> Paper:
    """Say a paper in another language; what its catalogue does not know stays English.

    Args:
        paper: In English.
        voice: Who speaks; of the language `en` the paper is handed back as it is.

    Returns:
        The paper with its texts as `Said`.

    Example:
        >>> from thalweg.core.languages import speaker
        >>> said_paper(Paper(title="Checked", lead=(), sections=()), speaker("fa")).title
        'بررسی شد'
    """
    if voice.language == "en":
        return paper
    sections = tuple(
        Section(title=voice.say(section.title), parts=tuple(_part(part, voice) for part in section.parts))
        for section in paper.sections
    )
    lead = tuple(_part(part, voice) for part in paper.lead)
    return Paper(title=voice.say(paper.title), lead=lead, sections=sections)


def _part(part: Part, voice: Speaker) -> Part:
    match part:
        case Verdict(sentences=sentences) if sentences:
            return replace(part, text=Said(" ".join(map(voice.say, sentences))))
        case Words() | Verdict():
            return replace(part, text=voice.say(part.text))
        case Matrix(place=place):
            return replace(part, place=voice.say(place))
        case Sketch():
            grids = tuple(_grid(grid, voice) for grid in part.grids)
            return replace(part, caption=voice.say(part.caption), grids=grids)
        case _:
            return part


def _grid(grid: Grid, voice: Speaker) -> Grid:
    """The title of a grid that is named after an output is a formula."""
    return grid if grid.title[1:].isdigit() else replace(grid, title=voice.say(grid.title))


def begun(place: str) -> str:
    """Begin a line with the place of a matrix, with a capital where a language has them.

    Args:
        place: Such as `channel 2`.

    Returns:
        The same, to stand at the beginning.

    Example:
        >>> begun("channel 2")
        'Channel 2'
    """
    return place if isinstance(place, Said) else place.capitalize()
