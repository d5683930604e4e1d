"""The mistakes worth looking at first: those the network was surest about.

They are where wrong labels, odd photos and real blind spots gather.
"""

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import TrainingFailedError

__all__ = ["worst_mistakes"]


def worst_mistakes(probabilities: npt.ArrayLike, labels: npt.ArrayLike, count: int) -> npt.NDArray[np.int64]:
    """Find the wrong answers with the highest confidence.

    Args:
        probabilities: Probability of each class; shape (files, classes).
        labels: Index of the true class; shape (files,).
        count: How many to return at most.

    Returns:
        Indices of files, the surest mistake first; equals keep their order. Fewer than `count` where there are fewer.

    Raises:
        TrainingFailedError: Some probabilities are not numbers.
        ValueError: `count` is negative.

    Example:
        >>> worst_mistakes([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], [0, 0, 0], 2).tolist()
        [2, 1]
    """
    if count < 0:
        raise ValueError(f"{count} mistakes are wanted; a number from 0 is possible")
    given = np.asarray(probabilities, dtype=np.float64)
    broken = int(np.isnan(given).any(axis=-1).sum()) if given.size else 0
    if broken:
        raise TrainingFailedError(f"the network's answers for {broken} of {len(given)} files are not numbers (NaN)")
    if given.shape[0] == 0:
        return np.empty(0, dtype=np.int64)
    answer = given.argmax(axis=1)
    wrong = np.flatnonzero(answer != np.asarray(labels))
    order = np.argsort(-given[wrong, answer[wrong]], kind="stable")
    return wrong[order[:count]].astype(np.int64)
