"""A paper in Markdown with formulas between dollar signs, as notebooks and many hosts of code show them."""

from collections.abc import Iterator, Sequence

from thalweg.core.languages import said, speaker, spoken
from thalweg.rendering.markup import shown
from thalweg.rendering.papers.latex import equation_latex, matrix_lines
from thalweg.rendering.papers.matrix import count_entries, entry_lines
from thalweg.rendering.papers.paper import Equations, Grid, Matrix, Paper, Part, Sketch, Verdict, Words
from thalweg.rendering.papers.said import begun, said_paper

__all__ = ["paper_markdown"]

_MOST_LISTED = 60


def paper_markdown(paper: Paper) -> str:
    r"""Write a paper in Markdown.

    Args:
        paper: What to say.

    Returns:
        Headings, paragraphs, and `$$` blocks.

    Example:
        >>> print(paper_markdown(Paper(title="One", lead=(Equations(lines=("y1 = x1*f1",)),), sections=())))
        # One
        <BLANKLINE>
        $$
        \begin{aligned}
        y_{1} & = x_{1}\,f_{1}
        \end{aligned}
        $$
        <BLANKLINE>
    """
    paper = said_paper(paper, speaker(spoken()))
    blocks = [f"# {_words(paper.title)}", *_parts(paper.lead)]
    for section in paper.sections:
        blocks += [f"## {_words(section.title)}", *_parts(section.parts)]
    return "\n\n".join(blocks) + "\n"


def _words(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\*_`<>[]$#|" else letter for letter in shown(text))


def _parts(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        match part:
            case Words():
                yield _words(part.text)
            case Verdict():
                yield f"**{ {True: '✓', False: '✗', None: '–'}[part.good] }** {_words(part.text)}"
            case Equations():
                yield _display([line for each in part.lines for line in equation_latex(each)])
                if part.left_out:
                    yield said(f"… and {part.left_out:,} more.")
            case Matrix():
                yield from _matrix(part)
            case Sketch() if not part.brief:
                yield from (_grid(grid) for grid in part.grids)
                yield _words(part.caption)
            case _:
                continue


def _display(lines: list[str]) -> str:
    inner = " \\\\\n".join(lines)
    return f"$$\n\\begin{{aligned}}\n{inner}\n\\end{{aligned}}\n$$"


def _matrix(matrix: Matrix) -> Iterator[str]:
    if matrix.place:
        yield f"{_words(begun(matrix.place))}:"
    found = matrix_lines(matrix)
    if found is not None:
        yield f"$$\n{found[0]}\n$$"
        if found[1]:
            yield said(found[1])
        return
    yield _display([written for line in entry_lines(matrix, _MOST_LISTED) for written in equation_latex(line)])
    if (count := count_entries(matrix)) > _MOST_LISTED:
        yield said(f"… and {count - _MOST_LISTED:,} of {count:,} entries more.")


def _grid(grid: Grid) -> str:
    """A table; what is marked stands bold."""
    from thalweg.rendering.formulas.text import formula_text

    rows = []
    for row in grid.rows:
        texts = [_words(formula_text(cell.text)) if cell.text else "" for cell in row]
        marks = ["**" if cell.tap >= 0 or cell.chosen else "" for cell in row]
        rows.append("| " + " | ".join(f"{mark}{text}{mark}" for text, mark in zip(texts, marks, strict=True)) + " |")
    head = [f"| {_words(grid.title)} |" + "  |" * (len(grid.rows[0]) - 1), "|" + ":-:|" * len(grid.rows[0])]
    return "\n".join([*head, *rows])
