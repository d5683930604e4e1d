"""The rivals of the any-learning-rate benchmark: learning-rate finders, and optimizers that want no learning rate.

    pip install prodigyopt dadaptation dog-optimizer schedulefree
    python -m doctest benchmarks/any_learning_rate/rivals.py
    python benchmarks/any_learning_rate/run.py --methods valley,steep,steepest,prodigy,dadapt,dog,ldog,schedule_free \
        --works W3,W4,W5,W6,W7 --seeds 1,2,3 --out benchmarks/results/any_learning_rate_rivals.jsonl

The optimizers are packages for this benchmark alone, thalweg does not depend on them. A finder sweeps 100 updates,
which are charged, and trains from the initial weights at the rate it suggests, with warm-up, cosine and clipping. An
optimizer trains *as prescribed* by its README (`prodigy`), or *fed* the user's rate for the one that its README names
(`prodigy_fed`). What replaces AdamW keeps its weight decay of 0.01; gradients are clipped for D-Adaptation alone.
"""

import contextlib
import importlib
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn
from workloads import Workload

from training import CLIP, WARM, Meter, batch_loss, make_optimizer, ready, run_plain, scores, shape

SWEEP, BETA, DIVERGED = 100, 0.98, 4.0
"""Both libraries: updates of a sweep, smoothing of its losses, and how many times the best one ends it."""
DECAY = 0.01
"""Weight decay of torch's AdamW."""
RENEWED = 50
"""Batches that renew the statistics of batch normalisation (Schedule-Free's README)."""


# ---- finders ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """How a library sweeps the rates, and what it reads from the losses."""

    rate: Callable[[int], float]
    """Rate of each update, counted from 0."""
    ahead: int
    """By how much the counter that corrects the start of the running mean is ahead of the losses taken in."""
    suggest: Callable[[list[float], list[float]], float]


def fastai_rate(step: int) -> float:
    """From 1e-7 towards 10 (fastai `callback/schedule.py`: `LRFinder`, `lr_find`)."""
    return float(1e-7 * 1e8 ** (step / SWEEP))


def lightning_rate(step: int) -> float:
    """From 1e-8 to 1, the second place left out (Lightning `tuner/lr_finder.py`: `_ExponentialLR`, `_lr_find`)."""
    return float(1e-8 * 1e8 ** ((step + 1) / SWEEP)) if step else 1e-8


