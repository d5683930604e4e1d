"""The training loop: steps, epochs, validation, best model, checkpoints, and a clean stop at any step.

A run is a function of (plan, pictures): nothing random is carried from step to step, so going on from a checkpoint
gives the same weights to the bit as never having stopped. Time enters only where the plan is in minutes.
"""

import functools
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from thalweg.core.errors import TrainingFailedError
from thalweg.modules.sharded import hollow, shard
from thalweg.training.averaging import WeightAverage
from thalweg.training.backward import Backward
from thalweg.training.broken import first_source, source_of
from thalweg.training.checkpointer import Checkpointer
from thalweg.training.companion import Companion
from thalweg.training.device import Device, move
from thalweg.training.gradients import clip_gradients, gradient_norm
from thalweg.training.interruption import Interruption
from thalweg.training.loss import objective
from thalweg.training.memory import keep_freed_memory
from thalweg.training.optimizers import make_optimizer, set_rate
from thalweg.training.pace import Pace
from thalweg.training.pieces import learn_within_memory
from thalweg.training.progress import Outcome, Progress, Recipe, State
from thalweg.training.rank_layers import fuse_alike, spread_layers
from thalweg.training.ranks import ALONE, Ranks
from thalweg.training.recall import show_again
from thalweg.training.schedule import rate_factor, stage_side
from thalweg.training.scoring import BatchSource, Scorer, predict
from thalweg.training.statistics import FirstStatistics
from thalweg.training.unfreezing import open_parts

__all__ = ["Trainer"]

CHECKPOINT_SECONDS = 20.0
"""A checkpoint is written at the end of an epoch when the last one is older than this."""

BROKEN_STEPS = 20
"""So many steps in a row may be not finite while somebody repairs."""

GOES_BACK = {"roll_back", "restart", "reinitialise", "rescale"}
"""Repairs after which the average of the weights begins anew."""

STEP_CHECKPOINT_SECONDS = 120.0
"""In the middle of a long epoch a checkpoint is written after so many seconds without one."""


