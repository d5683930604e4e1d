"""Layers without weights and, by convention, without multiplications: listed, so that nothing counts as 0 unseen."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from thalweg.accounting.cost import Cost, CountingRule
from thalweg.core.shape import Shape

__all__ = ["RULES"]

_ACTIVATIONS = (
    "relu",
    "relu6",
    "leaky_relu",
    "gelu",
    "silu",
    "mish",
    "hardswish",
    "hardsigmoid",
    "elu",
    "selu",
    "softplus",
    "sigmoid",
    "tanh",
    "softmax",
    "identity",
    "dropout",
    "local_response_norm",
    "rescale",
)
_MOVES = (
    *("flatten", "upsample", "resize", "subsample", "pad", "crop", "channel_shuffle", "pixel_shuffle"),
    *("add", "multiply", "concatenate"),
)
_POOLS = (
    "global_avg_pool",
    "global_max_pool",
    *(f"{how}_pool{axes}d" for how in ("max", "avg", "adaptive_avg", "adaptive_max") for axes in (1, 2, 3)),
)


def _nothing(settings: Mapping[str, Any], shapes: tuple[Shape, ...], output: Shape) -> Cost:
    del settings, shapes, output
    return Cost()


RULES: Mapping[str, CountingRule] = MappingProxyType(dict.fromkeys((*_ACTIVATIONS, *_MOVES, *_POOLS), _nothing))
