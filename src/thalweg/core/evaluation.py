"""How good a classifier is on one named split, with the interval that its number of files allows."""

from dataclasses import dataclass

__all__ = ["CalibrationBin", "ClassScore", "Evaluation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """Scores of one class against the rest; nan where a ratio has no denominator."""

    name: str
    files: int
    precision: float
    recall: float
    f1: float
    auc: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """Predictions of similar confidence: how sure they were, and how often they were right."""

    low: float
    high: float
    files: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Scores on one split.

    Args:
        split: `validation`, `test` or the name of a source; every number here is on it.
        files: Number of files scored.
        accuracy: Share of right answers, 0 to 1.
        accuracy_interval: 95 % Wilson interval of it.
        majority_class: The largest class of the training split.
        majority_accuracy: Accuracy of always answering that class on this split.
        balanced_accuracy: Mean recall over the classes.
        loss: Mean cross-entropy, in nats.
        confusion: Rows are true classes, columns predicted ones, in files.
        classes: Scores a class.
        auc: Area under the ROC curve; the mean of one-against-rest for three and more classes.
        calibration_error: Expected calibration error over the bins, 0 to 1.
        calibration: The reliability diagram's bins.
        auc_interval: 95 % score interval of the area (Newcombe 2006); None for three and more classes.
    """

    split: str
    files: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    majority_class: str
    majority_accuracy: float
    balanced_accuracy: float
    loss: float
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassScore, ...]
    auc: float
    calibration_error: float
    calibration: tuple[CalibrationBin, ...] = ()
    auc_interval: tuple[float, float] | None = None
