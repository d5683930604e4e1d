"""How good a segmentation is on one named split: scores a class with intervals, and what is taken for what."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ClassOverlap", "ConfusedPair", "PictureScore", "RiskCoverage", "SegmentationEvaluation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOverlap:
    """One class: how well what is called it covers what is it.

    Args:
        name: The class.
        pixels: Pixels that are it; 0 where the split does not hold it.
        predicted_pixels: Pixels that are called it (void ones are left out everywhere).
        pictures: Pictures that hold it.
        iou: Intersection over union, 0 to 1; nan where nothing is it and nothing is called it.
        iou_interval: 95 % interval of that, over pictures; nan where fewer than two pictures hold it.
        precision: Share of what is called it that is it.
        recall: Share of what is it that is called it.
    """

    name: str
    pixels: int
    predicted_pixels: int
    pictures: int
    iou: float
    iou_interval: tuple[float, float]
    precision: float
    recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusedPair:
    """Pixels of one class that were called another, most first.

    Args:
        truth: What they are.
        predicted: What they were called.
        pixels: How many.
        share: Of all pixels of that class, 0 to 1.
    """

    truth: str
    predicted: str
    pixels: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureScore:
    """One picture: share of right pixels, and the mean IoU of the classes that it holds."""

    picture: int
    accuracy: float
    mean_iou: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCoverage:
    """What a network errs in when it may keep silent where it is least sure; no threshold is chosen.

    Args:
        coverage: Shares of pixels that are answered, rising to 1.
        risk: Share of wrong ones among those.
        area: Mean risk over all coverages; smaller is better.
        least_area: The same with all wrong answers less sure than all right ones, which nobody can beat.
    """

    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    area: float
    least_area: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationEvaluation:
    """Scores on one split; pixels marked void are in none of them.

    Args:
        split: `validation`, `test` or the name of a source; every number here is on it.
        pictures: Pictures scored.
        pixels: Pixels scored.
        void_pixels: Pixels left out, as nobody says what they are.
        mean_iou: Mean IoU of the classes that have one, 0 to 1.
        mean_iou_interval: 95 % interval over pictures.
        pixel_accuracy: Share of right pixels.
        pixel_accuracy_interval: 95 % interval over pictures.
        classes: Scores of every class, in the order of the classes.
        confused: Every pair that was confused, most pixels first.
        confusion: Rows are true classes, columns predicted ones, in pixels of all pictures.
        worst: Pictures by share of right pixels, worst first.
        notes: What must be known to read the numbers, such as a class that the split does not hold.
    """

    split: str
    pictures: int
    pixels: int
    void_pixels: int
    mean_iou: float
    mean_iou_interval: tuple[float, float]
    pixel_accuracy: float
    pixel_accuracy_interval: tuple[float, float]
    classes: tuple[ClassOverlap, ...]
    confused: tuple[ConfusedPair, ...]
    confusion: tuple[tuple[int, ...], ...]
    worst: tuple[PictureScore, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def iou(self) -> Mapping[str, float]:
        """IoU by class."""
        return {each.name: each.iou for each in self.classes}
