"""The default network: a narrow residual network with global pooling, for small sets of photos and two cores.

Residual blocks (He et al. 2016) keep gradients alive through depth; global pooling replaces the dense layer over all
positions, so that it has few weights and takes photos of any size.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, signed_pixels
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, BatchNorm, Conv2d, Dropout, GlobalAvgPool, ReLU
from thalweg.networks.writing import Value, block

__all__ = ["small"]

_WIDTHS = (32, 64, 128, 192)


def small(input_shape: Shape, classes: int) -> NetworkSpec:
    """The default network.

    Args:
        input_shape: Channels and size of a photo.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.

    Example:
        >>> small(Shape(3, (192, 192)), 2).outputs
        ('sigmoid1',)
    """
    pixels = Input(*input_shape.as_tuple())
    x = signed_pixels()(pixels)
    with block("stem"):
        x = ReLU()(BatchNorm()(Conv2d(_WIDTHS[0], 3, stride=2, padding=1, bias=False)(x)))
    before = _WIDTHS[0]
    for number, width in enumerate(_WIDTHS, 1):
        with block(f"stage{number}"):
            x = _residual(x, before, width, stride=1 if number == 1 else 2)
        before = width
    x = Dropout(0.2)(GlobalAvgPool()(x))
    for layer in classifier(classes):
        x = layer(x)
    return Network(pixels, x, name="small")


def _residual(x: Value, before: int, width: int, *, stride: int) -> Value:
    y = Conv2d(width, 3, stride=stride, padding=1, bias=False)(x)
    y = ReLU()(BatchNorm()(y))
    y = Conv2d(width, 3, padding=1, bias=False)(y)
    y = BatchNorm()(y)
    if stride > 1 or before != width:
        x = BatchNorm(name="shortcut_norm")(Conv2d(width, 1, stride=stride, bias=False, name="shortcut")(x))
    return ReLU()(Add()(y, x))
