"""Segmentations to scores: one confusion matrix a picture, from which everything follows.

The IoU of a class is what is it and is called it, over what is it or is called it, in pixels of the whole split: one
matrix added up over all pictures, as every benchmark does, not a mean over pictures. Pixels of one picture are alike,
so intervals come from drawing *pictures* anew (a bootstrap over clusters); over pixels they would be far too narrow.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import PictureError
from thalweg.core.segmentation import ClassOverlap, ConfusedPair, PictureScore, SegmentationEvaluation

__all__ = ["VOID", "confusion_of", "evaluate_segmentation", "overlaps"]

VOID = 255
"""What a mask says where nobody knows, as Pascal VOC and Cityscapes have it."""

_DRAWS = 1000
_SHOWN = 24  # pictures in `worst`


def confusion_of(
    prediction: npt.ArrayLike, truth: npt.ArrayLike, classes: int, void: int | None = VOID
) -> npt.NDArray[np.int64]:
    """The confusion matrix of one picture, or one for each picture of a batch.

    Args:
        prediction: Class of every pixel; shape (height, width) or (pictures, height, width).
        truth: The same of what is there; `void` where nobody knows.
        classes: Number of classes.
        void: The number that is left out, or None.

    Returns:
        Pixels by true and predicted class; shape (classes, classes) or (pictures, classes, classes).

    Raises:
        PictureError: The two differ in size, or hold a number that is no class.

    Example:
        >>> confusion_of([[0, 1, 1]], [[0, 1, 255]], 2).tolist()
        [[1, 0], [0, 1]]
    """
    said, real = np.asarray(prediction), np.asarray(truth)
    if said.shape != real.shape:
        raise PictureError(f"the prediction is {_size(said)} and the mask {_size(real)}: both must be of one size")
    if real.ndim > 2:  # noqa: PLR2004 - a batch
        each = [confusion_of(one, other, classes, void) for one, other in zip(said, real, strict=True)]
        return np.array(each, dtype=np.int64).reshape(-1, classes, classes)
    known = np.ones(real.shape, dtype=bool) if void is None else real != void
    said, real = said[known].astype(np.int64), real[known].astype(np.int64)
    for name, values in (("mask", real), ("prediction", said)):
        if values.size and (values.min() < 0 or values.max() >= classes):
            wrong = int(values[(values < 0) | (values >= classes)][0])
            more = "" if void is None else f" and no void ({void})"
            raise PictureError(f"the {name} holds {wrong}, which is none of the classes 0 to {classes - 1}{more}")
    return np.bincount(real * classes + said, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def _size(array: npt.NDArray[np.generic]) -> str:
    return "x".join(map(str, array.shape)) or "a single number"


def overlaps(confusion: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Intersection over union of every class.

    Args:
        confusion: Pixels by true and predicted class; further axes may come first.

    Returns:
        IoU by class, 0 to 1; nan where nothing is the class and nothing is called it.

    Example:
        >>> overlaps([[3, 1, 0], [0, 4, 0], [0, 0, 0]]).round(3).tolist()
        [0.75, 0.8, nan]
    """
    matrix = np.asarray(confusion, dtype=np.float64)
    hit = np.diagonal(matrix, axis1=-2, axis2=-1)
    return _over(hit, matrix.sum(-1) + matrix.sum(-2) - hit)


def _over(part: npt.ArrayLike, whole: npt.ArrayLike) -> npt.NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.divide(part, whole), dtype=np.float64)


