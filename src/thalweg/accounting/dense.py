"""Counting dense layers: every output has one weight for each input, and a bias.

parameters = (inputs + 1) * outputs
MACs       = inputs * outputs
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from thalweg.accounting.cost import Cost, CountingRule, arithmetic
from thalweg.core.shape import Shape

__all__ = ["RULES"]


def _linear(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    inputs = shapes[0].channels
    parameters, formula = arithmetic([inputs], output.channels, bias=settings["bias"])
    return Cost(parameters=parameters, formula=formula, macs=inputs * output.channels)


RULES: Mapping[str, CountingRule] = MappingProxyType({"linear": _linear})