def usable(rates: list[float], losses: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """What fastai's `lr_find` looks at: not the first tenth, not the last five, nothing from the first nan on."""
    r, y = np.array(rates[SWEEP // 10 : -5]), np.array(losses[SWEEP // 10 : -5])
    end = int(np.isnan(y).argmax()) if np.isnan(y).any() else len(y)
    return r[:end], y[:end]


def valley(rates: list[float], losses: list[float]) -> float:
    """The default of fastai: in the longest falling subsequence of the losses, half of its length in (`valley`).

    The subsequence need not be contiguous, but its start is taken as its end minus its length; of that stretch a third
    and half a third, both rounded down, are gone.
    """
    r, y = usable(rates, losses)
    length = np.ones(len(y), int)
    for i in range(1, len(y)):
        length[i] = 1 + max((length[j] for j in range(i) if y[i] < y[j]), default=0)
    end = int(length.argmax())
    start = end - int(length[end]) if end else 0
    third = (end - start) / 3
    return float(r[start + int(third) + int(third / 2)])


def steep(rates: list[float], losses: list[float]) -> float:
    """The steepest of fastai: left end of the interval where the loss falls most for the rate's logarithm (`steep`)."""
    r, y = usable(rates, losses)
    return float(r[(np.diff(y) / np.diff(np.log(r))).argmin()])


def steepest(rates: list[float], losses: list[float]) -> float:
    """Lightning's: where the loss falls most for the rate itself, without the first 10 and the last (`suggestion`).

    So since 2.5.3, and in 2.6.6. Before it was by the place in the sweep, which is fastai's `steep` up to a central
    difference. For the rate itself, noise early in the sweep is divided by steps of 1e-8: Lightning's issue 21141.
    """
    r, y = torch.tensor(rates[10:-1]), torch.tensor(losses[10:-1])
    r, y = r[y.isfinite()], y[y.isfinite()]
    return float(r[int(torch.gradient(y, spacing=[r])[0].argmin())])


def falling(rate: Callable[[int], float]) -> tuple[list[float], list[float]]:
    """A made sweep: a wavy fall of the loss. What the libraries say of it stands below.

    fastai 2.8.12 suggests 0.0331 (valley) and 0.00209 (steep), Lightning 2.6.6 finds 7.59e-08 steepest.

    Example:
        >>> print(*(f"{finder.suggest(*falling(finder.rate)):.3g}" for finder in FINDERS.values()))
        0.0331 0.00209 7.59e-08
    """
    losses = [2.3 - 1.5 / (1 + math.exp((56 - i) / 4)) + 0.01 * math.sin(5 * i) for i in range(SWEEP)]
    return [rate(i) for i in range(SWEEP)], losses


FINDERS = {
    "valley": Finder(rate=fastai_rate, ahead=0, suggest=valley),
    "steep": Finder(rate=fastai_rate, ahead=0, suggest=steep),
    "steepest": Finder(rate=lightning_rate, ahead=1, suggest=steepest),
}


def sweep(
    network: nn.Module, optimizer: torch.optim.Optimizer, loss_of_next: Callable[[], torch.Tensor], finder: Finder
) -> tuple[list[float], list[float]]:
    """Train with a climbing rate, in the user's loop (so with its clipping); rates and smoothed losses."""
    rates: list[float] = []
    losses: list[float] = []
    mean, best = 0.0, math.inf
    for step in range(SWEEP):
        rates.append(finder.rate(step))
        for group in optimizer.param_groups:
            group["lr"] = rates[-1]
        loss = loss_of_next()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        mean = BETA * mean + (1 - BETA) * float(loss.detach())
        losses.append(mean / (1 - BETA ** (step + 1 + finder.ahead)))
        if losses[-1] > DIVERGED * best:
            break
        best = min(best, losses[-1])
    return rates, losses


def _run_finder(work: Workload, kind: str, method: str, seed: int) -> dict[str, object]:
    """Sweep on a network of its own, then train from the same initial weights at the suggested rate."""
    network, source, meter = ready(work.build(seed)), work.batches(1000 + seed), Meter()
    work.data()
    finder = FINDERS[method]
    with meter:
        optimizer = make_optimizer(network, kind, finder.rate(0))
        rates, losses = sweep(network, optimizer, lambda: batch_loss(network, next(source)), finder)
        rate = finder.suggest(rates, losses)
    row = run_plain(work, kind, rate, seed, decay=True, clip=True)
    row["cpu_seconds"] = round(float(str(row["cpu_seconds"])) + meter.cpu, 2)
    row["wall_seconds"] = round(float(str(row["wall_seconds"])) + meter.wall, 2)
    return row | {"chosen": float(f"{rate:.4g}"), "spent_steps": len(rates)}


# ---- optimizers ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """An optimizer's prescription."""

    package: str
    install: str
    classes: Mapping[str, str]
    """What replaces SGD or AdamW, and so which oracle it is held to."""
    rates: Mapping[str, float] = field(default_factory=lambda: {"sgd": 1.0, "adamw": 1.0})
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    share: Callable[[int, int], float] = lambda _step, _steps: 1.0
    """Share of the rate at a step."""
    clip: bool = False

    def imported(self) -> ModuleType:
        """The package, or one sentence of what to install."""
        try:
            return importlib.import_module(self.package)
        except ImportError:
            raise SystemExit(
                f"{' and '.join(self.classes.values())} cannot be run, the package {self.package} is not "
                f"installed: pip install {self.install}"
            ) from None


RIVALS = {
    # "We recommend using lr=1. (default) for all networks", "either no scheduler or cosine annealing" to total_steps.
    "prodigy": Rival(
        package="prodigyopt",
        install="prodigyopt",
        classes={"adamw": "Prodigy"},
        settings={"adamw": {"weight_decay": DECAY}},
        share=lambda step, steps: shape(step, steps, 0.0),
    ),
    # "Drop-in replacements": the loop's clipping stays (without it DAdaptSGD ends at 10 % on W1, with it at 68 %).
    # "Set the LR parameter to 1.0", "use the same learning rate scheduler you would normally use"; decoupled for AdamW.
    "dadapt": Rival(
        package="dadaptation",
        install="dadaptation",
        classes={"sgd": "DAdaptSGD", "adamw": "DAdaptAdam"},
        settings={"sgd": {"momentum": 0.9}, "adamw": {"weight_decay": DECAY, "decouple": True}},
        share=shape,
        clip=True,
    ),
    # Rate 1, reps_rel of 1e-6 or, with batch normalisation, 1e-4; "must be combined with iterate averaging".
    "dog": Rival(package="dog", install="dog-optimizer", classes={"sgd": "DoG"}),
    "ldog": Rival(package="dog", install="dog-optimizer", classes={"sgd": "LDoG"}),
    # Rates: the classes' defaults (for SGD also "10x-50x larger than classical rates"); "warmup is recommended".
    "schedule_free": Rival(
        package="schedulefree",
        install="schedulefree",
        classes={"sgd": "SGDScheduleFree", "adamw": "AdamWScheduleFree"},
        rates={"sgd": 1.0, "adamw": 0.0025},
        settings={"adamw": {"weight_decay": DECAY}},
    ),
}
FED = {f"{name}_fed": name for name in RIVALS}
METHODS = (*FINDERS, *RIVALS, *FED)


def serves(method: str, kind: str) -> bool:
    """Whether a method has something in place of that optimizer."""
    return method not in RIVALS.keys() | FED.keys() or kind in RIVALS[FED.get(method, method)].classes


def normalised(network: nn.Module) -> bool:
    """Whether it has batch normalisation."""
    return any(isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) for module in network.modules())


def make_rival(name: str, network: nn.Module, kind: str, rate: float, steps: int) -> torch.optim.Optimizer:
    """The optimizer with the settings its README prescribes."""
    rival = RIVALS[name]
    settings = dict(rival.settings.get(kind, {}))
    if rival.package == "dog":
        settings["reps_rel"] = 1e-4 if normalised(network) else 1e-6
    if name == "schedule_free":
        settings["warmup_steps"] = round(WARM * steps)
    with contextlib.redirect_stdout(sys.stderr):  # one of them says on stdout that its weight decay is decoupled
        made: torch.optim.Optimizer = getattr(rival.imported(), rival.classes[kind])(
            network.parameters(), lr=rate, **settings
        )
    return made


def run_rival(work: Workload, kind: str, method: str, seed: int, rate: object) -> dict[str, object]:
    """Train with a rival.

    Args:
        work: Data, network and budget.
        kind: The optimizer; what stands in its place is held to its oracle.
        method: One of `METHODS`.
        seed: Decides weights and order.
        rate: The user's rate, for the methods of `FED`.

    Returns:
        Scores and costs; `ended` where an optimizer could not go on.
    """
    if method in FINDERS:
        return _run_finder(work, kind, method, seed)
    name = FED.get(method, method)
    rival = RIVALS[name]
    peak = float(str(rate)) if method in FED else rival.rates[kind]
    network, source, meter = ready(work.build(seed)), work.batches(seed), Meter()
    judged, spent = network, 0.0
    work.data()
    with meter:
        optimizer = make_rival(name, network, kind, peak, work.steps)
        averager = rival.imported().PolynomialDecayAverager(network) if rival.package == "dog" else None
        if name == "schedule_free":
            optimizer.train()
        loss_of_next = lambda: batch_loss(network, next(source))  # noqa: E731
        rate_at = lambda step: peak * rival.share(step, work.steps)  # noqa: E731
        ended = _train(optimizer, loss_of_next, work.steps, rate_at, clip=rival.clip, averager=averager)
        if averager is not None:
            judged = averager.averaged_model
        if name == "schedule_free":
            optimizer.eval()
            spent = renew(network, loss_of_next)
    if ended and "FloatingPointError" in ended:
        with torch.no_grad():
            for parameter in judged.parameters():
                parameter.fill_(math.nan)
    return scores(work, judged, meter) | {"spent_steps": round(spent, 1), "ended": ended, "peak": peak}


def _train(
    optimizer: torch.optim.Optimizer,
    loss_of_next: Callable[[], torch.Tensor],
    steps: int,
    rate: Callable[[int], float],
    *,
    clip: bool,
    averager: Any | None,
) -> str | None:
    """The loop; a loss that is not finite ends it, as no weight would be finite after that update. Why it ended."""
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        loss = loss_of_next()
        optimizer.zero_grad()
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], CLIP)
        try:
            if not loss.isfinite():
                raise FloatingPointError(f"the loss is {float(loss.detach())}")
            optimizer.step()
        except (ArithmeticError, AssertionError) as error:
            return f"step {step}: {type(error).__name__}: {error}"
        if averager is not None:
            averager.step()
    return None


@torch.no_grad()
def renew(network: nn.Module, forward: Callable[[], torch.Tensor]) -> float:
    """Statistics of batch normalisation at the averaged weights, as Schedule-Free's README says; its cost in steps."""
    if not normalised(network):
        return 0.0
    for _ in range(RENEWED):
        forward()
    return RENEWED / 3
