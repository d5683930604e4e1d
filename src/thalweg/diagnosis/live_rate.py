"""The learning rate of a watched run, judged by what was measured inside it rather than by the shape of its curve.

The measure is rate / critical step: how much of the way to where the loss along the actual update comes back to its
start each update uses. On a quadratic the best step is half the critical one. A run whose updates use a tenth of that
is too slow, one whose updates pass the edge again and again does not descend. All thresholds stand at the top of this
file, by kind of optimizer, to be calibrated in one place.
"""

import math
from dataclasses import dataclass

import numpy as np

from thalweg.core.finding import Evidence
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate, Verdict
from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.live import Live

__all__ = ["CALIBRATION", "Calibration", "live_estimate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Where verdicts change, as fractions of the critical step.

    Args:
        best: Rate / critical step of a tuned run, early on.
        low: Below this the rate is too low.
        high: Above this it is too high.
        spread: The factor is known within this factor either way.
    """

    best: float
    low: float
    high: float
    spread: float


CALIBRATION = {
    "plain": Calibration(best=0.15, low=0.03, high=1.0, spread=4.0),
    "normalising": Calibration(best=0.15, low=0.03, high=1.0, spread=4.0),
}
"""By kind of optimizer: those that follow the gradient's size, and Adam and its kin, which normalise it."""

_NORMALISING = ("adam", "rmsprop", "adagrad", "lion", "rprop")
_EARLY = 5
"""Measurements of the edge that the verdict rests on, the first ones: later the edge moves with the rate."""
_BEGINNING = 20
"""Steps in which a rate that is far too high throws the weights away."""
_JUMP = 3.0
"""Times the first loss within these steps; in healthy runs at most 1.2 (benchmarks/injected_faults.py)."""
_ALIVE, _ALL_DEAD = 0.5, 0.99
"""Share of a layer's units that are dead, before the first update and within the first steps."""
_REWRITTEN = 0.15
"""Of a layer's norm moved by each of the first updates; in healthy runs at most 0.05."""
_HARDLY = 1e-3
"""Of a layer's norm moved by an update: a common rule of thumb for a sound one."""
_RISEN = 3.0
"""Times the loss at the start: then the rate was too high, whatever else was measured."""


def live_estimate(history: RunHistory) -> LearningRateEstimate | None:
    """Judge the learning rate by measurements.

    Args:
        history: A run.

    Returns:
        The verdict; None where nothing was measured that tells.

    Example:
        >>> live_estimate(RunHistory()) is None
        True
    """
    live = Live.of(history)
    edge, rates = (None, None) if live is None else (live.run("batch_critical_step"), live.run("batch_learning_rate"))
    if live is None or edge is None or rates is None:
        return None
    numbers = CALIBRATION[_kind(live.facts.optimizer)]
    peak = float(rates.values.max())
    known = edge.values[np.isfinite(edge.values) & (edge.values > 0)][:_EARLY]
    if not len(known) or peak <= 0:
        return None
    used = peak / float(np.exp(np.median(np.log(known))))
    risen = _rise(live.run("batch_loss"))
    broken = bool(live.layers("batch_non_finite"))
    wild = _thrown_away(live)
    share = f"updates use {used:.2g} of the critical step"
    reason = f"{share}; runs that are tuned use about {numbers.best:g}"
    slow = used < numbers.low and _still_slow(live, peak, numbers)
    used = used if slow else max(used, numbers.low)  # far at first, but it moves: near enough
    verdict: Verdict = "too_high" if used > numbers.high else "too_low" if slow else "about_right"
    if wild is not None:
        verdict, reason, used = "too_high", f"{share}, and {wild.source} {wild.observed:.3g}", max(used, numbers.high)
    if verdict != "too_low" and (broken or risen > _RISEN):
        verdict, reason = "too_high", f"{reason}, and the loss {'is not finite' if broken else 'has risen'}"
    factor = used / numbers.best
    low, high = factor / numbers.spread, factor * numbers.spread
    evidence = edge.evidence(
        peak / used, None, "critical step along the actual update, median of the first measurements"
    )
    return LearningRateEstimate(
        verdict=verdict,
        factor=_fits(verdict, factor),
        interval=(low, high),
        confidence=0.95 if wild is not None else _confidence(used, numbers),
        reason=reason,
        evidence=(evidence, _held_against(used, numbers, verdict), *(() if wild is None else (wild,))),
    )


def _thrown_away(live: Live) -> Evidence | None:
    """What the first steps show of a rate that throws the weights away; the wreck they leave is calm and tells less."""
    loss, ratios = live.run("batch_loss"), live.weighted("batch_update_ratio")
    if loss is not None and len(loss) >= _EARLY and 0 < loss.first < math.inf:
        first = loss.values[: max(1, int(np.searchsorted(loss.steps, _BEGINNING, side="right")))]
        if float(first.max()) > _JUMP * loss.first:
            return loss.evidence(
                float(first.max()) / loss.first, _JUMP, "in the first steps the loss rose by a factor of"
            )
    killed = [curve for curve in live.layers("batch_dead_fraction").values() if _killed(curve)]
    if killed:
        level = float(killed[0].values[killed[0].steps <= _BEGINNING].max())
        return killed[0].evidence(level, _ALL_DEAD, "the first steps silenced units for good, a share of")
    beginning = [float(np.mean(curve.values[:3])) for curve in ratios.values() if curve.steps[0] <= _BEGINNING]
    if beginning and float(np.median(beginning)) > _REWRITTEN:
        curve = next(iter(ratios.values()))
        return curve.evidence(
            float(np.median(beginning)), _REWRITTEN, "the first updates over the weights they change were"
        )
    return None


def _killed(curve: Curve) -> bool:
    """Whether units of a layer that were alive before the first update are all dead within the first steps."""
    first = curve.values[curve.steps <= _BEGINNING]
    return len(first) > 1 and curve.steps[0] == 1 and first[0] < _ALIVE and first[-1] >= _ALL_DEAD


def _still_slow(live: Live, peak: float, numbers: Calibration) -> bool:
    """Whether updates stay far from the edge: at a sound small rate the edge comes nearer as the network learns."""
    edges = live.run("batch_critical_step")
    ratios = live.weighted("batch_update_ratio")
    near = [] if edges is None else [peak / each for each in edges.values if math.isfinite(each) and each > 0]
    moved = [float(np.median(curve.values)) for curve in ratios.values()]
    return max(near[-_EARLY:], default=0.0) < numbers.low and (not moved or float(np.median(moved)) < _HARDLY)


def _fits(verdict: Verdict, factor: float) -> float:
    """The factor, on the side that the verdict says."""
    if verdict == "too_high":
        return max(factor, 1.5)
    return min(factor, 1 / 1.5) if verdict == "too_low" else factor


def _confidence(used: float, numbers: Calibration) -> float:
    """How far from the nearest threshold, in the spread of the measurement."""
    distance = min(abs(math.log(used / edge)) for edge in (numbers.low, numbers.high))
    return round(0.5 + 0.45 * math.tanh(distance / math.log(numbers.spread)), 2)


def _held_against(used: float, numbers: Calibration, verdict: Verdict) -> Evidence:
    threshold = numbers.low if verdict == "too_low" else numbers.high
    return Evidence(
        signal="batch_rate_to_edge",
        window="first measurements",
        observed=used,
        threshold=threshold,
        source="peak rate over critical step; thresholds: thalweg.diagnosis.live_rate",
    )


def _rise(loss: Curve | None) -> float:
    if loss is None or len(loss) < _EARLY:
        return 0.0
    start = float(np.median(loss.values[:3]))
    return float(np.median(loss.values[-max(3, len(loss) // 5) :])) / start if start > 0 else 0.0


def _kind(optimizer: str) -> str:
    return "normalising" if any(name in optimizer.lower() for name in _NORMALISING) else "plain"
