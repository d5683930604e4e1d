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
from thalweg.networks.ends import classifier
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, BatchNorm, Concatenate, GlobalAvgPool, ReLU
from thalweg.networks.sequential import Sequential
from thalweg.networks.spatial import CONV, MAX_POOL, scaled_input
from thalweg.networks.writing import Layer, Value

__all__ = ["ARCHITECTURES", "architecture", "plain_list"]

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
        shape: Channels and size of a sample; windows of signals and volumes have one axis and three.
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
    axes = shape.axes
    pixels, pool = Input(*shape.as_tuple()), MAX_POOL[axes]
    x = pool(2)(_unit(scaled_input(axes)(pixels), width, 3, axes))
    before = width
    for stage, channels in enumerate((width, 2 * width)):
        if stage:
            x = pool(2)(x)
        if before != channels and family != "inception":
            x = _unit(x, channels, 1, axes)
        for _ in range(depth):
            x = _BLOCKS[family](x, channels, axes)
        before = channels
    x = GlobalAvgPool()(x)
    for layer in classifier(classes):
        x = layer(x)
    return Network(pixels, x, name=name)


def plain_list(shape: Shape, classes: int, width: int) -> NetworkSpec:
    """The network `plain`, written as a list of layers.

    Args:
        shape: Channels and size of a sample.
        classes: Number of classes.
        width: Channels of the first stage.

    Returns:
        The network.

    Example:
        >>> shape = Shape(1, (187,))
        >>> written, called = plain_list(shape, 5, 4), architecture("plain", shape, 5, 4)
        >>> [layer.name for layer in written.layers] == [layer.name for layer in called.layers]
        True
    """
    axes = shape.axes
    layers: list[Value | Layer] = [Input(*shape.as_tuple()), scaled_input(axes)]
    for channels, kernel, pooled in (
        (width, 3, True), (width, 3, False), (width, 3, True), (2 * width, 1, False), (2 * width, 3, False),
        (2 * width, 3, False),
    ):  # fmt: skip
        layers += [CONV[axes](channels, kernel, padding="same", bias=False), BatchNorm(), ReLU()]
        layers += [MAX_POOL[axes](2)] if pooled else []
    return Sequential([*layers, GlobalAvgPool(), *classifier(classes)], name="plain")


def _plain(x: Value, channels: int, axes: int) -> Value:
    return _unit(_unit(x, channels, 3, axes), channels, 3, axes)


def _residual(x: Value, channels: int, axes: int) -> Value:
    y = BatchNorm()(CONV[axes](channels, 3, padding="same", bias=False)(_unit(x, channels, 3, axes)))
    return ReLU()(Add()(y, x))


def _inception(x: Value, channels: int, axes: int) -> Value:
    quarter = max(1, channels // 4)
    return Concatenate()(
        _unit(x, quarter, 1, axes),
        _unit(_unit(x, quarter, 1, axes), 2 * quarter, 3, axes),
        _unit(_unit(x, quarter, 1, axes), 2 * quarter, 5, axes),
        _unit(MAX_POOL[axes](3, stride=1, padding="same")(x), quarter, 1, axes),
    )


def _unit(x: Value, channels: int, kernel: int, axes: int) -> Value:
    return ReLU()(BatchNorm()(CONV[axes](channels, kernel, padding="same", bias=False)(x)))


_BLOCKS: Mapping[str, Callable[[Value, int, int], Value]] = MappingProxyType({
    "plain": _plain,
    "residual": _residual,
    "inception": _inception,
})
