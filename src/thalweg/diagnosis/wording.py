"""Measured features in words: on which curve, over which epochs, and what the number is."""

from thalweg.core.history import RunHistory

__all__ = ["signal_of", "what", "window_of"]

_SIGNALS = {"tl": "train_loss", "vl": "val_loss", "te": "train_accuracy", "ve": "val_accuracy", "bl": "batch_loss",
            "gap": "val_loss", "guess": "val_accuracy"}  # fmt: skip
_LAST = {"late", "late_share", "power_late", "end", "trend", "back", "hush", "grain"}
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
    unit, steps, part = ("step" if name == "batch_loss" else "epoch"), signal.steps, feature.partition("_")[2]
    if unit == "step":
        steps = steps[:200]
    elif part in _LAST:
        steps = steps[-max(1, len(steps) // (2 if part in {"power_late", "trend"} else 3)) :]
    elif part in _FIRST:
        steps = steps[:1] if part == "first" else steps[:2]
    return f"{unit} {steps[0]}" if len(steps) == 1 else f"{unit}s {steps[0]}-{steps[-1]}"
