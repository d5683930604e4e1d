"""Inception-v3 (Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2016): large windows taken apart into small and flat ones.

A 7x7 window is a 1x7 after a 7x1. As torchvision has it, whose parameter names these are, without the auxiliary head:
23,834,568 parameters, 5,713,216,096 MACs at 299 pixels.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, signed_pixels
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import AvgPool2d, BatchNorm, Concatenate, Conv2d, Dropout, GlobalAvgPool, MaxPool2d, ReLU
from thalweg.networks.writing import Value, block

__all__ = ["inception_v3"]


def inception_v3(input_shape: Shape, classes: int) -> NetworkSpec:
    """Inception-v3 without its auxiliary head.

    Args:
        input_shape: Channels and size of a photo; 299 pixels are usual.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.
        ShapeError: The photos are smaller than 75 pixels.

    Example:
        >>> inception_v3(Shape(3, (299, 299)), 1000).layers[1].name
        'Conv2d_1a_3x3.conv'
    """
    pixels = Input(*input_shape.as_tuple())
    x = signed_pixels()(pixels)
    x = _unit(x, "Conv2d_1a_3x3", 32, 3, stride=2, padding=0)
    x = _unit(x, "Conv2d_2a_3x3", 32, 3, padding=0)
    x = _unit(x, "Conv2d_2b_3x3", 64, 3)
    x = MaxPool2d(3, stride=2, name="maxpool1")(x)
    x = _unit(x, "Conv2d_3b_1x1", 80, 1)
    x = _unit(x, "Conv2d_4a_3x3", 192, 3, padding=0)
    x = MaxPool2d(3, stride=2, name="maxpool2")(x)
    for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        with block(name):
            x = _square(x, pooled)
    with block("Mixed_6a"):
        x = _shrink(x)
    for name, width in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        with block(name):
            x = _flat(x, width)
    with block("Mixed_7a"):
        x = _shrink_again(x)
    for name in ("Mixed_7b", "Mixed_7c"):
        with block(name):
            x = _wide(x)
    x = Dropout(0.5, name="dropout")(GlobalAvgPool(name="avgpool")(x))
    for layer in classifier(classes, name="fc"):
        x = layer(x)
    return Network(pixels, x, name="inception-v3")


def _square(x: Value, pooled: int) -> Value:
    one = _unit(x, "branch1x1", 64, 1)
    five = _unit(_unit(x, "branch5x5_1", 48, 1), "branch5x5_2", 64, 5)
    double = _unit(_unit(x, "branch3x3dbl_1", 64, 1), "branch3x3dbl_2", 96, 3)
    double = _unit(double, "branch3x3dbl_3", 96, 3)
    return Concatenate()(one, five, double, _pooled(x, pooled))


def _shrink(x: Value) -> Value:
    three = _unit(x, "branch3x3", 384, 3, stride=2, padding=0)
    double = _unit(_unit(x, "branch3x3dbl_1", 64, 1), "branch3x3dbl_2", 96, 3)
    double = _unit(double, "branch3x3dbl_3", 96, 3, stride=2, padding=0)
    return Concatenate()(three, double, MaxPool2d(3, stride=2)(x))


def _flat(x: Value, width: int) -> Value:
    one = _unit(x, "branch1x1", 192, 1)
    seven = _unit(_unit(x, "branch7x7_1", width, 1), "branch7x7_2", width, (1, 7))
    seven = _unit(seven, "branch7x7_3", 192, (7, 1))
    double = _unit(x, "branch7x7dbl_1", width, 1)
    for number, kernel, channels in ((2, (7, 1), width), (3, (1, 7), width), (4, (7, 1), width), (5, (1, 7), 192)):
        double = _unit(double, f"branch7x7dbl_{number}", channels, kernel)
    return Concatenate()(one, seven, double, _pooled(x, 192))


def _shrink_again(x: Value) -> Value:
    three = _unit(_unit(x, "branch3x3_1", 192, 1), "branch3x3_2", 320, 3, stride=2, padding=0)
    seven = _unit(_unit(x, "branch7x7x3_1", 192, 1), "branch7x7x3_2", 192, (1, 7))
    seven = _unit(seven, "branch7x7x3_3", 192, (7, 1))
    seven = _unit(seven, "branch7x7x3_4", 192, 3, stride=2, padding=0)
    return Concatenate()(three, seven, MaxPool2d(3, stride=2)(x))


def _wide(x: Value) -> Value:
    one = _unit(x, "branch1x1", 320, 1)
    three = _unit(x, "branch3x3_1", 384, 1)
    three = Concatenate()(_unit(three, "branch3x3_2a", 384, (1, 3)), _unit(three, "branch3x3_2b", 384, (3, 1)))
    double = _unit(_unit(x, "branch3x3dbl_1", 448, 1), "branch3x3dbl_2", 384, 3)
    double = Concatenate()(_unit(double, "branch3x3dbl_3a", 384, (1, 3)), _unit(double, "branch3x3dbl_3b", 384, (3, 1)))
    return Concatenate()(one, three, double, _pooled(x, 192))


def _pooled(x: Value, channels: int) -> Value:
    return _unit(AvgPool2d(3, stride=1, padding=1)(x), "branch_pool", channels, 1)


def _unit(
    x: Value,
    name: str,
    channels: int,
    kernel: int | tuple[int, int],
    *,
    stride: int = 1,
    padding: int | tuple[int, int] | None = None,
) -> Value:
    if padding is None:
        padding = kernel // 2 if isinstance(kernel, int) else (kernel[0] // 2, kernel[1] // 2)
    with block(name):
        x = Conv2d(channels, kernel, stride=stride, padding=padding, bias=False, name="conv")(x)
        return ReLU()(BatchNorm(eps=1e-3, name="bn")(x))