class Trainer:
    """One run of one network.

    Args:
        module: The network, giving logits.
        recipe: The numbers of the run.
        train: Training batches.
        heldout: Batches of the split that is watched.
        device: Where to compute.
        folder: The run's `checkpoints/`.
        observer: Called after every step and epoch.
        log_steps: Called with new rows of `steps.csv` before each checkpoint.
        companion: Makes whoever sits in, from the network and the optimizer.
        scorer: Runs the network over the watched split: `predict`, or one for pictures whose every pixel has a class.
        ranks: With whom the run is shared; every rank makes a trainer, and rank 0 alone writes.
        shards: Whether each rank keeps only its rows of weights, gradients and the optimizer's memory.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        recipe: Recipe,
        *,
        train: BatchSource,
        heldout: BatchSource,
        device: Device,
        folder: Path,
        observer: Callable[[Progress], None],
        log_steps: Callable[[list[tuple[float, ...]]], None],
        companion: Callable[[torch.nn.Module, torch.optim.Optimizer], Companion] | None = None,
        scorer: Scorer = predict,
        ranks: Ranks = ALONE,
        shards: bool = False,
    ) -> None:
        keep_freed_memory()
        self.module = module if shards else move(module, device)
        self.ranks = ranks
        if ranks.size > 1:
            ranks.same_start(self.module, weights=not shards)
            spread_layers(self.module)
            fuse_alike(self.module, device, ranks)
        self.average = WeightAverage(self.module, recipe.average) if recipe.average else None
        self._frame = hollow(self.module) if shards else None
        if shards:
            for each in (self.module, *([self.average.module] if self.average else [])):
                shard(each, device.kind)
        self.recipe, self.train, self.heldout, self.device = recipe, train, heldout, device
        self.scorer = functools.partial(scorer, ranks=ranks) if ranks.size > 1 else scorer
        self.observer, self.log_steps = observer, log_steps
        self.optimizer = make_optimizer(
            self.module,
            recipe.optimizer,
            learning_rate=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            parts=recipe.parts,
        )
        # What comes with parts of its own rate is pretrained, and so are its statistics.
        self.statistics = None if recipe.parts else FirstStatistics(self.module)
        self.weights = torch.tensor(recipe.weights, device=device.kind) if recipe.weights else None
        self.companion = companion(self.module, self.optimizer) if companion else None
        self.backward = Backward(self.module, device, self._objective, companion=self.companion, ranks=ranks)
        deadline = recipe.deadline_seconds  # rank 0 has used more of its time than others, who waited for less
        self.state = State(deadline_seconds=None if deadline is None else ranks.agree(deadline, 0)[0])
        self.pace = Pace(self.state, recipe, steps=train.steps, evaluation_steps=heldout.steps)
        self.checkpointer = Checkpointer(
            folder,
            self.state,
            module=self.module,
            average=self.average,
            optimizer=self.optimizer,
            companion=self.companion,
            ranks=ranks,
        )
        self._unlogged: list[tuple[float, ...]] = []
        self._broken = 0

    @property
    def evaluated(self) -> torch.nn.Module:
        """The network that is evaluated and saved: the average where there is one."""
        return self.checkpointer.evaluated

    @property
    def _repairs(self) -> bool:
        """Whether somebody sits in who mends what breaks."""
        return self.companion is not None and self.companion.repairs

    def resume(self) -> list[str]:
        """Go back to the newest whole checkpoint.

        Returns:
            A sentence for every damaged checkpoint that was passed over.

        Raises:
            RunError: The checkpoint is of another network, or of another version.
        """
        complaints = self.checkpointer.go_back()
        if complaints is None:
            return []
        if self.companion and self.state.monitor:
            show_again(self.companion, self.state, self.recipe, self.train, self.backward)
        if self.state.pieces > 1:
            spread_layers(self.module, sums=False)
        if not self.state.finished:
            self.state.note("resumed", f"went on after step {self.state.step}")
        return complaints

    def fit(self, interruption: Interruption | None = None) -> Outcome:
        """Train until the plan, a deadline, patience or a signal ends it.

        Args:
            interruption: Becomes true when the run shall stop after the step under way.

        Returns:
            How it ended; the best and the last weights are in the folder and in `evaluated`.
        """
        try:
            return self._fit(interruption)
        finally:
            if self.companion:
                self.companion.close()

    def _fit(self, interruption: Interruption | None) -> Outcome:
        state = self.state
        while not state.finished:
            if not self._epoch(interruption):
                state.note("interrupted", f"stopped on request after step {state.step}; thalweg resume goes on")
                self._checkpoint()
                return Outcome.of(state, interruption)
        if self._frame is not None:
            self.checkpointer.put_together(self._frame, self.device)
        return Outcome.of(state)

    def use_best(self) -> None:
        """Put the weights of the best epoch into `evaluated`."""
        self.checkpointer.use_best()

    # One epoch ------------------------------------------------------------------------------------------------------

    def _epoch(self, interruption: Interruption | None) -> bool:
        """Train one epoch, or the rest of it; False when interrupted."""
        state, recipe = self.state, self.recipe
        if state.batch == 0:  # the size of an epoch's pictures is settled at its start
            state.side = stage_side(self.pace.fraction, recipe.stages, recipe.side)
        self.pace.first_batch = state.batch
        started = time.perf_counter()
        for batch in self.train.epoch(state.epoch, first=state.batch, side=state.side):
            self._step(batch.pixels, batch.labels, batch.whole)
            now = time.perf_counter()
            elapsed, asked = self.ranks.agree(now - started, (interruption and interruption.signum) or 0)
            state.seconds += elapsed
            state.epoch_seconds += elapsed
            started = now
            self.observer(self._progress())
            if self._is_stopped(interruption, asked):
                return False
            if self.pace.out_of_time:
                break
            if self.checkpointer.age > STEP_CHECKPOINT_SECONDS:
                self._checkpoint()
        self._finish_epoch()
        return True

    def _is_stopped(self, interruption: Interruption | None, asked: int) -> bool:
        """Whether to stop after this step: ranks stop together, so what one was asked too late waits for the next."""
        if self.ranks.size > 1 and interruption is not None and asked:
            interruption.signum = asked
        return bool(interruption) if self.ranks.size == 1 else asked > 0

    def _step(self, pixels: torch.Tensor, labels: torch.Tensor, whole: int = 0) -> None:
        """Forward, backward, update; dropout is drawn from (seed, step)."""
        state, recipe = self.state, self.recipe
        state.rate = rate = recipe.learning_rate * rate_factor(self.pace.fraction, recipe.warmup)
        set_rate(self.optimizer, rate)
        open_parts(self.module, recipe.parts, self.pace.fraction)
        self.module.train()
        if self.statistics:
            self.statistics.before(state.step + 1)
        pixels, labels = (each.to(self.device.kind, non_blocking=True) for each in (pixels, labels))
        seed = int(np.random.SeedSequence((recipe.seed, 3, state.step)).generate_state(1, np.uint64)[0])
        learned = learn_within_memory(self.backward, state, pixels, labels, seed=seed, whole=whole)
        norm = gradient_norm(self.module, self.ranks)
        if recipe.clip is not None:
            clip_gradients(self.module, recipe.clip, norm)
        with torch.no_grad():  # one wait for the device
            told = torch.stack((learned.objective, learned.loss, norm, learned.right.float())).tolist()
        broken = not all(map(math.isfinite, told[:3]))
        self._broken = self._broken + 1 if broken else 0
        if broken and not (self._repairs and self._broken <= BROKEN_STEPS):
            named = self.ranks.words(source_of(self.module, pixels, learned.logits, learned.objective, norm))
            self._fail(first_source(named) or "training loss")
        self.optimizer.step()
        state.step += 1
        state.batch += 1
        measured = self._after_update(rate)
        if self.average:
            self.average.update(state.step)
        if math.isfinite(told[1]):
            state.loss_sum += told[1] * learned.samples
            state.right += told[3]
            state.seen += learned.samples
        self._unlogged.append((state.step, state.epoch, *told[:3], state.rate, state.seconds, *measured))

    def _objective(self, logits: object, labels: torch.Tensor) -> torch.Tensor:
        assert isinstance(logits, torch.Tensor)  # noqa: S101 - ours gives one tensor
        recipe = self.recipe
        return objective(logits, labels, weights=self.weights, smoothing=recipe.smoothing, overlap=recipe.overlap)

    def _after_update(self, rate: float) -> tuple[float, ...]:
        """Hear from the companion what was measured and repaired."""
        if not self.companion:
            return ()
        used, *measured = self.companion.measured()
        self.state.rate = used if math.isfinite(used) else rate
        for event in self.companion.repaired(self.state.epoch):
            self.state.events.append(dict(event))
            if self.average and event["kind"] in GOES_BACK:
                self.average.restart()
        return tuple(measured)

    def _finish_epoch(self) -> None:
        state = self.state
        started = time.perf_counter()
        with self.ranks.noticing():
            outcome = self.scorer(self.evaluated, self.heldout, self.device, side=state.side)
        if not math.isfinite(outcome.loss) and (self.pace.is_last_epoch or not self._repairs):
            self._fail("validation loss")
        self.pace.evaluation_seconds, _ = self.ranks.agree(time.perf_counter() - started, 0)
        state.seconds += self.pace.evaluation_seconds
        row = {
            "epoch": state.epoch,
            "train_loss": state.loss_sum / state.seen,
            "train_accuracy": state.right / state.seen,
            "val_loss": outcome.loss,
            "val_accuracy": outcome.accuracy,
            "learning_rate": state.rate,
            "seconds": state.seconds,
            "images_per_second": self.pace.images_per_second,
            **outcome.further,
        }
        state.rows.append(row)
        if state.judge_epoch(outcome.quality, outcome.loss if math.isfinite(outcome.loss) else math.inf):
            self.checkpointer.save_best()
        progress = self._progress(row)
        state.finished = self._is_finished()
        state.begin_epoch()
        if state.finished or self.checkpointer.age > CHECKPOINT_SECONDS:
            self._checkpoint()
        else:
            self.ranks.check_alike(self.module, state.step)
        self.observer(progress)

    def _is_finished(self) -> bool:
        state, recipe = self.state, self.recipe
        if self.pace.is_last_epoch:
            return True
        if recipe.patience and state.stale >= recipe.patience:
            waited = "one epoch" if recipe.patience == 1 else f"{recipe.patience} epochs"
            state.note("early_stop", f"no lower validation loss for {waited}")
            return True
        return False

    def _progress(self, row: dict[str, float] | None = None) -> Progress:
        return self.pace.progress(row, monitor=self.companion.line() if self.companion else "")

    # What is left behind --------------------------------------------------------------------------------------------

    def _checkpoint(self) -> None:
        self.ranks.check_alike(self.module, self.state.step)
        self.log_unlogged()
        broken = self.checkpointer.save()
        if broken and (self.state.finished or not self._repairs):  # else it will be rolled back
            self._fail(broken)  # the last step broke it; no later loss has told yet

    def log_unlogged(self, log: Callable[[list[tuple[float, ...]]], None] | None = None) -> None:
        """Hand the steps that nobody was told of to `log_steps`, or to somebody else who keeps them in the same place.

        Args:
            log: Whom instead.
        """
        rows, self._unlogged = self._unlogged, []
        (log or self.log_steps)(rows)

    def _fail(self, name: str) -> None:
        where = f"epoch {self.state.epoch}, step {self.state.step + 1}"
        rate = f"learning rate {self.state.rate:.3g}"
        self.state.note("non_finite", f"the {name} is not finite at {where}, {rate}")
        raise TrainingFailedError(
            f"the {name} is not finite at {where} with {rate}: "
            f"try --lr {self.recipe.learning_rate / 10:.2g} or --lr auto"
        )
