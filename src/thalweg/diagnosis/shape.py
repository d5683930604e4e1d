"""The shape of one falling curve in numbers without units: how far, how fast, how straight, how roughly.

A loss and an error (1 - accuracy) are both curves that should fall, so both are described alike. Nothing here knows how
many epochs a run was meant to have, what an epoch is, or how large a loss should be: levels enter as logarithms of
ratios, times as shares of what is recorded. Noise is told from change by second differences (see `curve.py`).
"""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["LONGEST", "settled", "shape", "slope_of"]

Numbers = npt.NDArray[np.float64]

LONGEST = 256  # longer curves are averaged over equal stretches: their shape is wanted, not each value
_FLOOR = 1e-5
_CEILING = 1e8


def settled(values: Numbers) -> tuple[Numbers, float]:
    """Cut a curve where it stops being finite for good, fill the gaps before, and shorten it.

    Args:
        values: As recorded; nan or infinite where there was no number.

    Returns:
        The finite curve, at most `LONGEST` values, and how early it broke: 0 never, 1 from the first value on.

    Example:
        >>> settled(np.array([2.0, 1.0, np.nan, np.nan]))
        (array([2., 1.]), 0.5)
    """
    finite = np.isfinite(values)
    if not finite.any():
        return np.empty(0), 1.0 if len(values) else 0.0
    stop = len(values) - int(np.argmax(finite[::-1]))
    broken = 1.0 - stop / len(values)
    part, good = values[:stop], finite[:stop]
    if not good.all():
        places = np.arange(stop)
        part = np.interp(places, places[good], part[good])
    if len(part) > LONGEST:
        part = np.array([stretch.mean() for stretch in np.array_split(np.clip(part, -_CEILING, _CEILING), LONGEST)])
    return np.clip(part, -_CEILING, _CEILING), broken


def shape(values: Numbers, prefix: str) -> dict[str, float]:
    """Describe a curve that should fall.

    With y the finite values, y1 the first, ye the median of the last tenth (at least one), d the steps from value to
    value, all logarithms natural:

    - `broken`: 0 never, 1 when no value was finite; `points` = ln of the number of values;
    - `first` = ln y1, `end` = ln ye; `fall` = ln y1/ye, `best` = ln y1/min y;
    - `back` = ln ye/min y, `peak` = ln max y/y1;
    - `jump`, `drop`: largest rise and fall of ln y in one step after the first; `drop_at`: the latter's place, 0 to 1;
    - `start` = ln y1/y2: what the first epoch brought; `start_share`: the same as a share of y1 - min y;
    - `still`: share of steps below a thousandth of y; `rising`: share of steps upward;
    - `wander` = ln of the path's length over the net fall;
    - `rough` = ln of noise over range, `grain` = ln of noise over ye; `calm` = ln of late noise over early noise;
    - `half`: place (0 to 1) where half the fall is done; `convex`: mean height above the chord, in ranges;
    - `late`: fall of ln y over the last third by least squares, `late_share`: the same as a share of the whole fall;
    - `power_late`, `power_early`: -d ln y / d ln t over the last and first half: what as long again would bring;
    - `trend`: least-squares slope of the last half over its standard error; `echo`: correlation of successive steps;
    - `lowest`: place of the minimum.

    Args:
        values: A loss or an error, in order.
        prefix: Put before each name.

    Returns:
        Name -> number; what too short a curve cannot say is left out.

    Example:
        >>> found = shape(np.array([2.0, 1.0, 0.5, 0.25, 0.125]), "loss_")
        >>> round(found["loss_fall"], 3), found["loss_rising"]
        (2.773, 0.0)
    """
    y, broken = settled(values)
    found = {"broken": broken}
    if len(y):
        found |= _levels(y)
    if len(y) > 2:  # noqa: PLR2004 - a start and a course
        found |= _course(y)
    if len(y) > 3:  # noqa: PLR2004 - two second differences
        found |= _roughness(y)
    return {prefix + name: float(value) for name, value in found.items()}


def _log(value: float) -> float:
    return math.log(max(value, _FLOOR))


