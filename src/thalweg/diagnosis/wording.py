"""Measured features in words: on which curve, over which epochs, and what the number is."""

import math
from collections.abc import Mapping

from thalweg.core.history import RunHistory
from thalweg.diagnosis.live_features import FIRST

__all__ = ["course", "signal_of", "what", "window_of"]

_SIGNALS = {"tl": "train_loss", "vl": "val_loss", "te": "train_accuracy", "ve": "val_accuracy", "bl": "batch_loss",
            "gap": "val_loss", "guess": "val_accuracy", "edge": "batch_critical_step", "moved": "batch_update_ratio",
            "turn": "batch_alignment", "noise": "batch_noise_scale", "slope": "batch_gradient_norm",
            "kept": "batch_actual_decrease", "grown": "batch_weight_norm", "start": "batch_loss",
            "try": "batch_trial_rate"}  # fmt: skip
_LAST = {"late", "late_share", "power_late", "end", "trend", "back"}
_FIRST = {"start", "start_share", "first", "power_early"}
_WORDS = {
    "broken": "share of the record after the last finite value",
    "points": "ln of the number of values",
    "first": "ln of the first value",
    "end": "ln of the value at the end",
    "fall": "ln of first over last value: the whole fall",
    "best": "ln of first over lowest value",
    "back": "ln of last over lowest value: how far above its best it ended",
    "peak": "ln of highest over first value",
    "lowest": "place of the lowest value, 0 at the start, 1 at the end",
    "start": "fall of its ln from the first to the second value",
    "start_share": "share of the whole fall in the first step",
    "jump": "largest rise of its ln from one value to the next",
    "drop": "largest fall of its ln from one value to the next",
    "drop_at": "place of its largest fall, 0 to 1",
    "still": "share of steps below a thousandth of its level",
    "rising": "share of steps upward",
    "wander": "ln of the path's length over the net change",
    "half": "place where half of the fall is done, 0 to 1",
    "convex": "mean height above the straight line from start to end, in ranges",
    "late": "fall of its ln in the last third",
    "late_share": "share of the whole fall in the last third",
    "power_late": "fall of its ln for every e-fold of time, last half",
    "power_early": "fall of its ln for every e-fold of time, first half",
    "rough": "ln of noise over range",
    "grain": "ln of noise over level at the end",
    "hush": "ln of typical noise over level at the end",
    "trend": "slope of the last half over its standard error",
    "calm": "ln of late over early noise",
    "echo": "correlation of successive steps",
    "first_of_batch": "ln of the first batch loss over the first value",
    "end_of_batch": "ln of the first batch loss over the value at the end",
    "noise": "ln of noise over level at the end",
    "noise_first": "ln of noise over level at the start",
    "early": "fall of its ln in the first eighth",
    "mid": "fall of its ln in the second quarter",
    "high": "ln of the highest window over the first",
    "spread": "spread of its ln in the second half",
    "spikes": "ln of wild over typical noise",
    "fall_noise": "fall in units of noise, arsinh",
    "flips": "share of steps that reverse the one before",
    "monotone": "share of steps downward",
    "power": "fall of its ln for every e-fold of steps",
    "power_start": "fall of its ln for every e-fold of the first steps",
    "peak_at": "place of the highest value, 0 to 1",
}


_INSIDE = {
    "edge_peak": "ln of the highest rate over the first critical steps",
    "edge_first": "ln of rate over critical step, first measurements",
    "edge_last": "ln of rate over critical step, last measurements",
    "edge_near": "ln of rate over critical step, where it was largest",
    "edge_far": "ln of rate over critical step, where it was smallest",
    "edge_level": "ln of rate over critical step, by the median",
    "edge_course": "how ln of rate over critical step moved from the first half to the second",
    "edge_spread": "spread of ln of rate over critical step",
    "edge_beyond": "share of updates beyond the critical step",
    "moved_first": "ln of first updates over the weights they change",
    "moved_last": "ln of last updates over the weights they change",
    "moved_most": "ln of the largest update of any layer over its weights",
    "moved_apart": "how far layers lie apart in ln of update over weights",
    "moved_course": "how ln of update over weights moved",
    "moved_far": "ln of all updates together over the weights",
    "grown_middle": "ln of the growth of the weights of a typical layer",
    "grown_most": "ln of the growth of the weights that grew most",
    "grown_least": "ln of the growth of the weights that grew least",
    "turn_first": "cosine of successive gradients at first",
    "turn_last": "cosine of successive gradients at last",
    "turn_mean": "mean cosine of successive gradients",
    "turn_least": "smallest cosine of successive gradients",
    "noise_first": "ln of noise scale over batch size at first",
    "noise_last": "ln of noise scale over batch size at last",
    "slope_course": "how ln of the gradient's norm moved",
    "slope_peak": "ln of the gradient's largest norm over its first",
    "slope_spread": "scatter of ln of the gradient's norm",
    "kept_first": "decrease that came over the one predicted, at first",
    "kept_last": "decrease that came over the one predicted, at last",
    "kept_level": "decrease that came over the one predicted, by the median",
    "kept_never": "share of updates after which the loss was higher",
    "start_guess": "ln of the first loss over that of guessing",
    "try_rate": "log10 of the rate over that of the best trial",
    "try_place": "log10 of the rate over the best one as trials tell it",
    "try_gain": "ln of the best trial's loss over its start",
    "try_here": "ln of a trial's loss at the rate over that of the best trial",
    "try_up": "ln of a trial's loss at ten times the rate over that of the best trial",
    "try_down": "ln of a trial's loss at a tenth of the rate over that of the best trial",
    "try_edge": "log10 of the rate over the lowest at which a trial broke",
    "try_behind": "ln of the loss of the run over that of the best trial",
    "kind_normalises": "whether the optimizer normalises the gradient",
}


