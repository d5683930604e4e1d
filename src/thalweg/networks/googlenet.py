"""GoogLeNet (Szegedy et al. 2015): nine inception modules, and no dense layer but the last.

As torchvision has it, whose parameter names these are: batch normalisation in every unit, a 3x3 window where the paper
has 5x5 (its checkpoint was trained so), without the auxiliary heads that only training used. 6,624,904 parameters.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, signed_pixels
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import BatchNorm, Concatenate, Conv2d, Dropout, GlobalAvgPool, MaxPool2d, ReLU
from thalweg.networks.writing import Value, block

__all__ = ["googlenet"]

# Channels of: 1x1, before 3x3, 3x3, before the second 3x3, the second 3x3, after pooling.
_MODULES = {
    "inception3a": (64, 96, 128, 16, 32, 32),
    "inception3b": (128, 128, 192, 32, 96, 64),
    "inception4a": (192, 96, 208, 16, 48, 64),
    "inception4b": (160, 112, 224, 24, 64, 64),
    "inception4c": (128, 128, 256, 24, 64, 64),
    "inception4d": (112, 144, 288, 32, 64, 64),
    "inception4e": (256, 160, 320, 32, 128, 128),
    "inception5a": (256, 160, 320, 32, 128, 128),
    "inception5b": (384, 192, 384, 48, 128, 128),
}


def googlenet(input_shape: Shape, classes: int) -> NetworkSpec:
    """GoogLeNet without auxiliary heads.

    Args:
        input_shape: Channels and size of a photo.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.
        ShapeError: The photos are too small.

    Example:
        >>> googlenet(Shape(3, (224, 224)), 1000).layers[1].name
        'conv1.conv'
    """
    pixels = Input(*input_shape.as_tuple())
    x = signed_pixels()(pixels)
    x = _unit(x, "conv1", 64, 7, stride=2)
    x = MaxPool2d(3, stride=2, ceil_mode=True, name="maxpool1")(x)
    x = _unit(x, "conv2", 64, 1)
    x = _unit(x, "conv3", 192, 3)
    x = MaxPool2d(3, stride=2, ceil_mode=True, name="maxpool2")(x)
    for name, channels in _MODULES.items():
        if name == "inception4a":
            x = MaxPool2d(3, stride=2, ceil_mode=True, name="maxpool3")(x)
        if name == "inception5a":
            x = MaxPool2d(2, stride=2, ceil_mode=True, name="maxpool4")(x)
        with block(name):
            x = _module(x, channels)
    x = Dropout(0.2, name="dropout")(GlobalAvgPool(name="avgpool")(x))
    for layer in classifier(classes, name="fc"):
        x = layer(x)
    return Network(pixels, x, name="googlenet")


def _module(x: Value, channels: tuple[int, ...]) -> Value:
    one, before_three, three, before_five, five, pooled = channels
    first = _unit(x, "branch1", one, 1)
    with block("branch2"):
        second = _unit(_unit(x, "0", before_three, 1), "1", three, 3)
    with block("branch3"):
        third = _unit(_unit(x, "0", before_five, 1), "1", five, 3)
    with block("branch4"):
        fourth = MaxPool2d(3, stride=1, padding=1, ceil_mode=True, name="0")(x)
        fourth = _unit(fourth, "1", pooled, 1)
    return Concatenate()(first, second, third, fourth)


def _unit(x: Value, name: str, channels: int, kernel: int, stride: int = 1) -> Value:
    with block(name):
        x = Conv2d(channels, kernel, stride=stride, padding=kernel // 2, bias=False, name="conv")(x)
        return ReLU()(BatchNorm(eps=1e-3, name="bn")(x))
