"""The stages of a head on paper: what each makes of its numbers, and what it hands back to a gradient.

A stage is a function from numbers to numbers. Forward gives its outputs, backward turns the gradient at its outputs
into the gradient at its inputs: each input's share is the sum over outputs of the outer times the local derivative.
Kinks follow torch: the derivative of ReLU at 0 is 0, a maximum that is reached twice counts for the first.
"""

import itertools
from collections.abc import Callable, Sequence

from thalweg.core.derivation import HeadStage
from thalweg.derivation.expression import ONE, ZERO, Expression, Function, add, number, symbol
from thalweg.derivation.geometry import flat_index
from thalweg.derivation.number import sign
from thalweg.derivation.substitution import Point, names_in

__all__ = ["Backward", "indicator", "run_stage", "stage_symbol", "windows"]

Backward = Callable[[Sequence[Expression]], list[Expression]]
"""Takes the gradient at a stage's outputs, gives that at its inputs."""

_NOWHERE = Point({})


def stage_symbol(entry: str, rank: int = 0, index: int = 0) -> Expression:
    """Make an expression of an entry that was read.

    Args:
        entry: A canonical number or a name.
        rank: Where the name stands in a product.
        index: Where it stands among its like.

    Returns:
        The number or the symbol.
    """
    return number(entry) if entry[0] in "-0123456789" else symbol(entry, rank, index)


def indicator(inside: Expression, at_zero: int) -> Expression:
    """Write 1 where something is positive, else 0; decided at once where it is a number.

    Args:
        inside: What is compared with zero.
        at_zero: What holds at zero itself, 0 or 1.

    Returns:
        1, 0, or a Heaviside function.
    """
    if not names_in(inside):
        side = sign(_NOWHERE.value(inside))
        return ONE if side > 0 or (side == 0 and at_zero) else ZERO
    return _function("Heaviside", inside, number(at_zero))


def run_stage(
    stage: HeadStage, given: Sequence[Expression], channels: int, extents: tuple[int, ...]
) -> tuple[list[Expression], Backward, tuple[int, ...]]:
    """Go through one stage.

    Args:
        stage: The stage.
        given: Its inputs, channels first.
        channels: Their channels.
        extents: Their spatial sizes.

    Returns:
        Its outputs, the way back, and the spatial sizes of its outputs (none for a single number). Where they are not
        the channels that came, as many outputs are as many channels.
    """
    match stage.kind:
        case "relu":
            shares = [indicator(each, 0) for each in given]
            return [_largest([ZERO, each]) for each in given], _elementwise(shares), extents
        case "sigmoid":
            below = [ONE + _exp(-each) for each in given]
            shares = [_exp(-each) / each_below**2 for each, each_below in zip(given, below, strict=True)]
            return [ONE / each for each in below], _elementwise(shares), extents
        case "tanh":  # (1 - e^-2q) / (1 + e^-2q)
            powers = [_exp(-number(2) * each) for each in given]
            shares = [number(4) * power / (ONE + power) ** 2 for power in powers]
            return [(ONE - power) / (ONE + power) for power in powers], _elementwise(shares), extents
        case "dense" if stage.offsets:
            return *_rows(stage, given), (1,) * len(extents)
        case "max_pool" | "average_pool":
            return _pool(stage, given, channels, extents)
        case _:
            outcome, partials = _ENDS[stage.kind](stage, given)
            return [outcome], _elementwise_from_one(partials), ()


def windows(stage: HeadStage, channels: int, extents: tuple[int, ...]) -> list[list[int]]:
    """List the places each output of a pooling stage looks at.

    Args:
        stage: With kernel and stride.
        channels: Of its input.
        extents: Spatial sizes of its input.

    Returns:
        Flat places, one list per output.
    """
    output = [
        (extent - kernel) // stride + 1
        for extent, kernel, stride in zip(extents, stage.kernel, stage.stride, strict=True)
    ]
    return [
        [
            flat_index(
                (channel, *(at * step + off for at, step, off in zip(place, stage.stride, tap, strict=True))),
                (channels, *extents),
            )
            for tap in itertools.product(*map(range, stage.kernel))
        ]
        for channel in range(channels)
        for place in itertools.product(*map(range, output))
    ]


def _pool(
    stage: HeadStage, given: Sequence[Expression], channels: int, extents: tuple[int, ...]
) -> tuple[list[Expression], Backward, tuple[int, ...]]:
    places = windows(stage, channels, extents)
    output = tuple(
        (extent - kernel) // stride + 1
        for extent, kernel, stride in zip(extents, stage.kernel, stage.stride, strict=True)
    )
    if stage.kind == "average_pool":
        share = ONE.scaled(number(f"1/{len(places[0])}").terms[0][0])
        outputs = [add(given[place] for place in window) * share for window in places]
        shares = [[share] * len(window) for window in places]
    else:
        outputs = [_largest([given[place] for place in window]) for window in places]
        shares = [_winners([given[place] for place in window]) for window in places]

    def back(outer: Sequence[Expression]) -> list[Expression]:
        parts: list[list[Expression]] = [[] for _ in given]
        for gradient, window, local in zip(outer, places, shares, strict=True):
            for place, share in zip(window, local, strict=True):
                parts[place].append(gradient * share)
        return [add(each) for each in parts]

    return outputs, back, output


