"""Residual networks (He, Zhang, Ren and Sun 2016): every block adds to what it reads, so depth is no obstacle.

Blocks of two 3x3 convolutions (18, 34), or bottlenecks of 1x1, 3x3, 1x1 with the stride in the middle (50, 101, 152),
as torchvision has them, whose parameter names and counts these are. ResNet-50: 25,557,032 parameters, 4,089,184,256
MACs at 224 pixels.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, imagenet_pixels
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, BatchNorm, Conv2d, GlobalAvgPool, MaxPool2d, ReLU
from thalweg.networks.writing import Value, block

__all__ = ["DEPTHS", "resnet"]

_WIDTHS = (64, 128, 256, 512)
_EXPANSION = 4  # of a bottleneck
_FIRST_WITH_BOTTLENECKS = 50

# Blocks in each of the four stages, by number of layers with weights.
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def resnet(depth: int, input_shape: Shape, classes: int) -> NetworkSpec:
    """A residual network.

    Args:
        depth: 18, 34, 50, 101 or 152 layers with weights.
        input_shape: Channels and size of a photo.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.

    Example:
        >>> resnet(18, Shape(3, (224, 224)), 1000).layers[1].name
        'conv1'
    """
    bottleneck = depth >= _FIRST_WITH_BOTTLENECKS
    pixels = Input(*input_shape.as_tuple())
    x = imagenet_pixels(input_shape.channels)(pixels)
    x = Conv2d(64, 7, stride=2, padding=3, bias=False, name="conv1")(x)
    x = ReLU(name="relu")(BatchNorm(name="bn1")(x))
    x = MaxPool2d(3, stride=2, padding=1, name="maxpool")(x)
    before = 64
    for stage, (width, blocks) in enumerate(zip(_WIDTHS, DEPTHS[depth], strict=True), 1):
        after = width * (_EXPANSION if bottleneck else 1)
        for number in range(blocks):
            stride = 2 if stage > 1 and number == 0 else 1
            with block(f"layer{stage}"), block(str(number)):
                y = _bottleneck(x, width, stride) if bottleneck else _basic(x, width, stride)
                if stride > 1 or before != after:
                    x = _projection(x, after, stride)
                x = ReLU()(Add()(y, x))
            before = after
    x = GlobalAvgPool(name="avgpool")(x)
    for layer in classifier(classes, name="fc"):
        x = layer(x)
    return Network(pixels, x, name=f"resnet{depth}")


def _basic(x: Value, width: int, stride: int) -> Value:
    x = Conv2d(width, 3, stride=stride, padding=1, bias=False, name="conv1")(x)
    x = ReLU()(BatchNorm(name="bn1")(x))
    x = Conv2d(width, 3, padding=1, bias=False, name="conv2")(x)
    return BatchNorm(name="bn2")(x)


def _bottleneck(x: Value, width: int, stride: int) -> Value:
    x = Conv2d(width, 1, bias=False, name="conv1")(x)
    x = ReLU()(BatchNorm(name="bn1")(x))
    x = Conv2d(width, 3, stride=stride, padding=1, bias=False, name="conv2")(x)
    x = ReLU()(BatchNorm(name="bn2")(x))
    x = Conv2d(width * _EXPANSION, 1, bias=False, name="conv3")(x)
    return BatchNorm(name="bn3")(x)


def _projection(x: Value, width: int, stride: int) -> Value:
    with block("downsample"):
        return BatchNorm(name="1")(Conv2d(width, 1, stride=stride, bias=False, name="0")(x))
