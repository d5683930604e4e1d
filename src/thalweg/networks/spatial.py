"""One design in one, two and three dimensions: signals, pictures and volumes differ only in how far a window reaches.

A convolution over a signal slides along one axis, over a picture along two, over a volume along three; channels, depth
and order of layers stay. Weights grow with the window's reach to the power of the axes, so a window of 7 steps (7
weights a channel pair) costs about what 3x3 (9) does, and 3x3x3 three times as much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from thalweg.core.errors import ShapeError
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import unit_pixels
from thalweg.networks.layers import (
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    Conv1d,
    Conv2d,
    Conv3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    Rescale,
)

__all__ = ["AVG_POOL", "CONV", "MAX_POOL", "SAMPLES", "STANDARDISE", "need_axes", "scaled_input", "standardised"]

CONV: Mapping[int, type[Conv1d | Conv2d | Conv3d]] = MappingProxyType({1: Conv1d, 2: Conv2d, 3: Conv3d})
MAX_POOL: Mapping[int, type[MaxPool1d | MaxPool2d | MaxPool3d]] = MappingProxyType({
    1: MaxPool1d,
    2: MaxPool2d,
    3: MaxPool3d,
})
AVG_POOL: Mapping[int, type[AvgPool1d | AvgPool2d | AvgPool3d]] = MappingProxyType({
    1: AvgPool1d,
    2: AvgPool2d,
    3: AvgPool3d,
})
SAMPLES: Mapping[int, str] = MappingProxyType({1: "signals", 2: "pictures", 3: "volumes"})
"""What samples with so many spatial axes are called."""

STANDARDISE = "standardise"
"""Name of the layer that brings measured values to mean 0 and deviation 1; its numbers come from the training part."""


def scaled_input(axes: int) -> Rescale:
    """The first layer: pixels 0..255 become 0..1; measured values are standardised.

    Nobody knows the range of measured values before seeing them, so that layer begins as the identity, and
    `standardised` writes the numbers in.

    Args:
        axes: Spatial axes of a sample.

    Returns:
        The layer.

    Example:
        >>> scaled_input(1).name
        'standardise'
    """
    return unit_pixels() if axes == 2 else Rescale(1.0, 0.0, name=STANDARDISE)  # noqa: PLR2004 - pictures


def need_axes(name: str, shape: Shape, axes: int) -> None:
    """Refuse a sample of another dimension than a network is for.

    Args:
        name: The network's name in the catalogue.
        shape: Channels and size of one sample.
        axes: Spatial axes that it wants.

    Raises:
        ShapeError: The sample has more or fewer.

    Example:
        >>> need_axes("plain-1d", Shape(3, (32, 32)), 1)
        Traceback (most recent call last):
        thalweg.core.errors.ShapeError: plain-1d is for signals (channels and 1 axis, such as 2,360), not for 3x32x32
    """
    if shape.axes != axes:
        example = {1: "2,360", 2: "3,224,224", 3: "1,32,32,32"}[axes]
        raise ShapeError(
            f"{name} is for {SAMPLES[axes]} (channels and {axes} {'axis' if axes == 1 else 'axes'}, "
            f"such as {example}), not for {shape}"
        )


def standardised(spec: NetworkSpec, mean: Sequence[float], deviation: Sequence[float]) -> NetworkSpec:
    """Write the numbers of the training part into the layer that standardises, so that they travel with the network.

        y = (x - mean) / deviation = x scale + offset

    Args:
        spec: A network that begins with the layer `standardise`.
        mean: Of each channel.
        deviation: Standard deviation of each channel; a constant channel has 0 and is only centred.

    Returns:
        The same network with the numbers; unchanged where it takes pixels.

    Example:
        >>> from thalweg.networks.catalogue import network
        >>> spec = standardised(network("plain-1d", Shape(1, (100,)), 2), [3.0], [2.0])
        >>> dict(spec.layers[0].settings)
        {'scale': (0.5,), 'offset': (-1.5,)}
    """
    first = spec.layers[0]
    if first.name != STANDARDISE:
        return spec
    scale = tuple(1.0 / each if each > 0 else 1.0 for each in deviation)
    offset = tuple(-middle * factor for middle, factor in zip(mean, scale, strict=True))
    layer = replace(first, settings={"scale": scale, "offset": offset})  # type: ignore[dict-item]
    return replace(spec, layers=(layer, *spec.layers[1:]))
