"""`thalweg.watch`: measure, and on request repair, a training in anybody's loop."""

import logging
import math
import os
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeAlias, cast

import torch

from thalweg.core.errors import PlanError
from thalweg.core.finding import Finding
from thalweg.core.history import Event, RunHistory
from thalweg.core.intervention import Intervention
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.run_log import NamedHistory
from thalweg.monitoring.instruments import Instruments
from thalweg.monitoring.seat import Seat
from thalweg.monitoring.unwrapped import inner_optimizer, ranks_of
from thalweg.workbench.watch_diary import Able, Diary

__all__ = ["Watch", "live_line", "measured_history", "watch"]

Optimizer: TypeAlias = torch.optim.Optimizer
_LOG = logging.getLogger("thalweg")
_SEATS: "weakref.WeakValueDictionary[int, Seat]" = weakref.WeakValueDictionary()
"""By optimizer, which alone keeps its seat: a model that the user drops is freed, with everything watched."""


class _Repairs(Able, Protocol):
    interventions: list[Intervention]


def watch(
    model: torch.nn.Module,
    optimizer: "torch.optim.Optimizer | Sequence[torch.optim.Optimizer] | Mapping[str, torch.optim.Optimizer]",
    *,
    repair: bool = False,
    steps: int | None = None,
    every: int | None = None,
    log: str | os.PathLike[str] | None = None,
    trials: bool = False,
) -> "Watch":
    """Watch a training from inside, in any PyTorch loop; nothing else of the loop changes.

    Args:
        model: The model that the loop calls.
        optimizer: What updates it; of several, the one with the most weights of the model is watched.
        repair: Whether to set the learning rate right where it is wrong, and to roll back what breaks. Without, the
            weights are those of an unwatched run, to the bit.
        steps: Updates of the whole training, where known: repair then ends with the rate at zero.
        every: Norms are measured every so many steps (10 by default); the rest goes by that.
        log: A CSV file to write, with the columns of `steps.csv`; layers go to `.signals.jsonl` beside it.
        trials: Whether to try rates after 32 updates, once, so that the factor is told more nearly. Everything is put
            back, the weights stay those of an unwatched run; it costs the time of about 100 updates (`spent`).

    Returns:
        The watch: `line()`, `verdict()`, `findings()`, `history()`, `interventions`, `close()`. It need not be kept.

    Raises:
        PlanError: The model is no module, `steps` or `every` is no number of updates, or the log cannot be written.
        TypeError: There is no torch optimizer.

    Example:
        >>> model = torch.nn.Linear(4, 3)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> watching = watch(model, optimizer)
        >>> for _ in range(3):
        ...     optimizer.zero_grad()
        ...     torch.nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.arange(8) % 3).backward()
        ...     _ = optimizer.step()
        >>> watching.steps
        3
    """
    given = [*optimizer.values()] if isinstance(optimizer, Mapping) else optimizer
    several = [*given] if isinstance(given, list | tuple) and given else [cast("Optimizer", given)]
    own = {id(weight) for weight in model.parameters()} if isinstance(model, torch.nn.Module) else set()
    chosen = max(several, key=lambda each: (_size(each, own), _size(each)))
    if len(several) > 1:
        _LOG.warning("thalweg watches one of %d optimizers: the %s with the most weights", len(several), _kind(chosen))
    return Watch(model, chosen, repair=repair, steps=steps, every=every, log=log, trials=trials)