def signal_of(feature: str) -> str:
    """Name the curve a feature was measured on.

    Args:
        feature: Such as `vl_rough`.

    Returns:
        Such as `val_loss`.

    Example:
        >>> signal_of("vl_rough"), signal_of("gap_error_end")
        ('val_loss', 'val_accuracy')
    """
    head, _, rest = feature.partition("_")
    if head in {"gap", "guess"}:
        split = "train" if rest.startswith("train") else "val"
        return f"{split}_{'accuracy' if head == 'guess' or rest.startswith('error') else 'loss'}"
    return _SIGNALS.get(head, head)


def what(feature: str) -> str:
    """Say what a feature is.

    Args:
        feature: Such as `vl_rough`.

    Returns:
        A few words; for an accuracy the words are about the error, 1 - accuracy.

    Example:
        >>> what("te_rising")
        'share of steps upward (of the error)'
    """
    if feature in _INSIDE:
        return _INSIDE[feature]
    head, _, rest = feature.partition("_")
    if head == "guess":
        return "ln of accuracy plus loss: 0 where every class is held equally likely"
    if head == "gap":
        kind, _, part = rest.partition("_")
        if part == "together":
            return "correlation of its steps with those of the training loss"
        against = "training" + (" (of the errors)" if kind == "error" else "")
        return f"{_WORDS.get(part, part)}: validation less {against}"
    return _WORDS.get(rest, rest.replace("_", " ")) + (" (of the error)" if head in {"te", "ve"} else "")


def window_of(feature: str, history: RunHistory) -> str:
    """Say which epochs or steps a feature was measured over.

    Args:
        feature: Such as `vl_late`.
        history: The run.

    Returns:
        Such as `epochs 7-10`.
    """
    name = signal_of(feature)
    signal = history.signal(name)
    if signal is None or not signal.steps:
        return "run"
    unit, steps, part = ("step" if name.startswith("batch_") else "epoch"), signal.steps, feature.partition("_")[2]
    if unit == "step":
        steps = steps[:200] if name == "batch_loss" else tuple(step for step in steps if step <= FIRST) or steps[:1]
    elif part in _LAST:
        steps = steps[-max(1, len(steps) // (2 if part in {"power_late", "trend"} else 3)) :]
    elif part in _FIRST:
        steps = steps[:1] if part == "first" else steps[:2]
    return f"{unit} {steps[0]}" if len(steps) == 1 else f"{unit}s {steps[0]}-{steps[-1]}"


def course(found: Mapping[str, float]) -> str:
    """Tell the course of a run in the words of a lecture, with its numbers.

    Args:
        found: Measured features.

    Returns:
        One sentence without a full stop: where it broke, how far it fell, when, and how roughly.

    Example:
        >>> course({"tl_broken": 0.0, "tl_fall": 0.01, "tl_late_share": 0.33, "tl_rising": 0.0})
        'the training loss fell by 1 %, 33 % of that in the last third, hardly any step upward'
    """
    for head, name in (("tl", "training loss"), ("vl", "validation loss"), ("bl", "loss of batches")):
        if found.get(f"{head}_broken", 0.0) > 0:
            where = "from the first value on" if found[f"{head}_broken"] >= 1 else "before the end"
            return f"the {name} is no finite number any more {where}"
    parts = []
    for head, name in (("tl", "training loss"), ("vl", "validation loss"), ("te", "training error"),
                       ("ve", "validation error"), ("bl", "loss of the first batches")):  # fmt: skip
        if f"{head}_fall" not in found:
            continue
        parts.append(f"the {name} {_moved(found[f'{head}_fall'])}")
        if found[f"{head}_fall"] > 0.005 and f"{head}_late_share" in found:  # noqa: PLR2004 - nothing to share
            parts.append(f"{min(max(found[f'{head}_late_share'], 0.0), 1.0):.0%} of that in the last third")
        if f"{head}_rising" in found:
            rising = found[f"{head}_rising"]
            parts.append("hardly any step upward" if rising < 0.05 else f"{rising:.0%} of its steps upward")  # noqa: PLR2004
        break
    if found.get("vl_back", 0.0) > 0.1:  # noqa: PLR2004 - a tenth above its best
        parts.append(f"the validation loss ended {_times(found['vl_back'])} its lowest")
    elif found.get("vl_grain", -9.0) > -1.5:  # noqa: PLR2004 - scatter above a fifth of the level
        parts.append(f"the validation loss scatters by {_percent(math.exp(found['vl_grain']))} of its level")
    if abs(found.get("guess_val_end", 1.0)) < 0.02:  # noqa: PLR2004 - hundredths of a nat
        parts.append("accuracy and loss at the end are those of guessing")
    return ", ".join(parts).replace("%", " %").replace("  %", " %")


def _moved(fall: float) -> str:
    if abs(fall) < 0.0005:  # noqa: PLR2004 - it would print as 0 %
        return "did not move"
    return f"fell by {_percent(1 - math.exp(-fall))}" if fall > 0 else f"rose to {_times(-fall)} its first value"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * min(share, 1e6):.0f} %"  # noqa: PLR2004 - no 1e+02


def _times(log: float) -> str:
    return f"{math.exp(min(log, 14.0)):.2f} times" if log < 3 else f"{math.exp(min(log, 14.0)):.0f} times"  # noqa: PLR2004
