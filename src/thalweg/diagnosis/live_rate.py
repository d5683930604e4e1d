"""The learning rate of a watched run, judged by what was measured inside it rather than by the shape of its curve.

The beginning is measured (`live_features.py`): how far updates stay from the critical step, how the layers move, how
gradients turn, whether the predicted decrease comes. A fitted model (`rate_model.py`, `live_rate_model.json`) turns
the numbers into a verdict; it was fitted on the first tenths of the sweeps' runs by `benchmarks/sweeps/fit_live.py`.
The run is taken to be ten times as long as what is known of it, or as long as it was, where it has ended. What the
first steps show of a rate that throws the weights away stands above the model. Where short trials were made beside the
run (`trial_features.py`), a model that knows them (`live_rate_trials_model.json`, by `fit_trials.py`) takes its place.
"""

import math
from dataclasses import replace

import numpy as np

from thalweg.core.finding import Evidence
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.features import features
from thalweg.diagnosis.live import Live
from thalweg.diagnosis.live_features import FIRST, measure_live
from thalweg.diagnosis.rate_model import RateModel
from thalweg.diagnosis.trial_features import measure_trials, trial_evidence
from thalweg.diagnosis.wording import course

__all__ = ["live_estimate"]

_SHARE, _LEAST = 0.1, 40
"""Of a run that has ended, so much is looked at."""
_FEW = 10
"""Steps before which nothing is said but of weights thrown away."""
_BEGINNING = 20
"""Steps in which a rate that is far too high throws the weights away."""
_JUMP = 3.0
"""Times the first loss within these steps; in healthy runs at most 1.2 (benchmarks/injected_faults.py)."""
_ALIVE, _ALL_DEAD = 0.5, 0.99
"""Share of a layer's units that are dead, before the first update and within the first steps."""
_REWRITTEN = 0.15
"""Of a layer's norm moved by each of the first updates; in healthy runs of usual networks at most 0.05."""
_FALLEN, _LEARNED = 0.9, 0.5
"""Of the first loss is left within these steps, is gone at last: what was moved was not thrown away. Weights that
begin small, as those of linear models and embeddings, move far at sound rates."""
_ANOTHER_RATE = frozenset(("raise_rate", "lower_rate", "restart", "reinitialise", "rescale", "roll_back"))
"""Repairs after which what was measured before tells of another rate; a decay belongs to the run."""
_EARLY = 5
_EACH = 2
"""Pieces of evidence from either model."""
_THROWN = LearningRateEstimate(verdict="too_high", factor=6.0, interval=(1.5, None), confidence=0.95)
"""What is said where the model does not see it."""


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
    rates = None if live is None else live.run("batch_learning_rate")
    if live is None or rates is None or float(rates.values.max()) <= 0:
        return None
    since = max((event.step for event in history.events if event.kind in _ANOTHER_RATE and event.step > 1), default=0)
    seen = int(rates.steps[-1]) - since
    ended = history.signal("train_loss") is not None
    until = min(FIRST, max(_LEAST, round(_SHARE * seen))) if ended else FIRST
    found = measure_live(live, since=since, until=since + until)
    wild = None if since else _thrown_away(live)
    if not any(name.startswith(("edge_", "moved_")) for name in found) and (seen >= _FEW or not since):
        return None
    peak = _peak(rates, since)
    wanted = live.value("batch_steps_wanted") or (seen if ended else seen / _SHARE)
    tried = measure_trials(live, peak, wanted, found.get("bl_fall"))
    found |= tried
    if seen < _FEW and wild is None:
        return LearningRateEstimate(verdict="undetermined", reason=f"only {seen} steps have been seen")
    answer = _with_curves(found, history) if ended else _alone(found, history)
    if tried and (shown := trial_evidence(live, peak)):
        evidence, words = shown
        reason = answer.reason if answer.verdict == "undetermined" else f"{words}; {answer.reason}"
        answer = replace(answer, evidence=(evidence, *answer.evidence), reason=reason)
    if wild is None:
        return answer
    told = answer if answer.verdict == "too_high" else _THROWN
    return replace(
        told,
        confidence=max(told.confidence, _THROWN.confidence),
        reason=f"{wild.source} {wild.observed:.3g}",
        evidence=(wild, *told.evidence),
    )


def _peak(rates: Curve, since: int) -> float:
    """The highest rate in use since the last repair."""
    later = rates.values[rates.steps > since]
    return float(later.max()) if len(later) else 0.0


def _model(found: dict[str, float]) -> RateModel:
    return RateModel.named("live_rate_trials_model" if "try_place" in found else "live_rate_model")


def _alone(found: dict[str, float], history: RunHistory) -> LearningRateEstimate:
    model = _model(found)
    opinion = model.weigh(found)
    return opinion.conclude(_course(found), model.evidence(found, opinion.verdict, history))


def _with_curves(found: dict[str, float], history: RunHistory) -> LearningRateEstimate:
    """Judge a run that has ended by its first tenth and by its curves: together they are right more often than each."""
    inside, outside, curves = (
        _model(found),
        RateModel.named("learning_rate_model"),
        features(history),
    )
    opinion = inside.weigh(found).with_other(outside.weigh(curves))
    told = inside.evidence(found, opinion.verdict, history)[:_EACH]
    said = {(each.signal, each.observed) for each in told}  # both models look at the first batches
    told += tuple(
        each for each in outside.evidence(curves, opinion.verdict, history) if (each.signal, each.observed) not in said
    )
    return opinion.conclude(f"{course(curves)}; {_course(found)}", told[: 2 * _EACH])


def _course(found: dict[str, float]) -> str:
    """What the numbers say, in a sentence without a full stop."""
    told = []
    if "edge_peak" in found:
        told.append(f"updates use {math.exp(found['edge_peak']):.2g} of the critical step at first")
        if "edge_course" in found:
            told[-1] += f" and {math.exp(found['edge_last']):.2g} at last"
    if "moved_first" in found:
        told.append(f"each moves the weights by {math.exp(found['moved_first']):.2g} of their size")
    if "turn_mean" in found:
        told.append(f"successive gradients have cosine {found['turn_mean']:.2f}")
    if "bl_fall" in found:
        told.append(f"the loss changed by {math.expm1(-found['bl_fall']):+.0%}")
    return ", ".join(told)


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
    if beginning and float(np.median(beginning)) > _REWRITTEN and not _falls(live):
        curve = next(iter(ratios.values()))
        return curve.evidence(
            float(np.median(beginning)), _REWRITTEN, "the first updates over the weights they change were"
        )
    return None


def _falls(live: Live) -> bool:
    """Whether the loss falls from the first steps on, or in the end has fallen by half."""
    loss = live.run("batch_loss")
    if loss is None or len(loss) < _EARLY or loss.first <= 0:
        return False
    first = loss.values[loss.steps <= _BEGINNING]
    late = float(np.median(first[len(first) // 2 :])) if len(first) else math.inf
    return late < _FALLEN * loss.first or (live.learned or 0.0) > _LEARNED


def _killed(curve: Curve) -> bool:
    """Whether units of a layer that were alive before the first update are all dead within the first steps."""
    first = curve.values[curve.steps <= _BEGINNING]
    return len(first) > 1 and curve.steps[0] == 1 and first[0] < _ALIVE and first[-1] >= _ALL_DEAD
