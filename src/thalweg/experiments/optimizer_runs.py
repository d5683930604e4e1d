"""The trainings of `lab optimizers`: one network by one optimizer, with what is measured of it on the way and after."""

import itertools
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import torch
from torch import nn

from thalweg.core.errors import PlanError
from thalweg.core.network_spec import NetworkSpec
from thalweg.curvature.flat import flatten, inner
from thalweg.curvature.lanczos import extreme_eigenvalues
from thalweg.curvature.objective import Objective
from thalweg.curvature.sharpness import adam_scale
from thalweg.experiments.data import LabData, LabPart
from thalweg.experiments.fit import Fit, Look, fit
from thalweg.experiments.optimizers import OptimizerChoice, predicted_bytes, state_bytes
from thalweg.training.loss import cross_entropy

__all__ = ["Bench", "Case", "Measured", "SparseCase", "measure", "rate_grid", "smoothed", "sparse_losses"]

CENTRES: Mapping[str, float] = MappingProxyType({
    "SGD": 1e-1,
    "SGD with momentum": 10**-1.5,
    "RMSprop": 1e-3,
    "Adagrad": 1e-2,
    "Adam": 10**-2.5,
    "AdamW": 10**-2.5,
    "Muon": 1e-2,
    "Schedule-Free AdamW": 10**-2.5,
})
"""Where each grid of rates lies; it goes on where the best is at its end."""
CURVED, PRODUCTS = 256, 30
"""Samples that the sharpness is measured on, and Hessian products at most."""
WATCHED = 8
"""Successive updates whose directions are compared."""
MEMORY = 0.95
"""Of the moving average that smooths the loss of batches."""
VOCABULARY, WORDS, TEXTS, SPARSE_STEPS, SPARSE_BATCH = 300, 6, 2000, 250, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all trainings share.

    Args:
        data: To train on and to judge by.
        tuning: The training part alone, divided: to choose rates by without a look at the held-out samples.
        spec: The network.
        steps: Updates.
        batch_size: Samples an update.
    """

    data: LabData
    tuning: LabData
    spec: NetworkSpec
    steps: int
    batch_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One training.

    Args:
        choice: The optimizer.
        seed: Of weights and order.
        tuning: Whether it is there to choose a rate.
        variant: Which setting was changed, in words.
        whole: Whether everything is measured, not the result alone.
    """

    choice: OptimizerChoice
    seed: int
    tuning: bool = False
    variant: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came of a training.

    Args:
        case: Which one.
        last: How good it was at its end.
        losses: Smoothed loss of the batches.
        seconds: Processor time of a step.
        broken: Whether its loss left all numbers.
        update_seconds: Processor time of the optimizer's own part of a step.
        predicted: Bytes of its state, predicted.
        kept: Bytes of its state, measured.
        sharpness: Largest eigenvalue of the Hessian of the training loss; nan where not measured.
        alignment: Cosine between successive updates.
        spread: How far apart the rates of single weights are: 90th over 10th percentile; 1 where there is one rate.
    """

    case: Case
    last: Look
    losses: tuple[float, ...]
    seconds: float
    broken: bool
    update_seconds: float = math.nan
    predicted: int = 0
    kept: int = 0
    sharpness: float = math.nan
    alignment: float = math.nan
    spread: float = 1.0


def rate_grid(name: str, count: int) -> list[float]:
    """The rates that an optimizer is tried with at first, half a decade apart.

    Args:
        name: The optimizer.
        count: How many.

    Returns:
        Rates in rising order.

    Example:
        >>> [f"{rate:.2g}" for rate in rate_grid("SGD", 3)]
        ['0.032', '0.1', '0.32']
    """
    return [CENTRES[name] * 10 ** (0.5 * (place - (count - 1) // 2)) for place in range(count)]


def measure(bench: Bench, case: Case) -> Measured:
    """Train once and measure.

    Args:
        bench: What all share.
        case: Which training.

    Returns:
        The numbers.
    """
    moves = _Moves(bench.steps // 2)
    data = bench.tuning if case.tuning else bench.data
    done = fit(
        bench.spec,
        data,
        case.choice,
        steps=bench.steps,
        batch_size=bench.batch_size,
        seed=case.seed,
        keep=case.whole,
        after_step=moves if case.whole else None,
    )
    found = Measured(
        case=case,
        last=done.last,
        losses=smoothed(done.losses),
        seconds=done.seconds / max(1, len(done.losses)),
        broken=done.broken,
    )
    return _closer(found, done, data, moves) if case.whole and not done.broken else found


def smoothed(losses: Sequence[float]) -> tuple[float, ...]:
    """Smooth the losses of batches, without a bias at the start.

    Args:
        losses: One a step.

    Returns:
        As many numbers.

    Example:
        >>> [round(loss, 3) for loss in smoothed((1.0, 1.0, 0.0))]
        [1.0, 1.0, 0.649]
    """
    kept, found = 0.0, []
    for step, loss in enumerate(losses, 1):
        kept = MEMORY * kept + (1 - MEMORY) * loss
        found.append(kept / (1 - MEMORY**step))
    return tuple(found)


class _Moves:
    """Remembers where the weights were over a few successive steps."""

    def __init__(self, first: int) -> None:
        self.first, self.places = first, list[torch.Tensor]()

    def __call__(self, step: int, module: nn.Module) -> None:
        if self.first <= step <= self.first + WATCHED:
            self.places.append(flatten([weight.detach() for weight in module.parameters()]).clone())

    def alignment(self) -> float:
        """Mean cosine between one update and the next."""
        moves = [after - before for before, after in itertools.pairwise(self.places)]
        cosines = [
            inner(one, two) / math.sqrt(inner(one, one) * inner(two, two))
            for one, two in itertools.pairwise(moves)
            if inner(one, one) > 0 and inner(two, two) > 0
        ]
        return statistics.fmean(cosines) if cosines else math.nan


def _closer(found: Measured, done: Fit, data: LabData, moves: _Moves) -> Measured:
    module, optimizer = done.module, done.optimizer
    assert module is not None and optimizer is not None  # noqa: S101, PT018 - asked for
    switch = getattr(optimizer, "eval", None)
    if callable(switch):
        switch()
    try:
        scale = adam_scale(optimizer, [weight for weight in module.parameters() if weight.requires_grad])
        low, high = np.quantile(scale[scale > scale.min()].numpy(), (0.1, 0.9))
        spread = float(high / low)
    except (PlanError, IndexError):
        spread = 1.0
    kept, predicted = state_bytes(optimizer), predicted_bytes(module, found.case.choice.name)
    sharp = _sharpness(module, data)
    if callable(switch):
        optimizer.train()  # type: ignore[attr-defined]
    return replace(
        found,
        predicted=predicted,
        kept=kept,
        sharpness=sharp,
        alignment=moves.alignment(),
        spread=spread,
        update_seconds=_update_seconds(optimizer),
    )


def _sharpness(module: nn.Module, data: LabData) -> float:
    part = data.train.some(CURVED, seed=5)
    objective = Objective(module=module, batches=[(part.inputs, part.targets)], loss=cross_entropy)
    try:
        product = objective.product(keep_graph=True)
        found = extreme_eigenvalues(product, objective.parameters, 1, bottom=0, tolerance=0.02, most_products=PRODUCTS)
    except PlanError:
        return math.nan
    return found.top[0].value


def _update_seconds(optimizer: torch.optim.Optimizer) -> float:
    """Processor time of the update alone, the least of several: others may use the processor, too."""
    best = math.inf
    for _ in range(6):
        began = time.process_time()
        for _ in range(10):
            optimizer.step()
        best = min(best, (time.process_time() - began) / 10)
    return best


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseCase:
    """Trainings of one optimizer on inputs of which nearly all are zero, with every rate.

    Args:
        name: The optimizer.
        rates: Learning rates.
        seed: Of data, weights and order.
    """

    name: str
    rates: tuple[float, ...]
    seed: int


def sparse_losses(_: None, case: SparseCase) -> list[float]:
    """Train a linear classifier of texts of rare words.

    Words are drawn by Zipf's law, a word's weight decides the class, and most words are seen by few batches.

    Args:
        _: Nothing is shared.
        case: Optimizer, rates and seed.

    Returns:
        Held-out loss of every rate, in nats.
    """
    random = np.random.default_rng((case.seed, 41))
    chances = 1 / np.arange(1, VOCABULARY + 1)
    texts = np.zeros((TEXTS, VOCABULARY), dtype=np.uint8)
    for text in texts:
        text[random.choice(VOCABULARY, size=WORDS, p=chances / chances.sum())] = 1
    weights = random.standard_normal(VOCABULARY) * 2
    labels = (texts @ weights > np.median(texts @ weights)).astype(np.int64)
    half = TEXTS * 3 // 4
    data = LabData(
        source="rare words",
        classes=("no", "yes"),
        train=LabPart(values=texts[:half], labels=labels[:half]),
        test=LabPart(values=texts[half:], labels=labels[half:]),
    )

    def linear(seed: int) -> nn.Module:
        del seed
        module = nn.Linear(VOCABULARY, 1)
        for weight in module.parameters():
            nn.init.zeros_(weight)
        return module

    return [
        fit(linear, data, OptimizerChoice(name=case.name, rate=rate), steps=SPARSE_STEPS, batch_size=SPARSE_BATCH,
            seed=case.seed).last.test_loss
        for rate in case.rates
    ]  # fmt: skip
