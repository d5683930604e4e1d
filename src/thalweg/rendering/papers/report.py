"""A derivation as a report, for programs: its lines and its matrices are tables, its squares are drawings.

The page of a derivation is a paper, whose formulas are MathML; what it says goes along as data in this form, so that
`thalweg export` writes it as CSV, SVG and PNG like that of every other page.
"""

from collections.abc import Iterator

from thalweg.core.report import Block, Paragraph, Report, Section, Table
from thalweg.rendering.papers.band import band_drawing
from thalweg.rendering.papers.matrix import count_entries
from thalweg.rendering.papers.paper import Equations, Matrix, Paper, Part, Sketch, Verdict, Words
from thalweg.rendering.papers.sketch_drawing import draw_sketch

__all__ = ["paper_report"]

_MOST = 20_000
"""Entries of a matrix that is written whole; of a larger one, which is nearly empty, the places that are not zero."""
_CHECKED = {True: "good", False: "bad", None: "not done"}


def paper_report(paper: Paper) -> Report:
    """Lay out a paper as a report.

    Args:
        paper: In English.

    Returns:
        The report: all lines as one table, then each matrix and drawing under its section.

    Example:
        >>> paper = Paper(title="One", lead=(Equations(lines=("y1 = x1*f1",)),), sections=())
        >>> paper_report(paper).sections[0].blocks[0].rows
        (('answer', 'formula', 'y1 = x1*f1'),)
    """
    rows = [("answer", *line) for line in _lines(paper.lead)]
    rows += [(section.title, *line) for section in paper.sections for line in _lines(section.parts)]
    steps = Table(caption="Every line", header=("section", "kind", "line"), rows=tuple(rows))
    parts = [("Answer", paper.lead), *((section.title, section.parts) for section in paper.sections)]
    sections = [Section(title=title, blocks=tuple(_blocks(inner))) for title, inner in parts]
    return Report(
        title=paper.title,
        answer=tuple(part.text for part in paper.lead if isinstance(part, Words | Verdict)),
        sections=(Section(title="Derivation", blocks=(steps,)), *(each for each in sections if each.blocks)),
    )


def _lines(parts: tuple[Part, ...]) -> Iterator[tuple[str, str]]:
    for part in parts:
        match part:
            case Words():
                yield "sentence", part.text
            case Equations():
                yield from (("formula", line) for line in part.lines)
                if part.left_out:
                    yield "sentence", f"… and {part.left_out:,} more; --json has all."
            case Verdict():
                yield f"check: {_CHECKED[part.good]}", part.text


def _blocks(parts: tuple[Part, ...]) -> Iterator[Block]:
    for part in parts:
        match part:
            case Matrix():
                yield _table(part)
                if part.taps:
                    yield band_drawing(part)
            case Sketch():
                yield draw_sketch(part)
            case Verdict():
                yield Paragraph(text=part.text)


def _table(matrix: Matrix) -> Table:
    caption = f"{matrix.name}, {matrix.place}" if matrix.place else matrix.name
    if count_entries(matrix) > _MOST:
        places = tuple(
            (str(row), str(column), entry)
            for row, entries in enumerate(matrix.rows, start=1)
            for column, entry in enumerate(entries, start=1)
            if entry != "0"
        )
        return Table(caption=f"{caption}, where it is not zero", header=("row", "column", "entry"), rows=places)
    columns = map(str, range(1, len(matrix.rows[0]) + 1))
    rows = tuple((str(number), *entries) for number, entries in enumerate(matrix.rows, start=1))
    return Table(caption=caption, header=("row", *columns), rows=rows)