def _rows(stage: HeadStage, given: Sequence[Expression]) -> tuple[list[Expression], Backward]:
    factor, weights, size = stage_symbol(stage.factor), _values(stage), len(given)
    rows = [weights[start : start + size] for start in range(0, len(weights), size)]
    outputs = [
        factor * add([*(weight * each for weight, each in zip(row, given, strict=True)), stage_symbol(bias, 6)])
        for row, bias in zip(rows, stage.offsets, strict=True)
    ]

    def back(outer: Sequence[Expression]) -> list[Expression]:
        return [
            add(gradient * factor * row[place] for gradient, row in zip(outer, rows, strict=True))
            for place in range(size)
        ]

    return outputs, back


def _winners(candidates: list[Expression]) -> list[Expression]:
    """For each candidate the indicator that it is the largest, and the first of the largest."""
    found = []
    for place, one in enumerate(candidates):
        share = ONE
        for other, two in enumerate(candidates):
            if other != place and share != ZERO:
                share = share * indicator(one - two, int(other > place))
        found.append(share)
    return found


def _largest(candidates: list[Expression]) -> Expression:
    """The maximum, worked out where everything is a number."""
    distinct = list(dict.fromkeys(candidates))
    if len(distinct) == 1:
        return distinct[0]
    if not any(names_in(each) for each in distinct):
        best = distinct[0]
        for each in distinct[1:]:
            if sign(_NOWHERE.value(each - best)) > 0:
                best = each
        return best
    return _function("Max", *distinct)


def _elementwise(shares: list[Expression]) -> Backward:
    return lambda outer: [gradient * share for gradient, share in zip(outer, shares, strict=True)]


def _elementwise_from_one(partials: list[Expression]) -> Backward:
    return lambda outer: [outer[0] * partial for partial in partials]


def _values(stage: HeadStage, rank: int = 1) -> list[Expression]:
    return [stage_symbol(entry, rank, place) for place, entry in enumerate(stage.values)]


End = tuple[Expression, list[Expression]]


def _sum(stage: HeadStage, given: Sequence[Expression]) -> End:
    factor = stage_symbol(stage.factor)
    if stage.kind == "mean":
        factor = factor / number(len(given))
    return factor * add(given), [factor] * len(given)


def _weighted(stage: HeadStage, given: Sequence[Expression]) -> End:
    factor, weights = stage_symbol(stage.factor), _values(stage)
    total = add([*(weight * each for weight, each in zip(weights, given, strict=True)), stage_symbol(stage.offset, 6)])
    return factor * total, [factor * weight for weight in weights]


def _squares(stage: HeadStage, given: Sequence[Expression]) -> End:
    factor = stage_symbol(stage.factor)
    if stage.kind == "mean_squared_error":
        factor = factor / number(len(given))
    errors = [each - target for each, target in zip(given, _values(stage, 6), strict=True)]
    return factor * add(each**2 for each in errors), [factor * number(2) * each for each in errors]


def _cross_entropy(stage: HeadStage, given: Sequence[Expression]) -> End:
    factor, targets = stage_symbol(stage.factor), _values(stage)
    powers = [_exp(each) for each in given]
    below, mass = add(powers), add(targets)
    outcome = mass * _log(below) - add(target * each for target, each in zip(targets, given, strict=True))
    partials = [mass * each / below - target for each, target in zip(powers, targets, strict=True)]
    return factor * outcome, [factor * each for each in partials]


def _binary(stage: HeadStage, given: Sequence[Expression]) -> End:
    factor = stage_symbol(stage.factor) / number(len(given))
    targets = _values(stage)
    outcome = add(
        -(target * _log(each) + (ONE - target) * _log(ONE - each)) for target, each in zip(targets, given, strict=True)
    )
    partials = [(ONE - target) / (ONE - each) - target / each for target, each in zip(targets, given, strict=True)]
    return factor * outcome, [factor * each for each in partials]


_ENDS: dict[str, Callable[[HeadStage, Sequence[Expression]], End]] = {
    "sum": _sum,
    "mean": _sum,
    "upstream": _weighted,
    "dense": _weighted,
    "squared_error": _squares,
    "mean_squared_error": _squares,
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary,
}


def _exp(power: Expression) -> Expression:
    return ONE if power == ZERO else _function("exp", power)


def _log(inside: Expression) -> Expression:
    return ZERO if inside == ONE else _function("log", inside)


def _function(name: str, *arguments: Expression) -> Expression:
    return Expression(((ONE.terms[0][0], ((Function(name, *arguments), 1),)),))
