"""The learning rate that the user gave, as the start of a search: short trials on a copy of the network decide."""

import copy
import itertools
from collections.abc import Callable

import torch

from thalweg.core.plan import TrainingPlan
from thalweg.data.batches import Batches
from thalweg.monitoring.choose import batches_wanted, choose_rate
from thalweg.monitoring.rate_search import Chosen
from thalweg.training.device import Device, move
from thalweg.training.loss import cross_entropy
from thalweg.training.optimizers import make_optimizer

__all__ = ["search_learning_rate"]

SHORT = 300
"""Where the plan is in minutes, trials are as short as those of a run of so many steps."""


def search_learning_rate(
    module: torch.nn.Module,
    batches: Batches,
    device: Device,
    *,
    plan: TrainingPlan,
    weights: tuple[float, ...] | None,
) -> Chosen:
    """Choose a learning rate by short trials.

    Args:
        module: The network, giving logits; it is copied, never changed.
        batches: Training batches; those of an epoch that training never uses are drawn.
        device: Where to compute.
        plan: Names optimizer, weight decay, length, smoothing, and the user's rate, which is kept where it is within a
            factor 2 of what trials choose.
        weights: Weight a class, or None.

    Returns:
        The rate and what it rests on.
    """
    copied = move(copy.deepcopy(module), device).train()
    given = plan.learning_rate or 0.0
    optimizer = make_optimizer(
        copied, plan.optimizer or "adam", learning_rate=given, weight_decay=plan.weight_decay or 0.0
    )
    steps = SHORT if plan.epochs is None else plan.epochs * batches.steps
    source = itertools.chain.from_iterable(batches.epoch(0) for _ in range(batches_wanted(steps)))
    drawn = list(itertools.islice(source, min(batches_wanted(steps), max(batches.steps, 6))))
    balance = torch.tensor(weights, device=device.kind) if weights else None

    def loss_of(pixels: torch.Tensor, labels: torch.Tensor) -> Callable[[], torch.Tensor]:
        def loss() -> torch.Tensor:
            with device.context():
                logits = copied(pixels.to(device.kind))
            target = labels.to(device.kind)
            return cross_entropy(logits, target, weights=balance, smoothing=plan.label_smoothing or 0.0)

        return loss

    losses = [loss_of(batch.pixels, batch.labels) for batch in drawn]
    torch.manual_seed(plan.seed)
    return choose_rate(copied, optimizer, losses, start=given, steps=steps)
