"""A paper in characters: at most as wide as the terminal, matrices drawn, large ones with their middle left out."""

import textwrap
from collections.abc import Iterator, Sequence

from thalweg.core.errors import SpecError
from thalweg.core.formula import Equation, Formula, parse_formula
from thalweg.core.languages import said, speaker, spoken
from thalweg.rendering.columns import columns, fenced, to_left
from thalweg.rendering.formulas.text import formula_text, name_text, wrap_formula
from thalweg.rendering.markup import shown
from thalweg.rendering.papers.matrix import count_entries, entry_lines, factored, shortened
from thalweg.rendering.papers.paper import Equations, Grid, Matrix, Paper, Part, Sketch, Verdict, Words
from thalweg.rendering.papers.said import said_paper

__all__ = ["paper_text"]

_MOST_ROWS = 18
_MOST_COLUMNS = 20
_MOST_LISTED = 18
_MOST_LISTED_LINES = 30
_NARROWEST = 20
_ASCII = str.maketrans({"·": "*", "×": "x", "∂": "d", "→": "->", "≥": ">=", "−": "-", "…": "...", "≤": "<=", "ᵀ": "^T"})


def paper_text(paper: Paper, *, width: int = 80, plain: bool = False, colour: bool = False) -> str:
    """Write a paper for a terminal.

    Args:
        paper: What to say.
        width: Columns there are.
        plain: Use ASCII alone.
        colour: Let headings stand out, on a terminal that can.

    Returns:
        Lines of at most `width` characters, as far as names allow.

    Example:
        >>> print(paper_text(Paper(title="One product", lead=(Equations(lines=("y1 = x1*f1",)),), sections=())))
        One product
        <BLANKLINE>
          y₁ = x₁·f₁
    """
    writer = _Writer(width=max(width, _NARROWEST), plain=plain)
    paper = said_paper(paper, speaker(spoken()))
    lines = [_heading(line, colour) for line in writer.wrap(paper.title, indent=0)]
    lines += writer.parts(paper.lead)
    for section in paper.sections:
        rule = ("-" if plain else "─") * min(columns(shown(section.title)), writer.width)
        lines += ["", *(_heading(line, colour) for line in writer.wrap(section.title, indent=0)), rule]
        lines += writer.parts(section.parts)[1:]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _heading(line: str, colour: bool) -> str:
    return f"\x1b[1m{line}\x1b[0m" if colour else line


