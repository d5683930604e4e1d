"""Every network that has a name: `network("small", Shape(3, (192, 192)), classes=2)`.

A family has its own file; a name is one entry here. Each takes pixels 0..255, or measured values where its name ends in
`-1d` (signals) or `-3d` (volumes), and gives probabilities: one for each class, or, where its name begins with `unet-`,
one for each class at each pixel.
"""

import difflib
import re
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
from thalweg.networks.segmentation import SEGMENTERS, parts_of_name, segmenter
from thalweg.networks.small import small
from thalweg.networks.spatial import SAMPLES, need_axes
from thalweg.networks.vgg import DEPTHS as VGG_DEPTHS
from thalweg.networks.vgg import vgg

__all__ = ["NAMES", "SEGMENTERS", "axes_of", "network", "spelled", "suited"]

_Maker: TypeAlias = Callable[[Shape, int], NetworkSpec]

_EVERY_DIMENSION: Mapping[str, _Maker] = MappingProxyType({
    "small": small,
    "plain": plain_sequential,
    "inception": inception,
})
"""Families that are written for any number of spatial axes."""

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
    **{f"{stem}-{axes}d": maker for axes in (1, 3) for stem, maker in _EVERY_DIMENSION.items()},
})

NAMES: tuple[str, ...] = tuple(_MAKERS)
_SPELLINGS = {re.sub(r"[-_ ]", "", each): each for each in (*NAMES, *SEGMENTERS)}
"""Networks that classify; those that segment are `SEGMENTERS`."""


def spelled(name: str) -> str:
    """A name of the catalogue as it is spelled here, however it was written.

    Args:
        name: Such as `MobileNet_v2`.

    Returns:
        Its spelling here; the name itself where the catalogue has no such network.

    Example:
        >>> spelled("MobileNet_v2"), spelled("ResNet-50"), spelled("mynet")
        ('mobilenet-v2', 'resnet50', 'mynet')
    """
    return _SPELLINGS.get(re.sub(r"[-_ ]", "", name).lower(), name)


def network(name: str, input_shape: Shape, classes: int) -> NetworkSpec:
    """A network of the catalogue.

    Args:
        name: One of `NAMES` or of `SEGMENTERS`.
        input_shape: Channels and size of one sample.
        classes: Number of classes; for a classifier two give one sigmoid, more a softmax.

    Returns:
        The network's description.

    Raises:
        SpecError: The name is unknown (the nearest ones are proposed), or there are fewer than two classes.
        ShapeError: The input is too small for the network.

    Example:
        >>> network("plain", Shape(3, (256, 256)), classes=2).form
        'sequential'
    """
    if name in SEGMENTERS:
        encoder, context = parts_of_name(name)
        return segmenter(input_shape, classes, encoder=encoder, context=context)
    if name not in _MAKERS:
        kin = [known for known in (*NAMES, *SEGMENTERS) if axes_of(known) == input_shape.axes]
        near = difflib.get_close_matches(name.lower(), kin or NAMES, n=3)
        more = "for segmentation unet-small, unet-resnet18, unet-resnet34, unet-efficientnet-lite0, each also with a "
        more += "context module as in unet-small+pyramid"
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(NAMES)}; {more}"
        others = "those of libraries are written torchvision.models:NAME and timm:NAME"
        raise SpecError(f"no network is called {name!r}; {hint} ({others})")
    need_axes(name, input_shape, axes_of(name))
    return _MAKERS[name](input_shape, classes)


def axes_of(name: str) -> int:
    """Spatial axes of the samples that a network of the catalogue takes.

    Args:
        name: Its name.

    Returns:
        1 for signals, 2 for pictures, 3 for volumes.

    Example:
        >>> axes_of("plain-1d"), axes_of("resnet18")
        (1, 2)
    """
    return {"-1d": 1, "-3d": 3}.get(name[-3:], 2)


def suited(name: str, axes: int) -> str:
    """The network of a family that takes samples of so many axes.

    Args:
        name: A name of the catalogue; `small`, `plain` and `inception` have kin for signals and volumes.
        axes: Spatial axes of the samples.

    Returns:
        The name to build.

    Raises:
        SpecError: The network is for samples of another kind and has no kin for these.

    Example:
        >>> suited("small", 1), suited("small", 2), suited("plain-3d", 3)
        ('small-1d', 'small', 'plain-3d')
    """
    if axes_of(name) == axes:
        return name
    kin = f"{name}-{axes}d"
    if kin in _MAKERS:
        return kin
    fitting = [each for each in NAMES if axes_of(each) == axes][:8]
    raise SpecError(
        f"{name} is for {SAMPLES[axes_of(name)]}, and the source holds {SAMPLES[axes]}: "
        f"take {', '.join(fitting[:-1])} or {fitting[-1]}"
    )
