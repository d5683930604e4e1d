"""Whether a segmentation knows where it errs: calibration a class, and risk against coverage, from counts that add up.

A split has a hundred million pixels, so they are counted in bins as they come. Bins are fine near 1, where most pixels
lie, and the borders of the usual 15 bins of a calibration diagram are among theirs, so that its error is exact.
"""

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import PictureError
from thalweg.core.segmentation import RiskCoverage
from thalweg.evaluation.calibration import BINS
from thalweg.evaluation.segmentation import VOID

__all__ = ["calibration_errors", "confidence_counts", "risk_coverage"]

_COARSE = np.linspace(0, 1, BINS + 1)
_BORDERS = np.unique(np.concatenate([_COARSE, 1 - np.logspace(-7, 0, 400), np.linspace(0, 1, 101)]))
_KEPT = 101  # points of a curve


def confidence_counts(
    probabilities: npt.ArrayLike, truth: npt.ArrayLike, void: int | None = VOID
) -> npt.NDArray[np.float64]:
    """Pixels of one picture by what they were called and how surely; counts of several pictures may be added up.

    Args:
        probabilities: Of every class at every pixel; shape (classes, height, width).
        truth: Class of every pixel.
        void: The number that is left out of the truth, or None.

    Returns:
        By class called and bin: pixels, the sum of their confidence, how many are right; shape (classes, bins, 3).

    Raises:
        PictureError: The two differ in size.

    Example:
        >>> confidence_counts([[[0.9, 0.2]], [[0.1, 0.8]]], [[0, 0]]).sum(1).round(2).tolist()
        [[1.0, 0.9, 1.0], [1.0, 0.8, 0.0]]
    """
    given, real = np.asarray(probabilities, dtype=np.float64), np.asarray(truth)
    if given.shape[1:] != real.shape:
        raise PictureError(f"probabilities for {given.shape[1:]} pixels and a mask of {real.shape}: one size is wanted")
    known = np.ones(real.shape, dtype=bool) if void is None else real != void
    called, sure = given.argmax(0)[known], given.max(0)[known]
    right = called == real[known]
    classes, bins = given.shape[0], len(_BORDERS) - 1
    place = called * bins + np.clip(np.searchsorted(_BORDERS, sure, side="left") - 1, 0, bins - 1)
    columns = [np.bincount(place, weights=each, minlength=classes * bins) for each in (None, sure, right)]
    return np.stack(columns, -1).astype(np.float64).reshape(classes, bins, 3)


def calibration_errors(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Expected calibration error of the pixels that were called each class.

        sum over 15 bins of  pixels / all pixels * |share right - mean confidence|

    Args:
        counts: What `confidence_counts` gave, of one picture or added up.

    Returns:
        By class, 0 to 1; nan for a class that nothing was called.

    Example:
        >>> calibration_errors(confidence_counts([[[0.9, 0.8]], [[0.1, 0.2]]], [[0, 1]])).round(3).tolist()
        [0.45, nan]
    """
    home = np.clip(np.searchsorted(_COARSE, _BORDERS[1:], side="left") - 1, 0, BINS - 1)
    coarse = np.zeros((counts.shape[0], BINS, 3))
    for column in range(counts.shape[1]):
        coarse[:, home[column]] += counts[:, column]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.abs(coarse[..., 1] - coarse[..., 2]).sum(1) / coarse[..., 0].sum(1))


def risk_coverage(counts: npt.NDArray[np.float64]) -> RiskCoverage:
    """Errors among the surest pixels, for every share of pixels that is answered.

    Args:
        counts: What `confidence_counts` gave, of one picture or added up.

    Returns:
        The curve, thinned to about a hundred points, and the area under the whole of it.

    Raises:
        PictureError: There is no pixel.

    References:
        R. El-Yaniv, Y. Wiener, On the foundations of noise-free selective classification, JMLR 2010; Y. Geifman, G.
        Uziel, R. El-Yaniv, Bias-reduced uncertainty estimation, ICLR 2019 (the least area).

    Example:
        >>> curve = risk_coverage(confidence_counts([[[0.9, 0.6]], [[0.1, 0.4]]], [[0, 1]]))
        >>> curve.coverage, curve.risk
        ((0.5, 1.0), (0.0, 0.5))
    """
    surest = counts.sum(0)[::-1]
    surest = surest[surest[:, 0] > 0]
    pixels = surest[:, 0].sum()
    if not pixels:
        raise PictureError("no pixel has a class that is known, so there is no risk to draw")
    coverage = surest[:, 0].cumsum() / pixels
    risk = (surest[:, 0] - surest[:, 2]).cumsum() / surest[:, 0].cumsum()
    # The curve begins with the surest bin's risk; between two bins it runs straight.
    starts, before = np.concatenate([[0], coverage[:-1]]), np.concatenate([risk[:1], risk[:-1]])
    area = float(((coverage - starts) * (risk + before) / 2).sum())
    wrong = float(risk[-1])
    least = wrong + (1 - wrong) * np.log1p(-wrong) if wrong < 1 else 1.0
    kept = np.unique(np.searchsorted(coverage, np.linspace(0, 1, _KEPT)).clip(0, len(coverage) - 1))
    return RiskCoverage(
        coverage=tuple(map(float, coverage[kept])),
        risk=tuple(map(float, risk[kept])),
        area=area,
        least_area=float(least),
    )
