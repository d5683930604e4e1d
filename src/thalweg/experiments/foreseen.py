"""How long an experiment will take, before it begins: a few steps of its networks are timed, the rest is arithmetic."""

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from thalweg.core.errors import PlanError
from thalweg.core.files import printable
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.process import usable_cores
from thalweg.experiments.at_speed import at_speed
from thalweg.experiments.lab import LabRequest
from thalweg.modules.build import build
from thalweg.modules.numbers import drawing_from
from thalweg.training.device import Device

__all__ = ["MINUTES", "Work", "foresee", "said", "step_seconds"]

MINUTES = {True: 25.0, False: 180.0}
"""What is begun without `--minutes`, quick or not: the quick forms take two minutes on sources like their own."""
_LONG = 1.0
"""Seconds: a step that takes longer for its whole batch is timed on fewer samples."""
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Trainings of one network.

    Args:
        spec: The network.
        steps: Updates of each.
        batch: Samples an update.
        trainings: How many.
        at_speed: Whether they compute as `at_speed` does.
    """

    spec: NetworkSpec
    steps: float
    batch: int = 32
    trainings: int = 1
    at_speed: bool = False


def foresee(name: str, works: Sequence[Work], request: LabRequest, *, besides: float = 0.0) -> float:
    """Tell how long all trainings will take, and do not begin what will not end in time.

    Args:
        name: Of the experiment.
        works: All trainings.
        request: Its minutes are what there is; without them 25 for a quick form, three hours else.
        besides: Seconds of one process for what is done besides.

    Returns:
        Minutes.

    Raises:
        PlanError: They will take longer than there is.
    """
    known: dict[tuple[int, int, bool], float] = {}
    seconds = besides
    for work in works:
        key = (id(work.spec), work.batch, work.at_speed)
        if key not in known:
            known[key] = step_seconds(work.spec, work.batch, fast=work.at_speed)
        seconds += known[key] * work.steps * work.trainings
    minutes = seconds / 60 / max(1, min(request.workers, usable_cores()))
    trainings = sum(work.trainings for work in works)
    allowed = MINUTES[request.quick] if request.minutes is None else request.minutes
    if minutes > allowed:
        source = "" if request.source is None else f" on {printable(request.source)}"
        limit = f"--minutes {allowed:g} are given" if request.minutes else f"{allowed:g} minutes are the most unasked"
        quick = "" if request.quick else ", --quick"
        raise PlanError(
            f"lab {name}{source}: not enough time: {trainings:,} trainings would take about {said(minutes)} here "
            f"({request.workers} at once), and {limit}; give --minutes {_above(minutes):g}{quick} or a source of fewer "
            f"or smaller samples"
        )
    request.listener.say(f"{trainings:,} trainings, about {said(minutes)} ...")
    return minutes


def _above(minutes: float) -> float:
    """A round number that suffices: the estimate and a third more."""
    wanted = 4 / 3 * minutes
    unit = 10.0 ** (math.floor(math.log10(wanted)) - 1)
    return math.ceil(wanted / unit) * unit


def said(minutes: float) -> str:
    """Write a duration roughly.

    Args:
        minutes: The duration.

    Returns:
        Such as `2 minutes` or `3.5 hours`.

    Example:
        >>> said(0.4), said(1.2), said(26), said(210)
        ('24 seconds', '1 minute', '26 minutes', '3.5 hours')
    """
    if minutes < 1:
        return f"{max(1, round(60 * minutes))} seconds"
    if minutes < 90:  # noqa: PLR2004 - as people say it
        return f"{round(minutes)} minute{'s' if round(minutes) > 1 else ''}"
    return f"{minutes / 60:.1f} hours"


def step_seconds(spec: NetworkSpec, batch: int, *, fast: bool = False) -> float:
    """Time one update of a network, forward and backward, in processor time of one thread.

    What others do meanwhile is not to be foreseen, so the clock is not asked.

    Args:
        spec: The network.
        batch: Samples an update.
        fast: Whether it computes as `at_speed` does.

    Returns:
        Seconds.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with drawing_from(0):
            return _step_seconds(spec, batch, fast)
    finally:
        torch.set_num_threads(threads)


def _step_seconds(spec: NetworkSpec, batch: int, fast: bool) -> float:
    module, device = build(spec.logits()[0], seed=0).train(), Device("cpu", None)
    if fast:
        module, device = at_speed(module, spec)
    shape = next(iter(spec.inputs.values()))
    size = min(batch, 2)  # batch normalisation needs two
    taken = _timed(module, device, torch.randn(size, *shape.as_tuple()))
    for larger in itertools.takewhile(lambda each: each <= batch, (8, 32, 128, 512)):
        if taken * larger / size > _LONG:
            break
        size, taken = larger, _timed(module, device, torch.randn(larger, *shape.as_tuple()))
    return taken * batch / size


def _timed(module: torch.nn.Module, device: Device, inputs: torch.Tensor) -> float:
    """The least of a few: the first one also finds its memory."""
    least = math.inf
    for _ in range(_TRIES):
        began = time.process_time()
        with device.context():
            answers = module(inputs)
        loss = answers.float().square().mean()
        loss.backward()
        least = min(least, time.process_time() - began)
        if least > _LONG:
            break
    return least
