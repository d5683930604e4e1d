"""One training run of a workload: the loop that every method of the benchmark shares, and what is measured of it."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

import torch
from torch import nn
from workloads import Arrays, Workload

from thalweg.monitoring.choose import batches_wanted, choose_rate
from thalweg.monitoring.initial_scale import search_well_scaled
from thalweg.monitoring.pilot import Pilot
from thalweg.monitoring.seat import Seat

CRITERION = nn.CrossEntropyLoss()
CLIP, WARM = 1.0, 0.1
FOREIGN = 100
"""Steps that a foreign loop runs before the pilot may act."""
OPTIMIZERS = ("sgd", "adamw")


def make_optimizer(network: nn.Module, kind: str, rate: float) -> torch.optim.Optimizer:
    """SGD with momentum 0.9, or AdamW with torch's defaults."""
    if kind == "sgd":
        return torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9)
    return torch.optim.AdamW(network.parameters(), lr=rate)


def shape(step: int, steps: int, warm: float = WARM) -> float:
    """Share of the peak: linear warm-up, cosine to zero."""
    at = (step + 0.5) / steps
    return at / warm if at < warm else 0.5 * (1 + math.cos(math.pi * (at - warm) / (1 - warm)))


def ready(network: nn.Module) -> nn.Module:
    """The memory layout that is fastest here."""
    return network.to(memory_format=torch.channels_last)


@torch.no_grad()
def accuracy(network: nn.Module, part: Arrays) -> float:
    """Share of right answers; 0 where the outputs are not finite."""
    network.eval()
    right = 0
    for at in range(0, len(part[0]), 500):
        out = network(part[0][at : at + 500].contiguous(memory_format=torch.channels_last))
        right += int(((out.argmax(1) == part[1][at : at + 500]) & out.isfinite().all(1)).sum())
    network.train()
    return right / len(part[1])


@dataclass(slots=True)
class Meter:
    """Seconds of processor time (others compute on the same cores) and of the wall, without building and scoring."""

    cpu: float = 0.0
    wall: float = 0.0
    _begun: tuple[float, float] = (0.0, 0.0)

    def __enter__(self) -> Self:
        self._begun = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu += time.process_time() - self._begun[0]
        self.wall += time.perf_counter() - self._begun[1]


def run_plain(
    work: Workload,
    kind: str,
    rate: float,
    seed: int,
    *,
    decay: bool,
    clip: bool,
    begin: Callable[[], None] | None = None,
) -> dict[str, object]:
    """Train without any monitor: the rate constant, or with warm-up, cosine and clipping.

    Args:
        work: Data, network and budget.
        kind: Optimizer.
        rate: Learning rate, its peak where it decays.
        seed: Decides weights and order.
        decay: Whether the rate rises and decays.
        clip: Whether gradients are clipped at norm 1.
        begin: Called within the time measured, before training.

    Returns:
        Scores and costs.
    """
    network, source, meter = ready(work.build(seed)), work.batches(seed), Meter()
    work.data()
    with meter:
        if begin:
            begin()
        optimizer = make_optimizer(network, kind, rate)
        for step in range(work.steps):
            if decay:
                for group in optimizer.param_groups:
                    group["lr"] = rate * shape(step, work.steps)
            loss = batch_loss(network, next(source))
            optimizer.zero_grad()
            loss.backward()
            if clip:
                nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()
    return scores(work, network, meter)


