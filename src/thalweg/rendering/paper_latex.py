r"""A paper in LaTeX: a document that compiles with amsmath alone.

Whoever wants it inside a text of their own takes what stands between `\begin{document}` and `\end{document}`.
"""

from collections.abc import Iterator, Sequence

from thalweg.core.errors import SpecError
from thalweg.core.formula import parse_formula
from thalweg.rendering.formula_latex import formula_latex, latex_lines, matrix_latex, name_latex, words_latex
from thalweg.rendering.formula_text import formula_text
from thalweg.rendering.markup import shown
from thalweg.rendering.paper import Equations, Grid, Matrix, Paper, Part, Sketch, Verdict, Words
from thalweg.rendering.paper_matrix import entry_name, factored, shortened

__all__ = ["equation_latex", "matrix_lines", "paper_latex"]

_LINE = 78
_MOST_ROWS = 16
_MOST_COLUMNS = 16
_MOST_LISTED = 40
_HEAD = r"""\documentclass[a4paper,11pt]{article}
\usepackage[margin=25mm]{geometry}
\usepackage{amsmath,amssymb}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6\baselineskip}
\begin{document}
"""


def paper_latex(paper: Paper) -> str:
    r"""Write a paper in LaTeX.

    Args:
        paper: What to say.

    Returns:
        A document for `pdflatex`, in ASCII.

    Example:
        >>> paper = Paper(title="One product", lead=(Equations(lines=("y1 = x1*f1",)),), sections=())
        >>> print(*paper_latex(paper).splitlines()[-6:], sep="\n")
        \section*{One product}
        \begin{align*}
        y_{1} & = x_{1}\,f_{1}
        \end{align*}
        <BLANKLINE>
        \end{document}
    """
    blocks = [rf"\section*{{{words_latex(shown(paper.title))}}}", *_parts(paper.lead)]
    for section in paper.sections:
        blocks += [rf"\subsection*{{{words_latex(shown(section.title))}}}", *_parts(section.parts)]
    body = "\n".join(blocks)
    return f"{_HEAD}{body}\n\\end{{document}}\n".encode("ascii", "replace").decode("ascii")


