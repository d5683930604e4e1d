"""Activations: a function applied to every value; softmax acts over the channels of each position."""

from collections.abc import Mapping

from thalweg.core.errors import ShapeError
from thalweg.core.layer_kinds.kind import LayerKind
from thalweg.core.layer_kinds.settings import count, number
from thalweg.core.network_spec import Setting
from thalweg.core.shape import Shape

__all__ = ["KINDS"]

_WITHOUT_SETTINGS = (
    *("relu", "relu6", "gelu", "silu", "mish", "hardswish", "hardsigmoid", "elu", "selu"),
    *("softplus", "sigmoid", "tanh", "softmax"),
)


def _sloped(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    slopes, channels = settings["num_parameters"], shapes[0].channels
    if slopes not in {1, channels}:
        raise ShapeError(f"num_parameters is {slopes}; 1, or one for each of the {channels} channels, is wanted")
    return shapes[0]


KINDS = (
    *(LayerKind(name=name, stem=name) for name in _WITHOUT_SETTINGS),
    LayerKind(name="leaky_relu", stem="leaky_relu", settings={"negative_slope": number(0.01)}),
    # One learned slope below nought for all channels, as torch's default, or one for each (He et al. 2015).
    LayerKind(name="prelu", stem="prelu", weighted=True, infer=_sloped, settings={"num_parameters": count(1)}),
    LayerKind(name="identity", stem="identity"),
)
