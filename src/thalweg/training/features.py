"""Cached features: what the frozen trunk of a pretrained network says of every picture, computed once.

With the trunk frozen, its answer to a picture never changes, and a head can be learned from these answers in seconds
instead of running the trunk again in every epoch. Augmentation changes pictures, so a few views of each are kept.

Features are standardised (mean 0, deviation 1 over the training part) while a head is learned, which makes all of them
count alike; afterwards this is folded into the head's weights, exactly:

    w' = w / deviation,   b' = b - sum(w mean / deviation)
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from thalweg.training.device import Device
from thalweg.training.loss import cross_entropy

__all__ = ["FeatureBatches", "Scaling", "features_of", "fit_head", "fold_in", "scaling_of"]

_ORDER = 4
"""Stream of random numbers that the order of features is drawn from."""
_STRENGTHS = (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4)
"""Weight decays that `fit_head` tries one after the other, the strongest first, which is solved soonest."""
_STRENGTH_OF_FEW = 0.3
"""Where a quarter of the pictures is too few to choose by: what serves 20 pictures and does not harm 200."""
_FLAT = 1e-6  # a deviation below this is taken for a feature that is never used
_ITERATIONS = 80


class _IndexedBatch(Protocol):
    @property
    def pixels(self) -> Tensor:
        """float32 `(N, C, H, W)`."""

    @property
    def indices(self) -> np.ndarray:
        """Positions of the pictures in the split."""


class _Indexed(Protocol):
    def __len__(self) -> int: ...

    def epoch(self, epoch: int, *, first: int = 0, side: int | None = None) -> Iterator[_IndexedBatch]:
        """Give the batches of an epoch."""


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """One step's features; named as pictures are, for the same loop.

    Args:
        pixels: float32 `(N, features)`.
        labels: int64 `(N,)`.
        whole: Samples of the batch.
    """

    pixels: Tensor
    labels: Tensor
    whole: int = 0


@dataclass(frozen=True, slots=True)
class Scaling:
    """Mean and deviation of every feature.

    Args:
        mean: float32 `(features,)`.
        deviation: float32 `(features,)`, never zero.
    """

    mean: Tensor
    deviation: Tensor


class FeatureBatches:
    """The cached features of one split, as batches.

    Args:
        views: float32 `(views, pictures, features)`, standardised; an epoch takes the views in turn.
        labels: Class index of each picture.
        batch_size: Pictures a batch.
        seed: Decides the order.
        shuffled: Whether to shuffle, in training.
    """

    def __init__(
        self, views: Tensor, labels: Tensor, *, batch_size: int, seed: int = 0, shuffled: bool = False
    ) -> None:
        self.views, self.labels, self.batch_size, self.seed, self.shuffled = views, labels, batch_size, seed, shuffled

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return -(-len(self.labels) // self.batch_size)

    def epoch(self, epoch: int, *, first: int = 0, side: int | None = None) -> Iterator[FeatureBatch]:  # noqa: ARG002
        """Give the batches of an epoch.

        Args:
            epoch: Counted from 1.
            first: Number of batches to leave out at the start.
            side: Without meaning here.

        Yields:
            One batch after the other.
        """
        count = len(self.labels)
        order = np.arange(count)
        if self.shuffled:
            order = np.random.default_rng((self.seed, _ORDER, epoch)).permutation(count)
        view = self.views[max(0, epoch - 1) % len(self.views)]
        for number, chosen in enumerate(np.array_split(order, max(1, self.steps))):
            if number >= first:
                at = torch.from_numpy(chosen)
                yield FeatureBatch(view[at], self.labels[at])


@torch.inference_mode()
def features_of(module: torch.nn.Module, head: str, batches: _Indexed, device: Device, *, epoch: int = 0) -> Tensor:
    """What reaches the head of a network, for every picture of a split.

    Args:
        module: The network; its mode is restored.
        head: Name of the layer that is the head.
        batches: The split.
        device: Where to compute.
        epoch: Which epoch's augmentation to see the pictures in.

    Returns:
        float32 `(pictures, features)` on the CPU, in the order of the split.
    """
    seen: list[Tensor] = []
    layer = module.get_submodule(head)
    handle = layer.register_forward_pre_hook(lambda _module, args: seen.append(args[0]))
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    rows, places = [], []
    try:
        for batch in batches.epoch(epoch):
            with device.context():
                module(batch.pixels.to(device.kind))
            rows.append(seen.pop().float().cpu())
            places.append(torch.from_numpy(np.asarray(batch.indices)))
    finally:
        handle.remove()
        for part, mode in modes:
            part.training = mode
    found = torch.empty((len(batches), rows[0].shape[1]))
    found[torch.cat(places)] = torch.cat(rows)
    return found


def scaling_of(views: Tensor) -> Scaling:
    """Mean and deviation of every feature over all views.

    Args:
        views: `(views, pictures, features)`.

    Returns:
        The scaling.
    """
    flat = views.reshape(-1, views.shape[-1]).double()
    deviation = flat.std(dim=0, correction=0)
    return Scaling(flat.mean(dim=0).float(), torch.where(deviation < _FLAT, 1.0, deviation).float())


@torch.no_grad()
def fold_in(head: torch.nn.Linear, weight: Tensor, bias: Tensor, scaling: Scaling) -> None:
    """Put a head learned on standardised features into a network.

    Args:
        head: The network's dense layer.
        weight: `(outputs, features)`.
        bias: `(outputs,)`.
        scaling: Of the features it was learned on.

    Example:
        >>> head = torch.nn.Linear(1, 1)
        >>> fold_in(head, torch.ones(1, 1), torch.zeros(1), Scaling(torch.tensor([2.0]), torch.tensor([4.0])))
        >>> head.weight.item(), head.bias.item()
        (0.25, -0.5)
    """
    scaled = weight.double() / scaling.deviation.double()
    head.weight.copy_(scaled.to(head.weight.dtype))  # not every device takes doubles
    head.bias.copy_((bias.double() - scaled @ scaling.mean.double()).to(head.bias.dtype))


def fit_head(
    views: Tensor, labels: Tensor, outputs: int, *, weights: Tensor | None = None, seed: int = 0
) -> tuple[Tensor, Tensor, float]:
    """Fit a linear head to standardised features: logistic regression with weight decay, to its minimum (L-BFGS).

    The strength of the decay is lowered as long as that lowers the loss on a quarter of the pictures, which no view of
    was trained on. Labels are not smoothed: decay alone holds the scores back, and smoothed ones rank held-out files
    worse (decision 0051).

    Args:
        views: float32 `(views, pictures, features)`.
        labels: int64 `(pictures,)`.
        outputs: 1 for two classes, otherwise the number of classes.
        weights: Weight a class, or None.
        seed: Decides which quarter.

    Returns:
        Weight `(outputs, features)`, bias `(outputs,)`, and the strength chosen.
    """
    order = torch.from_numpy(np.random.default_rng((seed, _ORDER, 0)).permutation(len(labels)))
    apart = len(labels) // 4
    strength = _STRENGTH_OF_FEW
    if apart >= 8:  # noqa: PLR2004 - fewer pictures tell nothing
        held, kept = order[:apart], order[apart:]
        least = math.inf
        for each in _STRENGTHS:
            weight, bias = _minimum(views[:, kept], labels[kept], outputs, each, weights)
            loss = float(cross_entropy(views[0, held] @ weight.T + bias, labels[held], weights=weights))
            if not loss < least:
                break
            least, strength = loss, each
    return (*_minimum(views, labels, outputs, strength, weights), strength)


def _minimum(
    views: Tensor, labels: Tensor, outputs: int, strength: float, weights: Tensor | None
) -> tuple[Tensor, Tensor]:
    flat, truth = views.reshape(-1, views.shape[-1]), labels.repeat(len(views))
    weight = torch.zeros((outputs, flat.shape[1]), requires_grad=True)
    bias = torch.zeros(outputs, requires_grad=True)
    solver = torch.optim.LBFGS([weight, bias], max_iter=_ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        loss = cross_entropy(flat @ weight.T + bias, truth, weights=weights)
        loss = loss + 0.5 * strength * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    solver.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()
