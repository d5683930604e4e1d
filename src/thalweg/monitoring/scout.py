"""The scout: short trials made beside a training that it leaves alone, so that its rate can be held against the best.

Signals of one run tell which side of the best rate it is on, and the distance badly. Trials measure the distance: from
the initial weights, on recent batches, a walk over rates as the pilot makes it (`trials`, `rate_search`). Afterwards
weights, buffers, gradients and random state are what they were, and the optimizer was never touched: the training goes
on to the bit. Where a pilot repairs the run its trials are noted, and none are made besides.
"""

import math
from collections import deque

import torch

from thalweg.monitoring.lookout import FEWEST, MOST, Lookout
from thalweg.monitoring.moment import Moment
from thalweg.monitoring.pilot import Pilot
from thalweg.monitoring.rate_search import Chosen, search_rate, trial_steps
from thalweg.monitoring.record import Record
from thalweg.monitoring.seat import Seat
from thalweg.monitoring.snapshot import Snapshot, is_finite, is_untouched

__all__ = ["Scout"]

_BROKE = 4.0  # times the loss at the start: what a broken trial counts as


class Scout:
    """Makes trials once, and notes them.

    Args:
        seat: The place on model and optimizer.
        record: Where trials are noted.
        steps: Updates of the whole training, where known: they decide how long a trial is.
        wait: Updates to look on before.
        pilot: Who makes trials anyway.

    Attributes:
        chosen: The trials, and the rate that they speak for; None before.
        spent: What they cost, in updates.
        unable: Why no trials are made; empty where they are.
    """

    def __init__(
        self,
        seat: Seat,
        record: Record,
        *,
        steps: int | None = None,
        wait: int = 32,
        pilot: Pilot | None = None,
    ) -> None:
        self.seat, self.record, self.steps, self.wait, self.pilot = seat, record, steps, wait, pilot
        self.chosen: Chosen | None = None
        self.spent, self.unable = 0.0, ""
        self.lookout = Lookout()
        self.initial: Snapshot | None = None
        if pilot is not None:
            return
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            self.unable = "trials are made in one process only: several ranks have other batches each"
        elif seat.step or not is_untouched(seat.optimizer) or not is_finite(seat.module):
            self.unable = "the training has begun already, and trials begin at the initial weights: none are made"
        else:
            self.initial = Snapshot.take(seat.module, None)

    @property
    def waits(self) -> bool:
        """Whether trials are still to come."""
        return self.chosen is None and not self.unable

    def before_update(self, moment: Moment) -> None:
        """See by how much the loop's loss is larger than the one computed again.

        Args:
            moment: The update to come.
        """
        if self.waits and self.pilot is None and self.lookout.others_move:
            self._end("another optimizer trains this model, too, so no trial of one rate can tell: no trials are made")
        if self.waits and self.pilot is None and moment.step + 1 >= self.wait:
            groups = self.seat.optimizer.param_groups
            weights = [each for group in groups for each in group["params"] if each.requires_grad]
            self.lookout.compare_scales(self.seat.replay, weights, self.seat.optimizer)

    def after_update(self, moment: Moment) -> None:
        """Collect batches, and try rates when there are enough.

        Args:
            moment: The update that happened.
        """
        if not self.waits:
            return
        done = moment.step + 1
        if self.pilot is not None:
            if self.pilot.chosen is not None and self.pilot.chosen.trials:
                self._note(done, self.pilot.chosen, self.pilot.spent)
            return
        if self.seat.fed:
            self._end("another network feeds this one and trains, too, so no trial can tell: no trials are made")
            return
        self.lookout.see(None, self.seat.replay)
        weights = [each for group in self.seat.optimizer.param_groups for each in group["params"]]
        self.lookout.leave_others(self.seat.module, weights)
        if done < self.wait:
            return
        batches = self.lookout.batches
        if len(batches) >= FEWEST:
            self._try(done)
        elif done >= self.wait + 2 * MOST:
            self._end("the loss of recent batches cannot be computed again: no trials are made")

    def _try(self, done: int) -> None:
        replay, batches = self.seat.replay, self.lookout.batches
        usual, replay.batches = replay.batches, deque(batches, maxlen=len(batches))
        try:
            ground, length = self.lookout.ground(replay, self.seat.module, self.seat.optimizer), trial_steps(self.steps)
            chosen = search_rate(lambda rate: ground.run(rate, length, start=self.initial), self.seat.optimizer)
        finally:
            replay.batches = usual
        self._note(done, chosen, ground.spent)

    def _note(self, done: int, chosen: Chosen, spent: float) -> None:
        self.chosen, self.spent = chosen, spent
        for number, trial in enumerate(chosen.trials, 1):
            level = trial.loss / trial.start if trial.start > 0 else math.nan
            level = min(level, _BROKE) if level > 0 else math.nan
            for name, value in (("rate", trial.rate), ("level", level), ("steps", trial.steps)):
                self.record.note(f"batch_trial_{name}", done, value, f"trial {number}")
        if self.steps is not None:
            self.record.note("batch_steps_wanted", done, self.steps)
        self._end("")

    def _end(self, why: str) -> None:
        self.unable, self.initial = why, None
        self.lookout.forget()

    def state(self) -> dict[str, object]:
        """Nothing to keep: trials stand in the record.

        Returns:
            Whether trials were made.
        """
        return {"done": not self.waits}

    def restore(self, state: object) -> None:
        """A training that goes on is no longer at its initial weights.

        Args:
            state: What `state` gave.
        """
        if self.waits and isinstance(state, dict) and state.get("done"):
            self._end("the trials were made before")
