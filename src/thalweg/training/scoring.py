"""Forward passes over a split: logits to probabilities, loss and accuracy, without touching the network."""

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from thalweg.core.masks import VOID
from thalweg.modules.sharded import is_sharded
from thalweg.training.device import Device
from thalweg.training.loss import cross_entropy, probabilities
from thalweg.training.ranks import ALONE, Ranks, part_of
from thalweg.training.within_memory import answer_within_memory

__all__ = [
    "BatchSource",
    "LabelledBatch",
    "Scorer",
    "Scores",
    "Watched",
    "keep_company",
    "own_batches",
    "predict",
    "right_share",
    "score",
    "without_gradients",
]


class LabelledBatch(Protocol):
    """One step's pictures and labels."""

    @property
    def pixels(self) -> torch.Tensor:
        """float32 `(N, C, H, W)` from 0 to 255."""

    @property
    def labels(self) -> torch.Tensor:
        """int64 `(N,)`, or `(N, height, width)`."""

    @property
    def whole(self) -> int:
        """Samples of the batch over all ranks."""


class BatchSource(Protocol):
    """Where batches come from; `thalweg.data.batching.batches.Batches` is one."""

    @property
    def steps(self) -> int:
        """Batches an epoch."""

    def epoch(self, epoch: int, *, first: int = 0, side: int | None = None) -> Iterator[LabelledBatch]:
        """Give the batches of an epoch, leaving the first ones out."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What a network says about a split.

    Args:
        probabilities: float32 `(N, K)`.
        labels: int64 `(N,)`.
        loss: Mean cross-entropy, in nats.
        accuracy: Share of right answers.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    loss: float
    accuracy: float

    @property
    def quality(self) -> float:
        """What the best epoch is chosen by."""
        return self.accuracy

    @property
    def further(self) -> Mapping[str, float]:
        """Columns of `history.csv` besides loss and accuracy."""
        return {}


class Watched(Protocol):
    """How good a network is on a split, as the loop must know it."""

    @property
    def loss(self) -> float:
        """Mean cross-entropy, in nats."""

    @property
    def accuracy(self) -> float:
        """Share of right answers."""

    @property
    def quality(self) -> float:
        """What the best epoch is chosen by."""

    @property
    def further(self) -> Mapping[str, float]:
        """Columns of `history.csv` besides loss and accuracy."""


class Scorer(Protocol):
    """Runs a network over a split."""

    def __call__(
        self, module: torch.nn.Module, batches: BatchSource, device: Device, *, side: int | None, ranks: Ranks = ALONE
    ) -> Watched:
        """Score it."""


def right_share(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Right answers of a batch, in samples.

    Args:
        logits: `(N, K)`, or `(N, K, H, W)`.
        labels: `(N,)`, or `(N, H, W)` with 255 where there is no class.

    Returns:
        A scalar from 0 to N; of pictures whose every pixel is answered, N times the share of right pixels.
    """
    right = score(logits) == labels
    if labels.ndim == 1:
        return right.sum()
    return right.sum() * len(labels) / (labels != VOID).sum().clamp(min=1)


def score(logits: torch.Tensor) -> torch.Tensor:
    """The class a network answers.

    Args:
        logits: `(N, 1)` for two classes, `(N, K)`, or `(N, K, H, W)`.

    Returns:
        int64 `(N,)`, or `(N, H, W)`.
    """
    if logits.shape[1] == 1:
        return (logits[:, 0] > 0).long()
    return logits.argmax(dim=1)


def without_gradients(module: torch.nn.Module) -> contextlib.AbstractContextManager[object]:
    """Compute without gradients.

    Args:
        module: The network; what one in shards gathers while it answers is used again in training.

    Returns:
        A context manager for forward passes.
    """
    return torch.no_grad() if is_sharded(module) else torch.inference_mode()


def keep_company(
    module: torch.nn.Module, batches: BatchSource, device: Device, *, side: int | None, ranks: Ranks
) -> None:
    """Let a network in shards answer as often here as on the rank with most batches: all gather its layers together.

    Args:
        module: The network; nothing is done where it is in one piece.
        batches: The split.
        device: Where to compute.
        side: Side to scale the pictures to, in pixels, or None.
        ranks: With whom the split is shared.
    """
    first, last = part_of(batches.steps, ranks.rank, ranks.size)
    missing = -(-batches.steps // ranks.size) - (last - first)
    if missing and is_sharded(module):
        pixels = next(iter(batches.epoch(0, side=side))).pixels[:1].to(device.kind)
        for _ in range(missing):
            with device.context():
                module(pixels)


def own_batches(batches: BatchSource, side: int | None, ranks: Ranks) -> Iterator[LabelledBatch]:
    """Whole batches of a split that this rank scores: joined in the ranks' order they are the split in its own order.

    Args:
        batches: The split.
        side: Side to scale the pictures to, in pixels, or None.
        ranks: With whom the split is shared.

    Returns:
        This rank's batches, the same ones that one process would make.
    """
    first, last = part_of(batches.steps, ranks.rank, ranks.size)
    return itertools.islice(
        batches.epoch(0, first=first, side=side) if first else batches.epoch(0, side=side), last - first
    )


def predict(
    module: torch.nn.Module, batches: BatchSource, device: Device, *, side: int | None = None, ranks: Ranks = ALONE
) -> Scores:
    """Run a network over a split in evaluation mode.

    Args:
        module: The network, giving logits; its mode is restored.
        batches: The split.
        device: Where to compute.
        side: Side to scale the pictures to, in pixels; None keeps the cached size.
        ranks: With whom the split is shared; all get the same answer, that of one process.

    Returns:
        Probabilities, labels, loss and accuracy.
    """
    mode = module.training
    module.eval()
    gathered, labels, losses, right = [], [], [], 0
    with without_gradients(module):
        for batch in own_batches(batches, side, ranks):
            target = batch.labels.to(device.kind)
            logits = answer_within_memory(module, batch.pixels, device)
            losses.append(float(cross_entropy(logits, target)) * len(target))
            right += int((score(logits) == target).sum())
            gathered.append(probabilities(logits).cpu())
            labels.append(batch.labels)
        keep_company(module, batches, device, side=side, ranks=ranks)
    module.train(mode)
    own = {"losses": torch.tensor(losses, dtype=torch.float64), "right": torch.tensor([right])}
    if gathered:
        own |= {"probabilities": torch.cat(gathered), "labels": torch.cat(labels)}
    found = ranks.gather(own)
    every, truth = (
        torch.cat([each[name] for each in found if name in each]).numpy() for name in ("probabilities", "labels")
    )
    loss = sum(float(value) for each in found for value in each["losses"])  # in the order of one process
    return Scores(every, truth, loss / len(truth), sum(int(each["right"]) for each in found) / len(truth))
