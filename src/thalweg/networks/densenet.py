"""DenseNet-121 (Huang, Liu, van der Maaten and Weinberger 2017): a layer reads all that came before it in its block.

Each layer adds 32 channels to a growing stack; transitions halve channels and positions. Parameter names and counts are
torchvision's: 7,978,856 parameters, 2,834,161,664 MACs at 224 pixels.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, imagenet_pixels
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import AvgPool2d, BatchNorm, Concatenate, Conv2d, GlobalAvgPool, MaxPool2d, ReLU
from thalweg.networks.writing import Value, block

__all__ = ["densenet121"]

_GROWTH = 32
_BOTTLENECK = 4 * _GROWTH
_LAYERS = (6, 12, 24, 16)


def densenet121(input_shape: Shape, classes: int) -> NetworkSpec:
    """DenseNet-121.

    Args:
        input_shape: Channels and size of a photo.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.
        ShapeError: The photos are smaller than 29 pixels.

    Example:
        >>> densenet121(Shape(3, (224, 224)), 1000).layers[1].name
        'features.conv0'
    """
    pixels = Input(*input_shape.as_tuple())
    x = imagenet_pixels(input_shape.channels)(pixels)
    channels = 2 * _GROWTH
    with block("features"):
        x = Conv2d(channels, 7, stride=2, padding=3, bias=False, name="conv0")(x)
        x = ReLU(name="relu0")(BatchNorm(name="norm0")(x))
        x = MaxPool2d(3, stride=2, padding=1, name="pool0")(x)
        for number, layers in enumerate(_LAYERS, 1):
            with block(f"denseblock{number}"):
                x = _dense_block(x, layers)
            channels += layers * _GROWTH
            if number < len(_LAYERS):
                channels //= 2
                with block(f"transition{number}"):
                    x = _transition(x, channels)
        x = BatchNorm(name="norm5")(x)
    x = GlobalAvgPool()(ReLU()(x))
    for layer in classifier(classes, name="classifier"):
        x = layer(x)
    return Network(pixels, x, name="densenet121")


def _dense_block(x: Value, layers: int) -> Value:
    stack = [x]
    for number in range(1, layers + 1):
        with block(f"denselayer{number}"):
            y = Concatenate()(*stack) if len(stack) > 1 else x
            y = ReLU(name="relu1")(BatchNorm(name="norm1")(y))
            y = Conv2d(_BOTTLENECK, 1, bias=False, name="conv1")(y)
            y = ReLU(name="relu2")(BatchNorm(name="norm2")(y))
            stack.append(Conv2d(_GROWTH, 3, padding=1, bias=False, name="conv2")(y))
    return Concatenate()(*stack)


def _transition(x: Value, channels: int) -> Value:
    x = ReLU(name="relu")(BatchNorm(name="norm")(x))
    x = Conv2d(channels, 1, bias=False, name="conv")(x)
    return AvgPool2d(2, name="pool")(x)
