"""Plain, inception and residual networks of one plan: a stem, two stages, a mean over all places, one dense layer.

    plain        3x3 convolutions in a row
    residual     the same, and every two of them add to what they read (He et al. 2016)
    inception    modules of 1x1, 3x3, 5x5 and pooling side by side (Szegedy et al. 2015)

`depth` is the number of pairs of convolutions (or of modules) in a stage; width decides what a network costs.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, unit_pixels
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, BatchNorm, Concatenate, Conv2d, GlobalAvgPool, MaxPool2d, ReLU
from thalweg.networks.writing import Value

__all__ = ["ARCHITECTURES", "architecture"]

ARCHITECTURES: Mapping[str, tuple[str, int]] = MappingProxyType({
    "plain": ("plain", 1),
    "inception": ("inception", 1),
    "residual": ("residual", 1),
    "plain, deep": ("plain", 4),
    "residual, deep": ("residual", 4),
})
"""Family and depth of what is compared."""


def architecture(name: str, shape: Shape, classes: int, width: int) -> NetworkSpec:
    """One of the networks.

    Args:
        name: One of `ARCHITECTURES`.
        shape: Channels and size of a picture.
        classes: Number of classes.
        width: Channels of the first stage; the second has twice as many.

    Returns:
        The network.

    Example:
        >>> kinds = [layer.kind for layer in architecture("residual", Shape(1, (32, 32)), 2, 8).layers]
        >>> kinds.count("conv2d"), kinds.count("add")
        (6, 2)
    """
    family, depth = ARCHITECTURES[name]
    pixels = Input(*shape.as_tuple())
    x = MaxPool2d(2)(_unit(unit_pixels()(pixels), width, 3))
    before = width
    for stage, channels in enumerate((width, 2 * width)):
        if stage:
            x = MaxPool2d(2)(x)
        if before != channels and family != "inception":
            x = _unit(x, channels, 1)
        for _ in range(depth):
            x = _BLOCKS[family](x, channels)
        before = channels
    x = GlobalAvgPool()(x)
    for layer in classifier(classes):
        x = layer(x)
    return Network(pixels, x, name=name)


def _plain(x: Value, channels: int) -> Value:
    return _unit(_unit(x, channels, 3), channels, 3)


def _residual(x: Value, channels: int) -> Value:
    y = BatchNorm()(Conv2d(channels, 3, padding="same", bias=False)(_unit(x, channels, 3)))
    return ReLU()(Add()(y, x))


def _inception(x: Value, channels: int) -> Value:
    quarter = max(1, channels // 4)
    return Concatenate()(
        _unit(x, quarter, 1),
        _unit(_unit(x, quarter, 1), 2 * quarter, 3),
        _unit(_unit(x, quarter, 1), 2 * quarter, 5),
        _unit(MaxPool2d(3, stride=1, padding="same")(x), quarter, 1),
    )


def _unit(x: Value, channels: int, kernel: int) -> Value:
    return ReLU()(BatchNorm()(Conv2d(channels, kernel, padding="same", bias=False)(x)))


_BLOCKS: Mapping[str, Callable[[Value, int], Value]] = MappingProxyType({
    "plain": _plain,
    "residual": _residual,
    "inception": _inception,
})
