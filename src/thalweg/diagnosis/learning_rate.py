"""Whether a run's learning rate was too low, about right or too high, and by what factor, from its curves alone.

The curves are measured (`features.py`) and sums of small trees (`boosted.py`) turn the numbers into probabilities of
the three verdicts and into the factor with an interval. The trees stand in `learning_rate_model.json`; they were fitted
on the sweeps under `benchmarks/sweeps/` by `benchmarks/sweeps/fit.py`, and their probabilities were set so that of
verdicts given with 90 % on problems left out of the fit, 90 % held. Evidence is taken from what moved the sum most,
each number against the range in which eight of ten healthy runs lie.
"""

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from thalweg.core.finding import Evidence
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate, Verdict
from thalweg.diagnosis.boosted import Trees
from thalweg.diagnosis.features import features
from thalweg.diagnosis.wording import course, signal_of, what, window_of

__all__ = ["estimate"]

Numbers = npt.NDArray[np.float64]

_VERDICTS: tuple[Verdict, ...] = ("too_low", "about_right", "too_high")
_FAR = 30.0
"""Beyond this factor either way curves look alike: flat, or no number from the first epoch on."""
_MOST_EVIDENCE = 4
_CERTAIN = 0.975
"""From here on the 95 % interval, a half of its doubt on either side, ends on the verdict's side of 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    names: tuple[str, ...]
    healthy: dict[str, tuple[float, float]]
    verdict: tuple[Trees, ...]
    sharpness: float
    shift: Numbers
    undetermined_below: float
    factor: tuple[Trees, Trees, Trees]
    widen: tuple[float, float]

    def probabilities(self, row: Numbers) -> Numbers:
        scores = self.sharpness * np.array([trees.sum(row) for trees in self.verdict]) + self.shift
        raised = np.exp(scores - scores.max())
        return np.asarray(raised / raised.sum())

    def log_factors(self, row: Numbers) -> tuple[float, float, float]:
        low, middle, high = (trees.sum(row) for trees in self.factor)
        return min(low, middle) - self.widen[0], middle, max(high, middle) + self.widen[1]


@cache
def _model() -> _Model:
    data = json.loads(files("thalweg.diagnosis").joinpath("learning_rate_model.json").read_text(encoding="utf-8"))
    verdict, factor = data["verdict"], data["factor"]
    low, middle, high = (Trees.read(factor[name]["start"], factor[name]["trees"]) for name in ("low", "middle", "high"))
    return _Model(
        names=tuple(data["features"]),
        healthy={name: (low, high) for name, (low, high) in data["healthy"].items()},
        verdict=tuple(Trees.read(verdict[name]["start"], verdict[name]["trees"]) for name in _VERDICTS),
        sharpness=verdict["sharpness"],
        shift=np.array(verdict["shift"]),
        undetermined_below=verdict["undetermined_below"],
        factor=(low, middle, high),
        widen=(factor["widen"][0], factor["widen"][1]),
    )


def estimate(history: RunHistory) -> LearningRateEstimate:
    """Judge the learning rate of a run by its curves; the recorded rate itself is not looked at.

    Args:
        history: The run.

    Returns:
        Verdict, factor (rate in use over the best one) with its 95 % interval, confidence and evidence; `undetermined`
        where nothing was recorded or no verdict is likely enough.

    Example:
        >>> rows = [{"epoch": n, "train_loss": 2.303 - 0.002 * n, "val_loss": 2.303 - 0.002 * n} for n in range(1, 21)]
        >>> estimate(RunHistory.from_epochs(rows)).verdict
        'too_low'
    """
    found = features(history)
    told = [name for name in found if not name.endswith("_broken")] or [n for n in found if found[n] > 0]
    if not told:
        return LearningRateEstimate(verdict="undetermined", reason="no loss and no accuracy is recorded")
    if _is_one_moment(history):
        return LearningRateEstimate(verdict="undetermined", reason="one epoch shows a place and no course")
    model = _model()
    row = np.array([found.get(name, math.nan) for name in model.names])
    chances = model.probabilities(row)
    best = int(chances.argmax())
    evidence = _evidence(model, row, best, history)
    named: dict[str, float] = {
        verdict: round(float(chance), 4) for verdict, chance in zip(_VERDICTS, chances, strict=True)
    }
    if chances[best] < model.undetermined_below:
        second = _VERDICTS[int(np.argsort(chances)[-2])]
        reason = f"{_words(_VERDICTS[best])} and {_words(second)} are both possible ({chances[best]:.0%} and less)"
        return LearningRateEstimate(
            verdict="undetermined",
            confidence=float(chances[best]),
            reason=reason,
            probabilities=named,
            evidence=evidence,
        )
    factor, interval = _factor(model.log_factors(row), _VERDICTS[best], certain=bool(chances[best] > _CERTAIN))
    return LearningRateEstimate(
        verdict=_VERDICTS[best],
        factor=factor,
        interval=interval,
        confidence=round(float(chances[best]), 4),
        reason=course(found),
        probabilities=named,
        evidence=evidence,
    )


def _is_one_moment(history: RunHistory) -> bool:
    """Whether no curve has a second point: the model would answer from how common each verdict was in the sweeps."""
    curves = [signal.values for signal in history.signals if signal.name.endswith(("_loss", "_accuracy"))]
    return all(len(values) < 2 and all(map(math.isfinite, values)) for values in curves)  # noqa: PLR2004 - a course


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


def _evidence(model: _Model, row: Numbers, best: int, history: RunHistory) -> tuple[Evidence, ...]:
    """Collect what speaks for a verdict, the weightiest first, each against the nearer end of the healthy range."""
    others = [trees for place, trees in enumerate(model.verdict) if place != best]
    credit = model.verdict[best].credit(row) - sum(trees.credit(row) for trees in others) / len(others)
    found: list[Evidence] = []
    for place in np.argsort(-credit):
        name = model.names[place]
        if len(found) == _MOST_EVIDENCE or credit[place] <= 0:
            break
        if math.isnan(row[place]) or name not in model.healthy:
            continue
        low, high = model.healthy[name]
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
