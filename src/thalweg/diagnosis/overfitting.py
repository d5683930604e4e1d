"""Overfitting: after its best epoch the validation loss rises clearly while the training loss falls on.

`clearly` is a matter of degree and of noise, so the answer is a probability: a logistic function of how far validation
rose above its lowest place, of that rise in units of its own scatter, of what training gained meanwhile, and of the gap
at the end (Prechelt 1998, "Early stopping - but when?"). The weights were fitted on the project's sweeps; see
`benchmarks/sweeps/fit_curves.py`, where what counts as overfitting is written down.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thalweg.core.finding import Evidence
from thalweg.core.history import RunHistory
from thalweg.diagnosis.features import curves_of
from thalweg.diagnosis.logistic import Logistic
from thalweg.diagnosis.shape import LONGEST, settled

__all__ = ["Overfitting", "judge", "measure_rise"]

Numbers = npt.NDArray[np.float64]

_LEAST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfitting:
    """Whether a run overfits.

    Args:
        probability: Of overfitting; 0 where the curves cannot say.
        best_epoch: Where validation was best, counted from 1; None without a validation curve.
        rise: How far validation ended above its best: ln of the ratio of losses, or the lost accuracy.
        evidence: The numbers behind it.
    """

    probability: float
    best_epoch: int | None = None
    rise: float = 0.0
    evidence: tuple[Evidence, ...] = ()


def measure_rise(curves: Mapping[str, Numbers]) -> tuple[str, dict[str, float], int]:
    """Measure what happened after the best epoch.

    On the loss where there is one, else on the error (1 - accuracy). The curve is smoothed by running medians of three;
    the end is the mean of the last fifth (at least two values), the scatter comes from second differences.

    - `rise` = ln(0.01 + ln(end / best)), `clear` = (end - best) in standard errors, at most 12;
    - `up` = share of pairs after the best epoch that rise less those that fall, `after` = share of epochs there;
    - `gain` = ln(training at the best epoch / training at the end), `fell` = 10 gain from -1 to 1;
    - `gap` = ln(validation / training) at the end.

    Args:
        curves: By the names of `RunHistory`.

    Returns:
        Which regression asks for these numbers (empty where nothing can be said), the numbers, and the index of the
        best epoch.

    Example:
        >>> val = np.array([1.0, 0.6, 0.5, 0.6, 0.8, 1.1, 1.4])
        >>> kind, found, best = measure_rise({"val_loss": val, "train_loss": np.linspace(1, 0.01, 7)})
        >>> kind, best, found["gain"] > 1
        ('overfitting_loss', 2, True)
    """
    kind = "loss" if "val_loss" in curves else "accuracy"
    if f"val_{kind}" not in curves:
        return "", {}, 0
    val = _falling(curves[f"val_{kind}"], kind)
    train = _falling(curves[f"train_{kind}"], kind) if f"train_{kind}" in curves else np.empty(0)
    if len(val) < _LEAST:
        return "", {}, 0
    middle = np.median(np.stack((val[:-2], val[1:-1], val[2:])), axis=0)
    middle = np.concatenate((val[:1], middle, [np.median(val[-3:])]))
    smooth = np.convolve(np.pad(middle, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    best = int(smooth.argmin())
    last = max(2, len(val) // 5)
    end, low = float(np.mean(middle[-last:])), float(smooth[best])
    scatter = max(float(np.sqrt(np.mean(np.diff(val[best // 2 :], 2) ** 2) / 6.0)) if best // 2 < len(val) - 2 else 0.0,
                  1e-4 * low)  # fmt: skip
    rest = smooth[best:]
    pairs = np.sign(rest[None, :] - rest[:, None])[np.triu_indices(len(rest), 1)]
    found = {
        "rise": math.log(0.01 + min(max(math.log(end / low), 0.0), 2.0)),
        "clear": min(max((end - low) / (scatter * math.sqrt(1 / last + 0.375)), 0.0), 12.0),
        "up": float(pairs.mean()) if len(pairs) else 0.0,
        "after": 1.0 - best / (len(val) - 1),
    }
    if len(train) < len(val):
        return f"overfitting_{kind}_alone", found, best
    t_end = float(train[: len(val)][-last:].mean())
    t_best = float(np.mean(train[max(0, best - 1) : best + 2]))
    found["gain"] = float(np.clip(math.log(t_best / t_end), -1.0, 3.0))
    found["fell"] = min(max(10.0 * found["gain"], -1.0), 1.0)
    found["gap"] = float(np.clip(math.log(end / t_end), -1.0, 4.0))
    return f"overfitting_{kind}", found, best


def _beside(history: RunHistory) -> dict[str, Numbers]:
    """Curves, those of training read where validation was measured, if that was at other epochs."""
    curves = curves_of(history)
    for kind in ("loss", "accuracy"):
        train, held = history.signal(f"train_{kind}"), history.signal(f"val_{kind}")
        if train is None or held is None or train.steps == held.steps or not held.steps:
            continue
        values = np.asarray(train.values, dtype=np.float64)
        good = np.isfinite(values)
        if good.sum() > 1 and good[-1]:
            at = np.asarray(train.steps, dtype=np.float64)[good]
            curves[f"train_{kind}"] = np.interp(np.asarray(held.steps, dtype=np.float64), at, values[good])
    return curves


def _place(values: Numbers, best: int) -> int:
    """Where in a recorded curve a place of the shortened one lies (see `settled`)."""
    recorded = int(np.flatnonzero(np.isfinite(values))[-1]) + 1
    stretch = np.array_split(np.arange(recorded), min(LONGEST, recorded))[best]
    return int(stretch[len(stretch) // 2])


def _falling(values: Numbers, kind: str) -> Numbers:
    curve, broken = settled(values)
    if broken:
        return np.empty(0)
    return np.maximum(curve if kind == "loss" else 1.0 - curve, 1e-3)


def judge(history: RunHistory) -> Overfitting:
    """Judge whether a run overfits.

    Args:
        history: The run.

    Returns:
        The probability, the best epoch, and the evidence.

    Example:
        >>> rows = [{"epoch": n, "train_loss": 1 / n, "val_loss": 0.5 + abs(n - 5) / 10} for n in range(1, 21)]
        >>> found = judge(RunHistory.from_epochs(rows))
        >>> found.best_epoch, found.probability > 0.9
        (5, True)
    """
    curves = _beside(history)
    kind, found, best = measure_rise(curves)
    if not kind:
        return Overfitting(probability=0.0)
    chance = Logistic.named(kind).probability(found)
    if found["after"] <= 0:
        return Overfitting(probability=0.0)  # it ends at its best: there is nothing after it that could have risen
    name = "val_loss" if "loss" in kind else "val_accuracy"
    signal = history.signal(name)
    steps = signal.steps if signal is not None else ()
    at = steps[_place(curves[name], best)] if steps else best + 1
    rise = max(math.exp(found["rise"]) - 0.01, 0.0)
    window = f"epochs {at}-{steps[-1]}" if steps else "run"
    evidence = [
        Evidence(signal=name, window=window, observed=round(rise, 4), threshold=0.1,
                 source="ln of the level at the end over the best" + (" (of the error)" if "accuracy" in kind else "")),
        Evidence(signal=name, window=window, observed=round(found["clear"], 2), threshold=3.0,
                 source="the same rise in standard errors of the curve's own scatter"),
    ]  # fmt: skip
    if "gain" in found:
        evidence.append(
            Evidence(signal=name.replace("val", "train"), window=window, observed=round(found["gain"], 3),
                     threshold=0.0, source="ln of training at the best epoch over its end: what was gained meanwhile")
        )  # fmt: skip
    return Overfitting(probability=chance, best_epoch=int(at), rise=rise, evidence=tuple(evidence))
