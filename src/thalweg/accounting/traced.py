"""Counting steps of other people's modules: what they hold and multiply was seen while they ran.

A dense layer over several axes shows the arithmetic of its weights. An opaque step's multiplications are unknown:
None, never 0.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from thalweg.accounting.cost import Cost, CountingRule, arithmetic
from thalweg.core.shape import Shape

__all__ = ["RULES"]


def _step(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    del shapes, output
    return Cost(parameters=settings["parameters"], buffers=settings["buffers"])


def _product(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    parameters, formula = settings["parameters"], ""
    if settings["what"] == "linear":
        inputs, outputs = shapes[0].as_tuple()[-1], output.as_tuple()[-1]
        for bias in (True, False):
            total, text = arithmetic([inputs], outputs, bias=bias)
            formula = text if total == parameters else formula
    return Cost(parameters=parameters, formula=formula, buffers=settings["buffers"], macs=settings["macs"])


def _opaque(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    del shapes, output
    return Cost(parameters=settings["parameters"], buffers=settings["buffers"], macs=None)


RULES: Mapping[str, CountingRule] = MappingProxyType({"step": _step, "product": _product, "opaque": _opaque})
"""By kind."""
