"""Counting attention: every query meets every key, and every weight every value; nothing has weights of its own.

    MACs of attention      = queries * keys * (key channels + value channels)
    MACs of attention_pool = positions * channels

The convolutions that make queries, keys and values are layers of their own, with rows of their own. A softmax is not
counted, as nowhere else.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from thalweg.accounting.cost import Cost, CountingRule
from thalweg.core.shape import Shape

__all__ = ["RULES"]


def _attention(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    del settings, output
    query, key, value = shapes
    pairs = math.prod(query.extents) * math.prod(key.extents)
    return Cost(macs=pairs * (key.channels + value.channels))


def _pool(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    del settings, output
    return Cost(macs=shapes[0].size)


RULES: Mapping[str, CountingRule] = MappingProxyType({"attention": _attention, "attention_pool": _pool})
