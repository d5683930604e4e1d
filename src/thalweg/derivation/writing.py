"""The whole derivation as a value: tensors as nested text, matrices, steps, rule and notes."""

from collections.abc import Sequence

from thalweg.core.derivation import ConvolutionCase, Derivation, Entries, SelfCheck
from thalweg.derivation.expression import Expression
from thalweg.derivation.gradients import Gradients, opened
from thalweg.derivation.head_words import conventions
from thalweg.derivation.rule import RULE, deviations
from thalweg.derivation.steps import forward_lines, write_steps

__all__ = ["LARGEST_MATRIX", "nested", "write_derivation"]

LARGEST_MATRIX = 20_000
"""Entries of a Jacobian that is still written out."""


def write_derivation(
    case: ConvolutionCase, found: Gradients, notes: Sequence[str], self_check: SelfCheck
) -> Derivation:
    """Put a derivation into words.

    Args:
        case: The case.
        found: What was worked out.
        notes: Sentences on what was taken as usual.
        self_check: The comparison that was made.

    Returns:
        The answer of `derive`, without proof and without a student's answer.
    """
    remarks = [*notes, *conventions(case, found.y)]
    matrix = _matrix(found, len(found.x), 0, found.f)
    by_filter = _matrix(found, len(found.f), 1, found.x)
    for name, rows, count in (("dy/dx", matrix, len(found.x)), ("dy/df", by_filter, len(found.f))):
        if not rows:
            remarks.append(
                f"the matrix of {name} is left out: {len(found.y) * count:,} entries are more than {LARGEST_MATRIX:,}"
            )
    return Derivation(
        case=case,
        O=str(opened(found.O)),
        y=nested(list(map(str, found.y)), case.y_shape),
        forward=tuple(forward_lines(case, found)),
        matrix=matrix,
        dy_df=by_filter,
        dO_dy=nested(list(map(str, found.dO_dy)), case.y_shape),
        dO_dx=nested(list(map(str, found.dO_dx)), case.x_shape),
        dO_df=nested(list(map(str, found.dO_df)), case.f_shape),
        dO_db=tuple(map(str, found.dO_db)),
        steps=tuple(write_steps(case, found)),
        rule=RULE,
        deviations=tuple(deviations(case)),
        notes=tuple(remarks),
        self_check=self_check,
    )


def nested(entries: Sequence[str], shape: Sequence[int]) -> Entries:
    """Fold a flat list into nested tuples.

    Args:
        entries: Row by row.
        shape: Sizes.

    Returns:
        Tuples of tuples; the entry itself where there is no axis.

    Example:
        >>> nested(["a", "b", "c", "d"], (2, 2))
        (('a', 'b'), ('c', 'd'))
    """
    if not shape:
        return entries[0]
    step = len(entries) // shape[0]
    return tuple(nested(entries[at * step : (at + 1) * step], shape[1:]) for at in range(shape[0]))


def _matrix(found: Gradients, columns: int, side: int, others: Sequence[Expression]) -> tuple[tuple[str, ...], ...]:
    """A Jacobian of y: in row i and column j the entry that meets j in y_i."""
    if len(found.y) * columns > LARGEST_MATRIX:
        return ()
    rows = []
    for pairs in found.meetings:
        row = ["0"] * columns
        for pair in pairs:
            row[pair[side]] = str(others[pair[1 - side]])
        rows.append(tuple(row))
    return tuple(rows)
