"""Layers that mean the whole batch although each rank holds a part of it: batch normalisation and dropout.

Batch normalisation trains by the mean and variance of the batch. Were each rank to take those of its own part, two
ranks with 16 pictures each would train another network than one rank with 32, the more so the smaller the parts. So the
sums go from rank to rank, forward and backward (as in torch's SyncBatchNorm, which needs a GPU), and the number of
ranks changes nothing but the time: one short message a layer and direction. On a CPU the compiled kernels make them,
where all ranks have these.

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

from thalweg.modules.build import BuiltNetwork
from thalweg.modules.fused import SPREAD, run_alone
from thalweg.training.device import Device, kernels_of
from thalweg.training.ranks import ALONE, Ranks

__all__ = ["fuse_alike", "has_batch_statistics", "of_the_whole_batch", "spread_layers"]

_PART: ContextVar[tuple[int, int, int] | None] = ContextVar("part of the batch", default=None)


class _Parts:
    """How a batch lies on the ranks, for kernels whose sums travel.

    Args:
        whole: Samples of the batch.
        ranks: They.
    """

    def __init__(self, whole: int, ranks: Ranks) -> None:
        self.lies, self.ranks = (ranks.size, whole), ranks

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        """Give every rank the rows of all.

        Args:
            rows: float64 `(2, samples of the rank that has most, channels)`.

        Returns:
            float64 `(ranks, 2, samples of the rank that has most, channels)`.
        """
        return self.ranks.exchange(rows)


@contextlib.contextmanager
def of_the_whole_batch(first: int, last: int, whole: int, *, ranks: Ranks = ALONE) -> Iterator[None]:
    """Compute a training step whose batch is spread: the layers mean all of it. Elsewhere they do not.

    Args:
        first: This rank's first sample in the batch.
        last: One behind its last.
        whole: Samples of the batch over all ranks.
        ranks: Those that make them; one alone makes its parts in turn.

    Yields:
        Nothing.
    """
    before = _PART.set((first, last, whole)), SPREAD.set(_Parts(whole, ranks) if ranks.size > 1 else None)
    try:
        yield
    finally:
        _PART.reset(before[0])
        SPREAD.reset(before[1])


class _Normalise(torch.autograd.Function):
    """Batch normalisation of a batch that lies on several ranks, with one message forward and one backward.

    Forward, from every rank's count, mean and sum of squared deviations (Chan et al. 1979; nothing is subtracted that
    is nearly equal):

        mu = sum n_i mu_i / N,    N var = sum (M_i + n_i (mu_i - mu)^2)

    Backward, with the sums S over all ranks, of g and of g x^ (x^ is the normalised value):

        dx = gamma / sigma (g - S_g / N - x^ S_gx / N)

    Both terms are made by torch's own layers, the first by that of a layer whose statistics are held, the second as a
    normalisation of x with other factors: products with a number a channel are slow where channels are few.
    """

    @staticmethod
    def forward(
        context: Any,  # noqa: ANN401 - torch's form
        values: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        layer: nn.modules.batchnorm._BatchNorm,
        ranks: Ranks,
    ) -> torch.Tensor:
        count = values.numel() / values.shape[1]
        wide = torch.zeros_like(weight)  # without running statistics, torch gives those of bfloat16 values in bfloat16
        mean, variance = torch.batch_norm_update_stats(values, wide, torch.zeros_like(wide), 0.0)
        own = torch.stack((mean.double(), variance.double() * count, mean.new_full(mean.shape, count).double()))
        means, squares, counts = ranks.exchange(own).unbind(1)
        number = counts.sum(0)
        middle = (counts * means).sum(0) / number
        spread = (squares + counts * (means - middle) ** 2).sum(0) / number
        mean, variance = middle.to(mean.dtype), spread.to(variance.dtype)
        _remember(layer, mean, variance * float(number[0] / max(1.0, float(number[0]) - 1)))
        context.save_for_backward(values, weight, mean, variance)
        context.eps, context.number, context.ranks = layer.eps, float(number[0]), ranks
        return functional.batch_norm(values, mean, variance, weight, bias, training=False, eps=layer.eps)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401
        values, weight, mean, variance = context.saved_tensors
        inverse = (variance + context.eps).rsqrt()
        direct, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            gradient,
            values,
            weight,
            mean,
            variance,
            None,
            None,
            False,
            context.eps,
            [True, True, True],
        )
        sums = context.ranks.exchange(torch.stack((by_bias, by_weight)).double()).sum(0)
        level, slope = (-weight * inverse * (sums / context.number)).to(weight.dtype)
        rest = functional.batch_norm(values, mean, variance, slope, level, training=False, eps=context.eps)
        return direct.add_(rest), by_weight, by_bias, None, None


def _normalised(layer: nn.modules.batchnorm._BatchNorm, values: torch.Tensor, ranks: Ranks) -> torch.Tensor:
    """Normalise by mean and variance over the ranks."""
    channels = values.shape[1]
    weight = layer.weight if layer.affine else torch.ones(channels, device=values.device)
    bias = layer.bias if layer.affine else torch.zeros(channels, device=values.device)
    result: torch.Tensor = _Normalise.apply(values, weight, bias, layer, ranks)  # type: ignore[no-untyped-call]
    return result


@torch.no_grad()
def _remember(layer: nn.modules.batchnorm._BatchNorm, mean: torch.Tensor, variance: torch.Tensor) -> None:
    if not layer.track_running_stats or layer.running_mean is None or layer.running_var is None:
        return
    assert layer.num_batches_tracked is not None  # noqa: S101 - there with the other two
    layer.num_batches_tracked.add_(1)
    share = layer.momentum if layer.momentum is not None else 1.0 / float(layer.num_batches_tracked)
    layer.running_mean.lerp_(mean.to(layer.running_mean.dtype), share)
    layer.running_var.lerp_(variance.to(layer.running_var.dtype), share)


def _ranks_of(layer: nn.Module) -> Ranks | None:
    """Those that share the batch under way; None where a layer is to compute as before."""
    parts = SPREAD.get() if layer.training else None
    return parts.ranks if isinstance(parts, _Parts) else None


class _SpreadBatchNorm1d(nn.BatchNorm1d):
    of_all_ranks = True

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        ranks = _ranks_of(self)
        return super().forward(values) if ranks is None else _normalised(self, values, ranks)


class _SpreadBatchNorm2d(nn.BatchNorm2d):
    of_all_ranks = True
    spreads = False
    """Whether kernels may compute it, with sums that travel: where all ranks have them."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        ranks = _ranks_of(self)
        if ranks is None:
            return super().forward(values)
        made = run_alone(self, values) if self.spreads else None
        return _normalised(self, values, ranks) if made is None else made


class _SpreadBatchNorm3d(nn.BatchNorm3d):
    of_all_ranks = True

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        ranks = _ranks_of(self)
        return super().forward(values) if ranks is None else _normalised(self, values, ranks)


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


def fuse_alike(network: nn.Module, device: Device, ranks: Ranks) -> None:
    """Let compiled kernels run on all ranks or on none: what they send is not what torch's layers send.

    Args:
        network: The network.
        device: Where this rank computes.
        ranks: All of them; one may lack a C compiler.
    """
    if not isinstance(network, BuiltNetwork):
        return
    if set(ranks.words(kernels_of(device))) != {"compiled"}:
        network.fuses = False
    for layer in network.modules():
        if isinstance(layer, _SpreadBatchNorm2d):
            layer.spreads = network.fuses


def has_batch_statistics(network: nn.Module) -> bool:
    """Whether a layer normalises by the batch it is given.

    Args:
        network: The network, in training mode.

    Returns:
        False where there is no batch normalisation, or all of them hold their statistics.
    """
    return any(isinstance(each, nn.modules.batchnorm._BatchNorm) and each.training for each in network.modules())  # noqa: SLF001