def _end(y: Numbers) -> float:
    return float(np.median(y[-max(1, len(y) // 10) :]))


def _levels(y: Numbers) -> dict[str, float]:
    first, end, low, high = _log(y[0]), _log(_end(y)), _log(y.min()), _log(y.max())
    return {
        "points": math.log(len(y)),
        "first": first,
        "end": end,
        "fall": first - end,
        "best": first - low,
        "back": end - low,
        "peak": high - first,
        "lowest": int(y.argmin()) / max(1, len(y) - 1),
    }


def _course(y: Numbers) -> dict[str, float]:
    n, logs = len(y), np.log(np.maximum(y, _FLOOR))
    d, dlog = np.diff(y), np.diff(logs)
    span = max(float(y.max() - y.min()), 1e-9)
    whole = max(y[0] - y.min(), 1e-9)
    chord = np.linspace(y[0], y[-1], n)
    t = np.log(np.arange(1, n + 1))
    third, half = max(3, -(-n // 3)), max(2, n // 2)
    late = slope_of(np.arange(float(third)), logs[-third:]) * (third - 1)
    return {
        "start": logs[0] - logs[1],
        "start_share": (y[0] - y[1]) / max(whole, 1e-3 * span),
        "jump": float(dlog[1:].max()),
        "drop": float(-dlog[1:].min()),
        "drop_at": (int(dlog[1:].argmin()) + 1) / (n - 1),
        "rising": float((d > 0).mean()),
        "wander": math.log(max(np.abs(d).sum(), 1e-9) / max(abs(y[0] - y[-1]), 1e-3 * np.abs(d).sum(), 1e-9)),
        "still": float((np.abs(dlog) < 1e-3).mean()),  # noqa: PLR2004 - a thousandth of its level
        "half": int(np.argmax(y <= (y[0] + y.min()) / 2)) / (n - 1),
        "convex": float((y - chord).mean() / span),
        "late": -late,
        "late_share": -late / max(logs[0] - logs.min(), 1e-3),
        "power_late": -slope_of(t[-half - 1 :], logs[-half - 1 :]),
        "power_early": -slope_of(t[: half + 1], logs[: half + 1]),
    }


def _roughness(y: Numbers) -> dict[str, float]:
    n = len(y)
    second = np.diff(y, 2)
    noise = max(float(np.sqrt(np.mean(second**2) / 6.0)), 1e-9)
    quiet = max(float(np.median(np.abs(second)) * 1.4826 / math.sqrt(6.0)), 1e-9)
    span, end = max(float(y.max() - y.min()), 1e-9), max(_end(y), _FLOOR)
    found = {"rough": math.log(noise / span), "grain": math.log(noise / end), "hush": math.log(quiet / end)}
    half = max(3, n // 2)
    x = np.arange(float(half))
    slope = slope_of(x, y[-half:])
    rest = y[-half:] - y[-half:].mean() - slope * (x - x.mean())
    error = math.sqrt(max(float(rest @ rest), 1e-12) / max(half - 2, 1)) / math.sqrt(float(((x - x.mean()) ** 2).sum()))
    found["trend"] = float(np.clip(slope / error, -50, 50))
    if n > 5:  # noqa: PLR2004 - noise of two stretches
        early, late = np.diff(y[: n - n // 3], 2), np.diff(y[-max(4, n // 3) :], 2)
        found["calm"] = 0.5 * math.log(max(float(np.mean(late**2)), 1e-16) / max(float(np.mean(early**2)), 1e-16))
        steps = np.diff(y)
        steps = steps - steps.mean()
        found["echo"] = float((steps[1:] @ steps[:-1]) / max(float(steps @ steps), 1e-12))
    return found


def slope_of(x: Numbers, y: Numbers) -> float:
    """The slope of the line through points, by least squares.

    Args:
        x: Where they are.
        y: How high they are.

    Returns:
        Units of `y` a unit of `x`; near 0 where all of `x` are equal.

    Example:
        >>> slope_of(np.arange(3.0), np.array([1.0, 3.0, 5.0]))
        2.0
    """
    centred = x - x.mean()
    return float(centred @ (y - y.mean()) / max(float(centred @ centred), 1e-12))
