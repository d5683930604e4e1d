"""What the loop works from and what it tells: the numbers of a run, where it is, and how it ended."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from thalweg.core.history import Event
from thalweg.core.plan import OptimizerName
from thalweg.training.interruption import Interruption
from thalweg.training.unfreezing import Part

__all__ = ["ADDED_LATER", "Outcome", "Progress", "Recipe", "State"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The numbers that a resolved plan comes down to, for the loop.

    Args:
        epochs: Passes over the training pictures, or None with `deadline_seconds`.
        deadline_seconds: Seconds of training (evaluation included), or None with `epochs`.
        learning_rate: Peak rate.
        optimizer: `adam`, `adamw` or `sgd`.
        weight_decay: Strength of weight decay.
        warmup: Share of the run in which the rate rises.
        smoothing: Label smoothing.
        weights: Weight a class, or None.
        average: Decay of the moving average of weights; 0 for none.
        patience: Epochs without a better validation loss after which to stop; 0 never.
        stages: Picture sizes in the course of the run, as fractions.
        side: Full side of the pictures, in pixels.
        seed: Decides dropout.
        clip: Norm that gradients are clipped at, or None.
        evaluations: Passes over the watched split whose time is kept for the end of a run with a deadline: the last
            epoch's, and that of the reported split, which may be larger.
        parts: Parts of the network that learn at a share of the rate, or later than others; none for all alike.
        overlap: Weight of the overlap loss beside the cross-entropy, of pixels.
    """

    epochs: int | None
    deadline_seconds: float | None
    learning_rate: float
    optimizer: OptimizerName
    weight_decay: float
    warmup: float
    smoothing: float
    weights: tuple[float, ...] | None
    average: float
    patience: int
    stages: tuple[float, ...]
    side: int
    seed: int
    clip: float | None = None
    evaluations: float = 2.0
    parts: tuple[Part, ...] = ()
    overlap: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What an observer is told after every step and epoch.

    Args:
        epoch: The epoch under way, from 1.
        epochs: Epochs planned, or None.
        step: Steps done in this epoch.
        steps: Steps an epoch.
        fraction: Share of the whole run done, 0 to 1.
        loss: Mean training loss of the epoch so far, in nats.
        accuracy: Training accuracy of the epoch so far.
        learning_rate: The rate in force.
        images_per_second: Training speed of this epoch.
        seconds_left: Estimate for the rest of the run.
        row: The finished epoch's row of `history.csv`, once an epoch; None otherwise.
        monitor: How the learning rate stands, in a line; empty where nothing watches.
    """

    epoch: int
    epochs: int | None
    step: int
    steps: int
    fraction: float
    loss: float
    accuracy: float
    learning_rate: float
    images_per_second: float
    seconds_left: float
    row: Mapping[str, float] | None = None
    monitor: str = ""


@dataclass(slots=True)
class State:
    """Where a run is; goes into every checkpoint as it stands."""

    epoch: int = 1
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    right: float = 0
    seen: int = 0
    side: int = 0
    rate: float = 0.0
    epoch_seconds: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)
    best_epoch: int = 0
    best_accuracy: float = -1.0
    best_loss: float = math.inf
    stale: int = 0
    deadline_seconds: float | None = None
    finished: bool = False
    monitor: dict[str, object] = field(default_factory=dict)
    pieces: int = 1

    def note(self, kind: str, message: str) -> None:
        """Add what happened to the events, with where the run is.

        Args:
            kind: What it is, such as `resumed`.
            message: A sentence.
        """
        self.events.append({"epoch": self.epoch, "step": self.step, "kind": kind, "message": message})

    def judge_epoch(self, quality: float, loss: float) -> bool:
        """Compare the epoch that ends with those before it, and remember it where it is the best.

        Args:
            quality: Its accuracy, or mean intersection over union.
            loss: Its validation loss, in nats; decides between equals, and whether patience wears thinner.

        Returns:
            Whether it is the best so far.
        """
        self.stale = 0 if loss < self.best_loss else self.stale + 1
        self.best_loss = min(loss, self.best_loss)
        loss_of_best = next((row["val_loss"] for row in self.rows if row["epoch"] == self.best_epoch), math.inf)
        better = (quality, -loss) > (self.best_accuracy, -loss_of_best)
        if better:
            self.best_accuracy, self.best_epoch = quality, self.epoch
        return better

    def begin_epoch(self) -> None:
        """Go on to the next epoch, with nothing summed up yet."""
        self.epoch += 1
        self.batch = self.right = self.seen = 0
        self.loss_sum = self.epoch_seconds = 0.0


ADDED_LATER = frozenset({"pieces"})
"""Parts of a state that checkpoints of earlier versions lack; they begin as they would in a new run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended.

    Args:
        rows: Rows of `history.csv`.
        events: What happened.
        best_epoch: Epoch with the best validation accuracy, or mean intersection over union (the lower loss decides
            between equals).
        best_accuracy: Its accuracy; where every pixel has a class, its mean intersection over union.
        steps: Steps done.
        seconds: Seconds of training and validation, over all sessions.
        interrupted: Exit status of an interruption, or None.
    """

    rows: tuple[Mapping[str, float], ...]
    events: tuple[Event, ...]
    best_epoch: int
    best_accuracy: float
    steps: int
    seconds: float
    interrupted: int | None

    @classmethod
    def of(cls, state: State, interruption: Interruption | None = None) -> "Outcome":
        """Sum a run up.

        Args:
            state: Where it ended.
            interruption: What stopped it, or None.

        Returns:
            How it ended.
        """
        return cls(
            rows=tuple(state.rows),
            events=tuple(Event(**{name: event[name] for name in Event.__slots__}) for event in state.events),  # type: ignore[arg-type]
            best_epoch=state.best_epoch,
            best_accuracy=state.best_accuracy,
            steps=state.step,
            seconds=state.seconds,
            interrupted=interruption.exit_status if interruption else None,
        )
