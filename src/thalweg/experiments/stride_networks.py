"""One network of three 3x3 convolutions, made smaller along the way in several manners; and what a shift does to it."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, unit_pixels
from thalweg.networks.functional import Input
from thalweg.networks.layers import AvgPool2d, BatchNorm, Conv2d, GlobalAvgPool, MaxPool2d, ReLU
from thalweg.networks.sequential import Sequential
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
        shape: Channels and size of a picture.
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
    pool = {"max pool": MaxPool2d, "mean pool": AvgPool2d}.get(way)
    layers: list[Value | Layer] = [Input(*shape.as_tuple()), unit_pixels()]
    for number, (channels, stride) in enumerate(zip((width, 2 * width, 2 * width), strides, strict=True)):
        layers += [Conv2d(channels, 3, stride=stride, padding=0 if unpadded else 1, bias=False), BatchNorm(), ReLU()]
        layers += [pool(2)] if pool is not None and number < 2 else []  # noqa: PLR2004 - the last is averaged
    return Sequential([*layers, GlobalAvgPool(), *classifier(classes)], name=manner)


def shifted(pictures: Tensor, down: int, right: int) -> Tensor:
    """Move pictures; what comes in at an edge repeats that edge.

    Args:
        pictures: `(N, C, height, width)`.
        down: Pixels, negative for up.
        right: Pixels, negative for left.

    Returns:
        Pictures of the same size.

    Example:
        >>> shifted(torch.tensor([[[[1.0, 2.0, 3.0]]]]), 0, 1).tolist()
        [[[[1.0, 1.0, 2.0]]]]
    """
    height, wide = pictures.shape[2:]
    reach = (max(right, 0), max(-right, 0), max(down, 0), max(-down, 0))
    padded = functional.pad(pictures, reach, mode="replicate")
    return padded[:, :, max(-down, 0) : max(-down, 0) + height, max(-right, 0) : max(-right, 0) + wide]


@torch.inference_mode()
def changes_under_shift(module: nn.Module, pictures: Tensor, most: int) -> list[float]:
    """How many answers change when pictures are moved by some pixels.

    Args:
        module: The network in evaluation mode, giving logits.
        pictures: `(N, C, height, width)`.
        most: The furthest shift, in pixels.

    Returns:
        For shifts of 1 to `most` pixels: share of the answers that is another, over up, down, left and right.
    """
    before = _answers(module, pictures)
    changes = []
    for pixels in range(1, most + 1):
        moved = [
            _answers(module, shifted(pictures, down * pixels, right * pixels))
            for down, right in ((1, 0), (-1, 0), (0, 1), (0, -1))
        ]
        changes.append(float(torch.stack([each != before for each in moved]).float().mean()))
    return changes


def _answers(module: nn.Module, pictures: Tensor) -> Tensor:
    logits = torch.cat([module(block) for block in torch.split(pictures, _BLOCK)])
    return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(dim=1)
