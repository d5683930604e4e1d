"""What fits into `--minutes`: the size of pictures and batches, from a step timed on this machine.

A short run is better with many passes over the files than with fine pictures or small batches. So the recipe of `small`
stands where its least number of passes fits into the time. Where it does not, batches grow first, which costs no detail
and makes a picture up to a third cheaper; then small pictures shrink, until enough passes fit (docs/decisions/0027).
Between 32 and 96 pixels a picture of any size costs about the same, since the stem halves larger ones more often:
shrinking photos would gain nothing.
"""

import time
from dataclasses import dataclass, replace

import torch

from thalweg.accounting.ledger import count
from thalweg.core.plan import TrainingPlan
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.networks.catalogue import network
from thalweg.training.device import Device, fitting_threads, move
from thalweg.training.loss import cross_entropy
from thalweg.training.memory import keep_freed_memory
from thalweg.workbench.loading.loaded import Looked
from thalweg.workbench.telling.telling import Listener

__all__ = ["Fitted", "choose", "fit_to_minutes"]

WANTED_PASSES = 12.0
"""The recipe's least number of epochs: where so many passes fit, nothing is changed."""
LEAST_PASSES = 3.0
"""Where even large batches do not reach so many, pictures shrink."""
BATCHES = (16, 32, 64)
SMALLER = (24, 16)
"""Sides that pictures of 32 pixels may be brought to."""
USED = 0.85
"""Share of the time that steps get; the rest is for reading, trials, evaluation and the report."""
_TIMED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A choice.

    Args:
        side: Side of the pictures, in pixels.
        batch_size: Pictures a step.
        seconds_a_picture: As timed.
        passes: How often each training picture will be seen, about.
    """

    side: int
    batch_size: int
    seconds_a_picture: float
    passes: float


def choose(timed: dict[tuple[int, int], float], *, seconds: float, pictures: int) -> Fitted:
    """Choose among sizes and batches that were timed.

    Args:
        timed: Seconds a picture by side and batch size, in the order of preference.
        seconds: For steps.
        pictures: Training pictures.

    Returns:
        The first that allows the recipe's least number of passes, else the first that allows the fewest that make sense
        (pictures shrink only for that), else the one with most passes.

    Example:
        >>> timed = {(32, 16): 1.4e-3, (32, 64): 1.0e-3, (24, 64): 0.6e-3, (16, 64): 0.4e-3}
        >>> choices = [choose(timed, seconds=60, pictures=n) for n in (2_000, 12_000, 50_000)]
        >>> [(each.side, each.batch_size, round(each.passes, 1)) for each in choices]
        [(32, 16, 21.4), (32, 64, 5.0), (16, 64, 3.0)]
    """
    choices = [
        Fitted(side=side, batch_size=batch, seconds_a_picture=each, passes=seconds / max(1e-9, each * pictures))
        for (side, batch), each in timed.items()
    ]
    largest = [each for each in choices if each.side == choices[0].side]
    for each in largest:
        if each.passes >= WANTED_PASSES:
            return each
    best = max(largest, key=lambda each: each.passes)
    if best.passes >= LEAST_PASSES:
        return best
    for each in choices:
        if each.side < best.side and each.passes >= LEAST_PASSES:
            return each
    return max(choices, key=lambda each: each.passes)


def fit_to_minutes(
    plan: TrainingPlan,
    wished: TrainingPlan,
    looked: Looked,
    *,
    device: Device,
    ranks: int,
    started: float,
    listener: Listener,
) -> TrainingPlan:
    """Fit a plan in minutes to this machine.

    Args:
        plan: The plan, with everything but epochs filled in by the recipe.
        wished: What the user said: a size or batch that was asked for is never changed.
        looked: What was found.
        device: Where it will be trained.
        ranks: Processes that train together; of several, each would time something else, and nothing is chosen.
        started: When the command began, as `time.perf_counter()`.
        listener: Is told what was chosen, and why.

    Returns:
        The plan with the size of pictures and batches that was chosen, where there was something to choose.
    """
    usual = plan.image_size or 0
    alone = plan.network == "small" and plan.backbone is None and plan.task == "classification" and not plan.own_axes
    if plan.minutes is None or not alone or ranks > 1 or wished.image_size is not None or wished.batch_size is not None:
        return plan
    spent = time.perf_counter() - started
    held = (plan.validation or 0.0) + (plan.test or 0.0) or 0.2
    pictures = max(1, round(len(looked.scan.samples) * (1 - held)))
    seconds, classes = max(1.0, USED * (60 * plan.minutes - spent)), len(looked.scan.classes)
    timed: dict[tuple[int, int], float] = {}
    for side, batch in _candidates(usual):
        timed[side, batch] = _seconds_a_picture(side, batch, classes, device)
        chosen = choose(timed, seconds=seconds, pictures=pictures)
        if chosen.passes >= (WANTED_PASSES if side == usual else LEAST_PASSES):
            break
    minutes, side, batch, milliseconds = plan.minutes, chosen.side, chosen.batch_size, 1e3 * chosen.seconds_a_picture
    usual_side, usual_batch = next(iter(timed))
    passes = _told(chosen.passes)
    if (side, batch) == (usual_side, usual_batch):
        listener.say(
            f"For {minutes:g} minutes: pictures of {side} pixels in batches of {batch}, about {passes:,} passes "
            f"over {pictures:,} files at {milliseconds:.2g} ms a picture."
        )
    else:
        fewer = _told(seconds / (timed[usual_side, usual_batch] * pictures))
        listener.say(
            f"For {minutes:g} minutes: pictures of {side} pixels in batches of {batch}, about {passes:,} passes "
            f"over {pictures:,} files at {milliseconds:.2g} ms a picture, where {usual_side} pixels in batches of "
            f"{usual_batch} allow {fewer:,}."
        )
    return replace(plan, image_size=chosen.side, batch_size=chosen.batch_size)


def _told(passes: float) -> float:
    """A number of passes as it is said: whole from ten on."""
    return round(passes) if passes >= 10 else round(passes, 1)  # noqa: PLR2004 - two digits are enough


def _candidates(usual: int) -> list[tuple[int, int]]:
    smaller = SMALLER if usual <= 32 else ()  # noqa: PLR2004 - pictures that the stem does not halve
    return [*((usual, batch) for batch in BATCHES), *((side, BATCHES[-1]) for side in smaller)]


def _seconds_a_picture(side: int, batch: int, classes: int, device: Device) -> float:
    """Time forward and backward passes of a network with random weights on random pictures."""
    keep_freed_memory()
    spec, _ = network("small", Shape(3, (side, side)), max(2, classes)).logits()
    module = move(build(spec, seed=0), device).train()
    pixels = torch.zeros(batch, 3, side, side).contiguous(memory_format=torch.channels_last).to(device.kind)
    labels = torch.arange(batch, device=device.kind) % max(2, classes)
    seconds = []
    with fitting_threads(device, (count(spec).macs or 0) * batch):
        for _ in range(1 + _TIMED):
            begun = time.perf_counter()
            with device.context():
                logits = module(pixels)
            cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
            float(logits.detach().sum())  # waits for the device
            seconds.append(time.perf_counter() - begun)
    return min(seconds[1:]) / batch
