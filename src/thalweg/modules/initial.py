"""Initial weights, drawn for each layer from its own stream: they depend on the seed and the layer's name alone.

So a network has the same weights whatever was drawn from torch's global generator before, in whichever form it was
written, and a layer added to it leaves the others' weights as they were.
"""

import hashlib
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from thalweg.core.network_spec import LayerSpec, NetworkSpec

__all__ = ["initialise"]

_RECTIFIED = {"relu", "relu6", "leaky_relu", "prelu", "gelu", "silu", "mish", "hardswish", "elu"}
_LOOK_THROUGH = {"batch_norm", "group_norm", "layer_norm", "local_response_norm", "dropout", "identity", "flatten"}


def initialise(spec: NetworkSpec, modules: Mapping[str, nn.Module], seed: int) -> None:
    """Draw all weights, in place.

    Convolutions: normal with variance 2 / fan_out (He et al. 2015). Dense layers before a rectifier: normal with
    variance 2 / fan_in; other dense layers (the head): uniform within 1 / sqrt(fan_in). What only a softmax over
    positions reads (queries, keys, scores): normal with variance 1 / fan_in, or it would look at one position alone
    from the start, and learn nothing. Biases 0. Normalisation 1 and 0, or scale 0 where `zero_init` says
    that a residual block shall start as the identity (Goyal et al. 2017).

    Args:
        spec: The network.
        modules: The module of every layer that has its own weights, by name.
        seed: Any whole number.
    """
    rectified, weighing = _before_rectifiers(spec), _before_attention(spec)
    for layer in spec.layers:
        module = modules.get(layer.name)
        if module is None or layer.shared is not None:
            continue
        digest = hashlib.sha256(f"{seed}:{layer.name}".encode()).digest()
        stream = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        with torch.no_grad():
            _initialise_one(layer, module, stream, rectified=layer.name in rectified, weighing=layer.name in weighing)


def _initialise_one(
    layer: LayerSpec, module: nn.Module, stream: torch.Generator, *, rectified: bool, weighing: bool
) -> None:
    if isinstance(module, nn.modules.conv._ConvNd):  # noqa: SLF001 - the only common base of all convolutions
        variance = 1 / module.weight[0].numel() if weighing else 2 / _fan_out(module)
        module.weight.normal_(0, math.sqrt(variance), generator=stream)
    elif isinstance(module, nn.Linear):
        fan_in = module.in_features
        if rectified:
            module.weight.normal_(0, math.sqrt(2 / fan_in), generator=stream)
        else:
            bound = 1 / math.sqrt(fan_in)
            module.weight.uniform_(-bound, bound, generator=stream)
    elif isinstance(module, nn.modules.batchnorm._BatchNorm | nn.LayerNorm | nn.GroupNorm):  # noqa: SLF001 - as above
        module.reset_parameters()  # ones and zeros: nothing is drawn
        if layer.settings.get("zero_init") is True:
            module.weight.zero_()
    elif isinstance(module, nn.PReLU):
        module.reset_parameters()
    bias = getattr(module, "bias", None)
    if isinstance(bias, Tensor):
        bias.zero_()


def _fan_out(module: "nn.modules.conv._ConvNd") -> float:
    # Values that one input value takes part in; a transposed convolution spreads every input over the whole window.
    taps = math.prod(module.kernel_size)
    return taps * module.out_channels / module.groups


def _before_attention(spec: NetworkSpec) -> set[str]:
    places = {"attention": (0, 1), "attention_pool": (1,)}
    return {layer.inputs[place] for layer in spec for place in places.get(layer.kind, ())}


def _before_rectifiers(spec: NetworkSpec) -> set[str]:
    found: set[str] = set()
    for layer in reversed(spec.layers):
        if layer.kind in _RECTIFIED or (layer.kind in _LOOK_THROUGH and layer.name in found):
            found.update(layer.inputs)
    return found
