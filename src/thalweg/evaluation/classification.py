"""From the probabilities a classifier gave and the true labels to every score of an `Evaluation`.

Accuracy alone deceives: 0.69 is nothing where always answering the largest class scores 0.687, and little on 30 files.
So both stand beside it, and what a threshold cannot change (ranking) is kept apart from what it can (confusion).
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import SourceError, TrainingFailedError
from thalweg.core.evaluation import ClassScore, Evaluation
from thalweg.evaluation.calibration import expected_calibration_error, reliability
from thalweg.evaluation.intervals import area_interval, wilson
from thalweg.evaluation.ranking import area_under_roc

__all__ = ["confusion_matrix", "cross_entropy", "evaluate"]

_SMALLEST = float(np.finfo(np.float64).eps)
_SUM_TOLERANCE = 0.01  # a softmax in bfloat16 misses 1 by up to 0.004


def evaluate(
    probabilities: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    classes: Sequence[str],
    split: str,
    majority_class: int,
) -> Evaluation:
    """Score a classifier on one split.

    The answer is the class with the highest probability; of equals, the first. Balanced accuracy is the mean recall of
    the classes that occur in the split. With two classes `auc` ranks by the second class's probability; with more it is
    the mean of one-against-rest over the classes for which it is defined. Ratios without a denominator are nan.

    Args:
        probabilities: Probability of each class; shape (files, classes), rows adding up to 1.
        labels: Index of the true class; shape (files,).
        classes: Class names in index order, at least two.
        split: What the files are called: `validation`, `test` or the name of a source.
        majority_class: Index of the largest class of the training split (not of this one).

    Returns:
        Every score, all on this split.

    Raises:
        SourceError: There is no file in the split.
        TrainingFailedError: Some probabilities are not numbers.
        ValueError: Shapes, labels or probabilities that no classifier gives.

    Example:
        >>> scores = evaluate(
        ...     [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [0, 1, 1], classes=["cat", "dog"], split="test", majority_class=0
        ... )
        >>> scores.confusion, scores.auc
        (((1, 0), (1, 1)), 1.0)
    """
    given, truth = _checked(probabilities, labels, len(classes), split)
    if not 0 <= majority_class < len(classes):
        raise ValueError(f"majority_class is {majority_class}; there are {len(classes)} classes, counted from 0")
    answer = given.argmax(axis=1)
    right = answer == truth
    confusion = confusion_matrix(truth, answer, len(classes))
    scores = _class_scores(confusion, _areas(given, truth), classes)
    recalls = [score.recall for score in scores if score.files]
    bars = reliability(given.max(axis=1), right)
    files = len(truth)
    return Evaluation(
        split=split,
        files=files,
        accuracy=float(right.mean()),
        accuracy_interval=wilson(int(right.sum()), files),
        majority_class=classes[majority_class],
        majority_accuracy=float((truth == majority_class).mean()),
        balanced_accuracy=sum(recalls) / len(recalls),
        loss=cross_entropy(given, truth),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        classes=scores,
        auc=_mean_defined([score.auc for score in scores]),
        calibration_error=expected_calibration_error(bars),
        calibration=bars,
        auc_interval=_area_interval(scores),
    )


def confusion_matrix(
    truth: npt.NDArray[np.integer], answer: npt.NDArray[np.integer], classes: int
) -> npt.NDArray[np.int64]:
    """Count files by true class (row) and answered class (column).

    Args:
        truth: Index of the true class; shape (files,).
        answer: Index of the answered class; shape (files,).
        classes: Number of classes.

    Returns:
        Counts; shape (classes, classes).

    Example:
        >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
        [[1, 0], [1, 1]]
    """
    cells = np.bincount(truth.astype(np.int64) * classes + answer, minlength=classes * classes)
    return cells.astype(np.int64).reshape(classes, classes)


def cross_entropy(probabilities: npt.NDArray[np.floating], truth: npt.NDArray[np.integer]) -> float:
    """Mean surprise at the true class, -log p, in nats.

    A probability below 2.2e-16 counts as that, so that one certain mistake costs 36 nats and not infinitely many
    (scikit-learn's `log_loss` does the same).

    Args:
        probabilities: Probability of each class; shape (files, classes).
        truth: Index of the true class; shape (files,).

    Returns:
        The mean over the files, in nats.

    Example:
        >>> round(cross_entropy(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 0])), 4)
        0.3466
    """
    of_truth = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return float(-np.log(np.clip(of_truth, _SMALLEST, 1.0)).mean())


def _checked(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, classes: int, split: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    given, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(labels)
    if truth.size == 0:
        raise SourceError(f"the {split} split has no files, so there is nothing to evaluate; give it a larger share")
    if classes < 2 or given.shape != (truth.size, classes) or truth.ndim != 1:  # noqa: PLR2004 - a choice needs two
        raise ValueError(
            f"probabilities of shape {given.shape} and labels of shape {truth.shape} do not fit {classes} classes; "
            f"(files, classes) and (files,) with two classes or more are wanted"
        )
    broken = int((~np.isfinite(given)).any(axis=1).sum())
    if broken:
        raise TrainingFailedError(
            f"{split}: the network's answers for {broken} of {truth.size} files are not numbers (NaN or infinite); "
            f"its weights are spoiled, train again with a lower learning rate"
        )
    if given.min() < 0 or np.abs(given.sum(axis=1) - 1).max() > _SUM_TOLERANCE:
        raise ValueError("probabilities are from 0 to 1 and add up to 1 in each row; these look like logits")
    if not np.issubdtype(truth.dtype, np.integer) or truth.min() < 0 or truth.max() >= classes:
        raise ValueError(f"labels are whole numbers from 0 to {classes - 1}, not {truth.min()} to {truth.max()}")
    return given, truth.astype(np.int64)


def _areas(given: npt.NDArray[np.float64], truth: npt.NDArray[np.int64]) -> list[float]:
    # Each class against the rest; with two classes one ranking serves both, since 1 - p would tie where p is tiny.
    if given.shape[1] == 2:  # noqa: PLR2004 - two classes
        area = area_under_roc(given[:, 1], truth == 1)
        return [area, area]
    return [area_under_roc(given[:, index], truth == index) for index in range(given.shape[1])]


def _class_scores(
    confusion: npt.NDArray[np.int64], areas: Sequence[float], classes: Sequence[str]
) -> tuple[ClassScore, ...]:
    scores = []
    for index, name in enumerate(classes):
        hits = int(confusion[index, index])
        files = int(confusion[index].sum())
        answers = int(confusion[:, index].sum())
        scores.append(
            ClassScore(
                name=name,
                files=files,
                precision=_ratio(hits, answers),
                recall=_ratio(hits, files),
                f1=_ratio(2 * hits, files + answers),
                auc=areas[index],
            )
        )
    return tuple(scores)


def _area_interval(scores: Sequence[ClassScore]) -> tuple[float, float] | None:
    if len(scores) != 2 or not all(score.files for score in scores):  # noqa: PLR2004 - an area parts two classes
        return None
    return area_interval(scores[1].auc, scores[1].files, scores[0].files)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _mean_defined(values: Sequence[float]) -> float:
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else math.nan
