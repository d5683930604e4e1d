"""A case: one run's curves and the estimate of its learning rate, gathered once for all rules."""

from dataclasses import dataclass

import numpy as np

from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.remedy import Remedy
from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.live import Live
from thalweg.diagnosis.remedies import change_rate

__all__ = ["Case", "open_case"]

_SIGNALS = (
    "train_loss",
    "val_loss",
    "train_accuracy",
    "val_accuracy",
    "batch_loss",
    "learning_rate",
    "gradient_norm",
)
_GRAIN = 1e-4
"""Of a loss's range: what many loggers round to; less is no movement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What rules look at; a curve that was not recorded is None.

    Args:
        history: The run as it was recorded.
        estimate: What is known of its learning rate.
        train_loss: Training loss, an epoch or a logged step each.
        val_loss: Loss on held-out data.
        train_accuracy: Share of right answers on training data, 0 to 1.
        val_accuracy: The same on held-out data.
        batch_loss: Loss of single batches, a step each.
        learning_rate: The rate in use, where it was recorded.
        gradient_norm: Norm of the gradient, where it was recorded.
        live: What was measured inside the run; None where it was only logged.
    """

    history: RunHistory
    estimate: LearningRateEstimate
    train_loss: Curve | None = None
    val_loss: Curve | None = None
    train_accuracy: Curve | None = None
    val_accuracy: Curve | None = None
    batch_loss: Curve | None = None
    learning_rate: Curve | None = None
    gradient_norm: Curve | None = None
    live: Live | None = None

    @property
    def loss(self) -> Curve | None:
        """The curve that tells the course of training: training loss, else that of batches, else the held-out one."""
        known = (self.train_loss, self.batch_loss, self.val_loss)
        return next((curve for curve in known if curve is not None and len(curve)), None)

    @property
    def accuracy(self) -> Curve | None:
        """Accuracy in training, else on held-out data."""
        known = (self.train_accuracy, self.val_accuracy)
        return next((curve for curve in known if curve is not None and len(curve)), None)

    @property
    def grain(self) -> float:
        """A difference of the loss that rounding in the log could make."""
        curve = self.loss
        return _GRAIN * (curve.high - curve.low) if curve is not None and len(curve) else 0.0

    @property
    def rate(self) -> float | None:
        """The largest learning rate recorded: the one a plan names."""
        curve = self.learning_rate
        if curve is not None and len(curve) and curve.values.max() > 0:
            return float(curve.values.max())
        planned = self.history.plan.get("learning_rate")
        return float(planned) if isinstance(planned, int | float) and planned > 0 else None

    def lower_rate(self) -> tuple[Remedy, ...]:
        """Advise a lower learning rate, unless the verdict speaks against that.

        Returns:
            One remedy or none.
        """
        if self.estimate.verdict in {"about_right", "too_low"}:
            return ()
        factor = self.estimate.factor
        return (change_rate(factor if factor and factor > 1 else None, self.rate),)

    def raise_rate(self) -> tuple[Remedy, ...]:
        """Advise a higher learning rate, unless the verdict speaks against that.

        Returns:
            One remedy or none.
        """
        if self.estimate.verdict in {"about_right", "too_high"}:
            return ()
        factor = self.estimate.factor
        return (change_rate(factor if factor and factor < 1 else 1 / 3, self.rate),)

    @property
    def scheduled(self) -> bool:
        """Whether the recorded learning rate falls by half or more after its peak."""
        curve = self.learning_rate
        if curve is None or len(curve) < 2:  # noqa: PLR2004 - a change needs two
            return False
        return bool(curve.values[-1] <= 0.5 * curve.values.max())

    def rate_drops(self) -> list[float]:
        """Find where the recorded learning rate falls at once by a third or more.

        Returns:
            Epochs or steps of the first value after each drop.
        """
        curve = self.learning_rate
        if curve is None or len(curve) < 2:  # noqa: PLR2004 - a change needs two
            return []
        places = np.flatnonzero(curve.values[1:] < 0.67 * curve.values[:-1]) + 1
        return [float(curve.steps[place]) for place in places]


def open_case(history: RunHistory, estimate: LearningRateEstimate) -> Case:
    """Gather what rules look at.

    Args:
        history: A run.
        estimate: What is known of its learning rate.

    Returns:
        The case.
    """
    curves = {name: Curve.of(history.signal(name)) for name in _SIGNALS}
    return Case(
        history=history,
        estimate=estimate,
        live=Live.of(history),
        **{name: curve for name, curve in curves.items() if curve is not None},
    )
