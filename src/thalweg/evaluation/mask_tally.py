"""Counting over pictures what a segmentation misses and how sure it is; nothing is kept but counts."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import PictureError
from thalweg.core.mask_safety import DISTANCES, SIZES, ClassSafety, MaskSafety
from thalweg.core.masks import VOID
from thalweg.evaluation.boundaries import boundary_counts, f1_of, usual_tolerance
from thalweg.evaluation.confidence import calibration_errors, confidence_counts, risk_coverage
from thalweg.evaluation.objects import connected_regions

__all__ = ["PixelTally"]

_EDGES = (0.001, 0.01)  # of the picture's area, between the groups of sizes
_LEAST_OBJECT = 4  # smaller regions are the ragged rims of others


class PixelTally:
    """Counts over the pictures of a split.

    Args:
        classes: Class names in index order.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        count = len(self.classes)
        self._sure: npt.NDArray[np.float64] | None = None
        self._borders = np.zeros((count, 4), np.int64)
        self._rings = np.zeros((2, count, len(DISTANCES)), np.int64)
        self._objects = np.zeros((2, count, len(SIZES)), np.int64)

    def add(self, probabilities: npt.NDArray[np.floating], truth: npt.NDArray[np.integer]) -> None:
        """Count a picture.

        Args:
            probabilities: Of every class at every pixel, `(classes, height, width)`.
            truth: What is there; 255 where there is no class.
        """
        known = truth != VOID
        if not known.any():
            return
        count, answer = len(self.classes), probabilities.argmax(axis=0)
        sure = confidence_counts(probabilities, truth)
        self._sure = sure if self._sure is None else self._sure + sure
        height, width = truth.shape
        self._borders += boundary_counts(answer, truth, usual_tolerance(height, width), count)
        right = answer == truth
        ring = truth.astype(np.int64) * len(DISTANCES) + _ring(truth.shape)
        for number, some in enumerate((ring[known], ring[known & right])):
            counted = np.bincount(some, minlength=count * len(DISTANCES))
            self._rings[number] += counted.reshape(count, len(DISTANCES))
        self._add_objects(right, truth)

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

    def result(self) -> MaskSafety:
        """Say what was counted.

        Returns:
            Numbers a class, and of the whole.

        Raises:
            PictureError: No picture was counted.
        """
        if self._sure is None:
            raise PictureError("no pixel has a class that is known, so nothing can be said of confidence")
        pixels, sure, right = self._sure.sum(axis=1).T
        error, border = calibration_errors(self._sure), f1_of(self._borders)
        with np.errstate(invalid="ignore", divide="ignore"):
            recall = self._rings[1] / self._rings[0]
            confidence, precision = sure / pixels, right / pixels
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
                    boundary_f1=float(border[index]),
                )
                for index, name in enumerate(self.classes)
            ),
            calibration_error=float(calibration_errors(self._sure.sum(axis=0, keepdims=True))[0]),
            risk_coverage=risk_coverage(self._sure),
            boundary_f1=float(np.nanmean(border)) if np.isfinite(border).any() else float("nan"),
        )


def _ring(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """The ring of every pixel: how far it is from the centre, a corner being 1 away."""
    height, width = shape
    down = (np.arange(height) + 0.5) / height * 2 - 1
    across = (np.arange(width) + 0.5) / width * 2 - 1
    away = np.sqrt((down[:, None] ** 2 + across[None, :] ** 2) / 2)
    return np.minimum((away * len(DISTANCES)).astype(np.int64), len(DISTANCES) - 1)


def _whole(counts: npt.NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(count) for count in counts)