def run_given(
    work: Workload,
    kind: str,
    rate: float,
    seed: int,
    *,
    same: Callable[[float], dict[str, object] | None] = lambda _: None,
) -> dict[str, object]:
    """Way in (a): the user's rate is known before the first step; trials first, then warm-up, cosine and the guard.

    Args:
        work: Data, network and budget.
        kind: Optimizer.
        rate: The user's rate.
        seed: Decides weights and order.
        same: Finds a run that began with the same weights, order and peak rate, to the bit.

    Returns:
        Scores, costs, the rate chosen and what was done.
    """
    network, source, meter = ready(work.build(seed)), work.batches(seed), Meter()
    work.data()
    with meter:
        optimizer = make_optimizer(network, kind, rate)
        others = work.batches(1000 + seed)
        batches = [next(others) for _ in range(batches_wanted(work.steps))]
        losses = [lambda batch=batch: batch_loss(network, batch) for batch in batches]
        try_rates = partial(choose_rate, network, optimizer, losses, start=rate, steps=work.steps)
        chosen, scaling = search_well_scaled(network, losses[0], try_rates)
        if (known := same(chosen.rate)) is not None:
            return known
        seat = Seat(network, optimizer)
        pilot = Pilot(seat, steps=work.steps, chosen=chosen)
        seat.passengers.append(pilot)
        for step in range(work.steps):
            for group in optimizer.param_groups:
                group["lr"] = chosen.rate * shape(step, work.steps)
            loss = batch_loss(network, next(source))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    costs = told(pilot, chosen.spent) | {"closed": seat.closed_because, "peak": chosen.rate}
    costs |= {} if scaling is None else {"scaled": len(scaling.sizes)}
    return scores(work, network, meter) | costs


def run_rescue(
    work: Workload, kind: str, rate: float, seed: int, *, schedule: bool = False, late: bool = False
) -> dict[str, object]:
    """Way in (b): somebody's loop really runs 100 steps at that rate before anything may act.

    Args:
        work: Data, network and budget.
        kind: Optimizer.
        rate: The user's rate.
        seed: Decides weights and order.
        schedule: Whether the loop has warm-up, cosine and clipping of its own: an oracle's run, to be left alone.
        late: Whether the seat is taken only then, so that nobody knows the initial weights.

    Returns:
        Scores, costs, the rate chosen and what was done.
    """
    network, source, meter = ready(work.build(seed)), work.batches(seed), Meter()
    work.data()
    seat: Seat | None = None
    pilot: Pilot | None = None
    with meter:
        optimizer = make_optimizer(network, kind, rate)
        for step in range(work.steps):
            if step == (FOREIGN if late else 0):
                seat = Seat(network, optimizer)
                pilot = Pilot(seat, steps=work.steps - step, wait=24 if late else FOREIGN)
                seat.passengers.append(pilot)
            if schedule:
                for group in optimizer.param_groups:
                    group["lr"] = rate * shape(step, work.steps)
            loss = batch_loss(network, next(source))
            optimizer.zero_grad()
            loss.backward()
            if schedule:
                nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()
    if pilot is None or seat is None:
        raise ValueError(f"{work.name} ends before step {FOREIGN}")
    return scores(work, network, meter) | told(pilot, pilot.spent) | {"closed": seat.closed_because}


def told(pilot: Pilot, spent: float) -> dict[str, object]:
    """What a pilot did."""
    return {
        "chosen": pilot.chosen and float(f"{pilot.chosen.rate:.4g}"),
        "spent_steps": round(spent, 1),
        "trials": [[float(f"{t.rate:.3g}"), float(f"{t.loss:.4g}") if t.loss < 1e30 else None]
                   for t in (pilot.chosen.trials if pilot.chosen else ())],
        "interventions": [[each.step, each.kind, float(f"{each.learning_rate_after:.3g}"), each.steps_rolled_back]
                          for each in pilot.interventions],
        "unable": pilot.unable,
    }  # fmt: skip


def batch_loss(network: nn.Module, batch: Arrays) -> torch.Tensor:
    """Cross-entropy of a batch."""
    return CRITERION(network(batch[0].contiguous(memory_format=torch.channels_last)), batch[1])


def scores(work: Workload, network: nn.Module, meter: Meter) -> dict[str, object]:
    """Accuracy on validation and test, and what it cost."""
    _, val, test = work.data()
    return {"validation": round(accuracy(network, val), 4), "accuracy": round(accuracy(network, test), 4),
            "cpu_seconds": round(meter.cpu, 2), "wall_seconds": round(meter.wall, 2)}  # fmt: skip
