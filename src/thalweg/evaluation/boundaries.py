"""How well borders are met: a segmentation can have most pixels right and every edge wrong.

IoU hardly minds the outline of a large thing, and minds nothing else of a thin one. The boundary F1 score asks, class
by class, how much of the border that was drawn lies near a true one (precision), and how much of the true border
lies near one that was drawn (recall). What is near is the tolerance, in pixels; Csurka et al. take
0.75 % of the diagonal.
"""

import math

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import PictureError
from thalweg.evaluation.segmentation import VOID

__all__ = ["boundary_counts", "boundary_f1", "f1_of", "usual_tolerance"]


def usual_tolerance(height: int, width: int) -> float:
    """What is near on a picture of this size: 0.75 % of its diagonal, at least 1 pixel.

    Args:
        height: Rows of the picture.
        width: Columns of it.

    Returns:
        Pixels.

    Example:
        >>> usual_tolerance(360, 480), usual_tolerance(60, 80)
        (4.5, 1.0)
    """
    return max(1.0, 0.0075 * math.hypot(height, width))


def boundary_counts(
    prediction: npt.ArrayLike,
    truth: npt.ArrayLike,
    tolerance: float,
    classes: int,
    void: int | None = VOID,
) -> npt.NDArray[np.int64]:
    """Border pixels of one picture, and how many were met; counts of several pictures may be added up.

    A border pixel of a class has a neighbour (above, below, left or right) of another class. The picture's own edge is
    no border, nor is the edge of what is void; what is drawn on void does not count.

    Args:
        prediction: Class of every pixel; shape (height, width).
        truth: The same of what is there.
        tolerance: How far a border may lie from another to be met, in pixels.
        classes: Number of classes.
        void: The number that is left out of the truth, or None.

    Returns:
        By class: border pixels drawn, those of them near a true border, true border pixels, those near a drawn one;
        shape (classes, 4).

    Raises:
        PictureError: The two differ in size, or the tolerance is negative.

    Example:
        >>> boundary_counts([[0, 0, 1, 1]], [[0, 1, 1, 1]], 1, 2).tolist()
        [[1, 1, 1, 1], [1, 1, 1, 1]]
    """
    said, real = np.asarray(prediction).astype(np.int64), np.asarray(truth).astype(np.int64)
    if said.shape != real.shape or said.ndim != 2:  # noqa: PLR2004 - height, width
        raise PictureError(
            f"a prediction of {said.shape} and a mask of {real.shape}: two pictures of one size are wanted"
        )
    if not tolerance >= 0:
        raise PictureError(f"the tolerance of borders is {tolerance}; a number of pixels from 0 is wanted")
    known = np.ones(real.shape, dtype=bool) if void is None else real != void
    drawn, true = _borders(said, known), _borders(real, known)
    counts = np.zeros((classes, 4), dtype=np.int64)
    for place, (own, other) in enumerate(((drawn, true), (true, drawn))):
        met = _met(own, other, tolerance)
        counts[:, 2 * place] = np.bincount(own[own >= 0], minlength=classes)[:classes]
        counts[:, 2 * place + 1] = np.bincount(own[met], minlength=classes)[:classes]
    return counts


def boundary_f1(
    prediction: npt.ArrayLike,
    truth: npt.ArrayLike,
    tolerance: float,
    classes: int | None = None,
    void: int | None = VOID,
) -> npt.NDArray[np.float64]:
    """The boundary F1 score of every class, of one picture or of counts that were added up.

        2 precision recall / (precision + recall)

    Args:
        prediction: Class of every pixel; shape (height, width).
        truth: The same of what is there.
        tolerance: How far a border may lie from another to be met, in pixels.
        classes: Number of classes; one more than the largest number by default.
        void: The number that is left out of the truth, or None.

    Returns:
        By class, 0 to 1; nan where neither has a border.

    References:
        G. Csurka, D. Larlus, F. Perronnin, What is a good evaluation measure for semantic segmentation?, BMVC 2013.

    Example:
        >>> drawn, true = [[0, 0, 0, 1]], [[0, 1, 1, 1]]
        >>> boundary_f1(drawn, true, 1).tolist(), boundary_f1(drawn, true, 2).tolist()
        ([0.0, 0.0], [1.0, 1.0])
    """
    if classes is None:
        real = np.asarray(truth)
        classes = 1 + int(max(np.asarray(prediction).max(initial=0), real[real != void].max(initial=0)))
    return f1_of(boundary_counts(prediction, truth, tolerance, classes, void))


def f1_of(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The F1 score from counts of `boundary_counts`, of one picture or added up.

    Args:
        counts: Shape (classes, 4).

    Returns:
        By class, 0 to 1; nan where neither has a border.

    Example:
        >>> f1_of(np.array([[4, 2, 2, 2], [0, 0, 0, 0]])).round(3).tolist()
        [0.667, nan]
    """
    drawn, drawn_met, true, true_met = counts.T.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = drawn_met / drawn, true_met / true
        score = 2 * precision * recall / (precision + recall)
    score = np.where((drawn_met == 0) | (true_met == 0), 0.0, score)
    return np.where(drawn + true == 0, np.nan, score)


def _borders(labels: npt.NDArray[np.int64], known: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The class where a pixel is a border, else -1."""
    border = np.zeros(labels.shape, dtype=bool)
    for axis in (0, 1):
        first, second = (slice(None, -1), slice(1, None))
        one = (first, slice(None)) if axis == 0 else (slice(None), first)
        other = (second, slice(None)) if axis == 0 else (slice(None), second)
        differ = (labels[one] != labels[other]) & known[one] & known[other]
        border[one] |= differ
        border[other] |= differ
    return np.where(border & known, labels, -1)


def _met(own: npt.NDArray[np.int64], other: npt.NDArray[np.int64], tolerance: float) -> npt.NDArray[np.bool_]:
    """Where a border of `own` has one of `other` of the same class within a disc."""
    reach = int(tolerance)
    rows, columns = own.shape
    around = np.pad(other, reach, constant_values=-1)
    met = np.zeros(own.shape, dtype=bool)
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            if down * down + right * right <= tolerance * tolerance:
                met |= around[reach + down : reach + down + rows, reach + right : reach + right + columns] == own
    return met & (own >= 0)
