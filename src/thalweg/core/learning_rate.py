"""What is known of a run's learning rate: a verdict, by what factor it is off, and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from thalweg.core.finding import Evidence
from thalweg.core.showing import Showable

__all__ = ["LearningRateEstimate", "Verdict"]

Verdict: TypeAlias = Literal["too_low", "about_right", "too_high", "undetermined"]

_BEYOND = "over 30x"
"""An open end: beyond this factor runs look alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRateEstimate(Showable):
    """A verdict on the learning rate.

    Args:
        verdict: Which side of the best rate, if any.
        factor: Learning rate in use divided by the best one, as far as it can be told; None where it cannot.
        interval: Where that factor lies, as `confidence` is meant; None at an end that is open, and no interval at all
            where both are: then nothing is known of it but what the verdict says.
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

    @property
    def span(self) -> tuple[float | None, float | None]:
        """Where the factor lies if the verdict holds: the interval without what lies on the other side of 1.

        Example:
            >>> LearningRateEstimate(verdict="too_low", factor=0.07, interval=(None, 3.0)).span
            (None, 1.0)
        """
        low, high = self.interval or (None, None)
        if self.verdict == "too_low":
            return low, 1.0 if high is None else min(high, 1.0)
        if self.verdict == "too_high":
            return 1.0 if low is None else max(low, 1.0), high
        return low, high

    @property
    def distance(self) -> str:
        """By what factor the rate is off, the way people say it on either side; empty where that is not known.

        Example:
            >>> LearningRateEstimate(verdict="too_low", factor=0.1, interval=(0.02, 0.5)).distance
            '10x too low (2x to 50x)'
            >>> LearningRateEstimate(verdict="too_high", factor=20.0, interval=(4.0, None)).distance
            '20x too high (4x to over 30x)'
            >>> LearningRateEstimate(verdict="too_high", factor=13.0).distance
            '13x too high (1x to over 30x)'
            >>> LearningRateEstimate(verdict="too_high", factor=30.0, interval=(30.0, None)).distance
            'more than 30x too high'
        """
        if self.verdict not in {"too_low", "too_high"}:
            return ""
        side, factor = self.verdict.replace("_", " "), self.factor
        low, high = self.interval or (None, None)
        if self.verdict == "too_low":
            low, high, factor = *(1 / end if end else None for end in (high, low)), 1 / factor if factor else None
        near = None if low is None or low < 1.05 else _times(low)  # noqa: PLR2004 - "1x too high" is no statement
        far = None if high is None else _times(high)
        if factor is None or factor < 1 or (far is None and low is not None and low >= factor > 1):
            spread = f"{near or '1x'} to {far}" if far else f"more than {near}" if near else ""
            return f"{spread} {side}" if spread else side
        far = far or _BEYOND
        spread = f"{near or '1x'} to {far}"
        return f"{_times(factor)} {side}" + f" ({spread})"  # apart: the catalogues hold it whole, once for either side

    def __str__(self) -> str:
        """The verdict on a line.

        Returns:
            Such as `6x too high (3x to 12x, 91 % sure)`.

        Example:
            >>> print(LearningRateEstimate(verdict="too_high", factor=6, interval=(3, 12), confidence=0.91))
            6x too high (3x to 12x, 91 % sure)
        """
        if self.verdict == "undetermined":
            return f"undetermined: {self.reason}" if self.reason else "undetermined"
        words, sure = self.distance or self.verdict.replace("_", " "), f"{100 * self.confidence:.0f} % sure"
        return f"{words[:-1]}, {sure})" if words.endswith(")") else f"{words} ({sure})"


def _times(factor: float) -> str:
    return f"{float(f'{factor:.2g}'):g}x"
