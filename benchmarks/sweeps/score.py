"""How right verdicts, factors and confidences are."""

import numpy as np
from table import CLASSES

STANDARD = ("full", "full_batches", "quarter", "five_epochs", "batches")
FAR = 1.48
"""Decimal logarithm of 30: factors beyond are one-sided."""
NEAREST, USUAL = 0.29, 1.13
"""As in `thalweg.diagnosis.rate_model`: nearer to 1 no wrong rate lies, and the median of wrong ones within 30x."""


def f1(truth: np.ndarray, said: np.ndarray) -> float:
    """Macro-F1 over the classes that occur; what was not decided (3) is a miss."""
    scores = []
    for k in range(3):
        if (truth == k).any():
            hit = ((truth == k) & (said == k)).sum()
            scores.append(2 * hit / max((truth == k).sum() + (said == k).sum(), 1))
    return float(np.mean(scores))


def verdict_score(chances: np.ndarray, data: object, rows: np.ndarray, below: float) -> dict:
    """Macro-F1 pooled and as the mean over problems, recall of every class, confusion, and the undecided."""
    rows = rows & (data.label >= 0)
    truth, best = data.label[rows], chances[rows].argmax(1)
    said = np.where(chances[rows].max(1) < below, 3, best)
    problems = data.problem[rows]
    each = [f1(truth[problems == p], said[problems == p]) for p in np.unique(problems)]
    confusion = [[int(((truth == a) & (said == b)).sum()) for b in range(4)] for a in range(3)]
    return {
        "macro_f1": round(f1(truth, said), 3), "macro_f1_forced": round(f1(truth, best), 3),
        "macro_f1_mean_of_problems": round(float(np.mean(each)), 3), "n": int(rows.sum()),
        "recall": {name: round(float((said[truth == k] == k).mean()), 3) for k, name in enumerate(CLASSES)},
        "undetermined": round(float((said == 3).mean()), 3),
        "false_alarms_on_about_right": round(float(np.isin(said[truth == 1], (0, 2)).mean()), 3),
        "false_alarms_on_about_right_with_80_%": round(
            float((np.isin(said, (0, 2)) & (chances[rows].max(1) >= 0.8))[truth == 1].mean()), 3
        ),
        "confusion_rows_truth": confusion,
    }  # fmt: skip


def factor_score(logs: np.ndarray, chances: np.ndarray, data: object, rows: np.ndarray, widen: tuple) -> dict:
    """How often the factor is within 2x and 4x of runs within 30x of the best, and how often its interval holds."""
    return _factor_score(logs, chances, data.log_factor, rows, widen) | {
        f"against_the_single_best_{name}": value
        for name, value in _factor_score(logs, chances, data.log_of_top, rows, widen).items()
        if name.startswith("factor")
    }


def _factor_score(logs: np.ndarray, chances: np.ndarray, target: np.ndarray, rows: np.ndarray, widen: tuple) -> dict:
    rows = rows & (np.abs(target) < FAR)
    low, middle, high = logs[rows].T
    best, truth = chances[rows].argmax(1), target[rows]
    side = np.where((best == 0) & (middle > -NEAREST), -USUAL, middle)  # as `rate_model` tells it
    side = np.where((best == 2) & (middle < NEAREST), USUAL, side)
    side = np.clip(side, -FAR, FAR)
    lower, upper = np.minimum(low, middle) - widen[0], np.maximum(high, middle) + widen[1]
    inside = ((lower <= truth) | (lower < -FAR)) & ((upper >= truth) | (upper > FAR))
    error = np.abs(side - truth)
    return {
        "factor_within_2x": round(float((error <= np.log10(2)).mean()), 3),
        "factor_within_4x": round(float((error <= np.log10(4)).mean()), 3),
        "interval_holds": round(float(inside.mean()), 3),
        "interval_width_decades": round(float(np.median(upper - lower)), 2),
    }


def reliability(chances: np.ndarray, label: np.ndarray, rows: np.ndarray) -> list[dict]:
    """Of verdicts given with a confidence, how many held."""
    top, right = chances[rows].max(1), chances[rows].argmax(1) == label[rows]
    found = []
    for low, high in zip((0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95), (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01), strict=True):
        here = (top >= low) & (top < high)
        if here.any():
            said, held = round(float(top[here].mean()), 3), round(float(right[here].mean()), 3)
            found.append({"from": low, "to": min(high, 1.0), "n": int(here.sum()), "said": said, "held": held})
    return found


def per_problem(chances: np.ndarray, data: object, rows: np.ndarray) -> dict:
    """Rows of truth against columns of verdicts, one table a problem."""
    rows = rows & (data.label >= 0)
    said = chances.argmax(1)
    return {
        str(p): [
            [int((rows & (data.problem == p) & (data.label == a) & (said == b)).sum()) for b in range(3)]
            for a in range(3)
        ]
        for p in np.unique(data.problem)
    }
