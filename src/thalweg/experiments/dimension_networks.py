"""Five ways to look at a clip (or volume), as networks of the same plan: three convolutions, pooling, one dense layer.

frames alone     2-D windows on each frame, whatever was found averaged over frames: order cannot matter
frames stacked   2-D windows, the frames as channels: each place in time has weights of its own
3-D              windows that slide through time as well: one set of weights for all times
(2+1)-D          a 2-D window, then one along time (Tran et al. 2018, "A closer look at spatiotemporal convolutions")
1-D              a window along time over all pixels as channels: positions have weights of their own
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import BatchNorm, Conv1d, Conv2d, Conv3d, GlobalAvgPool, MaxPool2d, MaxPool3d, ReLU
from thalweg.networks.writing import Value

__all__ = ["WAYS", "Way", "arranged", "way_network", "way_shape"]

Way = str
WAYS: Mapping[Way, str] = {
    "frames alone": "2-D on each frame, averaged",
    "frames stacked": "2-D, frames as channels",
    "(2+1)-D": "2-D, then along time",
    "3-D": "windows in space and time",
    "1-D": "along time, pixels as channels",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Windows:
    first: tuple[int, int, int]
    second: tuple[int, int, int] | None = None


_THREE = {
    "frames alone": _Windows(first=(1, 3, 3)),
    "(2+1)-D": _Windows(first=(1, 3, 3), second=(3, 1, 1)),
    "3-D": _Windows(first=(3, 3, 3)),
}


def way_shape(way: Way, clip: Shape) -> Shape:
    """What a network of a way reads of a clip.

    Args:
        way: One of `WAYS`.
        clip: Channels, frames, height and width.

    Returns:
        The shape of a sample.

    Example:
        >>> str(way_shape("frames stacked", Shape(1, (8, 16, 16))))
        '8x16x16'
    """
    frames, height, wide = clip.extents
    if way == "frames stacked":
        return Shape(clip.channels * frames, (height, wide))
    if way == "1-D":
        return Shape(clip.channels * height * wide, (frames,))
    return clip


def arranged(way: Way, values: np.ndarray) -> np.ndarray:
    """Lay clips out as a way reads them; no number changes.

    Args:
        way: One of `WAYS`.
        values: `(N, frames, height, width, channels)`.

    Returns:
        `(N, *extents, channels)` of `way_shape`.

    Example:
        >>> arranged("1-D", np.zeros((2, 8, 16, 16, 1))).shape
        (2, 8, 256)
    """
    if way == "frames stacked":
        moved = np.moveaxis(values, 1, -2)
        return np.ascontiguousarray(moved.reshape(*moved.shape[:3], -1))
    if way == "1-D":
        return np.ascontiguousarray(values.reshape(*values.shape[:2], -1))
    return values


def way_network(way: Way, clip: Shape, classes: int, width: int) -> NetworkSpec:
    """The network of a way.

    Args:
        way: One of `WAYS`.
        clip: Channels, frames, height and width.
        classes: Number of classes.
        width: Channels of its first layer; the later ones have twice as many.

    Returns:
        The network.

    Example:
        >>> way_network("3-D", Shape(1, (8, 16, 16)), 2, 8).outputs
        ('sigmoid1',)
    """
    source = Input(*way_shape(way, clip).as_tuple())
    x = source
    for stage, channels in enumerate((width, 2 * width, 2 * width)):
        x = _stage(way, x, channels)
        if stage < 2 and way != "1-D":  # noqa: PLR2004 - after the last stage everything is averaged
            x = (MaxPool2d(2) if way == "frames stacked" else MaxPool3d((1, 2, 2)))(x)
    x = GlobalAvgPool()(x)
    for layer in classifier(classes):
        x = layer(x)
    return Network(source, x, name=way)


def _stage(way: Way, x: Value, channels: int) -> Value:
    if way == "frames stacked":
        return ReLU()(BatchNorm()(Conv2d(channels, 3, padding="same", bias=False)(x)))
    if way == "1-D":
        return ReLU()(BatchNorm()(Conv1d(channels, 3, padding="same", bias=False)(x)))
    windows = _THREE[way]
    x = Conv3d(channels, windows.first, padding="same", bias=False)(x)
    if windows.second is not None:
        x = Conv3d(channels, windows.second, padding="same", bias=False)(ReLU()(BatchNorm()(x)))
    return ReLU()(BatchNorm()(x))
