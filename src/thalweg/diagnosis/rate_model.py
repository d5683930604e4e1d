"""A fitted model of learning rates: measured numbers to the probabilities of three verdicts, a factor, and evidence.

Sums of small trees (`boosted.py`) stand in a text file beside this one. Their probabilities were set so that of
verdicts given with 90 % on problems left out of the fit, 90 % held. Evidence is taken from what moved the sum most,
each number against the range in which eight of ten healthy runs lie.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from thalweg.core.finding import Evidence
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate, Verdict
from thalweg.diagnosis.boosted import Trees
from thalweg.diagnosis.wording import signal_of, what, window_of

__all__ = ["FAR", "Opinion", "RateModel"]

Numbers = npt.NDArray[np.float64]

_VERDICTS: tuple[Verdict, ...] = ("too_low", "about_right", "too_high")
FAR = math.log10(30)
"""Decimal logarithm of the factor beyond which runs look alike: flat, or no number from the first epoch on."""
_NEAREST, _USUAL = 0.29, 1.13
"""Decimal logarithms of factors: 99 % of runs that a rate costs a tenth of their accuracy lie farther from 1, and the
median of those within 30x (benchmarks/sweeps/score.py has them, too)."""
_MOST_EVIDENCE = 4
_MOST_SURE = 0.99
"""Nobody has seen enough runs to say more."""
_CERTAIN = 0.975
"""From here on the 95 % interval, a half of its doubt on either side, ends on the verdict's side of 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a model holds of a run.

    Args:
        chances: Verdict -> probability; they sum to 1.
        factor: Decimal logarithm of the rate in use over the best one: low end, middle, high end.
        undetermined_below: No verdict is given with less probability.
    """

    chances: Mapping[Verdict, float]
    factor: tuple[float, float, float]
    undetermined_below: float

    @property
    def verdict(self) -> Verdict:
        """The likeliest."""
        return max(self.chances, key=lambda verdict: self.chances[verdict])

    def with_other(self, other: "Opinion") -> "Opinion":
        """Take two opinions on different evidence together: geometric mean of the chances, mean of the rest.

        Args:
            other: Another model's.

        Returns:
            Theirs together.

        Example:
            >>> some = {"factor": (-1.0, -0.5, 0.0), "undetermined_below": 0.5}
            >>> one = Opinion(chances={"too_low": 0.9, "about_right": 0.1}, **some)
            >>> other = Opinion(chances={"too_low": 0.5, "about_right": 0.5}, **some)
            >>> round(one.with_other(other).chances["too_low"], 2)
            0.75
        """
        raised = {
            each: math.sqrt(max(self.chances[each], 1e-6) * max(other.chances[each], 1e-6)) for each in self.chances
        }
        whole = sum(raised.values())
        low, middle, high = ((one + two) / 2 for one, two in zip(self.factor, other.factor, strict=True))
        return Opinion(
            chances={verdict: chance / whole for verdict, chance in raised.items()},
            factor=(low, middle, high),
            undetermined_below=(self.undetermined_below + other.undetermined_below) / 2,
        )

    def conclude(self, reason: str, evidence: tuple[Evidence, ...]) -> LearningRateEstimate:
        """Give the verdict.

        Args:
            reason: The course of the run in a sentence, for a verdict that is given.
            evidence: What speaks for it.

        Returns:
            Verdict, factor (rate in use over the best one) with its 95 % interval, confidence and evidence;
            `undetermined` where no verdict is likely enough.
        """
        best, sure = self.verdict, self.chances[self.verdict]
        named: dict[str, float] = {verdict: round(chance, 4) for verdict, chance in self.chances.items()}
        if sure < self.undetermined_below:
            second = sorted(self.chances, key=lambda verdict: -self.chances[verdict])[1]
            why = f"{_words(best)} and {_words(second)} are both possible ({sure:.0%} and less)"
            return LearningRateEstimate(
                verdict="undetermined", confidence=sure, reason=why, probabilities=named, evidence=evidence
            )
        factor, interval = _factor(self.factor, best, certain=sure > _CERTAIN)
        return LearningRateEstimate(
            verdict=best,
            factor=factor,
            interval=interval,
            confidence=round(min(sure, _MOST_SURE), 4),
            reason=reason,
            probabilities=named,
            evidence=evidence,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RateModel:
    """A fitted model.

    Args:
        names: The numbers it asks for, in the order of its file.
        healthy: Number -> where eight of ten healthy runs lie.
        verdict: Trees of each verdict.
        sharpness: What their sums are multiplied with.
        shift: What is added to them then.
        undetermined_below: No verdict is given with less probability.
        factor: Trees of the decimal logarithm of the factor: low end, middle, high end.
        widen: By how much both ends are moved outward.
        beside: A number and the share of it that is added to the factor's trees; None where they tell all of it.
    """

    names: tuple[str, ...]
    healthy: Mapping[str, tuple[float, float]]
    verdict: tuple[Trees, ...]
    sharpness: float
    shift: Numbers
    undetermined_below: float
    factor: tuple[Trees, Trees, Trees]
    widen: tuple[float, float]
    beside: tuple[str, float] | None = None

    @classmethod
    def named(cls, name: str) -> "RateModel":
        """Read a model that the package brings.

        Args:
            name: `learning_rate_model` (from curves), `live_rate_model` (from inside a run) or
                `live_rate_trials_model` (the same where short trials were made beside it).

        Returns:
            The model, read once.

        Example:
            >>> 0 < RateModel.named("learning_rate_model").undetermined_below < 1
            True
        """
        return _read(name)

    def weigh(self, found: Mapping[str, float]) -> Opinion:
        """Say how likely each verdict is, and how large the factor.

        Args:
            found: Measured numbers; what is missing is done without.

        Returns:
            The model's opinion.
        """
        row = self._row(found)
        scores = self.sharpness * np.array([trees.sum(row) for trees in self.verdict]) + self.shift
        raised = np.exp(scores - scores.max())
        share = self.beside[1] * found[self.beside[0]] if self.beside else 0.0
        low, middle, high = (trees.sum(row) + share for trees in self.factor)
        return Opinion(
            chances=dict(zip(_VERDICTS, map(float, raised / raised.sum()), strict=True)),
            factor=(min(low, middle) - self.widen[0], middle, max(high, middle) + self.widen[1]),
            undetermined_below=self.undetermined_below,
        )

    def evidence(self, found: Mapping[str, float], verdict: Verdict, history: RunHistory) -> tuple[Evidence, ...]:
        """Collect what speaks for a verdict, the weightiest first, each against the nearer end of the healthy range.

        Args:
            found: Measured numbers.
            verdict: The verdict.
            history: The run, for the windows.

        Returns:
            At most four pieces.
        """
        return self._evidence(self._row(found), _VERDICTS.index(verdict), history)

    def _row(self, found: Mapping[str, float]) -> Numbers:
        return np.array([found.get(name, math.nan) for name in self.names])

    def _evidence(self, row: Numbers, best: int, history: RunHistory) -> tuple[Evidence, ...]:
        others = [trees for place, trees in enumerate(self.verdict) if place != best]
        credit = self.verdict[best].credit(row) - sum(trees.credit(row) for trees in others) / len(others)
        found: list[Evidence] = []
        for place in np.argsort(-credit):
            name = self.names[place]
            if len(found) == _MOST_EVIDENCE or credit[place] <= 0:
                break
            if math.isnan(row[place]) or name not in self.healthy:
                continue
            low, high = self.healthy[name]
            threshold = low if abs(row[place] - low) < abs(row[place] - high) else high
            found.append(
                Evidence(
                    signal=signal_of(name),
                    window=window_of(name, history),
                    observed=float(f"{row[place]:.4g}"),
                    threshold=threshold,
                    source=f"{what(name)}; eight of ten healthy runs lie from {low:g} to {high:g}",
                )
            )
        return tuple(found)


@cache
def _read(name: str) -> RateModel:
    data = json.loads(files("thalweg.diagnosis").joinpath(f"{name}.json").read_text(encoding="utf-8"))
    verdict, factor = data["verdict"], data["factor"]
    low, middle, high = (Trees.read(factor[part]["start"], factor[part]["trees"]) for part in ("low", "middle", "high"))
    return RateModel(
        names=tuple(data["features"]),
        healthy={number: (low, high) for number, (low, high) in data["healthy"].items()},
        verdict=tuple(Trees.read(verdict[part]["start"], verdict[part]["trees"]) for part in _VERDICTS),
        sharpness=verdict["sharpness"],
        shift=np.array(verdict["shift"]),
        undetermined_below=verdict["undetermined_below"],
        factor=(low, middle, high),
        widen=(factor["widen"][0], factor["widen"][1]),
        beside=(factor["beside"]["feature"], factor["beside"]["share"]) if "beside" in factor else None,
    )


def _words(verdict: str) -> str:
    return verdict.replace("_", " ")


def _factor(
    logs: tuple[float, float, float], verdict: Verdict, *, certain: bool
) -> tuple[float, tuple[float | None, float | None] | None]:
    """Turn three decimal logarithms into a factor that the verdict can have, and an interval, open beyond `FAR`."""
    # The middle is fitted on runs within 30x; what lies farther off, mostly flat, it may put on the wrong side of 1 or
    # near it, where no run of that verdict lies. Such a middle says nothing: the usual factor stands for it (0039).
    low, middle, high = logs
    if verdict == "too_low":
        middle = middle if middle <= -_NEAREST else -_USUAL
        low, high = min(low, middle), min(high, -0.05) if certain else high
    elif verdict == "too_high":
        middle = middle if middle >= _NEAREST else _USUAL
        high, low = max(high, middle), max(low, 0.05) if certain else low
    low, high = min(low, middle), max(high, middle)
    middle = min(max(middle, -FAR), FAR)
    low, high = min(low, FAR), max(high, -FAR)
    # Of an interval that is open at both ends nothing is known: it is none.
    ends = (None if low < -FAR else _round(low), None if high > FAR else _round(high))
    return _round(middle), None if ends == (None, None) else ends


def _round(log: float) -> float:
    return float(f"{10**log:.3g}")
