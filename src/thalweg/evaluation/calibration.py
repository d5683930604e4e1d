"""Whether a confidence means what it says: of the answers given with 80 %, four in five should be right."""

import numpy as np
import numpy.typing as npt

from thalweg.core.evaluation import CalibrationBin

__all__ = ["BINS", "expected_calibration_error", "reliability"]

BINS = 15
"""Number of equal-width bins from 0 to 1; 15 is what Guo et al. use, so published numbers compare."""


def reliability(confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int = BINS) -> tuple[CalibrationBin, ...]:
    """Gather answers of similar confidence: the bars of a reliability diagram.

    A confidence on a border belongs to the bin below it, `low < confidence <= high`, and 0 to the first.

    Args:
        confidence: The probability of the answer given; shape (files,), 0 to 1.
        right: Whether that answer was right; shape (files,).
        bins: Number of bins of equal width from 0 to 1.

    Returns:
        All bins in order; an empty one has nan as confidence and accuracy.

    Example:
        >>> [(bar.files, bar.accuracy) for bar in reliability([0.4, 0.9, 0.8], [True, True, False], bins=2)]
        [(1, 1.0), (2, 0.5)]
    """
    sure = np.asarray(confidence, dtype=np.float64)
    good = np.asarray(right, dtype=np.float64)
    borders = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(borders, sure, side="left") - 1, 0, bins - 1)
    files = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the nan of an empty bin
        mean_sure = np.bincount(place, weights=sure, minlength=bins) / files
        mean_good = np.bincount(place, weights=good, minlength=bins) / files
    return tuple(
        CalibrationBin(
            low=float(borders[index]),
            high=float(borders[index + 1]),
            files=int(files[index]),
            confidence=float(mean_sure[index]),
            accuracy=float(mean_good[index]),
        )
        for index in range(bins)
    )


def expected_calibration_error(bars: tuple[CalibrationBin, ...]) -> float:
    """Mean distance between confidence and accuracy, each bin weighted by its files.

        sum over bins of  files / all files * |accuracy - confidence|

    Args:
        bars: What `reliability` returned.

    Returns:
        The error, 0 (calibrated) to 1.

    Raises:
        ValueError: There is no file in any bin.

    References:
        M. P. Naeini, G. F. Cooper, M. Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning,
        AAAI 2015; C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On calibration of modern neural networks, ICML 2017.

    Example:
        >>> round(expected_calibration_error(reliability([0.9, 0.9], [True, False])), 3)
        0.4
    """
    files = sum(bar.files for bar in bars)
    if files == 0:
        raise ValueError("no answers to calibrate: every bin is empty")
    return sum(bar.files * abs(bar.accuracy - bar.confidence) for bar in bars if bar.files) / files
