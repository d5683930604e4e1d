"""What a segmentation misses and how far its confidence can be believed, in numbers that a report says in words."""

from dataclasses import dataclass

from thalweg.core.segmentation import RiskCoverage

__all__ = ["DISTANCES", "SIZES", "ClassSafety", "MaskSafety"]

SIZES = ("under 0.1 %", "0.1 to 1 %", "over 1 %")
"""Groups of objects by their share of the picture."""
DISTANCES = ("centre", "between", "rim")
"""Rings around the picture's centre; each is a third of the way to a corner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSafety:
    """One class: what of it is found, by size and by place.

    Args:
        name: The class.
        objects: Connected regions of it, by size as in `SIZES`.
        found: Those of which at least half of the pixels are called it.
        pixels: Pixels of it, by distance from the centre as in `DISTANCES`.
        recall: Share of them that is called it, likewise; nan where there are none.
        calibration_error: Expected calibration error of the pixels that are called it, 0 to 1; nan where none are.
        confidence: Mean confidence of these pixels.
        precision: Share of them that is right.
        boundary_f1: F1 score of its borders, within 0.75 % of the picture's diagonal; nan where there are none.
    """

    name: str
    objects: tuple[int, ...]
    found: tuple[int, ...]
    pixels: tuple[int, ...]
    recall: tuple[float, ...]
    calibration_error: float
    confidence: float
    precision: float
    boundary_f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskSafety:
    """All classes, and the network as a whole.

    Args:
        classes: One a class, in their order.
        calibration_error: Expected calibration error of all pixels, 0 to 1.
        risk_coverage: Error among the surest pixels, as more and more of them are answered.
        boundary_f1: Mean over the classes of theirs.
    """

    classes: tuple[ClassSafety, ...]
    calibration_error: float
    risk_coverage: RiskCoverage
    boundary_f1: float = float("nan")
