"""The pilot: a passenger that takes over a training whose learning rate is wrong, whatever loop it runs in.

1. It looks on for `wait` updates. Then it tries rates on recent batches, from the present weights and from the initial
   ones (`trials`, `rate_search`), and goes on from where trials do better; initial weights in which signals explode or
   die are scaled (`initial_scale`).
2. A rate under a schedule of the user's, or of unknown horizon, is left alone unless it is far off; others give way to
   a short ramp to the chosen rate and a decay to zero.
3. From then on it guards: updates that are not finite are skipped, a loss that stays up sends the training back to a
   snapshot at half the rate, and a training that does worse than the short trial begins anew at a third of it.

Everything is decided by steps, never by time: the same run is repaired the same way.
"""

# Long because the decisions of a run follow from each other and share one state.

import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import cast

import torch

from thalweg.core.intervention import Intervention, InterventionKind
from thalweg.monitoring.choose import KEPT_STARTING
from thalweg.monitoring.escape import draw_anew, shake
from thalweg.monitoring.guard import Guard
from thalweg.monitoring.horizon import Horizon, NoiseFloor
from thalweg.monitoring.initial_scale import is_usual, search_well_scaled
from thalweg.monitoring.lookout import FEWEST, MOST, Lookout, amp_scale, worth_keeping
from thalweg.monitoring.moment import Moment
from thalweg.monitoring.pilot_state import pack_pilot, unpack_pilot
from thalweg.monitoring.rate_search import Chosen, search_rate, trial_steps, usual_rate
from thalweg.monitoring.replay import Batch
from thalweg.monitoring.seat import Seat
from thalweg.monitoring.snapshot import Snapshot, is_finite, is_untouched
from thalweg.monitoring.standstill import Standstill, part_from
from thalweg.monitoring.trials import CLIP, TrialGround, clip_gradients

__all__ = ["KEPT_SCHEDULED", "KEPT_STARTING", "Pilot"]

KEPT_SCHEDULED = 8.0
"""A rate under a schedule of the user's is left alone within this factor of the chosen one."""

SNAPSHOT_EVERY = 50
"""Updates between snapshots."""
_RUINOUS = 4.0  # times the right rate: what was learned so is not worth keeping
_BEHIND = 1.2  # times the trial's loss: a whole run must not be higher than this after a few trials' length
_RETRIES = 3
_BEYOND = 10  # updates, and percent of those told: a training that goes on so far was told a wrong end
_FORGET = 2.0  # a change of rate by more than this clears what the optimizer remembers


