"""Before the first step: how large may the learning rate be on this network and these pictures?

A copy of the network takes a few dozen steps while the rate climbs geometrically (the range test of Smith 2015). The
*edge* is the rate at which the loss, smoothed, climbs clearly above the best it had reached. The answer stays a safe
factor below the edge and never above the recipe's rate: the lowest loss of such a short test says little about the best
rate (it favours small ones), its explosion says a lot about the largest.
"""

import copy
import itertools
import math
from dataclasses import dataclass

import torch

from thalweg.core.plan import OptimizerName
from thalweg.training.device import Device, move
from thalweg.training.loss import cross_entropy
from thalweg.training.optimizers import make_optimizer, set_rate
from thalweg.training.scoring import BatchSource

__all__ = ["ProbeResult", "probe_learning_rate"]

MARGIN = 4.0
"""The chosen rate lies at least this factor below the edge."""
CLIMB = 1.5
"""The edge is where the smoothed loss exceeds its lowest value by this factor ..."""
CLIMB_NATS = 0.35
"""... and by this many nats."""
LOWEST, HIGHEST = 1e-2, 30.0
"""The test runs over this range, in units of the recipe's rate."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What the range test found.

    Args:
        rate: The rate to use.
        edge: The rate at which training broke; None when it never did within the range.
        rates: The rates tried.
        losses: The loss at each, in nats.
    """

    rate: float
    edge: float | None
    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def message(self) -> str:
        """The finding in a sentence."""
        if self.edge is None:
            return f"learning rate {self.rate:.3g}: the range test stayed stable up to {self.rates[-1]:.3g}"
        return f"learning rate {self.rate:.3g}: the range test broke at {self.edge:.3g}"


def probe_learning_rate(
    module: torch.nn.Module,
    batches: BatchSource,
    device: Device,
    *,
    optimizer: OptimizerName,
    weight_decay: float,
    recipe_rate: float,
    side: int | None = None,
    steps: int = 24,
) -> ProbeResult:
    """Find a safe learning rate.

    Args:
        module: The network, giving logits; it is copied, never changed.
        batches: Training batches; those of an epoch that training never uses are drawn.
        device: Where to compute.
        optimizer: `adam`, `adamw` or `sgd`.
        weight_decay: Strength of weight decay.
        recipe_rate: The rate that usually serves this network and optimizer; the answer is never higher.
        side: Side of the pictures, in pixels, or None.
        steps: Steps of the test.

    Returns:
        The rate, the edge and the curve.
    """
    copied = move(copy.deepcopy(module), device).train()
    machine = make_optimizer(copied, optimizer, learning_rate=recipe_rate, weight_decay=weight_decay)
    growth = (HIGHEST / LOWEST) ** (1 / max(1, steps - 1))
    rates = [recipe_rate * LOWEST * growth**number for number in range(steps)]
    source = itertools.chain.from_iterable(batches.epoch(epoch, side=side) for epoch in itertools.repeat(0))
    losses: list[float] = []
    torch.manual_seed(0)
    for rate, batch in zip(rates, source, strict=False):
        set_rate(machine, rate)
        machine.zero_grad(set_to_none=True)
        with device.context():
            logits = copied(batch.pixels.to(device.kind))
        loss = cross_entropy(logits, batch.labels.to(device.kind))
        losses.append(float(loss.detach()))
        if not math.isfinite(losses[-1]) or losses[-1] > 20 * max(1.0, losses[0]):
            break
        loss.backward()  # type: ignore[no-untyped-call]
        machine.step()
    edge = find_edge(rates, losses)
    rate = recipe_rate if edge is None else min(recipe_rate, edge / MARGIN)
    return ProbeResult(rate, edge, tuple(rates[: len(losses)]), tuple(losses))


def find_edge(rates: list[float], losses: list[float]) -> float | None:
    """Find where a climbing rate broke training.

    Args:
        rates: Rates tried, ascending.
        losses: Loss at each; may end with a value that is not finite.

    Returns:
        The first rate after which the smoothed loss stays above the bound, or None.

    Example:
        >>> find_edge([0.1, 0.2, 0.4, 0.8, 1.6], [0.7, 0.6, 0.5, 4.0, 9.0])
        0.8
        >>> find_edge([0.1, 0.2, 0.4], [0.7, 0.6, 0.5]) is None
        True
    """
    smooth: list[float] = []
    for loss in losses:
        if not math.isfinite(loss):
            return rates[len(smooth)]
        smooth.append(loss if not smooth else 0.5 * smooth[-1] + 0.5 * loss)
    lowest, edge = math.inf, None
    for rate, loss in zip(rates, smooth, strict=False):
        above = loss > max(lowest * CLIMB, lowest + CLIMB_NATS)
        edge = (edge or rate) if above else None  # a single bad batch is no edge
        lowest = min(lowest, loss)
    return edge
