"""The instruments in the seat: what is measured at which step, for at most a few percent of the time.

A forward pass is about a third of a step, a norm hardly anything. So the loss and the rate are noted at every step
where they come for free, norms every few steps, what passes through the layers every fifty, and the critical step,
which takes six forward passes, every hundred and fifty. The beginning is looked at more closely, for most mistakes show
there; a long run ever less often, so that its record stays small. All of it goes by the number of the step, never by
the clock.
"""

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch

from thalweg.core.codec import dumps, from_plain
from thalweg.core.network_facts import NetworkFacts
from thalweg.modules.numbers import fetched
from thalweg.monitoring.first_batch import FirstBatch
from thalweg.monitoring.measures_edge import Edge, EdgeSearch
from thalweg.monitoring.measures_layers import Passing
from thalweg.monitoring.measures_non_finite import first_non_finite
from thalweg.monitoring.measures_norms import Layers, Norms
from thalweg.monitoring.moment import Moment
from thalweg.monitoring.record import Record
from thalweg.monitoring.replay import Batch
from thalweg.monitoring.seat import Seat

__all__ = ["Instruments"]

_LOG = logging.getLogger("thalweg")

EVERY = 10
"""Norms are measured every so many steps."""
_DEEP, _EDGE = 5, 15
"""In units of that: what passes through the layers, and the critical step."""
_EARLY_NORMS = frozenset((0, 1, 2, 3, 5, 7))
_EARLY_DEEP = frozenset((0, 4, 15))
_EARLY_EDGE = frozenset((2, 9, 24, 49, 99))
_THINNED = 400
"""After so many measurements they come half as often, and so on."""


