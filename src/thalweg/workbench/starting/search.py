"""Which learning rate? Short trials on a copy of the network decide, between the user's, the recipe's and their own.

Trials find a rate for any network, but on pictures that are hard to learn a few dozen updates tell rates apart badly:
on the solar cells trials of 10 and of 60 updates chose 0.0003 and 0.013. What whole runs have shown (`recipes`) is
better knowledge, so a recipe's rate stands unless trials contradict it clearly (docs/decisions/0009). Where no trial
learned anything, the lowest of them is the one that did least, whose rate is the lowest: that contradicts nothing, and
would end in a run that stands still. Trials still say then which rate breaks training. Likewise of a network
whose head was fitted before, a few updates cannot lower the loss at whatever rate: there trials say what breaks, and
not what is too high for them to gain (docs/decisions/0040): one, at some times the recipe's rate, is enough.
"""

import copy
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch

from thalweg.core.dataset import DataSummary
from thalweg.core.plan import RateSource, TrainingPlan
from thalweg.modules.numbers import draw_from
from thalweg.monitoring.choose import KEPT_STARTING, batches_wanted, choose_rate
from thalweg.monitoring.initial_scale import Rescaling, rescale, search_well_scaled
from thalweg.monitoring.rate_search import Chosen, trial_steps
from thalweg.training.device import Device, move
from thalweg.training.loss import objective
from thalweg.training.optimizers import make_optimizer
from thalweg.training.scoring import BatchSource
from thalweg.training.unfreezing import Part, open_parts
from thalweg.workbench.starting.balance import balance_of
from thalweg.workbench.starting.recipes import peak_rate
from thalweg.workbench.telling.telling import Listener

__all__ = ["RateDecision", "decide_rate", "search_rate_of", "usual_rate_of"]

