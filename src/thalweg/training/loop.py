"""The training loop: steps, epochs, validation, best model, checkpoints, and a clean stop at any step.

A run is a function of (plan, pictures): nothing random is carried from step to step, so going on from a checkpoint
gives the same weights to the bit as never having stopped. Time enters only where the plan is in minutes.
"""

# Long because a step, an epoch, a checkpoint and the way back to it must be read together to see that a run goes on
# to the bit.

import functools
import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from thalweg.core.errors import RunError, TrainingFailedError
from thalweg.core.files import printable
from thalweg.core.history import Event
from thalweg.training.averaging import WeightAverage
from thalweg.training.backward import Backward, Learned, is_out_of_memory
from thalweg.training.broken import first_source, source_of
from thalweg.training.checkpoint import (
    latest_checkpoint,
    load_weights,
    pack_optimizer,
    save_checkpoint,
    save_weights,
    unpack_optimizer,
)
from thalweg.training.companion import Companion
from thalweg.training.device import Device, move
from thalweg.training.interruption import Interruption
from thalweg.training.loss import objective
from thalweg.training.memory import keep_freed_memory
from thalweg.training.optimizers import make_optimizer, set_rate
from thalweg.training.progress import ADDED_LATER, Outcome, Progress, Recipe, State
from thalweg.training.rank_layers import has_batch_statistics, spread_layers
from thalweg.training.ranks import ALONE, Ranks
from thalweg.training.schedule import rate_factor, stage_side
from thalweg.training.scoring import BatchSource, Watched, predict
from thalweg.training.statistics import FirstStatistics
from thalweg.training.unfreezing import open_parts

__all__ = ["Trainer"]

CHECKPOINT_SECONDS = 20.0
"""A checkpoint is written at the end of an epoch when the last one is older than this."""

BROKEN_STEPS = 20
"""So many steps in a row may be not finite while somebody repairs."""

GOES_BACK = {"roll_back", "restart", "reinitialise"}
"""Repairs after which the average of the weights begins anew."""

STEP_CHECKPOINT_SECONDS = 120.0
"""In the middle of a long epoch a checkpoint is written after so many seconds without one."""


