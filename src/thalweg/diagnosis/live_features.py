"""From what was measured inside a run to named numbers: what tells its learning rate's place early on.

Physics behind the choice. The critical step is the rate at which the loss along the actual update comes back to its
start: rate over critical step says how much of the way to the edge each update uses, whatever the scale of the problem
(learning-rate.md). Too low: far from the edge, successive gradients point the same way, layers hardly move. Too high:
beyond the edge, gradients turn against each other, the actual decrease is not the predicted one, weights grow, the
edge flees. Every number is free of units; what was not measured is left out, and the model knows what to do without.
"""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.features import measure
from thalweg.diagnosis.live import Live

__all__ = ["FIRST", "NORMALISING", "measure_live"]

Numbers = npt.NDArray[np.float64]

FIRST = 500
"""Steps that are looked at, the first ones."""
_TINY = 1e-12
NORMALISING = ("adam", "rmsprop", "adagrad", "lion", "rprop", "muon")
"""Optimizers whose updates do not follow the gradient's size, by what their names hold."""


def measure_live(live: Live, *, since: int = 0, until: int = FIRST) -> dict[str, float]:
    """Measure the beginning of a watched run.

    `edge_`: ln(rate / critical step), of the first five measurements, the last three, the nearest and the farthest, and
    how it moved; `moved_`: ln(norm of an update / norm of the weights), median over layers, first, last and of the
    layer that moves most, and ln of that times the steps; `turn_`: cosine of successive gradients; `noise_`: ln(noise
    scale / batch size); `slope_`: how the gradient's norm changes and scatters; `kept_`: the decrease that came over
    the one predicted; `grown_`: ln of the weights' growth; `start_`: ln(first loss / loss of guessing); and the first
    200 batch losses as in `features`.

    Args:
        live: What was measured.
        since: Steps that are passed over: until then another rate was in use.
        until: The last step to look at.

    Returns:
        Name -> number; only those that were measured.
    """
    live = replace(live, signals={
        name: {subject: part for subject, curve in curves.items() if (part := _part(curve, since, until)) is not None}
        for name, curves in live.signals.items()
    })  # fmt: skip
    found: dict[str, float] = {}
    loss = live.run("batch_loss")
    if loss is not None:
        found |= measure({"batch_loss": _with_gaps(loss)})
        expected = live.value("batch_loss_expected")
        if expected and found.get("bl_first") is not None:
            found["start_guess"] = found["bl_first"] - math.log(expected)
    rates = live.run("batch_learning_rate")
    if rates is not None:
        found |= _edges(live.run("batch_critical_step"), rates)
    found |= _moved(live) | _gradients(live) | _decreases(live)
    kind = live.facts.optimizer.lower()
    if kind:
        found["kind_normalises"] = float(any(name in kind for name in NORMALISING))
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _part(curve: Curve, since: int, until: int) -> Curve | None:
    kept = (curve.steps > since) & (curve.steps <= until)
    broken = curve.broken[(curve.broken > since) & (curve.broken <= until)]
    if not kept.any():
        return None
    return replace(curve, steps=curve.steps[kept] - since, values=curve.values[kept], broken=broken - since)


def _with_gaps(curve: Curve) -> Numbers:
    """Its values in order, nan where there was no number."""
    steps = np.concatenate((curve.steps, curve.broken))
    values = np.concatenate((curve.values, np.full(len(curve.broken), math.nan)))
    return np.asarray(values[np.argsort(steps, kind="stable")])


def _edges(edge: Curve | None, rates: Curve) -> dict[str, float]:
    if edge is None:
        return {}
    good = np.isfinite(edge.values) & (edge.values > 0)
    if not good.any():
        return {}
    steps, values = edge.steps[good], edge.values[good]
    own = np.log(np.maximum(np.interp(steps, rates.steps, rates.values), _TINY)) - np.log(values)
    peak = math.log(max(float(rates.values.max()), _TINY))
    found = {
        "edge_peak": peak - float(np.median(np.log(values[:5]))),
        "edge_first": float(np.median(own[:3])),
        "edge_last": float(np.median(own[-3:])),
        "edge_near": float(own.max()),
        "edge_far": float(own.min()),
        "edge_level": float(np.median(own)),
    }
    if len(own) > 3:  # noqa: PLR2004 - two beginnings and two ends
        found["edge_course"] = float(np.median(own[len(own) // 2 :]) - np.median(own[: len(own) // 2]))
        found["edge_spread"] = float(own.std())
        found["edge_beyond"] = float((own > 0).mean())
    return found


def _moved(live: Live) -> dict[str, float]:
    ratios = list(live.weighted("batch_update_ratio").values())
    found: dict[str, float] = {}
    if ratios:
        first = [_ln(np.median(each.values[:3])) for each in ratios]
        last = [_ln(np.median(each.values[-3:])) for each in ratios]
        steps = max(float(each.steps[-1]) for each in ratios)
        found = {
            "moved_first": float(np.median(first)),
            "moved_last": float(np.median(last)),
            "moved_most": max(_ln(each.values.max()) for each in ratios),
            "moved_apart": max(last) - min(last),
            "moved_course": float(np.median(last)) - float(np.median(first)),
            "moved_far": float(np.median([_ln(np.median(each.values)) for each in ratios])) + math.log(steps),
        }
    norms = list(live.weighted("batch_weight_norm").values())
    grown = [_ln(each.values[-1] / each.values[0]) for each in norms if len(each) > 1 and each.values[0] > _TINY]
    if grown:
        found |= {"grown_middle": float(np.median(grown)), "grown_most": max(grown), "grown_least": min(grown)}
    return found


def _gradients(live: Live) -> dict[str, float]:
    found: dict[str, float] = {}
    turn = live.run("batch_alignment")
    if turn is not None:
        found |= {
            "turn_first": float(np.median(turn.values[:3])),
            "turn_last": float(np.median(turn.values[-5:])),
            "turn_mean": float(turn.values.mean()),
            "turn_least": float(turn.values.min()),
        }
    noise, size = live.run("batch_noise_scale"), live.facts.batch_size
    if noise is not None:
        found["noise_first"] = _ln(noise.values[0] / (size or 1))
        found["noise_last"] = _ln(np.median(noise.values[-3:]) / (size or 1))
    norm = live.run("batch_gradient_norm")
    if norm is not None and len(norm) > 3:  # noqa: PLR2004 - two beginnings and two ends
        logs = np.log(np.maximum(norm.values, _TINY))
        start = float(np.median(logs[:3]))
        found |= {
            "slope_course": float(np.median(logs[-3:])) - start,
            "slope_peak": float(logs.max()) - start,
            "slope_spread": float(np.diff(logs).std()),
        }
    return found


def _decreases(live: Live) -> dict[str, float]:
    actual, predicted = (live.run(f"batch_{name}_decrease") for name in ("actual", "predicted"))
    if actual is None or predicted is None:
        return {}
    steps, one, two = np.intersect1d(actual.steps, predicted.steps, return_indices=True)
    if not len(steps):
        return {}
    came, hoped = actual.values[one], np.maximum(predicted.values[two], _TINY)
    share = np.clip(came / hoped, -10, 10)
    return {
        "kept_first": float(np.median(share[:3])),
        "kept_last": float(np.median(share[-5:])),
        "kept_level": float(np.median(share)),
        "kept_never": float((came < 0).mean()),
    }


def _ln(value: float) -> float:
    return math.log(max(float(value), _TINY))
