"""MobileNet-v2 (Sandler, Howard, Zhu, Zhmoginov and Chen 2018): depthwise convolutions between narrow residual ends.

A depthwise convolution looks at each channel alone, and 1x1 convolutions mix channels: a ninth of the multiplications
of a full 3x3. Parameter names and counts are torchvision's: 3,504,872 parameters, 300,774,272 MACs at 224 pixels.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, imagenet_pixels
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, BatchNorm, Conv2d, Dropout, GlobalAvgPool, ReLU6
from thalweg.networks.writing import Value, block

__all__ = ["mobilenet_v2"]

# Expansion, channels, blocks and first stride of each stage, from the paper's table 2.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_STEM = 32
_LAST = 1280


def mobilenet_v2(input_shape: Shape, classes: int) -> NetworkSpec:
    """MobileNet-v2.

    Args:
        input_shape: Channels and size of a photo.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.

    Example:
        >>> mobilenet_v2(Shape(3, (224, 224)), 1000).layers[1].name
        'features.0.0'
    """
    pixels = Input(*input_shape.as_tuple())
    x = imagenet_pixels(input_shape.channels)(pixels)
    with block("features"):
        with block("0"):
            x = _unit(x, "0", "1", _STEM, 3, stride=2)
        before, number = _STEM, 0
        for expansion, channels, blocks, first_stride in _STAGES:
            for index in range(blocks):
                number += 1
                with block(str(number)):
                    x = _inverted(x, before, channels, expansion, first_stride if index == 0 else 1)
                before = channels
        with block(str(number + 1)):
            x = _unit(x, "0", "1", _LAST, 1)
    x = GlobalAvgPool()(x)
    head, probabilities = classifier(classes, name="1")
    with block("classifier"):
        x = head(Dropout(0.2, name="0")(x))
    return Network(pixels, probabilities(x), name="mobilenet-v2")


def _inverted(x: Value, before: int, channels: int, expansion: int, stride: int) -> Value:
    y, wide, place = x, before * expansion, 0
    with block("conv"):
        if expansion > 1:
            with block(str(place)):
                y = _unit(y, "0", "1", wide, 1)
            place += 1
        with block(str(place)):
            y = _unit(y, "0", "1", wide, 3, stride=stride, groups=wide)
        y = Conv2d(channels, 1, bias=False, name=str(place + 1))(y)
        y = BatchNorm(name=str(place + 2))(y)
    return Add()(x, y) if stride == 1 and before == channels else y


def _unit(
    x: Value, convolution: str, normalisation: str, channels: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> Value:
    x = Conv2d(channels, kernel, stride, kernel // 2, groups=groups, bias=False, name=convolution)(x)
    return ReLU6()(BatchNorm(name=normalisation)(x))
