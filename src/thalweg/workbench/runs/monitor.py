"""The seat taken in a run of ours: instruments always, the pilot where repair is wanted."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from thalweg.core.intervention import Intervention, InterventionKind
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.monitoring.initial_scale import Rescaling
from thalweg.monitoring.instruments import Instruments
from thalweg.monitoring.pilot import Pilot
from thalweg.monitoring.rate_search import Chosen
from thalweg.monitoring.seat import Seat
from thalweg.workbench.diagnose import rate_of
from thalweg.workbench.runs.signal_log import SignalLog
from thalweg.workbench.runs.steps import MEASURED
from thalweg.workbench.watch import live_line, measured_history

__all__ = ["Monitor"]

_JUDGED = 50
"""The verdict of the live line is made anew every so many steps."""


class Monitor:
    """Measures a run of ours, and repairs it.

    Args:
        module: The network.
        optimizer: What updates it.
        folder: The run folder, where `signals.jsonl` goes.
        rate: Peak learning rate.
        repair: Whether to act.
        given: The user's rate, where `rate` is another.
        clips: Whether short trials chose the rate; they clip gradients, as the run then must.
        classes: Number of classes; two have one output.
        steps: Updates of the whole run, where known.
        ranks: How many ranks share each batch; all are told the same loss and have the same gradients.
        total: Adds numbers up over the ranks, where weights lie in shards.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        folder: Path,
        rate: float,
        repair: bool,
        given: float | None = None,
        scaling: Rescaling | None = None,
        clips: bool = False,
        classes: int = 0,
        steps: int | None = None,
        ranks: int = 1,
        total: Callable[[Sequence[float]], list[float]] | None = None,
    ) -> None:
        self.module = module
        self.seat = Seat(module, optimizer)
        self.instruments = Instruments(
            self.seat,
            loss="binary_cross_entropy_with_logits" if classes == 2 else "cross_entropy",  # noqa: PLR2004 - one output
            ranks=ranks,
            total=total,
        )
        self.log = SignalLog(folder / "signals.jsonl", self.instruments.record)
        self.seat.passengers.append(self.instruments)
        self.pilot: Pilot | None = None
        if repair:
            chosen = Chosen(rate=rate, edge=None, trials=(), spent=0.0)
            self.pilot = Pilot(self.seat, steps=steps, chosen=chosen, clips=clips, agreed=True)
            if scaling is not None:
                self.pilot.interventions.append(_scaled(scaling, rate))
            if given is not None and given != rate:
                self.pilot.interventions.append(_chosen(given, rate))
            self.seat.passengers.append(self.pilot)
        self._told = 0
        self._line, self._line_step = "", -1
        self.estimate: LearningRateEstimate | None = None
        """The verdict behind the line, as last judged."""

    @property
    def repairs(self) -> bool:
        """Whether it acts."""
        return self.pilot is not None and self.seat.taken and not self.pilot.unable

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """What was repaired."""
        return tuple(self.pilot.interventions) if self.pilot else ()

    @property
    def overhead(self) -> float | None:
        """Share of the run's own time that measuring and repairing took."""
        return self.seat.overhead

    def saw(self, objective: Callable[[object], torch.Tensor], value: torch.Tensor) -> None:
        """Be told the loss of the forward pass just made.

        Args:
            objective: The loss as a function of the network's output.
            value: What it came to.
        """
        self.seat.tell_loss(objective, value)
        if self.pilot is not None and self.pilot.kept is not None and not bool(value.isfinite()):
            self._mend_buffers(self.pilot.kept.tensors)

    def begin_again(self) -> None:
        """Forget the step's passes so far."""
        self.seat.begin_again()

    def _mend_buffers(self, kept: Mapping[str, torch.Tensor]) -> None:
        """A forward pass that was not finite has spoiled running statistics for good: put the kept ones there."""
        with torch.no_grad():
            for name, buffer in self.module.named_buffers():
                if buffer.is_floating_point() and name in kept and not bool(buffer.isfinite().all()):
                    buffer.copy_(kept[name])

    def measured(self) -> tuple[float, ...]:
        """Give what was measured at the update just made.

        Returns:
            The rate used, then the columns of `MEASURED`.
        """
        record, step = self.instruments.record, self.seat.step
        return (
            record.at("batch_learning_rate", step),
            *(record.at(name, step) for name in MEASURED.values()),
        )

    def repaired(self, epoch: int) -> Sequence[Mapping[str, object]]:
        """Give the repairs since it was last asked.

        Args:
            epoch: The epoch under way, from 1.

        Returns:
            Their fields.
        """
        if self.pilot is None or len(self.pilot.interventions) == self._told:
            return ()
        made = self.pilot.interventions
        for place in range(self._told, len(made)):
            made[place] = replace(made[place], epoch=epoch)
        new, self._told = made[self._told :], len(made)
        return [asdict(each) for each in new]

    def line(self) -> str:
        """Say how the learning rate stands, in a line."""
        if self._line_step < 0 or self.seat.step - self._line_step >= _JUDGED or len(self.interventions) > self._told:
            self._line_step = self.seat.step
            history = measured_history(self.instruments, self.interventions)
            rate = self.instruments.record.last("batch_learning_rate")
            self.estimate = rate_of(history)
            self._line = live_line(rate, self.estimate, self.interventions)
        return self._line

    def flush(self) -> None:
        """Write to disk what was measured."""
        self.log.flush(self.instruments.facts)

    def pack(self) -> tuple[dict[str, object], dict[str, torch.Tensor]]:
        """Give what a checkpoint must hold.

        Returns:
            Plain data, and tensors by the path to them.
        """
        tensors: dict[str, torch.Tensor] = {}
        plain = _packed(self.seat.state(), "", tensors)
        assert isinstance(plain, dict)  # noqa: S101 - a state is one
        return plain, tensors

    def unpack(self, plain: Mapping[str, object], tensors: Mapping[str, torch.Tensor]) -> None:
        """Go back to a checkpoint.

        Args:
            plain: Plain data.
            tensors: Tensors by the path to them.
        """
        state = _unpacked(dict(plain), "", tensors)
        assert isinstance(state, dict)  # noqa: S101 - what was packed
        self.seat.restore(state)
        self._told = len(self.interventions)

    @property
    def remembers(self) -> int:
        """How many of the last batches are held for replay."""
        return self.seat.replay.batches.maxlen or 0

    def recall(
        self,
        pixels: torch.Tensor,
        objective: Callable[[object], torch.Tensor],
        *,
        update: int,
        autocast: tuple[str, torch.dtype] | None,
    ) -> None:
        """Hold a batch of before the checkpoint again.

        Args:
            pixels: What the network was shown.
            objective: The loss as a function of its output.
            update: Updates done by then.
            autocast: Device kind and type of the products, or None.
        """
        self.seat.replay.recall((pixels,), objective, update=update, autocast=autocast)

    def close(self) -> None:
        """Leave the seat."""
        self.seat.close()