class Instruments:
    """Measures causes while training runs, and never acts.

    Args:
        seat: Where it sits.
        every: Norms are measured every so many steps; the rest goes by that.
        compiled: Whether the layers must not be touched, because a compiled program has them built in.
        loss: Name of the loss as in `NetworkFacts`, where the loop is ours; else it is told from the first batch.
        ranks: How many share each batch: gradients are means over so many times the samples seen here.
        total: Where weights lie in shards: adds numbers up over those who hold them. Forward passes of one's own are
            not made then, which all would have to make together.
    """

    def __init__(
        self,
        seat: Seat,
        *,
        every: int | None = None,
        compiled: bool = False,
        loss: str = "",
        ranks: int = 1,
        total: Callable[[Sequence[float]], list[float]] | None = None,
    ) -> None:
        self.every = max(1, every or EVERY)
        self.record = Record()
        self.layers = Layers(seat.module, seat.optimizer)
        self.norms = Norms(self.layers, self.record, total)
        self._replays = total is None
        self.passing = Passing(seat.module, self.record)
        self.edge = EdgeSearch(seat.replay)
        self.compiled = compiled
        self.unseen_losses = self.unknown_functions = 0
        self._ranks = ranks
        self._step = 0
        self._broken = False
        self._edge_ready = False
        self._loss = loss
        self._first = FirstBatch(seat.module, follow=not compiled, ranks=ranks)
        self._scaled = seat.optimizer
        if not compiled and self._due(0, _DEEP, _EARLY_DEEP):
            self.passing.start()

    @property
    def facts(self) -> NetworkFacts | None:
        """What is known of the network, once its first batch has been seen."""
        facts = self._first.facts
        return replace(facts, loss=self._loss) if facts is not None and self._loss else facts

    def close(self) -> None:
        """Take every hook of its own away."""
        self.passing.close()
        self._first.close()

    def before_update(self, moment: Moment) -> None:
        """Measure gradients, losses and what passed through the layers.

        Args:
            moment: The update to come.
        """
        step = moment.step + 1
        batch = moment.replay.batches[-1] if moment.replay.batches else None
        batch = batch if batch is not None and batch.update == moment.step else None
        if self.passing.on:
            self.passing.tell(step)
        if self._first.facts is None:  # the run's first update, or the first since it goes on
            self._first.before_update(moment)
        norms = self._due(moment.step, 1, _EARLY_NORMS)
        self._note_loss(moment, batch, step, full=norms)
        if norms or self.norms.waits:
            keep = norms and (moment.step < 2 * self.every or moment.step // self.every % 2 == 0)
            finite = self.norms.gradient(step, size=_samples(batch) * self._ranks, keep=keep, scale=self._scale())
            self._broken = self._broken and not finite  # somebody has mended it
            if not finite:
                self._look_for_non_finite(moment, batch, step)
        elif batch is not None and not batch.finite:
            self._look_for_non_finite(moment, batch, step)
        due = self._replays and not self._broken and self._due(moment.step, _EDGE, _EARLY_EDGE)
        self._edge_ready = due and self.edge.before()
        self._measured = norms or self._edge_ready
        if self._measured:
            self._weights = self.norms.before()

    def after_update(self, moment: Moment) -> None:
        """Measure the update.

        Args:
            moment: The update that happened.
        """
        self._step = step = moment.step + 1
        self.record.note("batch_learning_rate", step, moment.rate)
        if self._measured:
            moved = self.norms.update(step, scale=self._scale())
            if self._edge_ready:
                found = self.edge.after(self.layers.weights, self._weights, moved, moment.rate)
                if found is not None:
                    self._note_edge(found, moved, moment.rate, step)
            self._weights = []
        if moment.step % self.every == 0:
            self.record.settle()
        if not self.compiled and not self._broken and self._due(moment.step + 1, _DEEP, _EARLY_DEEP):
            self.passing.start()

    def state(self) -> Mapping[str, object]:
        """What the next measurements are compared with; the record itself is in the run's files.

        Returns:
            Plain data.
        """
        facts = self._first.facts
        return {
            "step": self._step,
            "edge": self.edge.state(),
            "norms": self.norms.state(),
            "broken": self._broken,
            "facts": None if facts is None else dumps(facts),
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """Go back to a state.

        Args:
            state: What `state` gave.
        """
        edge = state.get("edge")
        if isinstance(edge, dict):
            self.edge.restore(edge)
        norms = state.get("norms")
        if isinstance(norms, Mapping):
            self.norms.restore(norms)
        facts = state.get("facts")
        if isinstance(facts, str):  # a layer that is listened to again computes on its own, and rounds differently
            self._first.facts = from_plain(NetworkFacts, json.loads(facts), "facts")
            self._first.close()
        self._broken = bool(state.get("broken"))
        self._step = int(state.get("step") or 0)  # type: ignore[call-overload]
        self.passing.close()
        if not self.compiled and not self._broken and self._due(self._step, _DEEP, _EARLY_DEEP):
            self.passing.start()

    # --------------------------------------------------------------------------------------------------------------

    _measured = False
    _weights: "list[torch.Tensor]" = []  # noqa: RUF012 - never changed in place

    def _due(self, step: int, units: int, early: frozenset[int]) -> bool:
        spacing = units * self.every
        while step >= 2 * _THINNED * spacing:
            spacing *= 2
        return step in early or (step > 0 and step % spacing == 0)

    def _note_loss(self, moment: Moment, batch: Batch | None, step: int, *, full: bool) -> None:
        cheap = batch is not None and batch.seen.cheap
        if not (cheap or full or moment.step < 2 * self.every) or batch is None:
            self.unseen_losses += batch is None
            return
        if cheap and not full and batch.loss_tensor is not None:
            self.record.note_loss(step, batch.loss_tensor)
        else:
            loss = moment.loss
            self.unseen_losses += loss is None
            self.unknown_functions += loss is not None and batch.objective is None
            if loss is not None:
                self.record.settle()
                self.record.note("batch_loss", step, loss)
        if moment.step == 0 and moment.loss is not None:
            self.record.note("batch_loss_at_start", step, moment.loss)
            expected = _expected(self.facts)
            if expected is not None:
                self.record.note("batch_loss_expected", step, expected)

    def _note_edge(self, found: Edge, moved: list[torch.Tensor], rate: float, step: int) -> None:
        record = self.record
        record.note("batch_critical_step", step, found.multiple * rate)
        record.note("batch_rate_to_edge", step, 1 / found.multiple if found.multiple > 0 else math.inf)
        if math.isfinite(found.decrease):
            record.note("batch_actual_decrease", step, found.decrease)
        square = float(fetched([each.abs().float().square().sum() for each in moved]).sum())
        if math.isfinite(found.curvature) and square > 0:
            record.note("batch_sharpness", step, found.curvature / square)

    def _look_for_non_finite(self, moment: Moment, batch: Batch | None, step: int) -> None:
        if self._broken:
            return
        self._broken = True
        if not self._replays:
            return
        layer = first_non_finite(moment.module, self.layers, moment.replay, batch)
        self.record.note("batch_non_finite", step, 1.0, layer)

    def _scale(self) -> float:
        """What a fused optimizer will divide the gradients by; other optimizers get them divided already."""
        scale = getattr(self._scaled, "grad_scale", None)
        return float(scale) if isinstance(scale, torch.Tensor) else 1.0


def _expected(facts: NetworkFacts | None) -> float | None:
    """The loss of a network that knows nothing: ln K for K classes, ln 2 for one of two."""
    if facts is None:
        return None
    if facts.loss in {"cross_entropy", "nll", "log_of_probabilities"} and facts.outputs and facts.outputs > 1:
        return math.log(facts.outputs)
    if facts.loss in {"binary_cross_entropy", "binary_cross_entropy_with_logits"}:
        return math.log(2)
    return None


def _samples(batch: Batch | None) -> int:
    return 1 if batch is None else batch.size
