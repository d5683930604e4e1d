"""What is known of a run's learning rate: a verdict, by what factor it is off, and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from thalweg.core.finding import Evidence

__all__ = ["LearningRateEstimate", "Verdict"]

Verdict: TypeAlias = Literal["too_low", "about_right", "too_high", "undetermined"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRateEstimate:
    """A verdict on the learning rate.

    Args:
        verdict: Which side of the best rate, if any.
        factor: Learning rate in use divided by the best one, as far as it can be told; None where it cannot.
        interval: Where that factor lies, as `confidence` is meant; None at an end that is open, and no interval at all
            where nothing is known.
        confidence: How often such a verdict is right, from 0 to 1.
        reason: The sentence behind it.
        probabilities: Probability of each verdict but `undetermined`, where a model gave them.
        evidence: What was observed, against which thresholds.

    Example:
        >>> LearningRateEstimate(verdict="undetermined", reason="one epoch only").to_json()["confidence"]
        0.0
    """

    verdict: Verdict
    factor: float | None = None
    interval: tuple[float | None, float | None] | None = None
    confidence: float = 0.0
    reason: str = ""
    probabilities: Mapping[str, float] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The estimate with the field names of the interface.

        Returns:
            `verdict, factor, interval, confidence, reason`.
        """
        names = ("verdict", "factor", "interval", "confidence", "reason")
        return {name: getattr(self, name) for name in names}
