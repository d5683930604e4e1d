"""The reference network that many first projects use: three convolution blocks, flatten, dense; in 1, 2 and 3 axes.

Written in both forms; with one seed they have the same weights and outputs. Its numbers are Keras's: batch
normalisation after the ReLU with epsilon 1e-3 and Keras's momentum 0.99, which is 0.01 in PyTorch's sense. Nearly all
of its weights lie in the first dense layer, which reads every position of the last map: `small` does without.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import BatchNorm, Dense, Dropout, Flatten, ReLU
from thalweg.networks.sequential import Sequential
from thalweg.networks.spatial import CONV, MAX_POOL, scaled_input
from thalweg.networks.writing import Layer, Value

__all__ = ["plain_functional", "plain_sequential"]

_FILTERS = (32, 64, 128)
_KERNELS = {1: 7, 2: 3, 3: 3}
_UNITS = 128
_EPS = 1e-3
_MOMENTUM = 0.01


def plain_sequential(input_shape: Shape, classes: int) -> NetworkSpec:
    """The reference network as a list.

    Args:
        input_shape: Channels and size of a photo, signal or volume.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.
        ShapeError: An axis is shorter than 8.

    Example:
        >>> len(plain_sequential(Shape(3, (256, 256)), 2).layers)
        19
    """
    axes = input_shape.axes
    layers: list[Value | Layer] = [Input(*input_shape.as_tuple()), scaled_input(axes)]
    for filters in _FILTERS:
        layers += [
            CONV[axes](filters, _KERNELS[axes], padding="same"),
            ReLU(),
            BatchNorm(eps=_EPS, momentum=_MOMENTUM),
            MAX_POOL[axes](2),
        ]
    layers += [Flatten(), Dense(_UNITS), ReLU(), Dropout(0.5), *classifier(classes)]
    return Sequential(layers, name="plain")


def plain_functional(input_shape: Shape, classes: int) -> NetworkSpec:
    """The reference network as calls on values.

    Args:
        input_shape: Channels and size of a photo, signal or volume.
        classes: Number of classes.

    Returns:
        The network, with the same layer names as the sequential one.

    Raises:
        SpecError: There are fewer than two classes.
        ShapeError: An axis is shorter than 8.

    Example:
        >>> plain_functional(Shape(3, (64, 64)), 5).layers == plain_sequential(Shape(3, (64, 64)), 5).layers
        True
    """
    axes = input_shape.axes
    pixels = Input(*input_shape.as_tuple())
    x = scaled_input(axes)(pixels)
    for filters in _FILTERS:
        x = CONV[axes](filters, _KERNELS[axes], padding="same")(x)
        x = ReLU()(x)
        x = BatchNorm(eps=_EPS, momentum=_MOMENTUM)(x)
        x = MAX_POOL[axes](2)(x)
    x = Flatten()(x)
    x = ReLU()(Dense(_UNITS)(x))
    x = Dropout(0.5)(x)
    for layer in classifier(classes):
        x = layer(x)
    return Network(pixels, x, name="plain")
