"""A small, fast training on arrays: what experiments train hundreds of networks with, without run folders.

Same seed, same weights, order and result, in whatever process. Nothing is augmented, clipped or repaired, and the rate
stays constant unless a schedule is given: an experiment measures what it names, and nothing helps it along.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from thalweg.core.network_spec import NetworkSpec
from thalweg.experiments.at_speed import at_speed
from thalweg.experiments.data import LabData, LabPart
from thalweg.experiments.optimizers import OptimizerChoice, make_lab_optimizer
from thalweg.modules.build import build
from thalweg.modules.numbers import drawing_from
from thalweg.training.device import Device
from thalweg.training.loss import cross_entropy

__all__ = ["Fit", "Look", "fit", "judge_part", "minibatches"]

Schedule = Callable[[float], float]
"""Share of the rate after a share of the steps."""
_BLOCK = 256
_EXACT = Device("cpu", None)
_LOST = 1e6
"""A loss above this is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How good a network was at a step.

    Args:
        step: Steps made.
        epoch: Passes over the training samples, as far as they went.
        seconds: Processor time of training so far, without looking.
        train_loss: Mean over the training samples, in nats.
        train_accuracy: Share of them that is right.
        test_loss: Mean over the held-out samples, in nats.
        test_accuracy: Share of them that is right.
    """

    step: int
    epoch: float
    seconds: float
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A training that has ended.

    Args:
        losses: Loss of every step's own batch, in nats.
        looks: The course; the last one is the end.
        seconds: Processor time of training, without looking.
        broken: Whether it was given up because its loss left all numbers.
        module: The trained network; None unless kept.
        optimizer: Its optimizer; None unless kept.
    """

    losses: tuple[float, ...]
    looks: tuple[Look, ...]
    seconds: float
    broken: bool
    module: nn.Module | None = None
    optimizer: torch.optim.Optimizer | None = None

    @property
    def last(self) -> Look:
        """How good it was at its end."""
        return self.looks[-1]


def fit(
    spec: NetworkSpec | Callable[[int], nn.Module],
    data: LabData,
    choice: OptimizerChoice | Callable[[nn.Module], torch.optim.Optimizer],
    *,
    epochs: float | None = None,
    steps: int | None = None,
    batch_size: int = 32,
    seed: int = 0,
    looks: int = 1,
    schedule: Schedule | None = None,
    keep: bool = False,
    after_step: Callable[[int, nn.Module], None] | None = None,
    give_up: bool = True,
    fast: bool = False,
) -> Fit:
    """Train a network on arrays, on the processor.

    Args:
        spec: A network that ends in probabilities (they are taken off); or makes a module that gives logits of a seed.
        data: What to train on, and to judge by.
        choice: The optimizer; or makes one of a module.
        epochs: Passes over the training samples ...
        steps: ... or updates instead.
        batch_size: Samples an update; all of them at most.
        seed: Of initial weights, order and dropout.
        looks: How often the course is looked at, evenly, the end included; costs a pass over all samples each.
        schedule: What the rate is multiplied with, from the share of steps made (0 to 1).
        keep: Whether to give network and optimizer back.
        after_step: Called after each update with its number, counted from 1.
        give_up: Whether a loss that leaves all numbers ends the training; not where somebody repairs it.
        fast: Whether a network that is described trains as `at_speed` lays it out; it is judged in float32.

    Returns:
        Losses, course and time; a training whose loss leaves all numbers ends there, and says so.
    """
    module = build(spec.logits()[0], seed=seed) if isinstance(spec, NetworkSpec) else spec(seed)
    device = _EXACT
    if fast and isinstance(spec, NetworkSpec):
        module, device = at_speed(module, spec)
    with drawing_from(seed):
        plan = _plan(data, epochs, steps, batch_size, looks)
        return _train(module, data, choice, plan, seed, schedule, keep, after_step, give_up, device)


@dataclass(frozen=True, slots=True)
class _Plan:
    steps: int
    batch: int
    looks: frozenset[int]


