"""Activations: a function applied to every value; softmax acts over the channels of each position."""

from thalweg.core.layer_kinds.kind import LayerKind
from thalweg.core.layer_kinds.settings import number

__all__ = ["KINDS"]

KINDS = (
    *(
        LayerKind(name=name, stem=name)
        for name in ("relu", "relu6", "gelu", "silu", "hardswish", "hardsigmoid", "elu", "sigmoid", "tanh", "softmax")
    ),
    LayerKind(name="leaky_relu", stem="leaky_relu", settings={"negative_slope": number(0.01)}),
    LayerKind(name="identity", stem="identity"),
)
