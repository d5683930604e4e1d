"""Layers that mean the whole batch although each rank holds a part of it: batch normalisation and dropout.

Batch normalisation trains by the mean and variance of the batch. Were each rank to take those of its own part, two
ranks with 16 pictures each would train another network than one rank with 32, the more so the smaller the parts. So the
sums go from rank to rank, forward and backward (as in torch's SyncBatchNorm, which needs a GPU), and the number of
ranks changes nothing but the time: two short messages a layer and direction.

Dropout is a function of seed and step. Each rank draws the mask of the whole batch and uses its own rows, so that the
same units are dropped for a picture whichever rank it falls to.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import torch
from torch import nn
from torch.nn import functional

__all__ = ["has_batch_statistics", "of_the_whole_batch", "spread_layers"]

_PART: ContextVar[tuple[int, int, int] | None] = ContextVar("part of the batch", default=None)


@contextlib.contextmanager
def of_the_whole_batch(first: int, last: int, whole: int) -> Iterator[None]:
    """Compute a training step whose batch is spread: the layers mean all of it. Elsewhere they do not.

    Args:
        first: This rank's first sample in the batch.
        last: One behind its last.
        whole: Samples of the batch over all ranks.

    Yields:
        Nothing.
    """
    before = _PART.set((first, last, whole))
    try:
        yield
    finally:
        _PART.reset(before)


class _Sum(torch.autograd.Function):
    """Sums over the ranks; the gradient of a sum is the sum of the gradients."""

    @staticmethod
    def forward(context: Any, values: torch.Tensor) -> torch.Tensor:  # noqa: ANN401, ARG004 - torch's form
        sums = values.clone()
        torch.distributed.all_reduce(sums)
        return sums

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:  # noqa: ANN401, ARG004
        sums = gradient.contiguous().clone()
        torch.distributed.all_reduce(sums)
        return sums


def _normalised(layer: nn.modules.batchnorm._BatchNorm, values: torch.Tensor) -> torch.Tensor:
    """Normalise by mean and variance over the ranks, the variance from centred values, as one process computes it."""
    axes = [axis for axis in range(values.dim()) if axis != 1]
    shape = [1, -1] + [1] * (values.dim() - 2)
    wide = values.float()
    count = wide.new_full((1,), wide.numel() / wide.shape[1])
    sums: torch.Tensor = _Sum.apply(torch.cat((wide.sum(axes), count)))  # type: ignore[no-untyped-call]
    number = sums[-1].detach()
    mean = sums[:-1] / number
    centred = wide - mean.view(shape)
    squares: torch.Tensor = _Sum.apply((centred * centred).sum(axes))  # type: ignore[no-untyped-call]
    variance = squares / number
    _remember(layer, mean.detach(), variance.detach() * (number / (number - 1).clamp(min=1)))
    scale = (variance + layer.eps).rsqrt()
    if layer.affine:
        scale = scale * layer.weight
    result = centred * scale.view(shape)
    if layer.affine:
        result = result + layer.bias.view(shape)
    return result.to(values.dtype)


@torch.no_grad()
def _remember(layer: nn.modules.batchnorm._BatchNorm, mean: torch.Tensor, variance: torch.Tensor) -> None:
    if not layer.track_running_stats or layer.running_mean is None or layer.running_var is None:
        return
    assert layer.num_batches_tracked is not None  # noqa: S101 - there with the other two
    layer.num_batches_tracked.add_(1)
    share = layer.momentum if layer.momentum is not None else 1.0 / float(layer.num_batches_tracked)
    layer.running_mean.lerp_(mean.to(layer.running_mean.dtype), share)
    layer.running_var.lerp_(variance.to(layer.running_var.dtype), share)


class _SpreadBatchNorm1d(nn.BatchNorm1d):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return _normalised(self, values) if self.training and _PART.get() else super().forward(values)


class _SpreadBatchNorm2d(nn.BatchNorm2d):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return _normalised(self, values) if self.training and _PART.get() else super().forward(values)


class _SpreadBatchNorm3d(nn.BatchNorm3d):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return _normalised(self, values) if self.training and _PART.get() else super().forward(values)


class _SpreadDropout(nn.Dropout):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        part = _PART.get()
        if not (self.training and part and self.p):
            return super().forward(values)
        first, last, whole = part
        ones = values.new_ones((whole, *values.shape[1:]))
        if values.dim() == 4 and not values.is_contiguous():  # noqa: PLR2004 - pictures, channels last: drawn in that order
            ones = ones.contiguous(memory_format=torch.channels_last)
        return values * functional.dropout(ones, self.p, training=True)[first:last]


_SPREAD: dict[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm1d: _SpreadBatchNorm1d,
    nn.BatchNorm2d: _SpreadBatchNorm2d,
    nn.BatchNorm3d: _SpreadBatchNorm3d,
    nn.Dropout: _SpreadDropout,
}


def spread_layers(network: nn.Module, *, sums: bool = True) -> int:
    """Make a network's batch normalisations and dropouts mean the whole batch during steps that are spread.

    Args:
        network: The network; its layers keep their tensors and places, and outside such steps compute as before.
        sums: Whether batch normalisations add up over ranks; pieces of one process cannot, for them only dropout is.

    Returns:
        How many there are; those whose statistics are held are none of them.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1), nn.Dropout(0.1))
        >>> spread_layers(net), isinstance(net[1], nn.BatchNorm2d)
        (2, True)
    """
    found = [layer for layer in network.modules() if type(layer) in _SPREAD and (sums or type(layer) is nn.Dropout)]
    for layer in found:
        layer.__class__ = _SPREAD[type(layer)]
    return len(found)


def has_batch_statistics(network: nn.Module) -> bool:
    """Whether a layer normalises by the batch it is given.

    Args:
        network: The network, in training mode.

    Returns:
        False where there is no batch normalisation, or all of them hold their statistics.
    """
    return any(isinstance(each, nn.modules.batchnorm._BatchNorm) and each.training for each in network.modules())  # noqa: SLF001
