"""A paper as one HTML page with MathML: no script, nothing loaded, readable on a phone, in the dark and on paper.

Long sums wrap, a term at a time; matrices that are wider than the screen scroll in a box of their own; the sketches are
tables, whose squares have the colour of the filter entry they meet.
"""

import html
import importlib.resources
from collections.abc import Iterator, Sequence

from thalweg.core.errors import SpecError
from thalweg.core.formula import Formula, parse_formula
from thalweg.core.languages import Speaker, speaker, spoken
from thalweg.core.report import Report
from thalweg.rendering.formulas.mathml import formula_mathml, mathml_pieces, matrix_mathml, name_mathml
from thalweg.rendering.markup import escape
from thalweg.rendering.pages.page_data import carried
from thalweg.rendering.papers.band import COLOURS, draw_band
from thalweg.rendering.papers.matrix import count_entries, entry_lines, fitted
from thalweg.rendering.papers.paper import Cell, Equations, Grid, Matrix, Paper, Part, Section, Sketch, Verdict, Words
from thalweg.rendering.papers.said import begun, said_paper

__all__ = ["paper_page"]

_WIDEST = 76
_MOST_ROWS = 24
_MOST_COLUMNS = 24
_MOST_LISTED = 120
_MARKS = {True: ("good", "✓"), False: ("bad", "✗"), None: ("open", "–")}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def paper_page(paper: Paper, *, data: Report | None = None) -> str:
    """Write a paper as a page that needs nothing from anywhere.

    Args:
        paper: What to say.
        data: The same as a report, which the page carries along for `thalweg export`; no browser runs it.

    Returns:
        HTML.

    Example:
        >>> page = paper_page(Paper(title="One", lead=(Equations(lines=("y1 = x1*f1",)),), sections=()))
        >>> page.startswith("<!doctype html>"), page.count("<math"), "<script" in page
        (True, 2, False)
    """
    style = importlib.resources.files("thalweg.rendering").joinpath("templates", "paper.css").read_text("utf-8").strip()
    voice = speaker(spoken(), isolated=True)
    paper = said_paper(paper, voice)
    title = escape(paper.title)
    body = "\n".join(_section(number, section, voice) for number, section in enumerate(paper.sections, start=1))
    links = "".join(
        f'<li><a href="#part-{number}">{escape(section.title)}</a></li>'
        for number, section in enumerate(paper.sections, start=1)
    )
    along = "" if data is None else f'<script type="application/json" id="data">{carried(data)}</script>\n'
    return f"""<!doctype html>
<html lang="{voice.language}" dir="{voice.direction}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="thalweg">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
{"".join(_parts(paper.lead, voice))}
</header>
<nav aria-label="{escape(voice.say("Contents", "frame"))}"><ol>{links}</ol></nav>
<main>
{body}
</main>
{along}</body>
</html>
"""


def _section(number: int, section: Section, voice: Speaker) -> str:
    inner = "\n".join(_parts(section.parts, voice))
    return f'<section id="part-{number}">\n<h2>{escape(section.title)}</h2>\n{inner}\n</section>'


def _parts(parts: Sequence[Part], voice: Speaker) -> Iterator[str]:
    for part in parts:
        match part:
            case Words():
                yield f"<p>{escape(part.text)}</p>"
            case Verdict():
                kind, mark = _MARKS[part.good]
                yield f'<p class="verdict {kind}"><span aria-hidden="true">{mark}</span> {escape(part.text)}</p>'
            case Equations():
                yield "".join(map(_equation, part.lines))
                if part.left_out:
                    yield _hint(f"… and {part.left_out:,} more; --json has all.", voice)
            case Matrix() if part.taps:
                yield draw_band(part, voice)
            case Matrix():
                yield _matrix(part, voice)
            case Sketch():
                yield _sketch(part)


def _equation(line: str) -> str:
    """One `<math>` a term, so that a long sum wraps between them; further lines are indented."""
    return f'<div class="equation" dir="ltr">{_pieces(line)}</div>'


def _hint(text: str, voice: Speaker) -> str:
    return f'<p class="hint">{escape(voice.say(text))}</p>'


def _pieces(line: "Formula | str") -> str:
    try:
        return " ".join(f"<math>{_spaced(piece)}</math>" for piece in mathml_pieces(line))
    except SpecError:
        return escape(line)


def _spaced(piece: str) -> str:
    """Give a sign at the edge of its `<math>` the room that it has inside of one."""
    for sign in ("+", "−", "="):
        plain = f'<mo form="infix">{sign}</mo>'
        if piece.startswith(plain):
            return f'<mo form="infix" lspace="0" rspace="0.25em">{sign}</mo>{piece.removeprefix(plain)}'
    return piece


def _matrix(matrix: Matrix, voice: Speaker) -> str:
    found = fitted(matrix, most_rows=_MOST_ROWS, most_columns=_MOST_COLUMNS, widest=_WIDEST)
    place = f'<p class="place">{escape(begun(matrix.place))}</p>' if matrix.place else ""
    if found is None:
        return place + _listed(matrix, voice)
    cells = [["<mo>…</mo>" if cell is None else f"<mrow>{_inner(cell)}</mrow>" for cell in row] for row in found.cells]
    front = "" if found.factor is None else f"{_inner(found.factor)}<mo>&#8290;</mo>"
    said = ""
    if found.cut:
        said = _hint(f"A part of {found.height} rows and {found.width} columns; --json has all.", voice)
    name = name_mathml(matrix.name)
    math = f'<math display="block">{name}<mo>=</mo>{front}{matrix_mathml(cells)}</math>'
    return f'{place}<div class="scroll" dir="ltr" tabindex="0">{math}</div>{said}'


def _inner(tree: Formula) -> str:
    return "".join(mathml_pieces(tree))


def _listed(matrix: Matrix, voice: Speaker) -> str:
    count = count_entries(matrix)
    rest = count - _MOST_LISTED
    more = _hint(f"… and {rest:,} of {count:,} entries more; --json has all.", voice) if rest > 0 else ""
    return "".join(map(_equation, entry_lines(matrix, _MOST_LISTED))) + more


def _sketch(sketch: Sketch) -> str:
    joints = [*sketch.joints, *[""] * len(sketch.grids)]
    inner = "".join(
        _grid(grid) + (f'<span class="joint" aria-hidden="true">{escape(joint)}</span>' if joint else "")
        for grid, joint in zip(sketch.grids, joints, strict=False)
    )
    kind = "grids views" if sketch.brief else "grids"
    return (
        f'<figure><div class="{kind}" dir="ltr">{inner}</div><figcaption>{escape(sketch.caption)}</figcaption></figure>'
    )


def _grid(grid: Grid) -> str:
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in grid.rows)
    title = formula_mathml(grid.title) if grid.title[1:].isdigit() else escape(grid.title)
    return f'<div class="scroll"><table class="squares"><caption>{title}</caption><tbody>{rows}</tbody></table></div>'


def _cell(cell: Cell) -> str:
    kinds = [f"tap{cell.tap % COLOURS}"] if cell.tap >= 0 else []
    kinds += ["padding"] * cell.padding + ["chosen"] * cell.chosen
    try:
        inner = formula_mathml(parse_formula(cell.text)) if cell.text else ""
    except SpecError:
        inner = html.escape(cell.text)
    return f'<td class="{" ".join(kinds)}">{inner}</td>' if kinds else f"<td>{inner}</td>"