class _Writer:
    def __init__(self, *, width: int, plain: bool) -> None:
        self.width, self.plain = width, plain

    def parts(self, parts: Sequence[Part]) -> list[str]:
        lines: list[str] = []
        for part in parts:
            lines += ["", *self.part(part)] if (found := list(self.part(part))) else found
        return lines

    def part(self, part: Part) -> Iterator[str]:
        match part:
            case Words():
                yield from self.wrap(part.text, indent=0)
            case Verdict():
                mark = {True: "ok", False: "WRONG", None: "--"}[part.good]
                yield from self.wrap(f"{said(mark, 'derive')}: {part.text}", indent=4)
            case Equations():
                for line in part.lines:
                    yield from self.equation(line)
                if part.left_out:
                    yield "  " + said(f"... and {part.left_out:,} more")
            case Matrix():
                yield from self.matrix(part)
            case Sketch() if not part.brief:
                yield from self.sketch(part)
            case _:
                return

    def wrap(self, text: str, *, indent: int) -> list[str]:
        text = shown(text).translate(_ASCII if self.plain else {})
        return textwrap.wrap(
            text, self.width, subsequent_indent=" " * indent, break_long_words=True, break_on_hyphens=False
        )

    def written(self, formula: "Formula | str") -> str:
        try:
            return formula_text(formula, plain=self.plain)
        except SpecError:  # not in the notation: shown as it is
            return shown(formula)

    def equation(self, line: str, margin: int = 2) -> list[str]:
        """Break after the first equals sign's column, so that sums stand below one another."""
        try:
            tree = parse_formula(line)
        except SpecError:
            return self.wrap("  " + line, indent=4)
        space = " " * margin
        if not isinstance(tree, Equation):
            return wrap_formula(self.written(tree), self.width, indent=margin + 4, begin=space)
        left, *right = (self.written(side) for side in tree.sides)
        indent = min(margin + len(left), self.width // 3)
        return wrap_formula(" = ".join((left, *right)), self.width, indent=indent + 1, begin=space)

    def matrix(self, matrix: Matrix) -> Iterator[str]:
        begin = "  " + name_text(matrix.name, plain=self.plain)
        if matrix.place:
            yield f"  {matrix.place}:"
        factor, entries = factored(matrix.rows)
        if factor is not None:
            front = self.written(factor)
            begin += f" = {front}" + ("*" if self.plain else " ·")
        else:
            begin += " ="
        drawn = self.drawn(matrix, begin, [[self.written(entry) for entry in row] for row in entries])
        yield from drawn or self.listed(matrix)

    def drawn(self, matrix: Matrix, begin: str, cells: list[list[str]]) -> list[str]:
        if matrix.taps:  # of the matrix that a convolution is, the pattern is the point
            cells = [[cell if cell != "0" else "." for cell in row] for row in cells]
        height, across = len(cells), len(cells[0])
        most_rows = height if height <= _MOST_ROWS else 8
        for most in range(min(across, _MOST_COLUMNS), min(across, 3) - 1, -1):
            kept = shortened(height, across, most_rows=most_rows, most_columns=most)
            table = self.picked(cells, kept.rows, kept.columns)
            sizes = [max(map(len, column)) for column in zip(*table, strict=True)]
            if len(begin) + sum(sizes) + 2 * len(sizes) + 4 > self.width:
                continue
            if None in kept.columns and max(sizes) > 12:  # noqa: PLR2004 - long entries are better listed
                return []
            lines = self.bracketed(table, sizes, begin)
            if None in kept.rows or None in kept.columns:
                shown_rows = sum(each is not None for each in kept.rows)
                shown_columns = sum(each is not None for each in kept.columns)
                told = (
                    f"{shown_rows} of {height} rows and {shown_columns} of {across} columns are shown; --json has all."
                )
                lines += self.wrap("  " + said(told), indent=2)
            return lines
        return []

    def picked(
        self, cells: list[list[str]], rows: tuple[int | None, ...], columns: tuple[int | None, ...]
    ) -> list[list[str]]:
        dots = "..." if self.plain else "…"
        return [[dots if row is None or column is None else cells[row][column] for column in columns] for row in rows]

    def bracketed(self, table: list[list[str]], sizes: list[int], begin: str) -> list[str]:
        body = ["  ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)) for row in table]
        middle, space = (len(body) - 1) // 2, " " * len(begin)
        lines = []
        for number, row in enumerate(body):
            if self.plain or len(body) == 1:
                left, right = "[", "]"
            else:
                place = 0 if number == 0 else 2 if number == len(body) - 1 else 1
                left, right = "⎡⎢⎣"[place], "⎤⎥⎦"[place]
            lines.append(f"{begin if number == middle else space} {left} {row} {right}")
        return lines

    def listed(self, matrix: Matrix) -> Iterator[str]:
        count, shown_, used = count_entries(matrix), 0, 0
        for line in entry_lines(matrix, _MOST_LISTED):
            lines = self.equation(line)
            used += len(lines)
            if shown_ and used > _MOST_LISTED_LINES:
                break
            yield from lines
            shown_ += 1
        if count > shown_:
            told = f"... and {count - shown_:,} of {count:,} entries more; --json or --out FILE.html has all."
            yield from self.wrap("  " + said(told), indent=2)

    def sketch(self, sketch: Sketch) -> Iterator[str]:
        blocks = [self.grid(grid) for grid in sketch.grids]
        joints = [*sketch.joints, *[""] * (len(blocks) - len(sketch.joints))]
        wide = sum(columns(block[0]) for block in blocks) + 5 * len(blocks)
        if wide > self.width:
            for block in blocks:
                yield from ("  " + line for line in block if len(line) + 2 <= self.width)
        else:
            height = max(map(len, blocks))
            for number in range(height):
                line = "  "
                for block, joint in zip(blocks, joints, strict=True):
                    line += block[number] if number < len(block) else " " * columns(block[0])
                    line += f"  {joint if number == min(2, height - 1) else '':1}  "
                yield line
        yield from self.wrap("  " + sketch.caption, indent=2)

    def grid(self, grid: Grid) -> list[str]:
        texts = [[self.written(cell.text) if cell.text else "" for cell in row] for row in grid.rows]
        size = max((len(text) for row in texts for text in row), default=1)
        lines = [
            " ".join(
                f"[{text:^{size}}]" if cell.tap >= 0 or cell.chosen else f" {text:^{size}} "
                for text, cell in zip(words, cells, strict=True)
            )
            for words, cells in zip(texts, grid.rows, strict=True)
        ]
        wide = max(columns(grid.title), *map(len, lines))
        return [fenced(to_left(line, wide)) for line in (grid.title, *lines)]
