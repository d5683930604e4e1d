"""Where to cut a probability in two: a threshold chosen on one split, and what it gives on another.

Sensitivity is the share of the second class that is found, specificity the share of the first that is left alone. The
threshold with the highest mean of both (Youden 1950) is taken on the split it is chosen on; on that same split it
looks better than it is.
"""

from dataclasses import dataclass

import numpy as np

from thalweg.evaluation.intervals import wilson

__all__ = ["OperatingPoint", "best_threshold", "operate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """What a threshold gives on a split.

    Args:
        positive: The class that is looked for.
        threshold: Probability from which a file is taken for it.
        chosen_on: The split it was chosen on; empty where it was not chosen.
        split: The split that the rest is measured on.
        sensitivity: Share of the class's files that are found.
        sensitivity_interval: 95 % Wilson interval.
        specificity: Share of the other files that are left alone.
        specificity_interval: 95 % Wilson interval.
        accuracy: Share of right answers.
        accuracy_interval: 95 % Wilson interval.
    """

    positive: str
    threshold: float
    chosen_on: str
    split: str
    sensitivity: float
    sensitivity_interval: tuple[float, float]
    specificity: float
    specificity_interval: tuple[float, float]
    accuracy: float
    accuracy_interval: tuple[float, float]


def best_threshold(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The threshold with the highest mean of sensitivity and specificity, as far as the files can tell.

        the middle of all cuts whose mean lies within one standard error of the best,
        error = sqrt(sensitivity (1 - sensitivity) / positives + specificity (1 - specificity) / negatives) / 2

    The best cut of a few hundred files is partly luck; the middle of the nearly best ones scatters by a third less, and
    does better on files it was not chosen on (decision 0021; the rule of one standard error, Breiman et al. 1984).

    Args:
        probabilities: Of the second class, `(N,)`.
        labels: 0 or 1, `(N,)`.

    Returns:
        From 0 to 1; 0.5 where a class is missing.

    Example:
        >>> best_threshold(np.array([0.1, 0.2, 0.6, 0.7]), np.array([0, 0, 1, 1]))
        0.4
    """
    if len(set(labels.tolist())) < 2:  # noqa: PLR2004 - both are needed
        return 0.5
    values = np.unique(probabilities.astype(np.float64))
    cuts = np.concatenate(([values[0]], (values[1:] + values[:-1]) / 2))
    yes, no = np.sort(probabilities[labels == 1]), np.sort(probabilities[labels == 0])
    found = 1 - np.searchsorted(yes, cuts, side="left") / len(yes)
    spared = np.searchsorted(no, cuts, side="left") / len(no)
    score = (found + spared) / 2
    top = int(np.argmax(score))
    doubt = found[top] * (1 - found[top]) / len(yes) + spared[top] * (1 - spared[top]) / len(no)
    near = np.flatnonzero(score >= score[top] - np.sqrt(doubt) / 2 - 1e-12)
    return float((cuts[near[0]] + cuts[near[-1]]) / 2)


def operate(
    probabilities: np.ndarray, labels: np.ndarray, threshold: float, *, positive: str, chosen_on: str, split: str
) -> OperatingPoint:
    """Measure a threshold on a split.

    Args:
        probabilities: Of the second class, `(N,)`.
        labels: 0 or 1, `(N,)`.
        threshold: From 0 to 1.
        positive: Name of the second class.
        chosen_on: The split that the threshold was chosen on; empty where it was not chosen.
        split: Name of this split.

    Returns:
        Sensitivity, specificity and accuracy, with intervals; nan where a class is missing.
    """
    answers = probabilities >= threshold

    def share(right: np.ndarray) -> tuple[float, tuple[float, float]]:
        if not len(right):
            return float("nan"), (float("nan"), float("nan"))
        return float(right.mean()), wilson(int(right.sum()), len(right))

    found, found_interval = share(answers[labels == 1])
    spared, spared_interval = share(~answers[labels == 0])
    right, right_interval = share(answers == (labels == 1))
    return OperatingPoint(
        positive=positive,
        threshold=threshold,
        chosen_on=chosen_on,
        split=split,
        sensitivity=found,
        sensitivity_interval=found_interval,
        specificity=spared,
        specificity_interval=spared_interval,
        accuracy=right,
        accuracy_interval=right_interval,
    )
