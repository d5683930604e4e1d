"""Counting over pictures what a segmentation misses and how sure it is; nothing is kept but counts.

A pixel's confidence is the probability of its answer. Calibration compares it with how often the answer is right, bin
by bin, for each class that is answered (Guo et al. 2017). Risk and coverage let the network keep silent where it is
least sure: with any threshold it is wrong in so many of the pixels that it answers (El-Yaniv and Wiener 2010).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from thalweg.core.mask_safety import DISTANCES, SIZES, ClassSafety, MaskSafety
from thalweg.core.masks import VOID
from thalweg.core.segmentation import RiskCoverage
from thalweg.evaluation.objects import connected_regions

__all__ = ["PixelTally"]

_BINS, _STEPS = 10, 1000
_EDGES = (0.001, 0.01)  # of the picture's area, between the groups of sizes
_LEAST_OBJECT = 4  # smaller regions are the ragged rims of others
_SHOWN = 101  # points of the risk-coverage curve


class PixelTally:
    """Counts over the pictures of a split.

    Args:
        classes: Class names in index order.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        count = len(self.classes)
        self._bins = np.zeros((3, count, _BINS))  # pixels, sum of confidence, right ones
        self._sure = np.zeros((2, _STEPS), np.int64)  # all and right pixels by confidence
        self._rings = np.zeros((2, count, len(DISTANCES)), np.int64)
        self._objects = np.zeros((2, count, len(SIZES)), np.int64)

    def add(
        self, answer: npt.NDArray[np.integer], confidence: npt.NDArray[np.floating], truth: npt.NDArray[np.integer]
    ) -> None:
        """Count a picture.

        Args:
            answer: Class that every pixel was called, `(height, width)`.
            confidence: Its probability, 0 to 1.
            truth: What is there; 255 where there is no class.
        """
        known = truth != VOID
        if not known.any():
            return
        count = len(self.classes)
        real, said, sure = truth[known].astype(np.int64), answer[known].astype(np.int64), confidence[known]
        right = real == said
        place = said * _BINS + np.clip((sure * _BINS).astype(np.int64), 0, _BINS - 1)
        for number, weights in enumerate((None, sure, right)):
            counted = np.bincount(place, weights=weights, minlength=count * _BINS)
            self._bins[number] += counted.reshape(count, _BINS)
        step = np.clip((sure * _STEPS).astype(np.int64), 0, _STEPS - 1)
        self._sure[0] += np.bincount(step, minlength=_STEPS)
        self._sure[1] += np.bincount(step[right], minlength=_STEPS)
        ring = real * len(DISTANCES) + _ring(truth.shape)[known]
        for number, some in enumerate((ring, ring[right])):
            counted = np.bincount(some, minlength=count * len(DISTANCES))
            self._rings[number] += counted.reshape(count, len(DISTANCES))
        self._add_objects(answer == truth, truth)

    def _add_objects(self, right: npt.NDArray[np.bool_], truth: npt.NDArray[np.integer]) -> None:
        regions = connected_regions(truth).ravel()
        area = np.bincount(regions)
        hit = np.bincount(regions, weights=right.ravel())
        kind = np.full(len(area), VOID, np.int64)
        kind[regions] = truth.ravel()
        for index in np.flatnonzero((kind != VOID) & (area >= _LEAST_OBJECT)):
            size = int(np.searchsorted(_EDGES, area[index] / truth.size, side="right"))
            self._objects[0, kind[index], size] += 1
            self._objects[1, kind[index], size] += 2 * hit[index] >= area[index]

    def result(self, boundary_f1: float = float("nan")) -> MaskSafety:
        """Say what was counted.

        Args:
            boundary_f1: Of boundaries, where it was measured.

        Returns:
            Numbers a class, and of the whole.
        """
        pixels, sure, right = self._bins
        with np.errstate(invalid="ignore", divide="ignore"):
            recall = self._rings[1] / self._rings[0]
            off = np.abs(sure - right)
            error = off.sum(axis=1) / pixels.sum(axis=1)
            confidence, precision = sure.sum(axis=1) / pixels.sum(axis=1), right.sum(axis=1) / pixels.sum(axis=1)
        total = max(1.0, float(pixels.sum()))
        whole = np.abs(sure.sum(axis=0) - right.sum(axis=0)).sum() / total
        return MaskSafety(
            classes=tuple(
                ClassSafety(
                    name=name,
                    objects=_whole(self._objects[0, index]),
                    found=_whole(self._objects[1, index]),
                    pixels=_whole(self._rings[0, index]),
                    recall=tuple(float(share) for share in recall[index]),
                    calibration_error=float(error[index]),
                    confidence=float(confidence[index]),
                    precision=float(precision[index]),
                )
                for index, name in enumerate(self.classes)
            ),
            calibration_error=float(whole),
            risk_coverage=_risk_coverage(*self._sure),
            boundary_f1=boundary_f1,
        )


def _ring(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """The ring of every pixel: how far it is from the centre, a corner being 1 away."""
    height, width = shape
    down = (np.arange(height) + 0.5) / height * 2 - 1
    across = (np.arange(width) + 0.5) / width * 2 - 1
    away = np.sqrt((down[:, None] ** 2 + across[None, :] ** 2) / 2)
    return np.minimum((away * len(DISTANCES)).astype(np.int64), len(DISTANCES) - 1)


def _risk_coverage(every: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> RiskCoverage:
    """The curve from the surest pixels on; its area is the mean risk over all coverages."""
    answered, good = np.cumsum(every[::-1]), np.cumsum(right[::-1])
    total = int(answered[-1])
    if not total:
        return RiskCoverage(coverage=(), risk=(), area=float("nan"), least_area=float("nan"))
    coverage = answered / total
    risk = 1 - good / np.maximum(1, answered)
    weight = np.diff(coverage, prepend=0.0)
    wrong = 1 - float(good[-1]) / total
    # With all wrong answers last, risk is 0 up to a coverage of 1 - wrong and then (c - (1 - wrong)) / c.
    least = wrong + (1 - wrong) * float(np.log(max(1e-12, 1 - wrong))) if wrong < 1 else 1.0
    points = np.unique(np.searchsorted(coverage, np.linspace(0.01, 1, _SHOWN)).clip(max=len(coverage) - 1))
    return RiskCoverage(
        coverage=tuple(float(each) for each in coverage[points]),
        risk=tuple(float(each) for each in risk[points]),
        area=float((risk * weight).sum()),
        least_area=least,
    )


def _whole(counts: npt.NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(count) for count in counts)
