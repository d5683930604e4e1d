"""Runs side by side: what differs in their plans, how they ended, and which difference is more than chance."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thalweg.core.codec import to_plain
from thalweg.core.run_log import NamedHistory
from thalweg.core.showing import Showable

__all__ = ["ComparedRun", "Comparison", "Difference", "Measured", "judge_difference"]

_T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
"""Student's quantiles at 0.975 for 1 to 15 degrees of freedom."""
_T_FAR = 2.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A number of a run, with its own 95 % interval where it has one (an accuracy on so many files)."""

    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """One run.

    Args:
        path: Where it was read from.
        group: Runs with the same number differ in nothing but their seed.
        seed: Its seed, where the plan says so.
        plan: The options that are not the same in all runs.
        metrics: How it ended, by name.
        history: Its curves; not part of the JSON.
        format: What wrote its log.
    """

    path: str
    group: int
    seed: int | None
    plan: Mapping[str, object]
    metrics: Mapping[str, Measured]
    history: NamedHistory
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two groups of runs held against the seeds' spread.

    Args:
        metric: What is compared.
        groups: The two groups.
        difference: Mean of the first less mean of the second.
        interval: 95 % interval of it; None where no two runs differ by seed alone.
        spread: Standard deviation over seeds, pooled over all groups; None as above.
        larger_than_seeds: Whether the interval leaves zero out; None where that cannot be known.
    """

    metric: str
    groups: tuple[int, int]
    difference: float
    interval: tuple[float, float] | None
    spread: float | None
    larger_than_seeds: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Showable):
    """The answer of `compare`.

    Args:
        runs: The runs, in the order named.
        differing: Options that are not the same in all runs, without the seed.
        differences: Every pair of groups, metric by metric.
        notes: What was left out or guessed.
        page: The page that was written, or None.
    """

    runs: tuple[ComparedRun, ...]
    differing: tuple[str, ...]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()
    page: str | None = None

    def to_json(self) -> dict[str, object]:
        """The answer with the field names of the interface.

        Returns:
            Plain data without the curves.
        """
        runs = [
            {
                "path": run.path,
                "format": run.format,
                "group": run.group,
                "seed": run.seed,
                "plan": to_plain(run.plan),
                "metrics": to_plain(run.metrics),
            }
            for run in self.runs
        ]
        return {
            "runs": runs,
            "differing": list(self.differing),
            "differences": to_plain(self.differences),
            "notes": list(self.notes),
            "page": self.page,
        }


def judge_difference(metric: str, groups: Mapping[int, Sequence[float]], one: int, other: int) -> Difference:
    """Hold the difference of two groups against the spread over seeds.

        (mean_1 - mean_2) -+ t s sqrt(1/n_1 + 1/n_2),   s pooled over all groups that have two runs or more

    Args:
        metric: What is compared.
        groups: The values of every group, finite ones only.
        one: The first group.
        other: The second one.

    Returns:
        The difference with its interval, as far as seeds tell one.

    Example:
        >>> judge_difference("accuracy", {1: [0.90, 0.91, 0.92], 2: [0.80, 0.81]}, 1, 2).larger_than_seeds
        True
    """
    difference = statistics.fmean(groups[one]) - statistics.fmean(groups[other])
    repeated = [values for values in groups.values() if len(values) > 1]
    freedom = sum(len(values) - 1 for values in repeated)
    if not freedom:
        return Difference(
            metric=metric,
            groups=(one, other),
            difference=difference,
            interval=None,
            spread=None,
            larger_than_seeds=None,
        )
    squares = sum((len(values) - 1) * statistics.variance(values) for values in repeated)
    spread = math.sqrt(squares / freedom)
    quantile = _T_95[freedom - 1] if freedom <= len(_T_95) else _T_FAR
    reach = quantile * spread * math.sqrt(1 / len(groups[one]) + 1 / len(groups[other]))
    return Difference(
        metric=metric,
        groups=(one, other),
        difference=difference,
        interval=(difference - reach, difference + reach),
        spread=spread,
        larger_than_seeds=abs(difference) > reach,
    )