class Pilot:
    """Chooses the rate, sets it, and guards the run.

    Args:
        seat: The place on model and optimizer.
        steps: Updates of the whole training, where known.
        wait: Updates to look on before anything is done.
        chosen: The rate was chosen already, before the first step: only guard.
        clips: With `chosen`: whether gradients are clipped as in the trials that it rests on.
        told, agreed: Called with each intervention; whether all ranks are told the same losses.

    Attributes:
        interventions: What was done so far.
        chosen: What the rate rests on, once chosen.
        spent: What trials cost, in updates.
        unable: Why nothing can be repaired; empty where it can.
    """

    def __init__(
        self,
        seat: Seat,
        *,
        steps: int | None = None,
        wait: int = 32,
        chosen: Chosen | None = None,
        clips: bool = True,
        told: Callable[[Intervention], None] | None = None,
        agreed: bool = False,
    ) -> None:
        self.seat, self.steps, self.wait, self.chosen, self.told = seat, steps, wait, chosen, told
        self.interventions: list[Intervention] = []
        self.guard, self.floor = Guard(), NoiseFloor()
        self.decided, self.governs = chosen is not None, chosen is not None and clips
        self.peak, self.factor, self.spent, self.unable = math.nan, 1.0, 0.0, ""
        self.course: Horizon | None = None
        fresh = seat.step == 0 and is_untouched(seat.optimizer) and is_finite(seat.module)
        self.initial = Snapshot.take(seat.module, seat.optimizer) if fresh else None
        self.kept, self.origin = self.initial, self.initial
        self.began = self.retries = self.bad = 0
        if not agreed and torch.distributed.is_available() and torch.distributed.is_initialized():
            self.unable = "repair works in one process only: several ranks would decide differently"
        self.lookout = Lookout()
        self.revived, self.careful, self.still = False, math.nan, Standstill()

    @property
    def weights(self) -> list[torch.Tensor]:
        """What the optimizer trains."""
        return [each for group in self.seat.optimizer.param_groups for each in group["params"] if each.requires_grad]

    def before_update(self, moment: Moment) -> None:
        """Set the rate, clip, and skip what is not finite.

        Args:
            moment: The update to come.
        """
        if not self.decided and self.lookout.others_move and not self.unable:
            self._give_up(
                "another optimizer trains this model, too, so no trial of one rate can tell: nothing is repaired"
            )
        if not (self.decided or self.unable) and moment.step + 1 >= self.wait:
            self.lookout.compare_scales(self.seat.replay, self.weights, self.seat.optimizer)
        if self.revived and not self.decided:
            clip_gradients(self.weights, CLIP * amp_scale(self.seat.optimizer))
            self.seat.scale = self.careful / self._base() if self._base() > 0 else 1.0
        if self.unable or not self.decided:
            return
        norm = float(clip_gradients(self.weights, CLIP * amp_scale(self.seat.optimizer) if self.governs else math.inf))
        loss = moment.loss
        if not math.isfinite(norm) or (loss is not None and not math.isfinite(loss)):
            self.seat.skip = True
            self.bad += 1
            if self.bad == 1:
                self._note(
                    moment.step, "skip_update", f"the {'loss' if math.isfinite(norm) else 'gradient'} is not finite"
                )
        else:
            self.bad = 0
        self.seat.scale = self._scale(moment.step)

    def after_update(self, moment: Moment) -> None:
        """Follow the loss; choose, take snapshots or repair when it is time.

        Args:
            moment: The update that happened.
        """
        if self.unable:
            return
        done, loss = moment.step + 1, moment.loss
        if not self.decided:
            self._look_on(done)
            self.lookout.leave_others(self.seat.module, self.weights)
            return
        if self.bad >= 3:  # noqa: PLR2004 - three in a row come from the weights, not from a batch
            self._roll_back(done)
            return
        if loss is None:
            return
        if saddle := self.still.leave(loss, self.seat.module, self.seat.replay, seed=done):
            self._note(done, "perturb", saddle)
        if self.guard.spiked(loss):
            self._roll_back(done)
        elif self._is_behind(done):
            self._begin_again(done)
        elif done % SNAPSHOT_EVERY == 0 and self.guard.calm and not self.bad:
            self.kept = Snapshot.take(self.seat.module, self.seat.optimizer, done)
        if self.governs and self.course is None and self.floor.reached(loss) and self._bare():
            before = self._rate()
            self.factor *= 0.25
            self._note(done, "decay", "the loss has stopped falling at this rate (noise floor)", before)

    def _look_on(self, done: int) -> None:
        """Collect batches whose loss is known, until there are enough and the time to act has come."""
        lookout = self.lookout
        lookout.see(None if self.revived else self._base(), self.seat.replay)
        if self.seat.fed:  # as the judge of an adversarial pair: what it learns from moves with what it has learned
            self._give_up("another network feeds this one and trains, too, so no trial can tell: nothing is repaired")
        elif done >= self.wait and self._base() <= 0:
            self._give_up("the learning rate is zero, and a factor cannot raise it: nothing is repaired")
        if self.unable or done < self.wait or (lookout.rising and done < 0.3 * (self.steps or math.inf)):
            return
        whole = lookout.batches
        if len(whole) >= FEWEST:
            lookout.forget()
            self._decide(done, deque(whole, maxlen=len(whole)))
        elif not is_finite(self.seat.module):
            self._revive(done)
        elif done >= self.wait + 2 * MOST:
            self._give_up("the loss of recent batches cannot be computed again: nothing is repaired")

    def _give_up(self, why: str) -> None:
        """Only look on from here, and hold nothing for it."""
        self.unable = why
        self.lookout.forget()
        self.initial = self.kept = self.origin = None

    def _revive(self, done: int) -> None:
        """The weights broke before enough batches were seen: start anew at a careful rate, look on a little longer."""
        seat, before = self.seat, self._base()
        if self.revived:
            self._give_up("the weights break at every rate: nothing is repaired")
            return
        kind: InterventionKind = "restart" if self.initial is not None else "reinitialise"
        if self.initial is not None:
            self.initial.put_back(seat.module, seat.optimizer)
        else:
            draw_anew(seat.module, seed=done)
            self.initial = Snapshot.take(seat.module, None)
        seat.optimizer.state.clear()
        self.careful = usual_rate(seat.optimizer) / 10
        self.wait, self.revived = done + MOST, True
        self._note(done, kind, "the weights were not finite", before, after=self.careful, back=done)

    def _decide(self, done: int, batches: deque[Batch]) -> None:
        """Try rates and take over, or leave alone."""
        replay, before = self.seat.replay, self._base() if self._bare() else max(self.lookout.rates)
        usual, replay.batches = replay.batches, batches
        if self.initial is not None and (saddle := self.still.judged(self.seat.module, replay, self.initial)):
            self.initial = part_from(self.initial, self.seat.module, self.seat.optimizer, seed=done)
            self._note(done, "perturb", saddle, before)
        ground, length = self.lookout.ground(replay, self.seat.module, self.seat.optimizer), trial_steps(self.steps)
        chosen, scaled = self._search(ground, length)
        ruined = before > _RUINOUS * chosen.rate or not is_finite(self.seat.module)
        known = self.initial is not None and not scaled
        broken = ruined or (known and not worth_keeping(ground, chosen, cast("Snapshot", self.initial), length))
        if self.initial is None and (broken or not chosen.learned):
            chosen, broken = self._anew(ground, length, chosen), False
        self.spent += ground.spent
        self.chosen, self.decided, replay.batches = chosen, True, usual
        back = scaled != "" or (broken and not self.revived and self.initial is not None)
        why = "that rate ruined the weights" if ruined else "trials from the initial weights ended lower"
        self._take_over(done, before, back=scaled or (why if back else ""), scaled=scaled != "")

    def _search(self, ground: TrialGround, length: int) -> tuple[Chosen, str]:
        """Choose a rate from the initial weights where they are known, and scale these where that is what is wrong."""
        module, optimizer = self.seat.module, self.seat.optimizer

        def search(*, fresh: bool) -> Chosen:
            return search_rate(lambda rate: ground.run(rate, length), optimizer, fresh=fresh)

        if self.initial is None:
            return search(fresh=False), ""
        present = Snapshot.take(module, None)
        self.initial.put_back(module, None)
        fresh = is_usual(module)
        chosen, scaling = search_well_scaled(module, ground.held[0], lambda: search(fresh=fresh))
        if scaling is not None:
            self.initial = Snapshot.take(module, None)
        present.put_back(module, None)
        return chosen, "" if scaling is None else scaling.reason

    def _take_over(self, done: int, before: float, *, back: str, scaled: bool) -> None:
        """Set course with the chosen rate, from where it was chosen; `back` says why from the initial weights."""
        assert self.chosen is not None  # noqa: S101 - just chosen
        rate, seat = self.chosen.rate, self.seat
        seat.scale = 1.0
        off = max(before / rate, rate / before) if before > 0 else math.inf
        bare, anew = self._bare(), self.revived or any(each.kind == "reinitialise" for each in self.interventions)
        ours = bare and self.steps is not None and self.steps > done  # the way down is ours to lay
        # From weights that have learned already, a few dozen updates may gain nothing, and then tell nothing.
        idle = self.initial is None and not self.chosen.learned and before < (self.chosen.edge or math.inf)
        leave = (idle or off <= (KEPT_STARTING if ours else KEPT_SCHEDULED)) and not back and not anew
        if back and self.initial is not None:
            self.initial.put_back(seat.module, seat.optimizer)
        if back or anew or (off > _FORGET and not leave):
            seat.optimizer.state.clear()
        self.governs = ours or not leave
        if bare and self.governs:
            self.peak = before if leave else rate
            self.course = Horizon(begin=done, end=cast("int", self.steps)) if ours else None
        elif not leave:
            self.factor = rate / max(self.lookout.rates)
        self.began, self.guard, self.floor = done, Guard(), NoiseFloor()
        self.kept = self.origin = Snapshot.take(seat.module, seat.optimizer, done)
        self.initial = None  # the memory is better used
        after = self.peak if bare and self.governs else rate
        if back:
            reason = f"{back}; {self.chosen.message}"
            self._note(done, "rescale" if scaled else "restart", reason, before, after=after, back=done)
        elif not leave and not anew:
            kind: InterventionKind = "raise_rate" if rate > before else "lower_rate"
            self._note(done, kind, self.chosen.message, before, after=after)
        elif ours and not anew:
            self._note(
                done, "decay", f"the rate is right and had no schedule; {self.chosen.message}", before, after=after
            )

    def _anew(self, ground: TrialGround, length: int, present: Chosen) -> Chosen:
        """The weights look ruined and nobody knows the initial ones: see whether new ones soon do better."""
        module, optimizer = self.seat.module, self.seat.optimizer
        kept = Snapshot.take(module, None)
        left = draw_anew(module, seed=self.seat.step)
        chosen = search_rate(lambda rate: ground.run(rate, length), optimizer)
        if not min(trial.loss for trial in chosen.trials) < min(trial.loss for trial in present.trials):
            kept.put_back(module, None)
            return present
        note = f" ({len(left)} layers know no initial weights and were left)" if left else ""
        reason = f"the weights were ruined, trials of new ones soon do better{note}"
        self._note(self.seat.step, "reinitialise", reason, self._base(), after=chosen.rate)
        return chosen

    def _roll_back(self, done: int) -> None:
        kept = self.kept or self.origin
        if kept is None or self.retries >= 2 * _RETRIES:
            self.guard = Guard()
            return
        before = self._rate()
        why = (
            "values were not finite"
            if self.bad
            else f"the loss rose to {self.guard.smooth:.3g} from {self.guard.best:.3g}"
        )
        kept.put_back(self.seat.module, self.seat.optimizer)
        self.factor, self.retries, self.bad = self.factor / 2, self.retries + 1, 0
        self.guard.settle()
        self._note(done, "roll_back", why, before, back=done - kept.step)
        self.kept = self.origin if kept is not self.origin else kept  # trouble again: go back farther

    def _is_behind(self, done: int) -> bool:
        """Whether the run does worse than a short trial of it did, long after its warm-up."""
        if self.chosen is None or not self.governs or self.retries >= _RETRIES or not self.chosen.learned:
            return False
        length = trial_steps(self.steps)
        if done - self.began != max(5 * length, round(0.2 * ((self.steps or 0) - self.began))):
            return False
        return self.guard.smooth > _BEHIND * min(trial.loss for trial in self.chosen.trials)

    def _begin_again(self, done: int) -> None:
        assert self.origin is not None and self.chosen is not None  # noqa: S101, PT018 - governing, so both are there
        before, best = self._rate(), min(trial.loss for trial in self.chosen.trials)
        self.origin.put_back(self.seat.module, self.seat.optimizer)
        self.factor, self.retries = self.factor / 3, self.retries + 1
        if self.retries == _RETRIES:
            shake(self.seat.module, strength=0.05, seed=done)
            self._note(done, "perturb", "no lower rate got off this place", before)
        reason = f"loss {self.guard.smooth:.3g}, while a trial of {trial_steps(self.steps)} steps came to {best:.3g}"
        self._note(done, "roll_back", reason, before, back=done - self.began)
        self.guard, self.began = Guard(), done
        if self.course is not None:
            self.course = Horizon(begin=done, end=self.course.end)

    def _base(self) -> float:
        return float(self.seat.optimizer.param_groups[0]["lr"])

    def _bare(self) -> bool:
        """Whether the user's rate has no schedule."""
        scheduled = any("initial_lr" in group for group in self.seat.optimizer.param_groups)
        return self.lookout.steady and not scheduled

    def _scale(self, step: int) -> float:
        if not self.governs or math.isnan(self.peak):
            return self.factor
        base = self._base()
        if self.course is not None and step > self.course.end + max(_BEYOND, _BEYOND * self.course.end // 100):
            ended, self.course = self.course.end, None
            self._note(step, "raise_rate", f"the training goes on beyond the {ended} updates that were told", 0.0)
        share = self.course.share(step) if self.course else 1.0
        return self.peak * self.factor * share / base if base > 0 else 1.0

    def _rate(self) -> float:
        """The rate in use: the peak of the run so far where there is a course, so that its decay is no news."""
        return self.peak * self.factor if self.governs and not math.isnan(self.peak) else self._base() * self.factor

    def _note(
        self, step: int, kind: InterventionKind, reason: str, before: float | None = None,
        *, after: float | None = None, back: int = 0
    ) -> None:  # fmt: skip
        now = self._rate() if after is None else after
        made = Intervention.made(
            step=step, kind=kind, reason=reason, before=now if before is None else before, after=now, back=back
        )
        self.interventions.append(made)
        if self.told is not None:
            self.told(made)

    def state(self) -> dict[str, object]:
        """Give what a checkpoint must hold to go on to the bit; batches looked at before the choice are not in it.

        Returns:
            `plain`: numbers and texts that JSON can hold; `tensors`: snapshots, by name.
        """
        return pack_pilot(self)

    def restore(self, state: Mapping[str, object]) -> None:
        """Go back to a state.

        Args:
            state: What `state` gave.
        """
        unpack_pilot(self, state)
