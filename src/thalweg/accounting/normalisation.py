"""Counting normalisation: a scale and a shift for each channel; batch normalisation keeps a mean and a variance too.

By convention their multiplications are not counted: at inference batch normalisation can be folded into a convolution.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from thalweg.accounting.cost import Cost, CountingRule
from thalweg.core.shape import Shape

__all__ = ["RULES"]


def _scale_and_shift(units: int, *, affine: bool, buffers: int = 0) -> Cost:
    if not affine:
        return Cost(buffers=buffers)
    return Cost(parameters=2 * units, formula=f"2*{units} = {2 * units}", buffers=buffers)


def _batch(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    del shapes
    return _scale_and_shift(output.channels, affine=settings["affine"], buffers=2 * output.channels)


def _layer(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    del shapes
    units = output.size if settings["over"] == "sample" else output.channels
    return _scale_and_shift(units, affine=settings["affine"])


def _group(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    del shapes
    return _scale_and_shift(output.channels, affine=settings["affine"])


RULES: Mapping[str, CountingRule] = MappingProxyType({
    "batch_norm": _batch,
    "layer_norm": _layer,
    "group_norm": _group,
})
