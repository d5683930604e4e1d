"""How well a score orders two kinds of files, whatever threshold one may choose later."""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["area_under_roc"]


def area_under_roc(scores: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """The chance that a positive file has a higher score than a negative one; a tie counts half.

        area = (R - P (P + 1) / 2) / (P N)

    with R the sum of the positives' ranks (tied scores share their mean rank), P and N the numbers of positives and
    negatives. This is the Mann-Whitney statistic; it equals the area under the ROC curve drawn with straight segments.

    Args:
        scores: One score a file, higher for positive; shape (files,).
        positive: Whether each file is positive; shape (files,).

    Returns:
        The area, 0 to 1; nan where one of the two kinds is missing.

    References:
        J. A. Hanley, B. J. McNeil, The meaning and use of the area under a receiver operating characteristic (ROC)
        curve, Radiology 143 (1982), 29-36.

    Example:
        >>> area_under_roc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
        0.75
    """
    chosen = np.asarray(positive, dtype=bool)
    positives = int(chosen.sum())
    negatives = chosen.size - positives
    if positives == 0 or negatives == 0:
        return math.nan
    _, place, times = np.unique(np.asarray(scores), return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(times) - (times - 1) / 2
    rank_sum = float(mean_rank[place.ravel()][chosen].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)