def evaluate_segmentation(
    confusions: npt.ArrayLike,
    classes: Sequence[str],
    *,
    split: str,
    void_pixels: int = 0,
    seed: int = 0,
    draws: int = _DRAWS,
) -> SegmentationEvaluation:
    """Score a segmentation.

    Args:
        confusions: One confusion matrix a picture; shape (pictures, classes, classes), rows are true classes.
        classes: Names of the classes.
        split: What was scored.
        void_pixels: How many pixels were left out.
        seed: Decides which pictures are drawn for the intervals.
        draws: How often pictures are drawn anew.

    Returns:
        The scores.

    Raises:
        PictureError: There is no picture, or the matrices are not of so many classes.

    References:
        M. Everingham et al., The Pascal visual object classes challenge, IJCV 2010 (IoU); B. Efron, R. Tibshirani, An
        introduction to the bootstrap, 1993, chapter 13 (percentile interval).

    Example:
        >>> found = evaluate_segmentation([[[3, 1], [0, 4]], [[2, 0], [2, 0]]], ["road", "car"], split="test")
        >>> round(found.mean_iou, 3), [round(value, 3) for value in found.iou.values()], found.confused[0].predicted
        (0.598, [0.625, 0.571], 'road')
    """
    each = np.asarray(confusions, dtype=np.int64)
    number = len(classes)
    if each.ndim != 3 or each.shape[1:] != (number, number):  # noqa: PLR2004 - pictures, true, predicted
        raise PictureError(f"the confusion matrices are {_size(each)}; (pictures, {number}, {number}) are wanted")
    if not each.size or not each.sum():
        raise PictureError(f"{split}: no pixel has a class that is known, so nothing can be scored")
    total = each.sum(0)
    iou, right, real, said = overlaps(total), np.diagonal(total), total.sum(1), total.sum(0)
    drawn = _Drawn(each, seed=seed, draws=draws)
    holding = (each.sum(2) > 0).sum(0)
    intervals = [drawn.interval(drawn.iou[:, place]) for place in range(number)]
    unknown = (float("nan"), float("nan"))
    scores = tuple(
        ClassOverlap(
            name=name,
            pixels=int(real[place]),
            predicted_pixels=int(said[place]),
            pictures=int(holding[place]),
            iou=float(iou[place]),
            iou_interval=intervals[place] if holding[place] > 1 else unknown,
            precision=float(_over(right[place], said[place])),
            recall=float(_over(right[place], real[place])),
        )
        for place, name in enumerate(classes)
    )
    return SegmentationEvaluation(
        split=split,
        pictures=len(each),
        pixels=int(total.sum()),
        void_pixels=void_pixels,
        mean_iou=float(np.nanmean(iou)),
        mean_iou_interval=drawn.interval(drawn.mean_iou) if len(each) > 1 else unknown,
        pixel_accuracy=float(right.sum() / total.sum()),
        pixel_accuracy_interval=drawn.interval(drawn.accuracy) if len(each) > 1 else unknown,
        classes=scores,
        confused=_confused(total, classes),
        confusion=tuple(tuple(map(int, row)) for row in total),
        worst=_worst(each),
        notes=_notes(scores, split, len(each)),
    )


class _Drawn:
    """The scores of many draws of as many pictures, with replacement."""

    def __init__(self, each: npt.NDArray[np.int64], *, seed: int, draws: int) -> None:
        pictures = len(each)
        chance = np.random.default_rng(seed)
        times = chance.multinomial(pictures, np.full(pictures, 1 / pictures), size=draws).astype(np.float64)
        hit = times @ np.diagonal(each, axis1=1, axis2=2).astype(np.float64)
        either = times @ (each.sum(1) + each.sum(2)).astype(np.float64) - hit
        self.iou = _over(hit, either)
        self.accuracy = _over(hit.sum(1), times @ each.sum((1, 2)).astype(np.float64))
        known = np.isfinite(self.iou)
        self.mean_iou = _over(np.where(known, self.iou, 0).sum(1), known.sum(1))

    @staticmethod
    def interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
        known = values[np.isfinite(values)]
        if not known.size:
            return float("nan"), float("nan")
        low, high = np.percentile(known, [2.5, 97.5])
        return float(low), float(high)


def _confused(total: npt.NDArray[np.int64], classes: Sequence[str]) -> tuple[ConfusedPair, ...]:
    places = [(row, column) for row, column in np.argwhere(total > 0) if row != column]
    pairs = [
        ConfusedPair(
            truth=classes[row],
            predicted=classes[column],
            pixels=int(total[row, column]),
            share=float(total[row, column] / total[row].sum()),
        )
        for row, column in places
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair.pixels))


def _worst(each: npt.NDArray[np.int64]) -> tuple[PictureScore, ...]:
    known = each.sum((1, 2)) > 0
    accuracy = _over(np.diagonal(each, axis1=1, axis2=2).sum(1), each.sum((1, 2)))
    held = each.sum(2) > 0
    means = _over(np.where(held, overlaps(each), 0).sum(1), held.sum(1))
    order = [int(place) for place in np.argsort(accuracy, kind="stable") if known[place]]
    return tuple(
        PictureScore(picture=place, accuracy=float(accuracy[place]), mean_iou=float(means[place]))
        for place in order[:_SHOWN]
    )


def _notes(scores: Sequence[ClassOverlap], split: str, pictures: int) -> tuple[str, ...]:
    notes = []
    for each in scores:
        if each.pixels == 0 and each.predicted_pixels == 0:
            notes.append(f"{split} holds no pixel of {each.name}, and none was called it: it has no IoU")
        elif each.pixels == 0:
            called = f"{each.predicted_pixels:,} pixels were called it"
            notes.append(f"{split} holds no pixel of {each.name}, but {called}: its IoU is 0")
        elif each.pictures == 1:
            notes.append(f"{each.name} is in 1 of {pictures} pictures of {split}: its IoU has no interval")
    if pictures == 1:
        notes.append(f"{split} has 1 picture: no score has an interval")
    return tuple(notes)
