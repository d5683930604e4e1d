"""The default network: a narrow residual network with global pooling, for small sets of photos and two cores.

Residual blocks (He et al. 2016) keep gradients alive through depth. Their shortcuts average before they thin out
(ResNet-D, He et al. 2019), so that no position is thrown away, and each block starts as the identity (Goyal et al.
2017). Global pooling replaces the dense layer over all positions, so that the network has few weights and takes photos
of any size; the mean says how much of something there is, the maximum whether it is there at all, as one fine crack.

The stem halves a picture twice, as fine detail of a photo is mostly noise; one whose shorter side is 64 pixels or less
is halved once, and one of 32 or less (CIFAR's, digits) not at all, or little would be left of it for the stages.

The same design serves signals and volumes. Along one axis windows are longer (7 steps for 3x3 pixels) and there may be
more channels for the same cost; volumes are few voxels wide, so their stem halves them once and not twice. An axis
shorter than 4, such as the last frames of a short clip, is not halved any further.
"""

import math

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, signed_pixels
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, BatchNorm, Concatenate, Dropout, GlobalAvgPool, GlobalMaxPool, ReLU
from thalweg.networks.spatial import AVG_POOL, CONV, MAX_POOL, scaled_input
from thalweg.networks.writing import Value, block

__all__ = ["small"]

_WIDTHS = {1: (32, 64, 96, 128), 2: (16, 32, 64, 128), 3: (16, 32, 64, 128)}
_KERNELS = {1: 7, 2: 3, 3: 3}
_STEM_HALVINGS = {1: 2, 2: 2, 3: 1}
_ENOUGH = 32
_LEAST = 4
_DROPOUT = 0.2


def small(input_shape: Shape, classes: int) -> NetworkSpec:
    """The default network.

    Args:
        input_shape: Channels and size of a photo, signal or volume.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.
        ShapeError: An axis is shorter than 3.

    Example:
        >>> small(Shape(3, (128, 128)), 2).outputs
        ('sigmoid1',)
    """
    axes = input_shape.axes
    widths, kernel = _WIDTHS[axes], _KERNELS[axes]
    pixels = Input(*input_shape.as_tuple())
    x = signed_pixels()(pixels) if axes == 2 else scaled_input(axes)(pixels)  # noqa: PLR2004 - pictures
    with block("stem"):
        halvings = _stem_halvings(input_shape)
        strides, extents = _halved(input_shape.extents) if halvings else (1, input_shape.extents)
        x = CONV[axes](widths[0], kernel, stride=strides, padding=kernel // 2, bias=False)(x)
        x = ReLU()(BatchNorm()(x))
        if halvings > 1:
            strides, extents = _halved(extents)
            x = MAX_POOL[axes](strides)(x)
    before = widths[0]
    for number, width in enumerate(widths, 1):
        strides, extents = _halved(extents) if number > 1 else (1, extents)
        with block(f"stage{number}"):
            x = _residual(x, before, width, stride=strides, axes=axes)
        before = width
    x = Concatenate()(GlobalAvgPool()(x), GlobalMaxPool()(x))
    x = Dropout(_DROPOUT)(x)
    for layer in classifier(classes):
        x = layer(x)
    return Network(pixels, x, name="small")


def _stem_halvings(shape: Shape) -> int:
    """How often the stem halves: a picture until its shorter side has 32 pixels, at most as often as the others."""
    most = _STEM_HALVINGS[shape.axes]
    if shape.axes != 2:  # noqa: PLR2004 - pictures
        return most
    return min(most, max(0, math.ceil(math.log2(min(shape.extents) / _ENOUGH))))


def _halved(extents: tuple[int, ...]) -> tuple[int | tuple[int, ...], tuple[int, ...]]:
    """Strides that halve every axis, or, but for pictures, every axis that is long enough; and what is left."""
    long = [len(extents) == 2 or extent >= _LEAST for extent in extents]  # noqa: PLR2004 - pictures
    left = tuple(-(-extent // 2) if halve else extent for extent, halve in zip(extents, long, strict=True))
    if len(set(long)) == 1:
        return (2 if long[0] else 1), left
    return tuple(2 if halve else 1 for halve in long), left


def _residual(x: Value, before: int, width: int, *, stride: int | tuple[int, ...], axes: int) -> Value:
    conv, kernel = CONV[axes], _KERNELS[axes]
    y = conv(width, kernel, stride=stride, padding=kernel // 2, bias=False)(x)
    y = ReLU()(BatchNorm()(y))
    y = conv(width, kernel, padding=kernel // 2, bias=False)(y)
    y = BatchNorm(zero_init=True)(y)
    if stride != 1:
        x = AVG_POOL[axes](stride, ceil_mode=True, name="shortcut_pool")(x)
    if before != width:
        x = conv(width, 1, bias=False, name="shortcut")(x)
        x = BatchNorm(name="shortcut_norm")(x)
    return ReLU()(Add()(y, x))
