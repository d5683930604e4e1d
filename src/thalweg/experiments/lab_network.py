"""The network that experiments train by the hundred: small, without batch normalisation or dropout.

Neither of the two, because with them the loss that is trained is not the loss that is judged: curvature, full batches
and single examples would each be another network. Padding keeps sizes, and its dense layer sees every position, so that
it can learn the training samples by heart.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, signed_pixels
from thalweg.networks.functional import Input
from thalweg.networks.layers import Dense, Flatten, ReLU
from thalweg.networks.sequential import Sequential
from thalweg.networks.spatial import CONV, scaled_input
from thalweg.networks.writing import Layer

__all__ = ["lab_network"]

_FINEST = 16
"""Positions an axis, about, after the first convolution; half of that after the second."""
_DENSE = 32


def lab_network(shape: Shape, classes: int, *, width: int = 8) -> NetworkSpec:
    """Two convolutions and two dense layers for pictures, signals or volumes.

    Args:
        shape: Channels and size of one sample.
        classes: Number of classes.
        width: Channels of the first convolution; the second has twice as many.

    Returns:
        The network.

    Example:
        >>> lab_network(Shape(1, (64, 64)), 2).layers[1].settings["stride"]
        4
    """
    axes = shape.axes
    layers: list[Layer] = [signed_pixels() if axes == 2 else scaled_input(axes)]  # noqa: PLR2004 - pictures
    extents = shape.extents
    for channels, kernel, finest in ((width, 5, _FINEST), (2 * width, 3, _FINEST // 2)):
        stride = max(1, *(round(extent / finest) for extent in extents))
        layers += [CONV[axes](channels, kernel, stride=stride, padding=kernel // 2), ReLU()]
        extents = tuple(-(-extent // stride) for extent in extents)
    layers += [Flatten(), Dense(_DENSE), ReLU(), *classifier(classes)]
    return Sequential([Input(*shape.as_tuple()), *layers], name="lab")