class Watch:
    """A watched training; also a context manager.

    Args:
        model: The model that the loop calls.
        optimizer: What updates it.
        repair: Whether to act.
        steps: Updates of the whole training, where known.
        every: Spacing of measurements.
        log: A CSV file to write.
        trials: Whether to try rates beside the training.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        repair: bool = False,
        steps: int | None = None,
        every: int | None = None,
        log: str | os.PathLike[str] | None = None,
        trials: bool = False,
    ) -> None:
        _refuse_odd(model, steps=steps, every=every)
        diary = Diary(None if log is None else Path(log))  # first: where it cannot write, no hook is left behind
        earlier = _SEATS.pop(id(inner_optimizer(optimizer)), None)
        if earlier is not None:
            earlier.close()  # a notebook cell that is run again
        self.seat = Seat(model, optimizer)
        self.instruments = Instruments(self.seat, every=every, compiled=_is_compiled(model), ranks=ranks_of(model))
        self.seat.passengers.append(self.instruments)
        self._repairs: _Repairs | None = None
        self._scout: Able | None = None
        pilot = None
        if repair:
            from thalweg.monitoring.pilot import Pilot

            pilot = Pilot(self.seat, steps=steps)
            self.seat.passengers.append(pilot)
            self._repairs = pilot
        if trials:
            from thalweg.monitoring.scout import Scout

            scout = Scout(self.seat, self.instruments.record, steps=steps, pilot=pilot)
            self.seat.passengers.append(scout)
            self._scout = scout
        diary.begin(self.seat, self.instruments, [each for each in (self._repairs, self._scout) if each is not None])
        self.seat.passengers.append(diary)
        _SEATS[id(self.seat.optimizer)] = self.seat

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def steps(self) -> int:
        """Updates seen."""
        return self.seat.step

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """What was repaired so far."""
        return tuple(self._repairs.interventions) if self._repairs else ()

    @property
    def overhead(self) -> float | None:
        """Share of the loop's own time that watching takes."""
        return self.seat.overhead

    @property
    def spent(self) -> float:
        """What trials of other rates have cost so far, in updates of this training; `overhead` has their time, too."""
        return max((each.spent for each in (self._repairs, self._scout) if each is not None), default=0.0)

    def step(self, loss: object = None) -> None:
        """Not needed: the seat sees every update by itself. For loops written for watches that are told.

        Args:
            loss: Anything; it is not looked at.
        """

    def history(self) -> RunHistory:
        """Everything measured so far.

        Returns:
            Curves, interventions as events, and the facts of the network.
        """
        return measured_history(self.instruments, self.interventions)

    def findings(self) -> tuple[Finding, ...]:
        """What is wrong, causes first.

        Returns:
            Findings with evidence; none where all is well.
        """
        from thalweg.workbench.diagnose import diagnose_history

        return diagnose_history(NamedHistory(place="this run", format="watched", history=self.history())).findings

    def verdict(self) -> LearningRateEstimate:
        """Whether the learning rate is right, and by what factor not.

        Returns:
            The verdict.
        """
        from thalweg.workbench.diagnose import rate_of

        return rate_of(self.history())

    def line(self) -> str:
        """The state of the learning rate in a line.

        Returns:
            Such as `learning rate 3.1e-3 = 0.8x of best, stable`.
        """
        return live_line(self.instruments.record.last("batch_learning_rate"), self.verdict(), self.interventions)

    def close(self) -> None:
        """Stop watching and finish the log; what was measured stays. Closing twice does no harm."""
        self.seat.close()
        if _SEATS.get(id(self.seat.optimizer)) is self.seat:
            del _SEATS[id(self.seat.optimizer)]


def measured_history(instruments: Instruments, interventions: Sequence[Intervention]) -> RunHistory:
    """Gather what was measured and repaired.

    Args:
        instruments: What measured.
        interventions: What was repaired.

    Returns:
        Curves, events, and the facts of the network.
    """
    events = [Event(epoch=each.epoch, step=each.step, kind=each.kind, message=each.message) for each in interventions]
    return RunHistory(signals=instruments.record.signals(), events=tuple(events), network=instruments.facts)


def live_line(rate: float, verdict: LearningRateEstimate, interventions: Sequence[Intervention] = ()) -> str:
    """Say in a line how the learning rate stands.

    Args:
        rate: The rate in use.
        verdict: What is known of it.
        interventions: What was repaired.

    Returns:
        The line.

    Example:
        >>> live_line(0.0031, LearningRateEstimate(verdict="about_right", factor=0.8))
        'learning rate 3.1e-3 = 0.8x of best, stable'
        >>> live_line(0.5, LearningRateEstimate(verdict="too_high", factor=6.0))
        'learning rate 5.0e-1: 6x too high'
    """
    if interventions:
        last = interventions[-1]
        factor = last.learning_rate_before / last.learning_rate_after if last.learning_rate_after else math.nan
        said = f"{factor:.2g}x too high: " if factor > 1 else f"{1 / factor:.2g}x too low: " if 0 < factor < 1 else ""
        return f"{said}{last.message.partition(':')[0]} (step {last.step}), now {_short(rate)}"
    if verdict.verdict == "about_right" and verdict.factor:
        return f"learning rate {_short(rate)} = {float(f'{verdict.factor:.2g}'):g}x of best, stable"
    if verdict.verdict == "undetermined":
        return f"learning rate {_short(rate)}, not yet judged"
    return f"learning rate {_short(rate)}: {verdict.distance.partition(' (')[0]}"


def _short(rate: float) -> str:
    if not math.isfinite(rate) or rate == 0:
        return f"{rate:g}"
    mantissa, _, exponent = f"{rate:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _is_compiled(model: torch.nn.Module) -> bool:
    return any(hasattr(each, "_orig_mod") or getattr(each, "_compiled_call_impl", None) for each in model.modules())


def _size(optimizer: torch.optim.Optimizer, among: set[int] | None = None) -> int:
    held = (weight for group in inner_optimizer(optimizer).param_groups for weight in group["params"])
    return sum(weight.numel() for weight in held if among is None or id(weight) in among)


def _refuse_odd(model: object, *, steps: int | None, every: int | None) -> None:
    if not isinstance(model, torch.nn.Module):
        raise PlanError(f"watch takes the torch.nn.Module that the loop calls, not a {type(model).__name__}")
    for name, value in (("steps", steps), ("every", every)):
        if value is not None and value < 1:
            raise PlanError(f"{name} is {value}: a number of updates, 1 or more; leave it out where it is not known")


def _kind(optimizer: torch.optim.Optimizer) -> str:
    return type(inner_optimizer(optimizer)).__name__
