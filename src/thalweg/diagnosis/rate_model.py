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

__all__ = ["RateModel"]

Numbers = npt.NDArray[np.float64]

_VERDICTS: tuple[Verdict, ...] = ("too_low", "about_right", "too_high")
_FAR = 30.0
"""Beyond this factor either way runs look alike: flat, or no number from the first epoch on."""
_MOST_EVIDENCE = 4
_CERTAIN = 0.975
"""From here on the 95 % interval, a half of its doubt on either side, ends on the verdict's side of 1."""


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
    """

    names: tuple[str, ...]
    healthy: Mapping[str, tuple[float, float]]
    verdict: tuple[Trees, ...]
    sharpness: float
    shift: Numbers
    undetermined_below: float
    factor: tuple[Trees, Trees, Trees]
    widen: tuple[float, float]

    @classmethod
    def named(cls, name: str) -> "RateModel":
        """Read a model that the package brings.

        Args:
            name: `learning_rate_model` (from curves) or `live_rate_model` (from inside a run).

        Returns:
            The model, read once.

        Example:
            >>> 0 < RateModel.named("learning_rate_model").undetermined_below < 1
            True
        """
        return _read(name)

    def probabilities(self, found: Mapping[str, float]) -> dict[Verdict, float]:
        """Say how likely each verdict is.

        Args:
            found: Measured numbers; what is missing is done without.

        Returns:
            Verdict -> probability; they sum to 1.
        """
        row = self._row(found)
        scores = self.sharpness * np.array([trees.sum(row) for trees in self.verdict]) + self.shift
        raised = np.exp(scores - scores.max())
        return dict(zip(_VERDICTS, map(float, raised / raised.sum()), strict=True))

    def judge(self, found: Mapping[str, float], history: RunHistory, reason: str) -> LearningRateEstimate:
        """Judge a learning rate.

        Args:
            found: Measured numbers.
            history: The run, for the windows of the evidence.
            reason: The course of the run in a sentence, for a verdict that is given.

        Returns:
            Verdict, factor (rate in use over the best one) with its 95 % interval, confidence and evidence;
            `undetermined` where no verdict is likely enough.
        """
        row = self._row(found)
        chances = self.probabilities(found)
        ranked = sorted(chances, key=lambda verdict: -chances[verdict])
        best, sure = ranked[0], chances[ranked[0]]
        evidence = self._evidence(row, _VERDICTS.index(best), history)
        named: dict[str, float] = {verdict: round(chance, 4) for verdict, chance in chances.items()}
        if sure < self.undetermined_below:
            why = f"{_words(best)} and {_words(ranked[1])} are both possible ({sure:.0%} and less)"
            return LearningRateEstimate(
                verdict="undetermined", confidence=sure, reason=why, probabilities=named, evidence=evidence
            )
        low, middle, high = (trees.sum(row) for trees in self.factor)
        ends = (min(low, middle) - self.widen[0], middle, max(high, middle) + self.widen[1])
        factor, interval = _factor(ends, best, certain=sure > _CERTAIN)
        return LearningRateEstimate(
            verdict=best,
            factor=factor,
            interval=interval,
            confidence=round(sure, 4),
            reason=reason,
            probabilities=named,
            evidence=evidence,
        )

    def _row(self, found: Mapping[str, float]) -> Numbers:
        return np.array([found.get(name, math.nan) for name in self.names])

    def _evidence(self, row: Numbers, best: int, history: RunHistory) -> tuple[Evidence, ...]:
        """Collect what speaks for a verdict, the weightiest first, each against the nearer end of the healthy range."""
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
    )


def _words(verdict: str) -> str:
    return verdict.replace("_", " ")


def _factor(
    logs: tuple[float, float, float], verdict: Verdict, *, certain: bool
) -> tuple[float, tuple[float | None, float | None]]:
    """Turn three decimal logarithms into a factor on the verdict's side and an interval, open beyond `_FAR`."""
    low, middle, high = logs
    far = math.log10(_FAR)
    if verdict == "too_low":
        middle, low, high = min(middle, -0.1), min(low, -0.1), min(high, -0.05) if certain else high
    elif verdict == "too_high":
        middle, high, low = max(middle, 0.1), max(high, 0.1), max(low, 0.05) if certain else low
    low, high = min(low, middle), max(high, middle)
    middle = min(max(middle, -far), far)
    low, high = min(low, far), max(high, -far)
    interval = (None if low < -far else _round(low), None if high > far else _round(high))
    return _round(middle), interval


def _round(log: float) -> float:
    return float(f"{10**log:.3g}")
