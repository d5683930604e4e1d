"""Short trials of a learning rate: a few dozen updates with their own warm-up and decay to zero, all undone afterwards.

A trial answers which rate serves this network, this optimizer and these batches. Two things make it honest. It decays
to zero: a loss read at full rate is high by the noise of the last updates, and would favour low rates. And it is judged
on batches that it did not train on. What remains is a bias of the short horizon towards *high* rates (over a
whole run a smaller one wins); it was measured, and `rate_search` corrects it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from thalweg.modules.numbers import drawing_from
from thalweg.monitoring.snapshot import Snapshot, fresh_optimizer

__all__ = ["CLIP", "HELD", "Objective", "Trial", "TrialGround", "clip_gradients", "norm_of", "triangle"]

Objective = Callable[[], torch.Tensor]
"""Loss of one batch at the present weights, with its graph."""

CLIP = 1.0
"""Gradients are clipped at this norm, in trials and in the run alike."""
HELD = 4
"""Batches that trials are judged by, where there are at least three times as many."""

_HOPELESS = 4.0  # times the first loss: such a trial is ended early
_WARM = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a rate did in a few dozen updates.

    Args:
        rate: Learning rate at the trial's peak.
        loss: Mean loss on batches not trained on, after the decay; infinite where the trial broke.
        start: Mean loss of the same batches before.
        moved: Relative distance the weights went.
        steps: Updates made.
    """

    rate: float
    loss: float
    start: float
    moved: float
    steps: int


def triangle(step: int, steps: int) -> float:
    """Share of the peak rate in a trial: a short rise, then a cosine to zero.

    Args:
        step: Update, from 0.
        steps: Updates of the trial.

    Returns:
        Factor from 0 to 1.

    Example:
        >>> [round(triangle(step, 9), 2) for step in (0, 4, 8)]
        [1.0, 0.59, 0.03]
    """
    at = (step + 1) / (steps + 1)
    return at / _WARM if at < _WARM else 0.5 * (1 + math.cos(math.pi * (at - _WARM) / (1 - _WARM)))


def clip_gradients(weights: Sequence[torch.Tensor], limit: float) -> torch.Tensor:
    """Scale gradients down to a norm, and tell the norm they had.

    Args:
        weights: Parameters with gradients.
        limit: Largest norm left; infinite to only measure.

    Returns:
        The norm before, a scalar tensor (no wait for the device).
    """
    norm = norm_of([weight.grad for weight in weights if weight.grad is not None])
    if math.isfinite(limit):
        torch.nn.utils.clip_grads_with_norm_([each for each in weights if not _is_sparse(each.grad)], limit, norm)
        for weight in weights:
            if weight.grad is not None and _is_sparse(weight.grad):
                weight.grad = weight.grad * (limit / (norm + 1e-6)).clamp(max=1.0)  # as torch's does
    return norm


def norm_of(gradients: Sequence[torch.Tensor]) -> torch.Tensor:
    """Measure gradients together, also those of embeddings that have entries for a few rows only.

    Args:
        gradients: Dense or sparse.

    Returns:
        Their norm, a scalar tensor (no wait for the device).

    Example:
        >>> float(norm_of([torch.tensor([0.0, 3.0]).to_sparse(), torch.tensor([4.0])]))
        5.0
    """
    return torch.nn.utils.get_total_norm([each.coalesce().values() if _is_sparse(each) else each for each in gradients])


def _is_sparse(gradient: torch.Tensor | None) -> bool:
    return gradient is not None and gradient.is_sparse


class TrialGround:
    """A network at a state, and batches to try rates on; every trial leaves it as it was.

    Args:
        module: The network; it is trained in place and put back.
        optimizer: Its optimizer; a fresh one of its kind is used.
        train: Losses of the batches to train on, cycled.
        held: Losses of the batches to judge by.
        clip: Norm that gradients are clipped at.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        train: Sequence[Objective],
        held: Sequence[Objective],
        clip: float = CLIP,
    ) -> None:
        self.module, self.optimizer, self.train, self.held, self.clip = module, optimizer, train, held, clip
        self.spent = 0.0
        self.weights = [
            weight for group in optimizer.param_groups for weight in group["params"] if weight.requires_grad
        ]

    def run(self, rate: float, steps: int, *, start: Snapshot | None = None) -> Trial:
        """Try a rate.

        Args:
            rate: Peak learning rate of the first group; others keep their ratio to it.
            steps: Updates.
            start: Where to start from; the present state without it.

        Returns:
            What came of it.
        """
        present = Snapshot.take(self.module, None)
        # Those of other optimizers as well, whose steps may be still to come.
        holders = {id(each): each for each in (*self.weights, *self.module.parameters())}.values()
        gradients = [(each, each.grad) for each in holders]
        for each in holders:
            each.grad = None
        try:
            with drawing_from(0, self.weights):
                if start is not None:
                    start.put_back(self.module, None)
                return self._run(rate, steps, start or present)
        finally:
            present.put_back(self.module, None)
            for each, gradient in gradients:
                each.grad = gradient

    def _run(self, rate: float, steps: int, origin: Snapshot) -> Trial:
        machine = fresh_optimizer(self.optimizer)
        reference = float(self.optimizer.param_groups[0]["lr"]) or 1.0
        shares = [float(group["lr"]) / reference if reference else 1.0 for group in self.optimizer.param_groups]
        before, first, done = self._judge(), math.nan, 0
        for step in range(steps):
            for group, share in zip(machine.param_groups, shares, strict=True):
                group["lr"] = rate * (share or 1.0) * triangle(step, steps)
            for weight in self.weights:
                weight.grad = None
            with torch.enable_grad():
                loss = self.train[step % len(self.train)]()
                loss.backward()  # type: ignore[no-untyped-call]
            clip_gradients(self.weights, self.clip)
            machine.step()
            self.spent += 1.0
            done += 1
            value = float(loss.detach())
            first = value if step == 0 else first
            if not math.isfinite(value) or (step > 2 and value > _HOPELESS * max(first, before)):  # noqa: PLR2004
                break
        whole = done == steps
        after = self._judge() if whole else math.inf
        return Trial(
            rate=rate,
            loss=after if math.isfinite(after) else math.inf,
            start=before,
            moved=origin.distance(self.module),
            steps=done,
        )

    def _judge(self) -> float:
        with torch.no_grad():
            losses = [float(objective()) for objective in self.held]
        self.spent += len(losses) / 3  # a forward is about a third of an update
        return sum(losses) / len(losses)