def _plan(data: LabData, epochs: float | None, steps: int | None, batch_size: int, looks: int) -> _Plan:
    batch = min(batch_size, len(data.train))
    total = steps or max(1, round((epochs or 1.0) * math.ceil(len(data.train) / batch)))
    places = {max(1, round(total * (number + 1) / looks)) for number in range(looks)}
    return _Plan(total, batch, frozenset(places | {total}))


def _train(
    module: nn.Module,
    data: LabData,
    choice: OptimizerChoice | Callable[[nn.Module], torch.optim.Optimizer],
    plan: _Plan,
    seed: int,
    schedule: Schedule | None,
    keep: bool,
    after_step: Callable[[int, nn.Module], None] | None,
    give_up: bool,
    device: Device,
) -> Fit:
    optimizer = make_lab_optimizer(module, choice) if isinstance(choice, OptimizerChoice) else choice(module)
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    order = minibatches(data.train, plan.batch, seed)
    module.train()
    losses: list[float] = []
    found: list[Look] = []
    spent, broken = 0.0, False
    for step in range(1, plan.steps + 1):
        began = time.process_time()
        inputs, targets = next(order)
        if schedule is not None:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * schedule((step - 1) / plan.steps)
        optimizer.zero_grad(set_to_none=True)
        with device.context():
            logits = module(inputs)
        loss = cross_entropy(logits.float(), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
        spent += time.process_time() - began
        if after_step is not None:
            after_step(step, module)
        broken = give_up and (not math.isfinite(losses[-1]) or losses[-1] > _LOST)
        if step in plan.looks or broken:
            found.append(_look(module, optimizer, data, step, plan, spent))
        if broken:
            break
    return Fit(
        losses=tuple(losses),
        looks=tuple(found),
        seconds=spent,
        broken=broken or not math.isfinite(found[-1].train_loss),
        module=module if keep else None,
        optimizer=optimizer if keep else None,
    )


def minibatches(part: LabPart, batch_size: int, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Give batches for ever: every sample once a pass, in an order that is drawn anew for each.

    Args:
        part: The samples.
        batch_size: Samples a batch; the last of a pass may be smaller.
        seed: Of the order.

    Yields:
        Inputs and targets.
    """
    random = np.random.default_rng((seed, 29))
    whole = batch_size >= len(part)
    while True:
        if whole:  # the same sum in the same order: full batch is deterministic to the bit
            yield part.inputs, part.targets
            continue
        order = torch.from_numpy(random.permutation(len(part)))
        for chosen in torch.split(order, batch_size):
            yield part.inputs[chosen], part.targets[chosen]


def _look(
    module: nn.Module, optimizer: torch.optim.Optimizer, data: LabData, step: int, plan: _Plan, seconds: float
) -> Look:
    switch = getattr(optimizer, "eval", None)  # Schedule-Free judges other weights than it trains
    if callable(switch):
        switch()
    train_loss, train_accuracy = judge_part(module, data.train)
    test_loss, test_accuracy = judge_part(module, data.test)
    if callable(switch):
        optimizer.train()  # type: ignore[attr-defined]
    return Look(
        step=step,
        epoch=step * plan.batch / len(data.train),
        seconds=seconds,
        train_loss=train_loss,
        train_accuracy=train_accuracy,
        test_loss=test_loss,
        test_accuracy=test_accuracy,
    )


@torch.no_grad()
def judge_part(module: nn.Module, part: LabPart) -> tuple[float, float]:
    """Measure a network on samples, in evaluation mode.

    Args:
        module: The network, giving logits; its mode is put back.
        part: The samples.

    Returns:
        Mean loss in nats, and the share that is right; nan and what is left where the network is broken.
    """
    mode = module.training
    module.eval()
    total, right = 0.0, 0
    for inputs, targets in zip(torch.split(part.inputs, _BLOCK), torch.split(part.targets, _BLOCK), strict=True):
        logits = module(inputs)
        total += float(cross_entropy(logits, targets)) * len(targets)
        answers = (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(dim=1)
        right += int((answers == targets).sum())
    module.train(mode)
    return total / len(part), right / len(part)
