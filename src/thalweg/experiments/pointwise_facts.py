"""What a 1x1 convolution is, checked with numbers: a matrix product at each place, linear without an activation."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from thalweg.core.report import Drawing
from thalweg.experiments.channel_rank import clouds
from thalweg.experiments.dimension_words import as_tile
from thalweg.experiments.pointwise_layers import windowed_layers
from thalweg.experiments.pointwise_subject import Subject
from thalweg.rendering.figures.maps import MapTile, draw_maps

__all__ = ["Linearity", "check_linearity", "maps_of", "seen_by"]

_CALLED = {1: "signal", 2: "picture", 3: "volume"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Linearity:
    """How far three equalities are from holding, each as a share of the size of what is compared.

    Args:
        product: A 1x1 convolution against a product of matrices, largest difference.
        two_linear: Two 1x1 convolutions in a row against the one that their product gives.
        sum_linear: f(x + y) against f(x) + f(y), for the two without an activation between.
        sum_active: The same with a ReLU between.
        unexplained: Share of the variance of the two with ReLU that the best single 1x1 leaves.
    """

    product: float
    two_linear: float
    sum_linear: float
    sum_active: float
    unexplained: float


def check_linearity(maps: Tensor, *, seed: int) -> Linearity:
    """Check on what a layer of the network reads.

    Args:
        maps: `(N, C, positions...)`; two halves of the samples are added.
        seed: Of the convolutions' weights.

    Returns:
        The differences.

    Example:
        >>> found = check_linearity(torch.randn(4, 8, 6, generator=torch.Generator().manual_seed(0)), seed=0)
        >>> found.product < 1e-12, found.sum_linear < 1e-12, found.sum_active > 0.1
        (True, True, True)
    """
    values = maps.detach().double().flatten(2)
    channels = values.shape[1]
    drawn = torch.Generator().manual_seed(seed)
    first, second = (torch.randn(2, channels, channels, generator=drawn, dtype=torch.float64) / channels**0.5).unbind()

    def pointwise(matrix: Tensor, x: Tensor) -> Tensor:
        return functional.conv1d(x, matrix[:, :, None])

    def linear(x: Tensor) -> Tensor:
        return pointwise(second, pointwise(first, x))

    def active(x: Tensor) -> Tensor:
        return pointwise(second, pointwise(first, x).relu())

    half = len(values) // 2
    one, other = values[:half], values[half : 2 * half]
    vectors = values.movedim(1, -1).reshape(-1, channels).numpy()
    wanted = active(values).movedim(1, -1).reshape(-1, channels).numpy()
    with_one = np.concatenate([vectors, np.ones((len(vectors), 1))], axis=1)
    left = wanted - with_one @ np.linalg.lstsq(with_one, wanted, rcond=None)[0]
    return Linearity(
        product=_apart(pointwise(first, values), torch.einsum("oc,ncp->nop", first, values)),
        two_linear=_apart(linear(values), pointwise(second @ first, values)),
        sum_linear=_apart(linear(one + other), linear(one) + linear(other)),
        sum_active=_apart(active(one + other), active(one) + active(other)),
        unexplained=float(left.var() / wanted.var()) if wanted.var() > 0 else 0.0,
    )


def _apart(one: Tensor, other: Tensor) -> float:
    size = float(other.abs().max())
    return float((one - other).abs().max()) / size if size > 0 else 0.0


def seen_by(subject: Subject, name: str) -> Tensor:
    """What a layer reads of the first batch of held-out samples.

    Args:
        subject: The network.
        name: The layer.

    Returns:
        `(N, C, positions...)`.
    """
    caught: list[Tensor] = []
    handle = subject.module.get_submodule(name).register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0]))
    try:
        with torch.inference_mode():
            subject.module(subject.test[0])
    finally:
        handle.remove()
    return caught[0].clone()


def maps_of(subject: Subject) -> Drawing | None:
    """Draw a sample, some channels of a layer, and 1x1 mixes of all of them.

    Args:
        subject: The network.

    Returns:
        The drawing, of volumes the middle slices; None where no layer is wide enough.
    """
    layers = windowed_layers(subject.spec)
    if not layers:
        return None
    called = _CALLED[subject.test[0].ndim - 2]
    name = layers[0].name
    maps, cloud = seen_by(subject, name), clouds(subject.module, [name], subject.train)[name]
    sample = subject.test[0][0].mean(dim=0).numpy()
    read = maps[0].numpy().astype(np.float64)
    size = " x ".join(map(str, read.shape[1:]))
    mean = cloud.mean.reshape(-1, *(1 for _ in read.shape[1:]))
    mixes = [as_tile(np.tensordot(cloud.axes[:, place], read - mean, axes=1)) for place in (0, 1)]
    strongest = np.argsort(-read.reshape(len(read), -1).std(axis=1))[:3]
    sizes = " x ".join(map(str, sample.shape))
    rows = [
        [
            MapTile(label=f"a {called}", values=as_tile(sample), note=f"{sizes}, held out"),
            *(
                MapTile(label=f"channel {place}", values=as_tile(read[place]), note=f"read by {name}")
                for place in strongest
            ),
        ],
        [
            MapTile(label="1x1 to one channel", values=mixes[0], note=f"best mix of all {len(read)}"),
            MapTile(label="a second one", values=mixes[1], note="second best mix"),
            MapTile(label="the first, ReLU", values=np.maximum(mixes[0], 0), note=f"cut at nought, {size}"),
            MapTile(label="minus it, ReLU", values=np.maximum(-mixes[0], 0), note="the other side"),
        ],
    ]
    return draw_maps(
        f"A {called}, three of the channels that the first windowed layer reads, and 1x1 convolutions of them: a sum "
        "of channels at each place; no place looks at its neighbours",
        rows,
    )
