"""From a recorded run to named numbers: what tells too low a learning rate, a good one and too high a one apart.

Physics behind the choice. Too low: smooth and slow; late epochs bring as much as early ones, training and validation
hardly differ, noise is far below the fall. Too high: a rough or stuck course far above what the curve reached once,
validation rough against training, jumps, the level of guessing, or no number at all; schedules calm it. About right:
most of the fall in the first epochs, then slower and slower. Every number is free of units or a logarithm of a level;
a signal that was not recorded leaves its numbers out, and the model knows what to do without them.
"""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from thalweg.core.history import RunHistory
from thalweg.diagnosis.shape import settled, shape, slope_of

__all__ = ["CURVES", "curves_of", "features", "measure"]

Numbers = npt.NDArray[np.float64]

CURVES = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "batch_loss")
_SHORT = {"train_loss": "tl", "val_loss": "vl", "train_accuracy": "te", "val_accuracy": "ve"}
_FIRST_BATCHES = 200


def curves_of(history: RunHistory) -> dict[str, Numbers]:
    """Take the curves a verdict rests on out of a history.

    Args:
        history: A run.

    Returns:
        Name -> values in order; only what holds at least one value.
    """
    found = {}
    for name in CURVES:
        signal = history.signal(name)
        if signal is not None and signal.values:
            found[name] = np.asarray(signal.values, dtype=np.float64)
    return found


def features(history: RunHistory) -> dict[str, float]:
    """Measure a run.

    Args:
        history: A run.

    Returns:
        Name -> number, see `measure`.
    """
    return measure(curves_of(history))


def measure(curves: Mapping[str, Numbers]) -> dict[str, float]:
    """Measure curves.

    `tl_`, `vl_`: shape of training and validation loss; `te_`, `ve_`: of 1 - accuracy (see `shape`); `bl_`: of the
    first 200 batch losses (see `_batches`); `gap_`: validation against training; `guess_`: ln(accuracy) + loss, 0
    for a network that answers every class with the same probability, whatever the number of classes.

    Args:
        curves: Any of `CURVES`, as arrays.

    Returns:
        Name -> number; only those that the recorded signals can tell.

    Example:
        >>> found = measure({"train_loss": np.array([2.3, 1.2, 0.9, 0.8]), "val_loss": np.array([1.3, 1.0, 0.9, 0.9])})
        >>> round(found["gap_loss_end"], 2)
        0.12
    """
    found: dict[str, float] = {}
    for name, short in _SHORT.items():
        if name in curves:
            values = curves[name] if name.endswith("loss") else 1.0 - curves[name] + 0.002
            found |= shape(values, short + "_")
    found |= _gaps(curves, found)
    if "batch_loss" in curves:
        found |= _batches(curves["batch_loss"][:_FIRST_BATCHES])
        for short in ("tl", "vl"):
            if "bl_first" in found and short + "_first" in found:
                found[f"{short}_first_of_batch"] = found["bl_first"] - found[short + "_first"]
                found[f"{short}_end_of_batch"] = found["bl_first"] - found[short + "_end"]
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _gaps(curves: Mapping[str, Numbers], found: Mapping[str, float]) -> dict[str, float]:
    gaps = {}
    for kind, train, val in (("loss", "tl", "vl"), ("error", "te", "ve")):
        for place in ("first", "end", "hush", "grain", "fall", "power_late", "wander", "rising"):
            if f"{train}_{place}" in found and f"{val}_{place}" in found:
                gaps[f"gap_{kind}_{place}"] = found[f"{val}_{place}"] - found[f"{train}_{place}"]
    for split in ("train", "val"):
        loss, accuracy = curves.get(f"{split}_loss"), curves.get(f"{split}_accuracy")
        if loss is None or accuracy is None:
            continue
        nats, shares = settled(loss)[0], settled(accuracy)[0]
        if len(nats) and len(shares):
            gaps[f"guess_{split}_first"] = math.log(max(shares[0], 1e-3)) + min(nats[0], 30.0)
            gaps[f"guess_{split}_end"] = math.log(max(shares[-1], 1e-3)) + min(nats[-1], 30.0)
    before, after = (settled(curves[name])[0] if name in curves else np.empty(0) for name in ("train_loss", "val_loss"))
    size = min(len(before), len(after))
    if size > 4:  # noqa: PLR2004 - a correlation of fewer says nothing
        a, b = np.diff(np.log(np.maximum(before[:size], 1e-5))), np.diff(np.log(np.maximum(after[:size], 1e-5)))
        if a.std() > 0 and b.std() > 0:
            gaps["gap_loss_together"] = float(np.corrcoef(a, b)[0, 1])
    return gaps


def _batches(values: Numbers) -> dict[str, float]:
    """Describe the first batch losses, b, in windows: `first` (mean of 3), `end` (last fifth).

    `bl_noise`: ln of the noise by second differences over the level at the end; `bl_peak`: ln of the largest over the
    first; `bl_early`, `bl_mid`, `bl_late`: falls of ln b from window to window; `bl_flips`: share of steps that reverse
    the one before; `bl_fall_noise`: fall in units of noise; `bl_monotone`: share of steps downward.

    Returns:
        Name -> number.
    """
    b, broken = settled(values)
    found = {"bl_broken": broken}
    if len(b) < 10:  # noqa: PLR2004 - windows of two
        return found
    logs = np.log(np.maximum(b, 1e-5))
    n = len(b)
    first, end = float(b[:3].mean()), float(b[-max(2, n // 5) :].mean())
    noise = max(float(np.median(np.abs(np.diff(b, 2))) * 1.4826 / math.sqrt(6)), 1e-9)
    marks = [float(logs[: max(3, n // 40)].mean()), *(float(w.mean()) for w in np.array_split(logs, 8))]
    d = np.diff(b)
    late = np.diff(b[n // 2 :], 2)
    t = np.log(np.arange(1, n + 1))
    found |= {
        "bl_points": math.log(n),
        "bl_first": math.log(max(first, 1e-5)),
        "bl_end": math.log(max(end, 1e-5)),
        "bl_fall": marks[0] - marks[-1],
        "bl_early": marks[0] - marks[1],
        "bl_mid": marks[1] - marks[3],
        "bl_half": marks[3] - marks[5],
        "bl_late": marks[5] - marks[8],
        "bl_best": marks[0] - min(marks),
        "bl_back": marks[-1] - min(marks),
        "bl_high": max(marks) - marks[0],
        "bl_peak": math.log(max(float(b.max()), 1e-5) / max(first, 1e-5)),
        "bl_peak_at": int(b.argmax()) / n,
        "bl_noise": math.log(noise / max(end, 1e-5)),
        "bl_noise_first": math.log(noise / max(first, 1e-5)),
        "bl_spread": float(logs[n // 2 :].std()),
        "bl_spikes": math.log(max(float(np.sqrt(np.mean(late**2) / 6)), 1e-9) / noise),
        "bl_fall_noise": float(np.arcsinh((first - end) / noise)),
        "bl_flips": float((d[1:] * d[:-1] < 0).mean()),
        "bl_monotone": float((d < 0).mean()),
        "bl_power": -slope_of(t[n // 4 :], logs[n // 4 :]),
        "bl_power_start": -slope_of(t[2 : n // 4 + 4], logs[2 : n // 4 + 4]),
    }
    return found
