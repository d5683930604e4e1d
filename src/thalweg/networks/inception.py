"""An inception module (Szegedy et al. 2015) in a network for small pictures such as CIFAR's.

Four branches look at the same positions with windows of different sizes, and their channels are stacked: 16 from 1x1,
32 from 3x3, 32 from 5x5, 16 from pooling. A 1x1 convolution before a large window makes it cheap. On 64 input channels
a module has 21,632 weights and biases in convolutions and 256 in normalisation.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, unit_pixels
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import BatchNorm, Concatenate, Conv2d, Dropout, GlobalAvgPool, MaxPool2d, ReLU
from thalweg.networks.writing import Value, block

__all__ = ["inception", "inception_module"]

_STEM = 64


def inception_module(x: Value) -> Value:
    """Four branches over one value, 96 channels together.

    Args:
        x: What the module reads.

    Returns:
        The stacked branches, at the same positions.

    Example:
        >>> x = Input(64, 32, 32)
        >>> len(Network(x, inception_module(x)).layers)
        20
    """
    with block("branch1"):
        one = _unit(x, 16, 1)
    with block("branch3"):
        three = _unit(_unit(x, 16, 1), 32, 3)
    with block("branch5"):
        five = _unit(_unit(x, 16, 1), 32, 5)
    with block("branch_pool"):
        pooled = _unit(MaxPool2d(3, stride=1, padding="same")(x), 16, 1)
    return Concatenate()(one, three, five, pooled)


def inception(input_shape: Shape, classes: int) -> NetworkSpec:
    """A network of two inception modules.

    Args:
        input_shape: Channels and size of a picture.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.
        ShapeError: The picture is smaller than 4 pixels.

    Example:
        >>> inception(Shape(3, (32, 32)), 10).outputs
        ('softmax1',)
    """
    pixels = Input(*input_shape.as_tuple())
    x = unit_pixels()(pixels)
    with block("stem"):
        x = MaxPool2d(2)(_unit(x, _STEM, 3))
    with block("inception1"):
        x = inception_module(x)
    x = MaxPool2d(2)(x)
    with block("inception2"):
        x = inception_module(x)
    x = Dropout(0.4)(GlobalAvgPool()(x))
    for layer in classifier(classes):
        x = layer(x)
    return Network(pixels, x, name="inception")


def _unit(x: Value, filters: int, kernel: int) -> Value:
    return BatchNorm()(ReLU()(Conv2d(filters, kernel, padding="same")(x)))
