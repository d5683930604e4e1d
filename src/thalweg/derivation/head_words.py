"""What each stage of a head does and how it is differentiated, in words, and where torch's conventions decide."""

import math
from collections.abc import Sequence

from thalweg.core.derivation import ConvolutionCase
from thalweg.derivation.expression import ZERO, Expression
from thalweg.derivation.stages import run_stage, windows
from thalweg.derivation.substitution import names_in

__all__ = ["conventions", "head_reason"]

_REASONS = {
    "sum": "a sum hands its own gradient, times its factor, to every term",
    "mean": "a mean of n numbers hands 1/n of its gradient to each of them",
    "upstream": "whatever follows the convolution has handed back the gradients g",
    "dense": "a dense row is a weighted sum, so each entry's gradient is its weight",
    "relu": "ReLU lets the gradient through where its input is positive and stops it elsewhere",
    "sigmoid": "the derivative of s(q) = 1/(1 + e^-q) is s(q)*(1 - s(q)) = e^-q/(1 + e^-q)^2",
    "tanh": "the derivative of tanh(q) is 1 - tanh(q)^2 = 4*e^-2q/(1 + e^-2q)^2",
    "dense_rows": "an entry goes into every dense row, so its gradient is the sum over rows of weight times gradient",
    "max_pool": "a maximum hands its gradient to the entry that won and nothing to the others",
    "average_pool": "an average over a window hands each of its n entries 1/n of its gradient",
    "squared_error": "the derivative of (y - t)^2 is 2*(y - t)",
    "mean_squared_error": "the derivative of (y - t)^2 is 2*(y - t), and the mean of n of them divides it by n",
    "cross_entropy": "the derivative of log(sum of e^y) - y[class] is the softmax, less 1 at the right class",
    "binary_cross_entropy": "the derivative of -t*log(p) - (1 - t)*log(1 - p) is (1 - t)/(1 - p) - t/p",
}


def head_reason(case: ConvolutionCase) -> str:
    """Say why the gradient at y is what it is.

    Args:
        case: The case.

    Returns:
        A sentence that goes from O back to y.
    """
    reasons = list(
        dict.fromkeys(_REASONS["dense_rows" if stage.offsets else stage.kind] for stage in reversed(case.head))
    )
    return f"Going back from O: {'; then '.join(reasons)}."


def conventions(case: ConvolutionCase, y: Sequence[Expression]) -> list[str]:
    """Say which convention holds at kinks, whether one is met here, and what stays symbolic.

    Args:
        case: The case.
        y: Output entries.

    Returns:
        A sentence each.
    """
    found: list[str] = []
    values, extents, channels = list(y), case.output, case.out_channels
    for stage in case.head:
        symbolic = any(names_in(value) for value in values)
        if stage.kind == "relu":
            ties = [] if symbolic else [place + 1 for place, value in enumerate(values) if value == ZERO]
            found.append(_kink("the derivative of ReLU at 0 is 0, as in torch", ties, symbolic=symbolic))
        elif stage.kind == "max_pool":
            ties = [] if symbolic else _drawn(windows(stage, channels, extents), values)
            found.append(
                _kink("of several equal maxima the first takes the gradient, as in torch", ties, symbolic=symbolic)
            )
        elif stage.kind in {"sigmoid", "tanh", "cross_entropy"}:
            found.append("powers of e stay symbolic: e^q of a fraction q is no fraction")
        values, _, left = run_stage(stage, values, channels, extents)
        extents = left or (1,) * case.axes
        channels = len(values) // math.prod(extents)
    return list(dict.fromkeys(found))


def _drawn(places: list[list[int]], values: list[Expression]) -> list[int]:
    """Windows whose maximum is reached more than once."""
    found = []
    for place, window in enumerate(places):
        entries = [values[at] for at in window]
        numbers = [entry.value for entry in entries]
        known = [number for number in numbers if number is not None]
        if len(known) == len(numbers) and known.count(max(known)) > 1:
            found.append(place + 1)
    return found


def _kink(convention: str, ties: list[int], *, symbolic: bool) -> str:
    if symbolic:
        return f"{convention}; the entries are symbols, so which side holds stays written as an indicator (Heaviside)"
    shown = ", ".join(map(str, ties[:10])) + (", ..." if len(ties) > 10 else "")  # noqa: PLR2004 - enough
    return f"{convention}; that decides here, at number {shown}" if ties else f"{convention}; no tie occurs here"
