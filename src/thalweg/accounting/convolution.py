"""Counting convolutions: every output channel has one kernel over the input channels of its group, and a bias.

    parameters = (channels / groups * kernel + 1) * outputs
    MACs       = channels / groups * kernel * outputs * positions

Positions are those of the output; a transposed convolution multiplies every *input* position with the whole kernel.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from thalweg.accounting.cost import Cost, CountingRule, arithmetic
from thalweg.core.layer_kinds.settings import per_axis
from thalweg.core.shape import Shape

__all__ = ["RULES"]


def _convolution(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    return _cost(settings, shapes[0], output, places=math.prod(output.extents))


def _transposed(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    return _cost(settings, shapes[0], output, places=math.prod(shapes[0].extents))


def _cost(settings: Mapping[str, Any], source: Shape, output: Shape, *, places: int) -> Cost:
    """The kernel is laid on so many places: of the output, or, transposed, of the input."""
    kernel = per_axis(settings["kernel_size"], source.axes)
    channels = source.channels // settings["groups"]
    parameters, formula = arithmetic([channels, *kernel], output.channels, bias=settings["bias"])
    macs = channels * math.prod(kernel) * output.channels * places
    return Cost(parameters=parameters, formula=formula, macs=macs)


RULES: Mapping[str, CountingRule] = MappingProxyType({
    **{f"conv{axes}d": _convolution for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": _transposed for axes in (1, 2, 3)},
})