class Scorer(Protocol):
    """Runs a network over a split."""

    def __call__(
        self, module: torch.nn.Module, batches: BatchSource, device: Device, *, side: int | None, ranks: Ranks = ALONE
    ) -> Watched:
        """Score it."""


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
    ) -> None:
        keep_freed_memory()
        self.module = move(module, device)
        self.ranks = ranks
        if ranks.size > 1:
            ranks.same_start(self.module)
            spread_layers(self.module)
        self.recipe, self.train, self.heldout, self.device = recipe, train, heldout, device
        self.scorer = functools.partial(scorer, ranks=ranks) if ranks.size > 1 else scorer
        self.folder, self.observer, self.log_steps = folder, observer, log_steps
        self.optimizer = make_optimizer(
            self.module,
            recipe.optimizer,
            learning_rate=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            parts=recipe.parts,
        )
        # What comes with parts of its own rate is pretrained, and so are its statistics.
        self.statistics = None if recipe.parts else FirstStatistics(self.module)
        self.average = WeightAverage(self.module, recipe.average) if recipe.average else None
        self.weights = torch.tensor(recipe.weights, device=device.kind) if recipe.weights else None
        self.companion = companion(self.module, self.optimizer) if companion else None
        self.backward = Backward(self.module, device, self._objective, companion=self.companion, ranks=ranks)
        deadline = recipe.deadline_seconds  # rank 0 has used more of its time than others, who waited for less
        self.state = State(deadline_seconds=None if deadline is None else ranks.agree(deadline, 0)[0])
        self._unlogged: list[tuple[float, ...]] = []
        self._saved_at = 0.0
        self._broken = 0
        self._evaluation_seconds = 0.0
        self._first_batch = 0
        self._best_of_last_checkpoint = 0

    @property
    def evaluated(self) -> torch.nn.Module:
        """The network that is evaluated and saved: the average where there is one."""
        return self.average.module if self.average else self.module

    def resume(self) -> list[str]:
        """Go back to the newest whole checkpoint.

        Returns:
            A sentence for every damaged checkpoint that was passed over.

        Raises:
            RunError: The checkpoint is of another network, or of another version.
        """
        found = self._latest()
        if found is None:
            return []
        tensors, position, complaints = found
        for prefix, module in (("model/", self.module), ("average/", self.average and self.average.module)):
            if module:
                part = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
                try:
                    module.load_state_dict(part)
                except RuntimeError as error:
                    why = str(error).splitlines()[-1].strip()
                    raise RunError(f"{printable(self.folder)}: the checkpoint is of another network: {why}") from None
        unpack_optimizer(self.module, self.optimizer, tensors)
        kept = {key.removeprefix("monitor"): value for key, value in tensors.items() if key.startswith("monitor/")}
        if set(position) | ADDED_LATER != set(self.state.__slots__):
            raise RunError(f"{printable(self.folder)}: the checkpoint is of another version of thalweg: train anew")
        for name, value in position.items():
            setattr(self.state, name, math.inf if name == "best_loss" and value is None else value)
        if self.companion and self.state.monitor:
            self.companion.unpack(self.state.monitor, kept)
            self._show_again(self.companion)
        if self.state.pieces > 1:
            spread_layers(self.module, sums=False)
        self._saved_at = self.state.seconds
        self._best_of_last_checkpoint = self.state.best_epoch
        self.state.rows = [
            {key: math.nan if value is None else value for key, value in row.items()} for row in self.state.rows
        ]
        if not self.state.finished:
            self._note("resumed", f"went on after step {self.state.step}")
        return complaints

    def _latest(self) -> tuple[dict[str, torch.Tensor], dict[str, object], list[str]] | None:
        """The newest whole checkpoint, as rank 0 finds it: the others need not see the disk."""
        found: tuple[dict[str, torch.Tensor], dict[str, object], list[str]] | None = None

        def look() -> str:
            nonlocal found
            found = latest_checkpoint(self.folder)
            return json.dumps(None if found is None else found[1:])

        told = self.ranks.from_first(look)
        if self.ranks.size == 1 or told == "null":
            return found
        position, complaints = json.loads(told)
        return self.ranks.tensors_of_first(found and found[0]), position, complaints

    def _show_again(self, companion: Companion) -> None:
        """Show the batches just before a checkpoint to whoever holds the last ones: they are functions of the step."""
        state, recipe, steps = self.state, self.recipe, self.train.steps
        autocast = None if self.device.autocast is None else (self.device.kind, self.device.autocast)
        for update in range(max(0, state.step - companion.remembers), state.step):
            epoch, number = update // steps + 1, update % steps
            side = state.side
            if recipe.epochs is not None:
                side = stage_side((epoch - 1) / recipe.epochs, recipe.stages, recipe.side)
            batch = next(iter(self.train.epoch(epoch, first=number, side=side)))
            pixels, labels = (each.to(self.device.kind) for each in (batch.pixels, batch.labels))
            pixels, objective = self.backward.last_piece(pixels, labels, state.pieces)
            companion.recall(pixels, objective, update=update, autocast=autocast)

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
                self._note("interrupted", f"stopped on request after step {state.step}; thalweg resume goes on")
                self._checkpoint()
                return self._outcome(interruption)
        return self._outcome(None)

    def use_best(self) -> None:
        """Put the weights of the best epoch into `evaluated`."""
        load_weights(self.evaluated, self.folder / f"best-{self.state.best_epoch:06d}.safetensors")

    # One epoch ------------------------------------------------------------------------------------------------------

    def _epoch(self, interruption: Interruption | None) -> bool:
        """Train one epoch, or the rest of it; False when interrupted."""
        state, recipe = self.state, self.recipe
        if state.batch == 0:  # the size of an epoch's pictures is settled at its start
            state.side = stage_side(self._fraction(), recipe.stages, recipe.side)
        self._first_batch = state.batch
        started = time.perf_counter()
        for batch in self.train.epoch(state.epoch, first=state.batch, side=state.side):
            self._step(batch.pixels, batch.labels, batch.whole)
            now = time.perf_counter()
            elapsed, asked = self.ranks.agree(
                now - started, interruption.signum or 0 if interruption is not None else 0
            )
            state.seconds += elapsed
            state.epoch_seconds += elapsed
            started = now
            self.observer(self._progress())
            if self._is_stopped(interruption, asked):
                return False
            if self._out_of_time():
                break
            if state.seconds - self._saved_at > STEP_CHECKPOINT_SECONDS:
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
        state.rate = rate = recipe.learning_rate * rate_factor(self._fraction(), recipe.warmup)
        set_rate(self.optimizer, rate)
        open_parts(self.module, recipe.parts, self._fraction())
        self.module.train()
        if self.statistics:
            self.statistics.before(state.step + 1)
        pixels, labels = (each.to(self.device.kind, non_blocking=True) for each in (pixels, labels))
        learned = self._learn(pixels, labels, whole)
        norm = torch.nn.utils.get_total_norm([p.grad for p in self.module.parameters() if p.grad is not None])
        if recipe.clip is not None:
            torch.nn.utils.clip_grads_with_norm_(self.module.parameters(), recipe.clip, norm)
        with torch.no_grad():  # one wait for the device
            told = torch.stack((learned.objective, learned.loss, norm, learned.right.float())).tolist()
        broken = not all(map(math.isfinite, told[:3]))
        self._broken = self._broken + 1 if broken else 0
        if broken and not (self.companion and self.companion.repairs and self._broken <= BROKEN_STEPS):
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

    def _learn(self, pixels: torch.Tensor, labels: torch.Tensor, whole: int) -> Learned:
        """Make the gradients; where memory does not suffice, in more pieces from this step on."""
        seed = int(np.random.SeedSequence((self.recipe.seed, 3, self.state.step)).generate_state(1, np.uint64)[0])
        statistics = [buffer for buffer in self.module.buffers() if buffer.is_floating_point()]
        kept = [buffer.clone() for buffer in statistics]
        while True:
            try:
                return self.backward.run(pixels, labels, seed=seed, whole=whole, pieces=self.state.pieces)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._take_less_at_once(error, len(labels))
            with torch.no_grad():  # a pass that did not end has changed running statistics already
                for buffer, value in zip(statistics, kept, strict=True):
                    buffer.copy_(value)

    def _take_less_at_once(self, error: BaseException, count: int) -> None:
        state = self.state
        where = f"at epoch {state.epoch}, step {state.step + 1}"
        if self.ranks.size > 1 or 2 * state.pieces > count:
            whose = f"rank {self.ranks.rank} has too little memory" if self.ranks.size > 1 else "memory is too small"
            raise TrainingFailedError(
                f"{whose} {where}: what was saved is whole; train with a smaller --batch-size or --image-size"
            ) from error
        self.module.zero_grad(set_to_none=True)
        if self.device.kind == "cuda":
            torch.cuda.empty_cache()
        state.pieces *= 2
        spread_layers(self.module, sums=False)  # dropout goes by the whole batch, so that a step is the same in pieces
        if self.companion:
            self.companion.begin_again()
        changed = ""
        if has_batch_statistics(self.module):
            changed = f"; batch normalisation now sees {count // state.pieces} samples at a time, not {count}"
        self._note(
            "memory",
            f"memory was too small {where}: each batch is computed in {state.pieces} pieces from here{changed}",
        )

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
        outcome = self.scorer(self.evaluated, self.heldout, self.device, side=state.side)
        if not math.isfinite(outcome.loss) and (self._is_last() or not (self.companion and self.companion.repairs)):
            self._fail("validation loss")
        self._evaluation_seconds, _ = self.ranks.agree(time.perf_counter() - started, 0)
        speed = state.seen / state.epoch_seconds if state.epoch_seconds else math.nan
        state.seconds += self._evaluation_seconds
        row = {
            "epoch": state.epoch,
            "train_loss": state.loss_sum / state.seen,
            "train_accuracy": state.right / state.seen,
            "val_loss": outcome.loss,
            "val_accuracy": outcome.accuracy,
            "learning_rate": state.rate,
            "seconds": state.seconds,
            "images_per_second": speed,
            **outcome.further,
        }
        state.rows.append(row)
        self._remember_best(outcome.quality, outcome.loss if math.isfinite(outcome.loss) else math.inf)
        progress = self._progress(row)
        state.finished = self._is_finished()
        state.epoch += 1
        state.batch = state.right = state.seen = 0
        state.loss_sum = state.epoch_seconds = 0.0
        if state.finished or state.seconds - self._saved_at > CHECKPOINT_SECONDS:
            self._checkpoint()
        else:
            self.ranks.check_alike(self.module, state.step)
        self.observer(progress)

    def _remember_best(self, quality: float, loss: float) -> None:
        state = self.state
        state.stale = 0 if loss < state.best_loss else state.stale + 1
        better = (quality, -loss) > (state.best_accuracy, -self._loss_of(state.best_epoch))
        state.best_loss = min(loss, state.best_loss)
        if better:
            state.best_accuracy, state.best_epoch = quality, state.epoch
            if self.ranks.first:
                save_weights(self.evaluated, self.folder / f"best-{state.epoch:06d}.safetensors")

    def _loss_of(self, epoch: int) -> float:
        return next((row["val_loss"] for row in self.state.rows if row["epoch"] == epoch), math.inf)

    def _is_last(self) -> bool:
        """Whether this epoch uses up what the plan allows."""
        return (self.recipe.epochs is not None and self.state.epoch >= self.recipe.epochs) or self._out_of_time()

    def _is_finished(self) -> bool:
        state, recipe = self.state, self.recipe
        if self._is_last():
            return True
        if recipe.patience and state.stale >= recipe.patience:
            waited = "one epoch" if recipe.patience == 1 else f"{recipe.patience} epochs"
            self._note("early_stop", f"no lower validation loss for {waited}")
            return True
        return False

    # Time -----------------------------------------------------------------------------------------------------------

    def _fraction(self) -> float:
        state, recipe = self.state, self.recipe
        if recipe.epochs is not None:
            return min(1.0, state.step / (recipe.epochs * self.train.steps))
        assert state.deadline_seconds is not None  # noqa: S101 - one of the two is always given
        return min(1.0, state.seconds / max(1e-9, state.deadline_seconds - self._reserve()))

    def _out_of_time(self) -> bool:
        deadline = self.state.deadline_seconds
        if deadline is None:
            return False
        return self.state.seconds + self._step_seconds() + self._reserve() > deadline

    def _step_seconds(self) -> float:
        return self.state.epoch_seconds / max(1, self.state.batch - self._first_batch)

    def _reserve(self) -> float:
        """Seconds kept for the last evaluations; before the first one, a forward pass is taken for half a step."""
        known = self._evaluation_seconds or 0.5 * self._step_seconds() * self.heldout.steps
        return self.recipe.evaluations * known

    def _progress(self, row: Mapping[str, float] | None = None) -> Progress:
        state, recipe = self.state, self.recipe
        fraction = self._fraction()
        if state.deadline_seconds is not None:
            left = state.deadline_seconds - state.seconds
        else:
            left = state.seconds / fraction * (1 - fraction) if fraction else math.nan
        return Progress(
            epoch=state.epoch,
            epochs=recipe.epochs,
            step=state.batch,
            steps=self.train.steps,
            fraction=fraction,
            loss=state.loss_sum / max(1, state.seen),
            accuracy=state.right / max(1, state.seen),
            learning_rate=state.rate,
            images_per_second=state.seen / state.epoch_seconds if state.epoch_seconds else math.nan,
            seconds_left=max(0.0, left),
            row=row,
            monitor=self.companion.line() if self.companion else "",
        )

    # What is left behind --------------------------------------------------------------------------------------------

    def _checkpoint(self) -> None:
        state = self.state
        self.ranks.check_alike(self.module, state.step)
        self.log_unlogged()
        tensors = {f"model/{name}": value for name, value in self.module.state_dict().items()}
        if self.average:
            tensors |= {f"average/{name}": value for name, value in self.average.module.state_dict().items()}
        tensors |= pack_optimizer(self.module, self.optimizer)
        if self.companion:
            self.companion.flush()
            state.monitor, kept = self.companion.pack()
            tensors |= {f"monitor{name}": value for name, value in kept.items()}
        for name, value in tensors.items():
            if value.is_floating_point() and not bool(value.isfinite().all()):
                if self.companion and self.companion.repairs and not state.finished:
                    return  # it will be rolled back; the checkpoint before this one stays
                self._fail(name.partition("/")[2])  # the last step broke it; no later loss has told yet
        self._saved_at = state.seconds
        if not self.ranks.first:
            return
        position = {name: getattr(state, name) for name in state.__slots__}
        save_checkpoint(self.folder, state.step, tensors, position)
        needed = {f"best-{epoch:06d}.safetensors" for epoch in (state.best_epoch, self._best_of_last_checkpoint)}
        self._best_of_last_checkpoint = state.best_epoch
        for path in self.folder.glob("best-*.safetensors"):
            if path.name not in needed:  # the checkpoint before this one may yet have to serve
                path.unlink(missing_ok=True)

    def log_unlogged(self, log: Callable[[list[tuple[float, ...]]], None] | None = None) -> None:
        """Hand the steps that nobody was told of to `log_steps`, or to somebody else who keeps them in the same place.

        Args:
            log: Whom instead.
        """
        rows, self._unlogged = self._unlogged, []
        (log or self.log_steps)(rows)

    def _note(self, kind: str, message: str) -> None:
        state = self.state
        state.events.append({"epoch": state.epoch, "step": state.step, "kind": kind, "message": message})

    def _fail(self, name: str) -> None:
        where = f"epoch {self.state.epoch}, step {self.state.step + 1}"
        rate = f"learning rate {self.state.rate:.3g}"
        self._note("non_finite", f"the {name} is not finite at {where}, {rate}")
        raise TrainingFailedError(
            f"the {name} is not finite at {where} with {rate}: "
            f"try --lr {self.recipe.learning_rate / 10:.2g} or --lr auto"
        )

    def _outcome(self, interruption: Interruption | None) -> Outcome:
        state = self.state
        return Outcome(
            rows=tuple(state.rows),
            events=tuple(Event(**{name: event[name] for name in Event.__slots__}) for event in state.events),  # type: ignore[arg-type]
            best_epoch=state.best_epoch,
            best_accuracy=state.best_accuracy,
            steps=state.step,
            seconds=state.seconds,
            interrupted=interruption.exit_status if interruption else None,
        )
