"""How much each class weighs in the loss: as the plan says, from what the training files are."""

from thalweg.core.dataset import DataSummary
from thalweg.core.plan import TrainingPlan
from thalweg.training.loss import class_weights, pixel_weights

__all__ = ["balance_of"]


def balance_of(plan: TrainingPlan, summary: DataSummary) -> tuple[float, ...] | None:
    """Weight of each class in the loss.

    Args:
        plan: With the choice.
        summary: With the training files, or pixels, a class.

    Returns:
        One a class, or None for equal ones.
    """
    if summary.masks is not None:
        return pixel_weights(summary.masks.pixels["train"], plan.class_weights)
    return class_weights(summary.counts["train"], plan.class_weights)
