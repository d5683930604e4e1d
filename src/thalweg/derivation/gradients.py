"""The chain rule at work: from O back to y, from y back to x, f and b, every entry an exact expression.

dO/dx[j] = sum over outputs i of dO/dy[i] dy[i]/dx[j],   dy[i]/dx[j] = the filter entry that meets x[j] in y[i]
dO/df[k] = sum over outputs i of dO/dy[i] dy[i]/df[k],   dy[i]/df[k] = the input entry that meets f[k] in y[i]
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from thalweg.core.derivation import ConvolutionCase
from thalweg.derivation.expression import ONE, Bracket, Expression, Factor, Factors, Symbol, Term, add, symbol
from thalweg.derivation.geometry import Product, products
from thalweg.derivation.stages import run_stage, stage_symbol

__all__ = ["Gradients", "collect", "gradient_at_output", "opened", "work_out", "y_symbols"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gradients:
    """Everything a derivation consists of, flat and row by row.

    Args:
        meetings: For every output entry its products, as places in x and f.
        x: Input entries.
        f: Filter entries.
        y: Output entries.
        O: The number at the end.
        dO_dy: Gradient at the output.
        dO_dx: Gradient at the input.
        dO_df: Gradient at the filter.
        dO_db: Gradient at the bias of every filter.
    """

    meetings: list[list[Product]]
    x: list[Expression]
    f: list[Expression]
    y: list[Expression]
    O: Expression  # noqa: E741 - the textbook's name
    dO_dy: list[Expression]  # noqa: N815 - as in the interface
    dO_dx: list[Expression]  # noqa: N815
    dO_df: list[Expression]  # noqa: N815
    dO_db: list[Expression]  # noqa: N815


def work_out(case: ConvolutionCase, outer: Sequence[Expression] | None = None) -> Gradients:
    """Differentiate a case.

    Args:
        case: The case.
        outer: Another gradient at the output to go on from, such as a wrong one; that of the head by default.

    Returns:
        Output and gradients.

    Example:
        >>> from thalweg.derivation.case import build_case
        >>> case, _ = build_case("conv1d", x="3", f="2", head="c*sum")
        >>> [str(entry) for entry in work_out(case).dO_dx]
        ['c*f1', 'c*(f1 + f2)', 'c*f2']
    """
    x = [stage_symbol(entry, 2, place) for place, entry in enumerate(case.x)]
    f = [stage_symbol(entry, 3, place) for place, entry in enumerate(case.f)]
    b = [stage_symbol(entry, 4, place) for place, entry in enumerate(case.bias or ())]
    meetings = products(case)
    size = len(meetings) // case.out_channels
    y = []
    for place, pairs in enumerate(meetings):
        entry = [x[i] * f[k] for i, k in pairs]
        y.append(add([*entry, b[place // size]] if b else entry))
    outcome, right = gradient_at_output(case, y)
    outer = right if outer is None else list(outer)
    at_x: list[list[tuple[Expression, Expression]]] = [[] for _ in x]
    at_f: list[list[tuple[Expression, Expression]]] = [[] for _ in f]
    for gradient, pairs in zip(outer, meetings, strict=True):
        for i, k in pairs:
            at_x[i].append((gradient, f[k]))
            at_f[k].append((gradient, x[i]))
    blocks = [outer[channel * size : (channel + 1) * size] for channel in range(case.out_channels)]
    return Gradients(
        meetings=meetings,
        x=x,
        f=f,
        y=y,
        O=outcome,
        dO_dy=outer,
        dO_dx=[collect(pairs) for pairs in at_x],
        dO_df=[collect(pairs) for pairs in at_f],
        dO_db=[collect([(gradient, ONE) for gradient in block]) for block in blocks],
    )


def gradient_at_output(case: ConvolutionCase, y: Sequence[Expression]) -> tuple[Expression, list[Expression]]:
    """Go through the head and back.

    Args:
        case: With the head.
        y: What enters it.

    Returns:
        O, and its gradient at y.
    """
    values, extents, channels, ways = list(y), case.output, case.out_channels, []
    for stage in case.head:
        values, way, left = run_stage(stage, values, channels, extents)
        ways.append(way)
        extents = left or (1,) * case.axes
        channels = len(values) // math.prod(extents)
    gradient = [ONE]
    for way in reversed(ways):
        gradient = way(gradient)
    return values[0], [opened(each) for each in gradient]


def collect(pairs: Iterable[tuple[Expression, Expression]]) -> Expression:
    """Add up products of a gradient and an entry, as a textbook does: c f1 + c f3 becomes c (f1 + f3).

    Terms with the same gradient are put into one bracket, and those with the same denominator over it.

    Args:
        pairs: Gradient and entry of each product; entries are numbers or symbols.

    Returns:
        The sum.
    """
    inner: dict[Factors, list[Expression]] = {}
    for gradient, entry in pairs:
        for factor, rest in _parts(gradient):
            inner.setdefault(rest, []).append(entry.scaled(factor))
    grouped: dict[Factors, list[Expression]] = {}
    for rest, entries in inner.items():
        total = _in_order(add(entries))
        if not total.terms:
            continue
        below = tuple((base, power) for base, power in rest if power < 0)
        above = tuple((base, power) for base, power in rest if power > 0)
        grouped.setdefault(below, []).append(_times(above, total))
    return opened(add(_times(below, add(parts)) for below, parts in grouped.items()))


def _parts(gradient: Expression) -> tuple[Term, ...]:
    """Terms of a gradient; a sum such as `2*y1 - 2*t1` stays together, one over a common denominator does not."""
    if len(gradient.terms) > 1 and not any(power < 0 for _, rest in gradient.terms for _, power in rest):
        return (gradient.single(),)
    return gradient.terms


def _in_order(total: Expression) -> Expression:
    """Entries in the order of their numbers, `f1 + f3`, although the sum met them the other way round."""
    if all(len(rest) == 1 and isinstance(rest[0][0], Symbol) for _, rest in total.terms):
        return Expression(tuple(sorted(total.terms, key=lambda term: term[1][0][0].key)))
    return total


def _times(factors: Factors, inside: Expression) -> Expression:
    return Expression(((Fraction(1), factors),)) * inside if factors else inside


def opened(total: Expression) -> Expression:
    """Write what all terms share before one bracket: `f1/4 + f2/4` becomes `(f1 + f2)/4`.

    Args:
        total: A sum.

    Returns:
        The same as a product, or as it was where nothing is shared but a sign.
    """
    if len(total.terms) < 2:  # noqa: PLR2004 - a sum
        return total
    factor, rest = total.single()
    if len(rest) == 1 and factor in {1, -1}:
        return total
    if factor < 0:
        factor, rest = _without_minus(factor, rest)
    return Expression(((factor, rest),))


def _without_minus(factor: Fraction, rest: Factors) -> Term:
    """Put a minus into the one bracket that has signs of both kinds, where it reads better: -(a - b) is (-a + b)."""
    for place, (base, power) in enumerate(rest):
        if isinstance(base, Bracket) and power == 1 and any(each < 0 for each, _ in base.inside.terms):
            turned: tuple[Factor, int] = (Bracket(-base.inside), 1)
            return -factor, (*rest[:place], turned, *rest[place + 1 :])
    return factor, rest


def y_symbols(count: int) -> list[Expression]:
    """Name the output entries.

    Args:
        count: How many there are.

    Returns:
        y1, y2, ...
    """
    return [symbol(f"y{place + 1}", 5, place) for place in range(count)]