def _parts(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        match part:
            case Words():
                yield f"{words_latex(shown(part.text))}\n"
            case Verdict():
                mark = {True: r"\checkmark", False: r"\times", None: r"\circ"}[part.good]
                yield f"${mark}$ {words_latex(shown(part.text))}\n"
            case Equations():
                yield _aligned([line for each in part.lines for line in equation_latex(each)])
                if part.left_out:
                    yield f"\\dots{{}} and {part.left_out} more.\n"
            case Matrix():
                yield from _matrix(part)
            case Sketch():
                yield from _sketch(part)


def _aligned(lines: list[str]) -> str:
    inner = " \\\\\n".join(lines)
    return f"\\begin{{align*}}\n{inner}\n\\end{{align*}}\n"


def equation_latex(line: str) -> list[str]:
    r"""Write an equation in lines of an `align*`, broken before signs where it is long.

    Args:
        line: In the notation of formulas.

    Returns:
        The lines, the first with its `&` before the equals sign.

    Example:
        >>> equation_latex("y1 = x1*f1 + x2*f2")
        ['y_{1} & = x_{1}\\,f_{1} + x_{2}\\,f_{2}']
    """
    try:
        left, *rest = latex_lines(line)
    except SpecError:
        return [rf"& \text{{{words_latex(shown(line))}}}"]
    if not rest or not rest[0].startswith("="):
        return [f"& {formula_latex(line)}"] if not rest else _broken("&", [left, *rest])
    return _broken(f"{left} &", rest)


def _broken(begin: str, pieces: list[str]) -> list[str]:
    """Lines of about as many signs as fit on paper; brackets are never stretched, so that they may span lines."""
    lines, line, used = [], begin, len(_bare(begin))
    for piece in pieces:
        size = len(_bare(piece)) + 1
        if used + size > _LINE and line not in {begin, r"& \quad"}:
            lines.append(line)
            line, used = r"& \quad", 2
        line, used = f"{line} {piece}", used + size
    return [*lines, line]


def _bare(latex: str) -> str:
    """About what of it is seen."""
    for noise in (r"\frac", r"\partial", r"\left", r"\right", r"\mathit", r"\,", "{", "}", "_", "^", "&", "\\"):
        latex = latex.replace(noise, "")
    return latex


def matrix_lines(matrix: Matrix) -> tuple[str, str] | None:
    r"""Write a matrix as one equation, if it fits on a page.

    Args:
        matrix: The matrix.

    Returns:
        The equation, and a sentence about what was left out; None where its entries are better listed.

    Example:
        >>> matrix_lines(Matrix(name="dO_dy", rows=(("c", "c"),)))[0]
        '\\frac{\\partial O}{\\partial y} = \\left[\\begin{array}{cc} c & c \\end{array}\\right]'
    """
    factor, entries = factored(matrix.rows)
    height, across = len(entries), len(entries[0])
    kept = shortened(height, across, most_rows=_MOST_ROWS, most_columns=_MOST_COLUMNS)
    sizes = [
        max(len(formula_text(row[column])) for row in entries) if column is not None else 1 for column in kept.columns
    ]
    if sum(sizes) + 2 * len(sizes) > _LINE:
        return None
    cells = [
        [r"\cdots" if row is None or column is None else formula_latex(entries[row][column]) for column in kept.columns]
        for row in kept.rows
    ]
    front = "" if factor is None else f"{formula_latex(factor)} "
    said = "" if None not in {*kept.rows, *kept.columns} else f"A part of {height} rows and {across} columns."
    return f"{name_latex(matrix.name)} = {front}{matrix_latex(cells)}", said


def _matrix(matrix: Matrix) -> Iterator[str]:
    if matrix.place:
        yield f"{words_latex(shown(matrix.place)).capitalize()}:\n"
    found = matrix_lines(matrix)
    if found is not None:
        yield f"\\[\n{found[0]}\n\\]\n"
        if found[1]:
            yield f"{found[1]}\n"
        return
    places = [(row, column) for row in range(len(matrix.rows)) for column in range(len(matrix.rows[row]))]
    lines = [f"{entry_name(matrix, row, column)} = {matrix.rows[row][column]}" for row, column in places[:_MOST_LISTED]]
    yield _aligned([written for line in lines for written in equation_latex(line)])
    if len(places) > _MOST_LISTED:
        yield f"\\dots{{}} and {len(places) - _MOST_LISTED} of {len(places)} entries more.\n"


def _sketch(sketch: Sketch) -> Iterator[str]:
    if sketch.brief:
        return
    grids = [_grid(grid) for grid in sketch.grids]
    joints = [{"*": r"\ast", "=": "="}.get(joint, "") for joint in sketch.joints] + [""] * len(grids)
    yield "\\[\n" + " \\quad ".join(f"{grid} {joint}" for grid, joint in zip(grids, joints, strict=False)) + "\n\\]\n"
    yield f"{words_latex(shown(sketch.caption))}\n"


def _grid(grid: Grid) -> str:
    rows = [
        [rf"\boxed{{{_cell(cell.text)}}}" if cell.tap >= 0 or cell.chosen else _cell(cell.text) for cell in row]
        for row in grid.rows
    ]
    inner = r" \\ ".join(" & ".join(row) for row in rows)
    columns = "c" * len(grid.rows[0])
    return (
        rf"\underset{{\text{{{words_latex(shown(grid.title))}}}}}{{\begin{{array}}{{{columns}}} {inner} \end{{array}}}}"
    )


def _cell(text: str) -> str:
    try:
        return formula_latex(parse_formula(text)) if text else "{}"
    except SpecError:
        return rf"\text{{{words_latex(shown(text))}}}"
