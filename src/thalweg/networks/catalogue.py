"""Every network that has a name: `network("small", Shape(3, (192, 192)), classes=2)`.

A family has its own file; a name is one entry here. Each takes pixels 0..255 and gives probabilities.
"""

import difflib
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

from thalweg.core.errors import SpecError
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.densenet import densenet121
from thalweg.networks.efficientnet_lite import efficientnet_lite0
from thalweg.networks.googlenet import googlenet
from thalweg.networks.inception import inception
from thalweg.networks.inception_v3 import inception_v3
from thalweg.networks.lenet import lenet
from thalweg.networks.mobilenet import mobilenet_v2
from thalweg.networks.plain import plain_functional, plain_sequential
from thalweg.networks.resnet import DEPTHS as RESNET_DEPTHS
from thalweg.networks.resnet import resnet
from thalweg.networks.small import small
from thalweg.networks.vgg import DEPTHS as VGG_DEPTHS
from thalweg.networks.vgg import vgg

__all__ = ["NAMES", "network"]

_Maker: TypeAlias = Callable[[Shape, int], NetworkSpec]

_MAKERS: Mapping[str, _Maker] = MappingProxyType({
    "small": small,
    "plain": plain_sequential,
    "plain-sequential": plain_sequential,
    "plain-functional": plain_functional,
    "lenet": lenet,
    **{f"vgg{depth}": partial(vgg, depth) for depth in VGG_DEPTHS},
    **{f"resnet{depth}": partial(resnet, depth) for depth in RESNET_DEPTHS},
    "inception": inception,
    "googlenet": googlenet,
    "inception-v3": inception_v3,
    "densenet121": densenet121,
    "mobilenet-v2": mobilenet_v2,
    "efficientnet-lite0": efficientnet_lite0,
})

NAMES: tuple[str, ...] = tuple(_MAKERS)


def network(name: str, input_shape: Shape, classes: int) -> NetworkSpec:
    """A network of the catalogue.

    Args:
        name: One of `NAMES`.
        input_shape: Channels and size of one sample.
        classes: Number of classes; two give one sigmoid, more a softmax.

    Returns:
        The network's description.

    Raises:
        SpecError: The name is unknown (the nearest ones are proposed), or there are fewer than two classes.
        ShapeError: The input is too small for the network.

    Example:
        >>> network("plain", Shape(3, (256, 256)), classes=2).form
        'sequential'
    """
    if name not in _MAKERS:
        near = difflib.get_close_matches(name.lower(), NAMES, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(NAMES)}"
        raise SpecError(f"no network is called {name!r}; {hint}")
    return _MAKERS[name](input_shape, classes)
