"""The default network: a narrow residual network with global pooling, for small sets of photos and two cores.

Residual blocks (He et al. 2016) keep gradients alive through depth. Their shortcuts average before they thin out
(ResNet-D, He et al. 2019), so that no position is thrown away, and each block starts as the identity (Goyal et al.
2017). Global pooling replaces the dense layer over all positions, so that the network has few weights and takes photos
of any size; the mean says how much of something there is, the maximum whether it is there at all, as one fine crack.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, signed_pixels
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import (
    Add,
    AvgPool2d,
    BatchNorm,
    Concatenate,
    Conv2d,
    Dropout,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool2d,
    ReLU,
)
from thalweg.networks.writing import Value, block

__all__ = ["small"]

_WIDTHS = (16, 32, 64, 128)
_DROPOUT = 0.2


def small(input_shape: Shape, classes: int) -> NetworkSpec:
    """The default network.

    Args:
        input_shape: Channels and size of a photo.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.
        ShapeError: The photos are smaller than 3 pixels.

    Example:
        >>> small(Shape(3, (128, 128)), 2).outputs
        ('sigmoid1',)
    """
    pixels = Input(*input_shape.as_tuple())
    x = signed_pixels()(pixels)
    with block("stem"):
        x = Conv2d(_WIDTHS[0], 3, stride=2, padding=1, bias=False)(x)
        x = MaxPool2d(2)(ReLU()(BatchNorm()(x)))
    before = _WIDTHS[0]
    for number, width in enumerate(_WIDTHS, 1):
        with block(f"stage{number}"):
            x = _residual(x, before, width, stride=1 if number == 1 else 2)
        before = width
    x = Concatenate()(GlobalAvgPool()(x), GlobalMaxPool()(x))
    x = Dropout(_DROPOUT)(x)
    for layer in classifier(classes):
        x = layer(x)
    return Network(pixels, x, name="small")


def _residual(x: Value, before: int, width: int, *, stride: int) -> Value:
    y = Conv2d(width, 3, stride=stride, padding=1, bias=False)(x)
    y = ReLU()(BatchNorm()(y))
    y = Conv2d(width, 3, padding=1, bias=False)(y)
    y = BatchNorm(zero_init=True)(y)
    if stride > 1:
        x = AvgPool2d(stride, ceil_mode=True, name="shortcut_pool")(x)
    if before != width:
        x = Conv2d(width, 1, bias=False, name="shortcut")(x)
        x = BatchNorm(name="shortcut_norm")(x)
    return ReLU()(Add()(y, x))
