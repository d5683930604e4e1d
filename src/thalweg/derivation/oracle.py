"""The slow, readable twin: a convolution in nested loops and a head in plain sentences, for any kind of number.

It shares no line with the derivation it checks: zeros are really put around the input, every index is written out, and
nothing is differentiated.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

from thalweg.core.derivation import ConvolutionCase, HeadStage
from thalweg.derivation.dual import Scalar, exp, log, side

__all__ = ["slow_head", "slow_output"]

T = TypeVar("T")

_AXES = 3


def slow_output(
    case: ConvolutionCase, x: Sequence[Scalar], f: Sequence[Scalar], bias: Sequence[Scalar]
) -> list[Scalar]:
    """Convolve with loops over filter, place, channel and tap; two spatial axes make the six loops of the textbook.

    Args:
        case: Sizes and windows.
        x: Input numbers, row by row.
        f: Filter numbers.
        bias: One number per filter, or none.

    Returns:
        Output numbers.
    """
    depth, height, width = _three(case.extents, 1)
    (front, _), (above, _), (left, _) = _three(case.padding, (0, 0))
    taps_d, taps_h, taps_w = _three(case.kernel, 1)
    step_d, step_h, step_w = _three(case.stride, 1)
    apart_d, apart_h, apart_w = _three(case.dilation, 1)
    channels, filters = case.in_channels // case.groups, case.out_channels // case.groups
    padded: dict[tuple[int, int, int, int], Scalar] = {}
    numbers = iter(x)
    for place in itertools.product(range(case.in_channels), range(depth), range(height), range(width)):
        padded[place[0], place[1] + front, place[2] + above, place[3] + left] = next(numbers)
    y = []
    for out in range(case.out_channels):
        for d, h, w in itertools.product(*map(range, _three(case.output, 1))):
            total: Scalar = bias[out] if bias else Fraction(0)
            for channel, i, j, k in itertools.product(range(channels), range(taps_d), range(taps_h), range(taps_w)):
                place = (
                    out // filters * channels + channel,
                    d * step_d + i * apart_d,
                    h * step_h + j * apart_h,
                    w * step_w + k * apart_w,
                )
                if place in padded:
                    weight = f[((out * channels + channel) * taps_d + i) * taps_h * taps_w + j * taps_w + k]
                    total = total + padded[place] * weight
            y.append(total)
    return y


def slow_head(
    case: ConvolutionCase, y: Sequence[Scalar], names: Mapping[str, Fraction], decisions: list[int] | None = None
) -> Scalar:
    """Go from the output to O.

    Args:
        case: With the head.
        y: Output numbers.
        names: Values of the symbols in the head.
        decisions: Where each kink writes down which side it took; 0 is a tie.

    Returns:
        The number O.
    """
    taken: list[int] = [] if decisions is None else decisions

    def known(text: str) -> Fraction:
        return names[text] if text in names else Fraction(text)

    values, extents, channels = list(y), case.output, case.out_channels
    for stage in case.head:
        if stage.kind == "relu":
            taken.extend(map(side, values))
            values = [value if side(value) > 0 else _zero(value) for value in values]
        elif stage.kind == "sigmoid":
            values = [Fraction(1) / (Fraction(1) + exp(-value)) for value in values]
        elif stage.kind == "tanh":
            values = [(exp(value) - exp(-value)) / (exp(value) + exp(-value)) for value in values]
        elif stage.offsets:
            rows = len(stage.offsets)
            values, extents, channels = _dense_rows(stage, values, known), (1,) * case.axes, rows
        elif stage.kind in {"max_pool", "average_pool"}:
            values, extents = _pooled(stage, values, channels, extents, taken)
        else:
            values, extents, channels = [_single(stage, values, known)], (1,) * case.axes, 1
    return values[0]


def _dense_rows(stage: HeadStage, values: Sequence[Scalar], known: Callable[[str], Fraction]) -> list[Scalar]:
    found = []
    for row, bias in enumerate(stage.offsets):
        total: Scalar = known(bias)
        for place, value in enumerate(values):
            total = total + value * known(stage.values[row * len(values) + place])
        found.append(total * known(stage.factor))
    return found


def _single(stage: HeadStage, values: Sequence[Scalar], known: Callable[[str], Fraction]) -> Scalar:  # noqa: C901 - one sentence a kind
    count = Fraction(len(values))
    given = [known(text) for text in stage.values]
    total: Scalar = Fraction(0)
    if stage.kind in {"sum", "mean"}:
        for value in values:
            total = total + value
    elif stage.kind in {"dense", "upstream"}:
        total = known(stage.offset)
        for value, weight in zip(values, given, strict=True):
            total = total + value * weight
    elif stage.kind in {"squared_error", "mean_squared_error"}:
        for value, target in zip(values, given, strict=True):
            total = total + (value - target) * (value - target)
    elif stage.kind == "cross_entropy":
        mass: Scalar = Fraction(0)
        for value in values:
            mass = mass + exp(value)
        for value, target in zip(values, given, strict=True):
            total = total + (log(mass) - value) * target
    else:  # binary cross-entropy
        for value, target in zip(values, given, strict=True):
            total = total - log(value) * target - log(Fraction(1) - value) * (1 - target)
    if stage.kind in {"mean", "mean_squared_error", "binary_cross_entropy"}:
        total = total / count
    return total * known(stage.factor)


def _pooled(
    stage: HeadStage, values: Sequence[Scalar], channels: int, extents: tuple[int, ...], taken: list[int]
) -> tuple[list[Scalar], tuple[int, ...]]:
    depth, height, width = _three(extents, 1)
    size_d, size_h, size_w = _three(stage.kernel, 1)
    step_d, step_h, step_w = _three(stage.stride, 1)
    places = [range(0, depth - size_d + 1, step_d), range(0, height - size_h + 1, step_h)]
    places.append(range(0, width - size_w + 1, step_w))
    found: list[Scalar] = []
    for channel, d, h, w in itertools.product(range(channels), *places):
        window = [
            values[((channel * depth + d + i) * height + h + j) * width + w + k]
            for i, j, k in itertools.product(range(size_d), range(size_h), range(size_w))
        ]
        if stage.kind == "average_pool":
            total: Scalar = Fraction(0)
            for value in window:
                total = total + value
            found.append(total / Fraction(len(window)))
            continue
        best = 0
        for place in range(1, len(window)):
            if side(window[place] - window[best]) > 0:
                best = place
        taken.append(best + 1)
        taken.extend(0 for place in range(len(window)) if place != best and not side(window[place] - window[best]))
        found.append(window[best])
    return found, tuple(map(len, places[_AXES - len(extents) :]))


def _three(sizes: tuple[T, ...], filler: T) -> tuple[T, ...]:
    """One and two axes are three of which the first are one wide."""
    return (filler,) * (_AXES - len(sizes)) + sizes


def _zero(like: Scalar) -> Scalar:
    return like * Fraction(0)
