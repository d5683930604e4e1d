"""How a formula is laid out, whatever it is written in: the rows of a matrix, and bases that need no brackets."""

from collections.abc import Sequence

from thalweg.core.formula import Call, Formula, Name, Number, Rows
from thalweg.rendering.formulas.names import split_name

__all__ = ["matrix_rows", "stands_alone"]


def matrix_rows(formula: Rows) -> Sequence[Sequence[Formula]]:
    """The rows of a bracketed list.

    Args:
        formula: A vector or a matrix.

    Returns:
        Rows of entries; a vector lies on its side, in one row.

    Example:
        >>> matrix_rows(Rows((Name("a"), Name("b"))))
        [(Name(name='a'), Name(name='b'))]
    """
    if not any(isinstance(each, Rows) for each in formula.items):
        return [formula.items]
    return [each.items if isinstance(each, Rows) else (each,) for each in formula.items]


def stands_alone(base: Formula) -> bool:
    """Whether a power's base needs no brackets.

    Args:
        base: What is raised.

    Returns:
        True for a number, a name that is no derivative, and a function that is written with its name.

    Example:
        >>> stands_alone(Name("x1")), stands_alone(Call("exp", (Name("x1"),)))
        (True, False)
    """
    simple = isinstance(base, Number) or (isinstance(base, Name) and split_name(base.name).by is None)
    return simple or (isinstance(base, Call) and base.name not in {"exp", "Heaviside"})
