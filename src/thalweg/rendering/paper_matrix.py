"""Matrices before they are drawn: a factor of all entries goes to the front, and a large one shows its corners."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from thalweg.core.formula import Formula, Name, Number, Product, Quotient, parse_formula
from thalweg.rendering.paper import Matrix

__all__ = ["Shortened", "entry_name", "factored", "shortened"]

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


def entry_name(matrix: Matrix, row: int, column: int) -> str:
    """Name one entry of a matrix.

    Args:
        matrix: The matrix.
        row: From 0.
        column: From 0.

    Returns:
        The name with numbers from 1, in the notation of formulas.

    Example:
        >>> entry_name(Matrix(name="dO_dx", rows=(("a",), ("b",))), 1, 0)
        'dO_dx_2_1'
    """
    numbers = (*matrix.index, row + 1, column + 1) if len(matrix.rows) > 1 else (*matrix.index, column + 1)
    return matrix.name + ("" if len(numbers) == 1 else "_") + "_".join(map(str, numbers))
