"""Variants measured with several seeds each: means with intervals, differences, and what they say about a claim."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thalweg.core.comparison import Difference, judge_difference
from thalweg.experiments.paired import Verdict

__all__ = ["Seeds", "Verdict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """A number of every variant, once a seed.

    Args:
        values: By the variant's name.
        digits: Decimals to tell.
        within: What no value can leave; intervals of means are cut there.
    """

    values: Mapping[str, Sequence[float]]
    digits: int = 3
    within: tuple[float, float] = (0.0, 1.0)

    def mean(self, name: str) -> float:
        """Mean over the seeds.

        Args:
            name: The variant.

        Returns:
            The mean.
        """
        return statistics.fmean(self.values[name])

    def interval(self, name: str) -> tuple[float, float] | None:
        """95 % interval of the mean, from the spread over seeds pooled over all variants (Student's t).

        Args:
            name: The variant.

        Returns:
            Lower and upper end; None where no variant has two seeds.

        Example:
            >>> [round(end, 3) for end in Seeds(values={"a": (0.8, 0.9), "b": (0.5, 0.6)}).interval("a")]
            [0.635, 1.0]
        """
        groups = {number: tuple(each) for number, each in enumerate(self.values.values())}
        number = list(self.values).index(name)
        ends = judge_difference("", groups, number, number).interval
        if ends is None:
            return None
        half = ends[1] / math.sqrt(2)  # the difference of two means reaches the root of two further than one mean
        low, high = self.mean(name) - half, self.mean(name) + half
        return max(low, self.within[0]), min(high, self.within[1])

    def _difference(self, one: str, other: str) -> Difference:
        """From the spread of these two alone: others may be far steadier, or far less."""
        return judge_difference("", {0: tuple(self.values[one]), 1: tuple(self.values[other])}, 0, 1)

    def said(self, name: str) -> str:
        """Tell a variant's mean with its interval.

        Args:
            name: The variant.

        Returns:
            Such as `0.812 (0.790 to 0.834)`.

        Example:
            >>> Seeds(values={"a": (0.8, 0.9)}).said("a")
            '0.850 (0.215 to 1.000)'
        """
        ends = self.interval(name)
        words = f"{self.mean(name):.{self.digits}f}"
        return words if ends is None else f"{words} ({ends[0]:.{self.digits}f} to {ends[1]:.{self.digits}f})"

    def against(self, one: str, other: str) -> str:
        """Tell the difference of two variants with its interval.

        Args:
            one: The variant of interest.
            other: What it is held against.

        Returns:
            Such as `+0.031 (95 % 0.010 to 0.052)`.

        Example:
            >>> Seeds(values={"a": (0.8, 0.9), "b": (0.5, 0.6)}).against("a", "b")
            '+0.300 (95 % -0.004 to +0.604)'
        """
        found = self._difference(one, other)
        words = f"{found.difference:+.{self.digits}f}"
        if found.interval is None:
            return words
        return f"{words} (95 % {found.interval[0]:+.{self.digits}f} to {found.interval[1]:+.{self.digits}f})"

    def better(self, one: str, other: str, *, by: float = 0.0) -> Verdict:
        """Judge the claim that a variant is better than another.

        Args:
            one: The variant of interest.
            other: What it is held against.
            by: How much better it must be.

        Returns:
            `supported` where the whole interval lies above, `contradicted` where it lies below or at nought and less.

        Example:
            >>> Seeds(values={"a": (0.90, 0.91, 0.92), "b": (0.80, 0.81, 0.82)}).better("a", "b")
            'supported'
        """
        ends = self._difference(one, other).interval
        if ends is None:
            return "undecided"
        return "supported" if ends[0] > by else "contradicted" if ends[1] < by else "undecided"

    def as_good(self, one: str, other: str, *, margin: float) -> Verdict:
        """Judge the claim that a variant loses no more than a margin against another.

        Args:
            one: The variant of interest.
            other: What it is held against.
            margin: What may be lost.

        Returns:
            `supported` where the interval lies above minus the margin, `contradicted` where it lies below.

        Example:
            >>> Seeds(values={"a": (0.90, 0.91, 0.92), "b": (0.90, 0.91, 0.92)}).as_good("a", "b", margin=0.03)
            'supported'
        """
        return self.better(one, other, by=-margin)
