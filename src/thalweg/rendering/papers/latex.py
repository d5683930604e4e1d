r"""A paper in LaTeX: in English, a document that compiles with amsmath alone.

Whoever wants it inside a text of their own takes what stands between `\begin{document}` and `\end{document}`. A
language that is read from the right wants XeLaTeX and its package bidi; of a few fonts the first that is there is
taken, and Latin words stand in `\LR{...}`, as XeTeX turns nothing around by itself.
"""

import re
from collections.abc import Iterator, Sequence

from thalweg.core.errors import SpecError
from thalweg.core.formula import parse_formula
from thalweg.core.languages import Said, Speaker, said, speaker, spoken
from thalweg.rendering.formulas.latex import formula_latex, latex_lines, matrix_latex, name_latex, words_latex
from thalweg.rendering.markup import shown
from thalweg.rendering.papers.matrix import count_entries, entry_lines, fitted
from thalweg.rendering.papers.paper import Equations, Grid, Matrix, Paper, Part, Sketch, Verdict, Words
from thalweg.rendering.papers.said import begun, said_paper

__all__ = ["LATEX_HEAD", "equation_latex", "matrix_lines", "paper_latex"]

_LINE = 78
_MOST_ROWS = 16
_MOST_COLUMNS = 16
_MOST_LISTED = 40
LATEX_HEAD = r"""\documentclass[a4paper,11pt]{article}
\usepackage[margin=25mm]{geometry}
\usepackage{amsmath,amssymb}
"""
_BODY = r"""\allowdisplaybreaks
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6\baselineskip}
\begin{document}
"""
_FONTS = ("Vazirmatn", "XB Niloofar", "Amiri", "Noto Naskh Arabic", "Tahoma", "DejaVu Sans")
_WORD = r"-{0,2}[A-Za-z0-9](?:[!-~]*[A-Za-z0-9])?[ᵀ²]?"
_LATIN = re.compile(rf"{_WORD}(?: (?:[=+*/·×] )?{_WORD})*")


def paper_latex(paper: Paper) -> str:
    r"""Write a paper in LaTeX.

    Args:
        paper: What to say.

    Returns:
        A document for `pdflatex`, of a language that is read from the right for `xelatex`; in English, in ASCII.

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
    voice = speaker(spoken())
    paper = said_paper(paper, voice)
    blocks = [rf"\section*{{{_worded(paper.title)}}}", *_parts(paper.lead)]
    for section in paper.sections:
        blocks += [rf"\subsection*{{{_worded(section.title)}}}", *_parts(section.parts)]
    body = "\n".join(blocks)
    text = f"{_head(voice)}{body}\n\\end{{document}}\n"
    return text.encode("ascii", "replace").decode("ascii") if voice.language == "en" else text


def _head(voice: Speaker) -> str:
    if voice.direction == "ltr":
        return LATEX_HEAD + _BODY
    *others, choice = (rf"\setmainfont[Script=Arabic]{{{font}}}" for font in _FONTS)
    for font, chosen in reversed([*zip(_FONTS, others, strict=False)]):
        choice = rf"\IfFontExistsTF{{{font}}}{{{chosen}}}{{{choice}}}"
    bidi = "\\usepackage[RTLdocument]{bidi} % the last of all packages\n"
    return f"% xelatex\n{LATEX_HEAD}\\usepackage{{fontspec}}\n{choice}\n{bidi}{_BODY}"


def _worded(text: str) -> str:
    """Words in text mode; those of Latin letters in a line that is read from the right are set from the left."""
    words = shown(text)
    if not isinstance(text, Said) or speaker(spoken()).direction == "ltr":
        return words_latex(words)
    pieces, end = [], 0
    for match in _LATIN.finditer(words):
        pieces += [words_latex(words[end : match.start()]), rf"\LR{{{words_latex(match[0])}}}"]
        end = match.end()
    return "".join([*pieces, words_latex(words[end:])])


def _told(text: str) -> str:
    """A sentence of ours in the language of the moment."""
    found = said(text)
    return _worded(found if found == text else Said(found)).replace("…", r"\dots{}")


def _parts(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        match part:
            case Words():
                yield f"{_worded(part.text)}\n"
            case Verdict():
                mark = {True: r"\checkmark", False: r"\times", None: r"\circ"}[part.good]
                yield f"${mark}$ {_worded(part.text)}\n"
            case Equations():
                yield _aligned([line for each in part.lines for line in equation_latex(each)])
                if part.left_out:
                    yield _told(f"… and {part.left_out:,} more.") + "\n"
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
    found = fitted(matrix, most_rows=_MOST_ROWS, most_columns=_MOST_COLUMNS, widest=_LINE)
    if found is None:
        return None
    cells = [[r"\cdots" if cell is None else formula_latex(cell) for cell in row] for row in found.cells]
    front = "" if found.factor is None else f"{formula_latex(found.factor)} "
    told = f"A part of {found.height} rows and {found.width} columns." if found.cut else ""
    return f"{name_latex(matrix.name)} = {front}{matrix_latex(cells)}", told


def _matrix(matrix: Matrix) -> Iterator[str]:
    if matrix.place:
        yield f"{_worded(begun(matrix.place))}:\n"
    found = matrix_lines(matrix)
    if found is not None:
        yield f"\\[\n{found[0]}\n\\]\n"
        if found[1]:
            yield f"{_told(found[1])}\n"
        return
    yield _aligned([written for line in entry_lines(matrix, _MOST_LISTED) for written in equation_latex(line)])
    if (count := count_entries(matrix)) > _MOST_LISTED:
        yield _told(f"… and {count - _MOST_LISTED:,} of {count:,} entries more.") + "\n"


def _sketch(sketch: Sketch) -> Iterator[str]:
    if sketch.brief:
        return
    grids = [_grid(grid) for grid in sketch.grids]
    joints = [{"*": r"\ast", "=": "="}.get(joint, "") for joint in sketch.joints] + [""] * len(grids)
    yield "\\[\n" + " \\quad ".join(f"{grid} {joint}" for grid, joint in zip(grids, joints, strict=False)) + "\n\\]\n"
    yield f"{_worded(sketch.caption)}\n"


def _grid(grid: Grid) -> str:
    rows = [
        [rf"\boxed{{{_cell(cell.text)}}}" if cell.tap >= 0 or cell.chosen else _cell(cell.text) for cell in row]
        for row in grid.rows
    ]
    inner = r" \\ ".join(" & ".join(row) for row in rows)
    columns = "c" * len(grid.rows[0])
    return rf"\underset{{\text{{{_worded(grid.title)}}}}}{{\begin{{array}}{{{columns}}} {inner} \end{{array}}}}"


def _cell(text: str) -> str:
    try:
        return formula_latex(parse_formula(text)) if text else "{}"
    except SpecError:
        return rf"\text{{{words_latex(shown(text))}}}"
