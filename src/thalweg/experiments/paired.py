"""Two variants trained from the same weights in the same order, seed by seed: their difference with its interval."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Paired", "Verdict", "paired", "verdict"]

Verdict = Literal["supported", "contradicted", "undecided"]

_T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
_MANY = 2.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """A mean difference over seeds.

    Args:
        mean: The mean.
        low: Lower end of its 95 % interval (Student's t); minus infinity for fewer than two seeds.
        high: Upper end.
        seeds: How many pairs.
    """

    mean: float
    low: float
    high: float
    seeds: int

    def sign(self, *, beyond: float = 0.0) -> int:
        """Say on which side of zero the difference lies.

        Args:
            beyond: How far from zero the interval must stay.

        Returns:
            1 or -1 where the whole interval lies there, else 0.
        """
        return 1 if self.low > beyond else -1 if self.high < -beyond else 0

    def said(self, *, digits: int = 1, factor: float = 1.0, unit: str = "") -> str:
        """Tell it in numbers.

        Args:
            digits: Decimals.
            factor: Multiplies the numbers, such as 100 for points.
            unit: Written behind.

        Returns:
            Such as `+1.2 points (95 %: -0.3 to +2.7)`.

        Example:
            >>> paired((0.8, 0.9), (0.7, 0.8)).said(factor=100, unit=" points")
            '+10.0 points (95 %: +10.0 to +10.0, 2 seeds)'
        """
        words = f"{factor * self.mean:+.{digits}f}{unit}"
        if not math.isfinite(self.low):
            return f"{words} (one seed: no interval)"
        ends = f"{factor * self.low:+.{digits}f} to {factor * self.high:+.{digits}f}"
        return f"{words} (95 %: {ends}, {self.seeds} seeds)"

    def times(self) -> str:
        """Tell a difference of natural logarithms as a factor.

        Returns:
            Such as `2.1 times (95 %: 1.5 to 2.9)`.

        Example:
            >>> paired((math.log(2), math.log(2)), (0.0, 0.0)).times()
            '2 times (95 %: 2 to 2, 2 seeds)'
        """
        if not math.isfinite(self.low):
            return f"{_factor(self.mean)} times (one seed: no interval)"
        ends = f"{_factor(self.low)} to {_factor(self.high)}"
        return f"{_factor(self.mean)} times (95 %: {ends}, {self.seeds} seeds)"


def _factor(logarithm: float) -> str:
    factor = math.exp(max(-50.0, min(logarithm, 50.0)))
    if factor >= 1e6:  # noqa: PLR2004 - nobody reads more digits
        return "over a million"
    return f"{factor:,.0f}" if factor >= 100 else f"{factor:.2g}"  # noqa: PLR2004 - from there on whole numbers


def paired(one: Sequence[float], other: Sequence[float]) -> Paired:
    """Take the difference of two variants.

    Args:
        one: A number a seed.
        other: Of the other variant, in the same order of seeds; the shorter decides how many are used.

    Returns:
        Mean of `one - other` with its interval.

    Example:
        >>> found = paired((1.0, 2.0, 3.0), (0.0, 1.5, 2.1))
        >>> round(found.mean, 2), found.sign()
        (0.8, 1)
    """
    differences = [first - second for first, second in zip(one, other, strict=False)]
    mean, count = statistics.fmean(differences), len(differences)
    if count < 2:  # noqa: PLR2004 - one has no spread
        return Paired(mean=mean, low=-math.inf, high=math.inf, seeds=count)
    quantile = _T_95[count - 2] if count - 2 < len(_T_95) else _MANY
    half = quantile * statistics.stdev(differences) / math.sqrt(count)
    return Paired(mean=mean, low=mean - half, high=mean + half, seeds=count)


def verdict(*signs: int) -> Verdict:
    """Join several comparisons that all speak about one claim.

    Args:
        *signs: 1 where a comparison supports it, -1 where it contradicts it, 0 where it says nothing.

    Returns:
        Supported where all do, contradicted where all speak against it, undecided otherwise.

    Example:
        >>> verdict(1, 1), verdict(1, 0), verdict(-1, -1)
        ('supported', 'undecided', 'contradicted')
    """
    if all(sign > 0 for sign in signs):
        return "supported"
    return "contradicted" if all(sign < 0 for sign in signs) else "undecided"
