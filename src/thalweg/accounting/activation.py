"""Counting activations with weights of their own: PReLU has a slope for all channels, or one for each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from thalweg.accounting.cost import Cost, CountingRule
from thalweg.core.shape import Shape

__all__ = ["RULES"]


def _sloped(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    del shapes, output
    slopes = settings["num_parameters"]
    return Cost(parameters=slopes, formula=f"1*{slopes} = {slopes}")


RULES: Mapping[str, CountingRule] = MappingProxyType({"prelu": _sloped})
