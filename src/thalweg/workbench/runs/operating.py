"""The threshold of a two-class run: chosen on validation files only, reported on others."""

from thalweg.evaluation.operating import OperatingPoint, best_threshold, operate
from thalweg.training.scoring import Scores

__all__ = ["operating_point"]


def operating_point(scores: Scores, chosen: Scores | None, *, classes: tuple[str, ...], split: str) -> OperatingPoint:
    """Choose a threshold where there is a split to choose it on, and measure it.

    Args:
        scores: Of the split that is reported.
        chosen: Of the validation split, where another one is reported; None leaves the threshold at one half.
        classes: Both classes.
        split: Name of the split that is reported.

    Returns:
        The threshold and what it gives.
    """
    threshold = 0.5 if chosen is None else best_threshold(chosen.probabilities[:, 1], chosen.labels)
    return operate(
        scores.probabilities[:, 1],
        scores.labels,
        threshold,
        positive=classes[1],
        chosen_on="" if chosen is None else "validation",
        split=split,
    )
