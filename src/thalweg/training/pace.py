"""How far a run is and what time it has left: by steps where the plan is in epochs, by seconds where it is in minutes.

A deadline covers the evaluations at the end as well: their time is kept, from what the last one took.
"""

import math
from collections.abc import Mapping

from thalweg.training.progress import Progress, Recipe, State

__all__ = ["Pace"]


class Pace:
    """The clock of a run.

    Args:
        state: Where the run is; looked at, never changed.
        recipe: The numbers of the run.
        steps: Steps an epoch.
        evaluation_steps: Batches of the watched split.
    """

    def __init__(self, state: State, recipe: Recipe, *, steps: int, evaluation_steps: int) -> None:
        self.state, self.recipe, self.steps, self.evaluation_steps = state, recipe, steps, evaluation_steps
        self.evaluation_seconds = 0.0
        """What the last evaluation took; 0 before the first."""
        self.first_batch = 0
        """The first step of this epoch that was made here, from 0: those before a resumption were of another pace."""

    @property
    def fraction(self) -> float:
        """Share of the run done, 0 to 1."""
        state, recipe = self.state, self.recipe
        if recipe.epochs is not None:
            return min(1.0, state.step / (recipe.epochs * self.steps))
        assert state.deadline_seconds is not None  # noqa: S101 - one of the two is always given
        return min(1.0, state.seconds / max(1e-9, state.deadline_seconds - self.reserve))

    @property
    def out_of_time(self) -> bool:
        """Whether the next step would leave too little time for the evaluations."""
        deadline = self.state.deadline_seconds
        return deadline is not None and self.state.seconds + self._step_seconds + self.reserve > deadline

    @property
    def is_last_epoch(self) -> bool:
        """Whether this epoch uses up what the plan allows."""
        return (self.recipe.epochs is not None and self.state.epoch >= self.recipe.epochs) or self.out_of_time

    @property
    def reserve(self) -> float:
        """Seconds kept for the last evaluations; before the first one, a forward pass is taken for half a step."""
        known = self.evaluation_seconds or 0.5 * self._step_seconds * self.evaluation_steps
        return self.recipe.evaluations * known

    @property
    def images_per_second(self) -> float:
        """Training speed of this epoch; nan before its first step."""
        return self.state.seen / self.state.epoch_seconds if self.state.epoch_seconds else math.nan

    @property
    def _step_seconds(self) -> float:
        return self.state.epoch_seconds / max(1, self.state.batch - self.first_batch)

    def progress(self, row: Mapping[str, float] | None = None, *, monitor: str = "") -> Progress:
        """What an observer is told.

        Args:
            row: The epoch just finished, or None within one.
            monitor: How the learning rate stands, in a line.

        Returns:
            Where the run is.
        """
        state, fraction = self.state, self.fraction
        if state.deadline_seconds is not None:
            left = state.deadline_seconds - state.seconds
        else:
            left = state.seconds / fraction * (1 - fraction) if fraction else math.nan
        return Progress(
            epoch=state.epoch,
            epochs=self.recipe.epochs,
            step=state.batch,
            steps=self.steps,
            fraction=fraction,
            loss=state.loss_sum / max(1, state.seen),
            accuracy=state.right / max(1, state.seen),
            learning_rate=state.rate,
            images_per_second=self.images_per_second,
            seconds_left=max(0.0, left),
            row=row,
            monitor=monitor,
        )
