"""Matrices before they are drawn: a factor of all entries goes to the front, large ones show corners or are listed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from thalweg.core.formula import Formula, Name, Number, Product, Quotient, parse_formula
from thalweg.rendering.formulas.text import formula_text
from thalweg.rendering.papers.paper import Matrix

__all__ = ["Fitted", "Shortened", "count_entries", "entry_lines", "factored", "fitted", "shortened"]

_ONE = Number(Fraction(1))


def factored(rows: Sequence[Sequence[str]]) -> tuple[Formula | None, list[list[Formula]]]:
    """Take out what every entry is multiplied by.

    Args:
        rows: Entries in the notation of formulas.

    Returns:
        The common factor, or None; and the entries without it.

    Example:
        >>> factor, entries = factored([["c*f1", "c*(f1 + f2)"], ["0", "c*f3"]])
        >>> factor, entries[1][1]
        (Name(name='c'), Name(name='f3'))
    """
    trees = [[parse_formula(entry) for entry in row] for row in rows]
    flat = [tree for row in trees for tree in row if not _is_zero(tree)]
    if len(flat) < 2:  # noqa: PLR2004 - a single entry shares with nobody
        return None, trees
    taken: list[Formula] = []
    below: Formula | None = None
    if all(isinstance(tree, Quotient) and isinstance(tree.denominator, Number) for tree in flat):
        denominators = {tree.denominator for tree in flat if isinstance(tree, Quotient)}
        if len(denominators) == 1:
            below = denominators.pop()
            trees = [[tree.numerator if isinstance(tree, Quotient) else tree for tree in row] for row in trees]
            if all(tree == _ONE or _is_zero(tree) for row in trees for tree in row):  # nothing but 1/4: leave it be
                return None, [[parse_formula(entry) for entry in row] for row in rows]
    while True:
        first = {_first(tree) for row in trees for tree in row if not _is_zero(tree)}
        if len(first) != 1 or not isinstance(factor := first.pop(), Name):
            break
        rest = [[tree if _is_zero(tree) else _rest(tree) for tree in row] for row in trees]
        if all(tree == _ONE or _is_zero(tree) for row in rest for tree in row):
            break  # one and the same symbol everywhere reads better where it is
        taken.append(factor)
        trees = rest
    above = taken[0] if len(taken) == 1 else Product(tuple(taken)) if taken else None
    if below is not None:
        return Quotient(above or _ONE, below), trees
    return above, trees


def _is_zero(tree: Formula) -> bool:
    return isinstance(tree, Number) and tree.value == 0


def _first(tree: Formula) -> Formula:
    return tree.factors[0] if isinstance(tree, Product) else tree


def _rest(tree: Formula) -> Formula:
    if not isinstance(tree, Product):
        return _ONE
    rest = tree.factors[1:]
    return rest[0] if len(rest) == 1 else Product(rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortened:
    """A matrix whose middle was left out.

    Args:
        rows: The rows that are shown, by number; None stands for those left out.
        columns: The columns, likewise.
    """

    rows: tuple[int | None, ...]
    columns: tuple[int | None, ...]


def shortened(height: int, width: int, *, most_rows: int, most_columns: int) -> Shortened:
    """Choose which rows and columns of a matrix are shown.

    Args:
        height: Rows there are.
        width: Columns there are.
        most_rows: Rows there is room for, the row of dots included.
        most_columns: Columns likewise.

    Returns:
        All of them where there is room, otherwise the first ones and the last.

    Example:
        >>> shortened(2, 9, most_rows=4, most_columns=5)
        Shortened(rows=(0, 1), columns=(0, 1, 2, None, 8))
    """
    return Shortened(rows=_kept(height, most_rows), columns=_kept(width, most_columns))


def _kept(size: int, most: int) -> tuple[int | None, ...]:
    if size <= most:
        return tuple(range(size))
    return (*range(max(1, most - 2)), None, size - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A matrix as it is drawn.

    Args:
        factor: What every entry is multiplied by, or None.
        cells: The entries that are shown without it; None stands for dots.
        height: Rows of the whole matrix.
        width: Columns of the whole matrix.
    """

    factor: Formula | None
    cells: tuple[tuple[Formula | None, ...], ...]
    height: int
    width: int

    @property
    def cut(self) -> bool:
        """Whether a part was left out."""
        return any(cell is None for row in self.cells for cell in row)


def fitted(matrix: Matrix, *, most_rows: int, most_columns: int, widest: int) -> Fitted | None:
    """Bring a matrix into the room that there is.

    Args:
        matrix: The matrix.
        most_rows: Rows there is room for.
        most_columns: Columns there is room for.
        widest: Signs that a row may have, two for each gap between entries included.

    Returns:
        What is drawn; None where its entries are too long and better listed.

    Example:
        >>> wide = Matrix(name="a", rows=(tuple(f"x{k}" for k in range(9)),))
        >>> found = fitted(wide, most_rows=4, most_columns=4, widest=40)
        >>> [cell and formula_text(cell) for cell in found.cells[0]], found.cut
        (['x₀', 'x₁', None, 'x₈'], True)
        >>> fitted(wide, most_rows=4, most_columns=9, widest=20) is None
        True
    """
    factor, entries = factored(matrix.rows)
    height, width = len(entries), len(entries[0])
    kept = shortened(height, width, most_rows=most_rows, most_columns=most_columns)
    sizes = [1 if column is None else max(len(formula_text(row[column])) for row in entries) for column in kept.columns]
    if sum(sizes) + 2 * len(sizes) > widest:
        return None
    cells = tuple(
        tuple(None if row is None or column is None else entries[row][column] for column in kept.columns)
        for row in kept.rows
    )
    return Fitted(factor=factor, cells=cells, height=height, width=width)


def entry_lines(matrix: Matrix, most: int) -> Iterator[str]:
    """List a matrix entry by entry.

    Args:
        matrix: The matrix.
        most: How many entries at most.

    Returns:
        An equation an entry, in the notation of formulas.

    Example:
        >>> list(entry_lines(Matrix(name="dO_dx", rows=(("a",), ("b",))), 2))
        ['dO_dx_1_1 = a', 'dO_dx_2_1 = b']
    """
    named = (
        f"{_entry_name(matrix, row, column)} = {entry}"
        for row, entries in enumerate(matrix.rows)
        for column, entry in enumerate(entries)
    )
    return islice(named, most)


def count_entries(matrix: Matrix) -> int:
    """Count the entries of a matrix.

    Args:
        matrix: The matrix.

    Returns:
        How many there are.

    Example:
        >>> count_entries(Matrix(name="a", rows=(("1", "2"), ("3", "4"))))
        4
    """
    return sum(map(len, matrix.rows))


def _entry_name(matrix: Matrix, row: int, column: int) -> str:
    numbers = (*matrix.index, row + 1, column + 1) if len(matrix.rows) > 1 else (*matrix.index, column + 1)
    return matrix.name + ("" if len(numbers) == 1 else "_") + "_".join(map(str, numbers))