def _chosen(given: float, rate: float) -> Intervention:
    """The first repair: another rate than the user's, before the first step."""
    kind: InterventionKind = "raise_rate" if rate > given else "lower_rate"
    reason = "short trials before the first step chose it"
    return Intervention.made(step=1, epoch=1, kind=kind, reason=reason, before=given, after=rate)


def _scaled(scaling: Rescaling, rate: float) -> Intervention:
    """The initial weights were scaled, before the first step."""
    return Intervention.made(step=1, epoch=1, kind="rescale", reason=scaling.reason, before=rate, after=rate)


_TENSOR = "tensor:"


def _packed(value: object, path: str, tensors: dict[str, torch.Tensor]) -> object:
    """Take tensors out of nested data; in their place stays their path."""
    if isinstance(value, torch.Tensor):
        tensors[path] = value
        return _TENSOR + path
    if isinstance(value, Mapping):
        return {str(key): _packed(each, f"{path}/{key}", tensors) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(each, f"{path}/{number}", tensors) for number, each in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return f"float:{value}"
    return value


def _unpacked(value: object, path: str, tensors: Mapping[str, torch.Tensor]) -> object:
    if isinstance(value, str) and value.startswith(_TENSOR):
        return tensors[value.removeprefix(_TENSOR)]
    if isinstance(value, str) and value.startswith("float:"):
        return float(value.removeprefix("float:"))
    if isinstance(value, Mapping):
        return {key: _unpacked(each, f"{path}/{key}", tensors) for key, each in value.items()}
    if isinstance(value, list):
        return [_unpacked(each, f"{path}/{number}", tensors) for number, each in enumerate(value)]
    return value
