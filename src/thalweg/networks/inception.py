"""An inception module (Szegedy et al. 2015) in a network for small pictures such as CIFAR's.

Four branches look at the same positions with windows of different sizes, and their channels are stacked: 16 from 1x1,
32 from 3x3, 32 from 5x5, 16 from pooling. A 1x1 convolution before a large window makes it cheap. On 64 input channels
a module has 21,632 weights and biases in convolutions and 256 in normalisation.

Each branch is normalised once, and its pooling has stride 1 and padding "same", which keep the map's size: without
them the branches could not be stacked. Course code that circulates normalises one branch twice and one not at all.
On signals the windows are 1, 9 and 19 steps, since along one axis a long window is cheap (InceptionTime, Fawaz et al.
2020); on volumes 1, 3 and 5 voxels.

Pictures pass three modules, at a half, a quarter and an eighth of their size; the third costs a thirtieth of the
multiplications of the other two (what it brings on CIFAR-10: docs/decisions/0014). Signals and volumes pass two.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import BatchNorm, Concatenate, Dropout, GlobalAvgPool, ReLU
from thalweg.networks.spatial import CONV, MAX_POOL, scaled_input
from thalweg.networks.writing import Value, block

__all__ = ["inception", "inception_module"]

_STEM = {1: 64, 2: 64, 3: 32}
_WINDOWS = {1: (9, 19), 2: (3, 5), 3: (3, 5)}
_MODULES = {1: 2, 2: 3, 3: 2}
_DROPOUT = {1: 0.4, 2: 0.1, 3: 0.4}


def inception_module(x: Value, *, axes: int = 2) -> Value:
    """Four branches over one value, 96 channels together.

    Args:
        x: What the module reads.
        axes: Spatial axes of what it reads.

    Returns:
        The stacked branches, at the same positions.

    Example:
        >>> x = Input(64, 32, 32)
        >>> len(Network(x, inception_module(x)).layers)
        20
    """
    near, far = _WINDOWS[axes]
    with block("branch1"):
        one = _unit(x, 16, 1, axes)
    with block(f"branch{near}"):
        middle = _unit(_unit(x, 16, 1, axes), 32, near, axes)
    with block(f"branch{far}"):
        wide = _unit(_unit(x, 16, 1, axes), 32, far, axes)
    with block("branch_pool"):
        pooled = _unit(MAX_POOL[axes](3, stride=1, padding="same")(x), 16, 1, axes)
    return Concatenate()(one, middle, wide, pooled)


def inception(input_shape: Shape, classes: int) -> NetworkSpec:
    """A network of inception modules: three for pictures, two for signals and volumes.

    Args:
        input_shape: Channels and size of a picture, signal or volume.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.
        ShapeError: An axis is shorter than 4; of a picture, than 8.

    Example:
        >>> inception(Shape(3, (32, 32)), 10).outputs
        ('softmax1',)
    """
    axes = input_shape.axes
    pixels = Input(*input_shape.as_tuple())
    x = scaled_input(axes)(pixels)
    with block("stem"):
        x = MAX_POOL[axes](2)(_unit(x, _STEM[axes], 7 if axes == 1 else 3, axes))
    for number in range(1, _MODULES[axes] + 1):
        if number > 1:
            x = MAX_POOL[axes](2)(x)
        with block(f"inception{number}"):
            x = inception_module(x, axes=axes)
    x = Dropout(_DROPOUT[axes])(GlobalAvgPool()(x))
    for layer in classifier(classes):
        x = layer(x)
    return Network(pixels, x, name="inception")


def _unit(x: Value, filters: int, kernel: int, axes: int) -> Value:
    return BatchNorm()(ReLU()(CONV[axes](filters, kernel, padding="same")(x)))
