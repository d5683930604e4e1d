"""One network of three 3x3 convolutions, made smaller along the way in several manners; and what a shift does to it."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier
from thalweg.networks.functional import Input
from thalweg.networks.layers import BatchNorm, GlobalAvgPool, ReLU
from thalweg.networks.sequential import Sequential
from thalweg.networks.spatial import AVG_POOL, CONV, MAX_POOL, scaled_input
from thalweg.networks.writing import Layer, Value

__all__ = ["MANNERS", "changes_under_shift", "shifted", "stride_network"]

MANNERS: Mapping[str, str] = MappingProxyType({
    "stride 1": "nothing is thinned out",
    "stride 2": "the first two convolutions take every second place",
    "stride 4": "the first convolution takes every fourth place",
    "max pool": "the largest of 2x2 after each of the first two",
    "mean pool": "the mean of 2x2 after each of the first two",
    "stride 2, no padding": "as stride 2, windows stay inside the picture",
    "max pool, no padding": "as max pool, windows stay inside the picture",
})
_BLOCK = 256


def stride_network(shape: Shape, classes: int, manner: str, *, width: int) -> NetworkSpec:
    """The network of a manner.

    Args:
        shape: Channels and size of a sample; windows of signals and volumes have one axis and three.
        classes: Number of classes.
        manner: One of `MANNERS`.
        width: Channels of the first convolution; the others have twice as many.

    Returns:
        The network.

    Example:
        >>> from thalweg.accounting.ledger import count
        >>> shape = Shape(1, (32, 32))
        >>> [count(stride_network(shape, 2, manner, width=4)).rows[9].stride for manner in ("stride 1", "stride 2")]
        [(1, 1), (4, 4)]
    """
    way, _, unpadded = manner.partition(", ")
    strides = {"stride 2": (2, 2, 1), "stride 4": (4, 1, 1)}.get(way, (1, 1, 1))
    axes = shape.axes
    pool = {"max pool": MAX_POOL[axes], "mean pool": AVG_POOL[axes]}.get(way)
    layers: list[Value | Layer] = [Input(*shape.as_tuple()), scaled_input(axes)]
    for number, (channels, stride) in enumerate(zip((width, 2 * width, 2 * width), strides, strict=True)):
        windows = CONV[axes](channels, 3, stride=stride, padding=0 if unpadded else 1, bias=False)
        layers += [windows, BatchNorm(), ReLU()]
        layers += [pool(2)] if pool is not None and number < 2 else []  # noqa: PLR2004 - the last is averaged
    return Sequential([*layers, GlobalAvgPool(), *classifier(classes)], name=manner)


def shifted(samples: Tensor, *moves: int) -> Tensor:
    """Move samples; what comes in at an edge repeats that edge.

    Args:
        samples: `(N, C, height, width)`, or signals or volumes.
        moves: Positions along each axis, down and right for pictures; negative for the other way.

    Returns:
        Samples of the same size.

    Example:
        >>> shifted(torch.tensor([[[[1.0, 2.0, 3.0]]]]), 0, 1).tolist()
        [[[[1.0, 1.0, 2.0]]]]
    """
    reach = [side for move in reversed(moves) for side in (max(move, 0), max(-move, 0))]
    padded = functional.pad(samples, reach, mode="replicate")
    for axis, move in enumerate(moves, 2):
        padded = padded.narrow(axis, max(-move, 0), samples.shape[axis])
    return padded


@torch.inference_mode()
def changes_under_shift(module: nn.Module, samples: Tensor, most: int) -> list[float]:
    """How many answers change when samples are moved by some positions.

    Args:
        module: The network in evaluation mode, giving logits.
        samples: `(N, C, height, width)`, or signals or volumes.
        most: The furthest shift, in positions.

    Returns:
        For shifts of 1 to `most`: share of the answers that is another, over both ways along every axis.
    """
    before, axes = _answers(module, samples), samples.ndim - 2
    changes = []
    for reach in range(1, most + 1):
        ways = [[way * reach * (axis == along) for axis in range(axes)] for along in range(axes) for way in (1, -1)]
        moved = [_answers(module, shifted(samples, *way)) for way in ways]
        changes.append(float(torch.stack([each != before for each in moved]).float().mean()))
    return changes


def _answers(module: nn.Module, pictures: Tensor) -> Tensor:
    logits = torch.cat([module(block) for block in torch.split(pictures, _BLOCK)])
    return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(dim=1)
