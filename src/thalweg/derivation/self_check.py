"""The check that is always made: a slow convolution and exact quotients in fractions must give the same gradients.

Where O is a polynomial of degree two at most along a line, the central difference quotient
(O(v + h d) - O(v - h d)) / (2 h) is the derivative itself, without rounding, as long as no kink lies in between. Where
powers of e enter, or a value lies on a kink, dual numbers give the slope instead.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from thalweg.core.derivation import ConvolutionCase, SelfCheck
from thalweg.derivation.case import is_number, names_of
from thalweg.derivation.dual import Dual, Scalar
from thalweg.derivation.expression import Expression
from thalweg.derivation.gradients import Gradients
from thalweg.derivation.number import Beyond, Exact, is_equal
from thalweg.derivation.oracle import slow_head, slow_output
from thalweg.derivation.substitution import Point

__all__ = ["CURVED", "check_itself", "random_values"]

CURVED = frozenset({"sigmoid", "tanh", "cross_entropy", "binary_cross_entropy"})
"""Stages with powers of e."""
_SQUARES = frozenset({"squared_error", "mean_squared_error"})
_BUDGET = 6_000  # products of slow convolutions for one point
_STEP = Fraction(1, 10**12)
_Function = Callable[[Sequence[Scalar], list[int]], Scalar]


def random_values(case: ConvolutionCase, seed: int, *, small: bool = False) -> dict[str, Fraction]:
    """Draw a fraction for every symbol.

    Args:
        case: The case.
        seed: Of the draw.
        small: Whether to stay near 1, where floating point loses least.

    Returns:
        Values by name: large ones, so that different formulas differ; small ones where powers of e enter, and between
        0 and 1 for targets of a binary cross-entropy.
    """
    draw = random.Random(seed)
    size = 100 if small else 10**6
    if any(stage.kind in CURVED for stage in case.head):
        size = 30
    values = {name: Fraction(draw.choice((-1, 1)) * draw.randint(1, size), 101) for name in names_of(case)}
    for stage in case.head:
        if stage.kind == "binary_cross_entropy":
            values |= {name: Fraction(draw.randint(1, 100), 101) for name in stage.values if name in values}
    return values


def check_itself(case: ConvolutionCase, found: Gradients) -> SelfCheck:
    """Compare a derivation with the slow twin.

    Args:
        case: The case.
        found: What was worked out.

    Returns:
        What was compared, how often, and whether everything was equal.
    """
    points = 2 if names_of(case) else 1
    tally = _Tally()
    for seed in range(points):
        _compare(case, found, random_values(case, seed), random.Random(seed), tally)
    where = f"at {points} random rational points" if names_of(case) else "for the given numbers"
    ways = f"{tally.quotients} exact difference quotients and {tally.duals} slopes of dual numbers"
    if not tally.duals:
        ways = f"{tally.quotients} exact difference quotients"
    elif not tally.quotients:
        ways = f"{tally.duals} slopes of dual numbers"
    count = tally.outputs + tally.quotients + tally.duals
    powers = " and powers of e" if any(stage.kind in CURVED for stage in case.head) else ""
    kept = "without rounding" if tally.exact else "to 40 digits"
    verdict = f"all equal {kept}" if tally.passed else f"{tally.wrong} of {count} differ: please report this case"
    return SelfCheck(
        passed=tally.passed,
        exact=tally.exact,
        compared=f"y with a slow convolution in nested loops ({tally.outputs} entries), and dO/dy, dO/dx, dO/df, dO/db "
        f"with {ways}, in fractions{powers}, {where}: {verdict}",
        comparisons=count,
    )


class _Tally:
    """What has been compared so far."""

    def __init__(self) -> None:
        self.outputs = self.quotients = self.duals = self.wrong = 0
        self.exact = True

    @property
    def passed(self) -> bool:
        return self.wrong == 0

    def judge(self, one: Exact, two: Exact) -> None:
        if any(isinstance(each, Beyond) and each.residue is None for each in (one, two)):
            self.exact = False
        self.wrong += not is_equal(one, two)


def _compare(
    case: ConvolutionCase, found: Gradients, names: Mapping[str, Fraction], draw: random.Random, tally: _Tally
) -> None:
    point = Point(names)
    x = [_known(entry, names) for entry in case.x]
    f = [_known(entry, names) for entry in case.f]
    # Without a bias, dO/db is the gradient at one of zero, which changes no output.
    bias = [_known(entry, names) for entry in case.bias] if case.bias else [Fraction(0)] * case.out_channels
    y = [value for value in slow_output(case, x, f, bias) if isinstance(value, Fraction)]
    for mine, theirs in zip(found.y, y, strict=True):
        tally.judge(point.value(mine), theirs)
    tally.outputs += len(y)

    def from_y(values: Sequence[Scalar], decisions: list[int]) -> Scalar:
        return slow_head(case, values, names, decisions)

    cost = sum(map(len, found.meetings)) + len(y)
    groups: list[tuple[list[Fraction], list[Expression], _Function, int]] = [
        (y, found.dO_dy, from_y, len(y)),
        (x, found.dO_dx, lambda v, seen: from_y(slow_output(case, v, f, bias), seen), cost),
        (f, found.dO_df, lambda v, seen: from_y(slow_output(case, x, v, bias), seen), cost),
        (bias, found.dO_db, lambda v, seen: from_y(slow_output(case, x, f, v), seen), cost),
    ]
    for values, gradient, function, price in groups:
        shares = [point.value(entry) for entry in gradient[: len(values)]]
        one_by_one = len(values) * price <= (_BUDGET // 4 if _is_curved(case) else _BUDGET)
        for direction in _directions(len(values), draw, one_by_one=one_by_one):
            total: Exact = Fraction(0)
            for share, along in zip(shares, direction, strict=True):
                if along:
                    total = total + share * along
            slope: Exact | None = None if _is_curved(case) else _quotient(function, values, direction)
            if slope is None:
                tally.duals += 1
                slope = _slope(function, values, direction)
            else:
                tally.quotients += 1
            tally.judge(total, slope)


def _known(entry: str, names: Mapping[str, Fraction]) -> Fraction:
    return Fraction(entry) if is_number(entry) else names[entry]


def _is_curved(case: ConvolutionCase) -> bool:
    kinds = [stage.kind for stage in case.head]
    return any(kind in CURVED for kind in kinds) or sum(kind in _SQUARES for kind in kinds) > 1


def _directions(count: int, draw: random.Random, *, one_by_one: bool) -> list[list[Fraction]]:
    """Each entry alone where there is time, else random mixtures, in which every entry has its own weight."""
    if one_by_one:
        return [[Fraction(int(place == entry)) for place in range(count)] for entry in range(count)]
    return [[Fraction(draw.randint(1, 10**6)) for _ in range(count)] for _ in range(3)]


def _quotient(function: _Function, values: list[Fraction], direction: list[Fraction]) -> Fraction | None:
    """The exact difference quotient, or None where a kink lies too near."""
    sides: list[list[int]] = [[], [], []]
    ends = []
    for seen, step in zip(sides, (-_STEP, Fraction(0), _STEP), strict=True):
        moved = [value + step * along if along else value for value, along in zip(values, direction, strict=True)]
        ends.append(function(moved, seen))
    if 0 in sides[1] or sides[0] != sides[1] or sides[1] != sides[2]:
        return None
    before, _, after = ends
    if not isinstance(before, Fraction) or not isinstance(after, Fraction):
        return None
    return (after - before) / (2 * _STEP)


def _slope(function: _Function, values: list[Fraction], direction: list[Fraction]) -> Exact:
    moved: list[Scalar] = [Dual(value, along) for value, along in zip(values, direction, strict=True)]
    outcome = function(moved, [])
    return outcome.slope if isinstance(outcome, Dual) else Fraction(0)
