"""How other programs' charts call the curves of a run: TensorBoard, MLflow and Weights & Biases get the same names."""

from collections.abc import Mapping

__all__ = ["BY_EPOCH", "BY_STEP", "ENDS", "EPOCH", "IDENTITY", "MEASURED", "SCORES"]

EPOCH = "epoch"
"""The number of an epoch, at the step it ended with: what tells steps and epochs of a run apart again."""
BY_EPOCH: Mapping[str, str] = {
    "train_loss": "train/loss",
    "train_accuracy": "train/accuracy",
    "val_loss": "validation/loss",
    "val_accuracy": "validation/accuracy",
    "val_mean_iou": "validation/mean_iou",
    "images_per_second": "images_per_second",
}
"""Columns of `history.csv`, at the step with which the epoch ended."""
ENDS: Mapping[str, str] = {"learning_rate": "epoch_end/learning_rate", "seconds": "epoch_end/seconds"}
"""The same, for programs that keep a whole run: the rate of the last step, and seconds since the run began."""
BY_STEP: Mapping[str, str] = {
    "loss": "train/loss_step",
    "gradient_norm": "gradient_norm",
    "learning_rate": "learning_rate",
    "objective": "train/objective_step",
}
"""Columns of `steps.csv`."""
MEASURED = "monitor/"
"""How the names of its other columns begin."""
SCORES = "score/"
"""How the names of final scores begin."""
IDENTITY = "thalweg.run"
"""The tag by which a run is found again in MLflow, and known as ours; its value is the run's key."""