SHARE_OF_MINUTES = 0.08
"""Where the plan is in minutes, trials may take this share of it ..."""
TRIALS = 4
"""... and are taken to be so many."""
LEAST, MOST = 8, 30
"""Updates of a trial then; where not even the least fit, the recipe's rate is used untried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateDecision:
    """The learning rate of a run.

    Args:
        rate: To be used as the peak.
        rate_from: Who it is from.
        message: The reason, in a sentence.
        scaling: What the initial weights are to be divided by first, where signals explode or die in them.
    """

    rate: float
    rate_from: RateSource
    message: str
    scaling: Rescaling | None = None


def decide_rate(
    module: torch.nn.Module,
    batches: BatchSource,
    device: Device,
    *,
    plan: TrainingPlan,
    weights: tuple[float, ...] | None,
    parts: tuple[Part, ...] = (),
) -> RateDecision:
    """Decide on the learning rate of a run before its first step.

    Args:
        module: The network, giving logits; it is copied, never changed.
        batches: Training batches; those of an epoch that training never uses are drawn.
        device: Where to compute.
        plan: Names optimizer, weight decay, length, smoothing, and the user's rate, or none.
        weights: Weight a class, or None.
        parts: Parts of a pretrained network that learn at a share of the rate; those that open later wait here too.

    Returns:
        The rate, who it is from, and why.
    """
    steps = None if plan.epochs is None else plan.epochs * batches.steps
    usual, trusted = peak_rate(plan, steps)
    copied = move(copy.deepcopy(module), device).train()
    optimizer = make_optimizer(
        copied, plan.optimizer or "adam", learning_rate=usual, weight_decay=plan.weight_decay or 0.0, parts=parts
    )
    open_parts(copied, parts, 0.0)
    losses = _losses(copied, batches, device, plan=plan, weights=weights)
    draw_from(plan.seed, device.kind)
    if steps is not None:
        length: int | None = trial_steps(steps)
    else:
        length = _affordable(losses[0], plan.minutes or 1.0)
    if length is None:
        return RateDecision(rate=usual, rate_from="recipe", message="there is no time to try any")
    try_rates = partial(choose_rate, copied, optimizer, losses, length=length, usual=usual)
    if plan.fine_tunes and (sole := try_rates(most=1)).edge is None:
        return weighed(sole, given=plan.learning_rate, usual=usual, trusted=trusted, fitted=True)
    mends = plan.repair and plan.backbone is None
    chosen, scaling = search_well_scaled(copied, losses[0], try_rates) if mends else (try_rates(), None)
    found = weighed(chosen, given=plan.learning_rate, usual=usual, trusted=trusted, fitted=plan.fine_tunes)
    return replace(found, scaling=scaling)


def weighed(chosen: Chosen, *, given: float | None, usual: float, trusted: float, fitted: bool = False) -> RateDecision:
    """Weigh the user's rate, the recipe's and what trials chose.

    Args:
        chosen: What trials chose.
        given: The user's rate, or None.
        usual: The recipe's.
        trusted: The recipe's rate stands where trials agree with it within this factor.
        fitted: Whether the network begins at a minimum of its head, so that a lower choice of the trials says nothing.

    Returns:
        The user's rate where it lies within a factor 2 of the answer, which is the recipe's or that of the trials.

    Example:
        >>> chosen = Chosen(rate=0.012, edge=None, trials=(), spent=0.0)
        >>> [weighed(chosen, given=given, usual=2e-3, trusted=8.0).rate for given in (None, 1e2, 3e-3)]
        [0.002, 0.002, 0.003]
        >>> weighed(chosen, given=1e-6, usual=2e-3, trusted=2.0).rate
        0.012
        >>> low = Chosen(rate=3e-6, edge=6e-4, trials=(), spent=0.0)
        >>> [weighed(low, given=None, usual=1.5e-4, trusted=16.0, fitted=fitted).rate for fitted in (True, False)]
        [0.00015, 3e-06]
    """
    silent = fitted or (bool(chosen.trials) and not chosen.learned)
    low = 0.0 if silent else 1 / trusted
    agrees = low <= chosen.rate / usual <= trusted and (chosen.edge is None or usual < chosen.edge)
    answer, rate_from = (usual, "recipe") if agrees else (chosen.rate, "trials")
    if given is not None and 1 / KEPT_STARTING <= given / answer <= KEPT_STARTING:
        answer, rate_from = given, "user"
    steps = f"{len(chosen.trials)} trials of {chosen.trials[0].steps} steps" if chosen.trials else "trials"
    if not agrees:
        message = chosen.reason
    elif fitted and len(chosen.trials) == 1:
        sole = chosen.trials[0]
        message = f"{sole.steps} steps at {sole.rate:.2g} break nothing; what more trials could say, the head hides"
    elif chosen.rate * trusted < usual:
        message = (
            f"{steps} do not break at it; what more they could say, the head that was fitted before hides"
            if fitted
            else f"{steps} do not break at it, and too short to learn anything, they say no more"
        )
    else:
        message = f"{steps} agree, their own choice is {chosen.rate:.2g}"
    return RateDecision(rate=answer, rate_from=rate_from, message=message)  # type: ignore[arg-type]


def search_rate_of(
    plan: TrainingPlan,
    batches: BatchSource,
    summary: DataSummary,
    module: torch.nn.Module,
    device: Device,
    listener: Listener,
    learning: tuple[Part, ...],
) -> tuple[TrainingPlan, Rescaling | None]:
    """Let short trials decide on the learning rate, between the user's, the recipe's and their own, and say so.

    Args:
        plan: The plan.
        batches: Training batches.
        summary: With the training files a class.
        module: The network; its initial weights are scaled where signals explode or die in them and the plan repairs.
        device: Where to compute.
        listener: Whoever is told.
        learning: Parts of a pretrained network that learn at a share of the rate.

    Returns:
        The plan with its rate; and what the initial weights were divided by, or None.
    """
    given = plan.learning_rate
    weights = balance_of(plan, summary)
    listener.say("Trying learning rates ...")
    found = decide_rate(module, batches, device, plan=plan, weights=weights, parts=learning)
    whose = {"user": "Yours", "recipe": f"What usually serves {plan.network}", "trials": "By trial"}[found.rate_from]
    instead = "" if given in {None, found.rate} else f" in place of {given:.3g}"
    if found.scaling is not None:
        rescale(module, found.scaling.sizes)
        listener.say(f"Scaled the initial weights: {found.scaling.reason}.")
    listener.say(f"Learning rate {found.rate:.3g}{instead}. {whose}: {found.message}.")
    decided = replace(
        plan,
        learning_rate=found.rate,
        rate_from=found.rate_from,
        given_rate=None if given == found.rate else given,
    )
    return decided, found.scaling


def usual_rate_of(plan: TrainingPlan, listener: Listener) -> TrainingPlan:
    """Take the user's learning rate, or else what usually serves the network, without any trial, and say so.

    Args:
        plan: The plan.
        listener: Whoever is told.

    Returns:
        The plan with its rate.
    """
    if plan.learning_rate is not None:
        return plan
    rate = peak_rate(plan)[0]
    listener.say(f"Learning rate {rate:.3g}, what usually serves {plan.network}: nothing was tried.")
    return replace(plan, learning_rate=rate, rate_from="recipe")


def _affordable(loss: Callable[[], torch.Tensor], minutes: float) -> int | None:
    """Updates of a trial where the plan is in minutes; timed, since such a plan is a matter of the clock anyway."""
    loss().detach()  # the first pass sets up what later ones use
    started = time.perf_counter()
    loss().backward()  # type: ignore[no-untyped-call]
    seconds = max(1e-6, time.perf_counter() - started)
    length = int(SHARE_OF_MINUTES * 60 * minutes / (TRIALS * seconds))
    return min(MOST, length) if length >= LEAST else None


def _losses(
    module: torch.nn.Module,
    batches: BatchSource,
    device: Device,
    *,
    plan: TrainingPlan,
    weights: tuple[float, ...] | None,
) -> list[Callable[[], torch.Tensor]]:
    """Losses of training batches at the module's present weights, with their graphs."""
    wanted = MOST + 4 if plan.epochs is None else batches_wanted(plan.epochs * batches.steps)
    source = itertools.chain.from_iterable(batches.epoch(0) for _ in range(wanted))
    drawn = list(itertools.islice(source, min(wanted, max(batches.steps, 6))))
    balance = torch.tensor(weights, device=device.kind) if weights else None

    def loss_of(pixels: torch.Tensor, labels: torch.Tensor) -> Callable[[], torch.Tensor]:
        def loss() -> torch.Tensor:
            with device.context():
                logits = module(pixels.to(device.kind))
            target = labels.to(device.kind)
            smoothing, overlap = plan.label_smoothing or 0.0, plan.overlap_loss or 0.0
            return objective(logits, target, weights=balance, smoothing=smoothing, overlap=overlap)

        return loss

    return [loss_of(batch.pixels, batch.labels) for batch in drawn]
