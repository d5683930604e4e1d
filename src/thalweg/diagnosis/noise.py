"""Full batch or mini batches: whether the loss of single steps follows a law or carries the noise of sampling.

Every mini batch is another sample, so its loss scatters around the course at random. Descent on the whole data set is a
deterministic map: it may fall smoothly or, at the edge of stability (Cohen et al. 2021, "Gradient descent on neural
networks typically occurs at the edge of stability") and beyond it, jump up and down in chaos, but what comes next
follows from what came before. So the question is not whether the curve is smooth, but what each must do:

- independent scatter turns round in two of three steps whatever its distribution (Bienayme 1874), its steps correlate
  by -1/2 with the next and not with the one after, it looks the same read backwards, and is there from the first step;
- a map is thrown up over several steps, a deviation growing by a constant factor each, and comes back over several, or
  swings in twos; read backwards it looks different; it begins smoothly, has calm stretches, and is foreseen there.
"""

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import numpy.typing as npt

from thalweg.core.finding import Evidence
from thalweg.core.history import RunHistory
from thalweg.diagnosis.boosted import Trees

__all__ = ["BatchNoise", "judge", "measure_noise"]

Numbers = npt.NDArray[np.float64]

_WINDOW = 16
_LEAST = 10
_FIRST = 1000
_AROUND = 15
"""Steps whose size is taken for the scale of the one in their middle, and whose mean for its trend."""
_DULL = 2e-4
"""A step smaller than this share of the loss is none: logs have four digits."""
_DECIMALS = range(2, 8)
_STRETCH = 12
_LOWEST, _HIGHEST, _OUTSIDE = 1e-6, 1e8, 0.95
_STILL, _QUIET = 0.85, 0.95
"""A curve of which more stands still carries no noise: of 162 such curves of the sweeps, 161 were full batch."""
_STEPS, _EPOCHS = 0.6, 0.9
"""How probable a kind must be to be said; averages, and every so many steps, hide what goes on from step to step."""
_LEAST_EPOCHS, _UNFORESEEN = 20, 0.05
"""An average over many batches is smooth, too, but what is left of their scatter no recurrence foresees. Of 925 runs of
the sweeps in mini batches (every third), 287 looked like full batch by their epochs; 3 do whose epochs a recurrence
foresees but for a twentieth of a step, all three of fewer than 40 epochs. Of 1,260 runs on the whole data set, read as
epochs, a fifth to a quarter is still seen: the rest cannot be told."""
_ABOVE = "19 of 20 mini-batch curves of the sweeps lie above"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchNoise:
    """What the scatter of a loss curve says about the batches.

    Args:
        kind: `full_batch_like`, `mini_batch_like`, or empty where it cannot be told.
        probability: Of full-batch descent.
        level: Scatter from value to value over the loss itself, as a share.
        turns: Share of steps that reverse the one before.
        evidence: The numbers behind it.
    """

    kind: Literal["full_batch_like", "mini_batch_like", ""]
    probability: float
    level: float
    turns: float = 0.0
    evidence: tuple[Evidence, ...] = ()


def measure_noise(values: Numbers) -> dict[str, float]:
    """Measure how random a curve is, by its first thousand values.

    With l = ln loss and its steps d[t] = l[t] - l[t-1], where a step that rounding may have made counts as none, and
    with e[t] the steps off the mean of the 15 around them and divided by their size:

    - `turns`: share of steps that reverse the one before; `first`: the same in the first ten, `turns_low`: its lowest
      tenth over stretches of 12; `bends`: share of second differences that reverse the one before;
    - `climbs`, `slides`: share of rises that follow a rise, and of falls that follow a fall;
      `still`: share of steps that are none;
    - `echo`: correlation of e with the next; `swing`: highest fifth, over stretches of 12, of the mean e[t] e[t-2];
    - `lean`: mean e[t]^2 e[t-1] - e[t] e[t-1]^2 in units of the spread cubed; zero for what looks the same read
      backwards (Ramsey and Rothman 1996, "Time irreversibility and business cycle asymmetry");
    - `peaks`: skewness of l off the mean of the 15 around it; `middle`: median size of e over its root mean square;
    - `unforeseen`: lower quartile, over windows of 16 values, of ln(residual of a recurrence
      l[t] = a l[t-1] + b l[t-2] + c l[t-3] + d over the spread of the steps);
    - `unmapped`: ln of what a quadratic map of the last steps does not foresee on sixths of the curve left out
      (Casdagli 1992, "Chaos and deterministic versus stochastic nonlinear modelling");
    - `scatter`: ln of the scatter by second differences; `early`: the same in the first ten values, less `scatter`;
      `calm`: the same in the calmest twentieth of stretches of seven values.

    Args:
        values: Losses of single steps.

    Returns:
        Name -> number; empty for fewer than ten finite values, or where hardly any is above zero.

    Example:
        >>> found = measure_noise(2.0 * 0.95 ** np.arange(50))
        >>> found["turns"], round(found["slides"], 2)
        (0.0, 1.0)
    """
    loss = _finite(values[:_FIRST])
    if len(loss) < _LEAST or float(((loss <= _LOWEST) | (loss >= _HIGHEST)).mean()) > _OUTSIDE:
        return {}
    unit = _rounding(loss)
    dull = _DULL + unit / max(unit, float(np.median(loss)), 1e-9)
    logs = np.log(loss)
    steps = np.diff(logs)
    second = np.abs(np.diff(steps)) / math.sqrt(6.0)
    floor = dull / 6  # of second differences, in standard deviations
    scatter = math.log(1.4826 * float(np.median(second)) + floor)
    quiet = np.sqrt(np.convolve(second**2, np.ones(5) / 5, "valid"))
    level = steps - _around(steps)
    level /= np.sqrt(_around(level**2)) + dull
    size = np.abs(steps)
    real = steps[size > dull / 2]
    both = np.minimum(size[1:], size[:-1]) > dull / 2
    same = steps[1:] * steps[:-1] > 0
    turned = (~same & both).astype(np.float64)
    bent = np.diff(steps)
    return {
        "turns": float((real[1:] * real[:-1] < 0).mean()) if len(real) > 2 else 0.0,  # noqa: PLR2004 - no step to turn
        "first": float(turned[:10].mean()),
        "turns_low": float(np.quantile(_stretches(turned), 0.1)),
        "bends": float((bent[1:] * bent[:-1] < 0).mean()),
        "climbs": float((same & (size[1:] > dull) & (size[:-1] > dull) & (steps[1:] > 0)).mean()),
        "slides": float((same & (size[1:] > dull) & (size[:-1] > dull) & (steps[1:] < 0)).mean()),
        "still": 1.0 - len(real) / len(steps),
        "echo": _correlation(level[1:], level[:-1]),
        "swing": float(np.quantile(_stretches(level[2:] * level[:-2]), 0.8)),
        "lean": float((level[1:] * level[:-1] * (level[1:] - level[:-1])).mean() / ((level**2).mean() ** 1.5 + 1e-9)),
        "peaks": _skewness(logs - _around(logs)),
        "middle": float(np.median(np.abs(level)) / (math.sqrt(float((level**2).mean())) + 1e-9)),
        "unforeseen": _unforeseen(logs, dull),
        "unmapped": _unmapped(logs, dull),
        "scatter": scatter,
        "early": math.log(float(np.median(second[:8])) + floor) - scatter,
        "calm": math.log(float(np.quantile(quiet, 0.05)) + floor),
    }


def _finite(values: Numbers) -> Numbers:
    """Up to the last finite value, gaps filled, each value as it was: an average would mix what follows by a law."""
    finite = np.isfinite(values)
    if not finite.any():
        return np.empty(0)
    stop = len(values) - int(np.argmax(finite[::-1]))
    places = np.arange(stop)
    filled = np.interp(places, places[finite[:stop]], values[:stop][finite[:stop]])
    return np.clip(filled, _LOWEST, _HIGHEST)


def _rounding(values: Numbers) -> float:
    """Unit of the last decimal, where all values have at most seven; else 0."""
    for decimals in _DECIMALS:
        if float(np.abs(values - np.round(values, decimals)).max()) < 1e-9:  # noqa: PLR2004 - binary fractions
            return float(10.0**-decimals)
    return 0.0


def _around(values: Numbers) -> Numbers:
    """Mean of the values around each; fewer at the ends."""
    window = np.ones(min(_AROUND, len(values)))
    return np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")


def _stretches(values: Numbers) -> Numbers:
    """Mean of every stretch of twelve."""
    length = min(_STRETCH, len(values))
    return np.convolve(values, np.ones(length) / length, "valid")


def _skewness(values: Numbers) -> float:
    return float((values**3).mean() / ((values**2).mean() ** 1.5 + 1e-9))


def _correlation(one: Numbers, other: Numbers) -> float:
    size = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / size if size > 0 else 0.0


def _unforeseen(logs: Numbers, dull: float) -> float:
    size, found = min(_WINDOW, len(logs)), []
    for at in range(0, len(logs) - size + 1, max(1, size // 2)):
        part = logs[at : at + size]
        known = np.stack([part[2:-1], part[1:-2], part[:-3], np.ones(size - 3)], axis=1)
        rest = part[3:] - known @ np.linalg.lstsq(known, part[3:], rcond=None)[0]
        residual = math.sqrt(float(rest @ rest) / max(1, size - 7))
        found.append(math.log((residual + dull / 6) / (float(np.diff(part).std()) + dull / 2)))
    return float(np.quantile(found, 0.25))


def _unmapped(logs: Numbers, dull: float) -> float:
    steps = np.diff(logs)
    if len(steps) < 2 * _LEAST:
        return 0.0
    size = np.sqrt(_around(steps**2)) + dull
    even, at = steps / size, np.arange(4, len(steps))
    sums = np.concatenate([np.zeros(1), np.cumsum(logs)])
    begin = np.maximum(0, at - 7)
    height = (logs[at] - (sums[at + 1] - sums[begin]) / (at + 1 - begin)) / size[at]  # over the last eight values
    one, two = even[at - 1], even[at - 2]
    known = np.stack(
        [one, two, even[at - 3], even[at - 4], np.ones(len(at)), height, one**2, one * two, two**2, height**2,
         height * one, np.abs(one), np.abs(height)], axis=1
    )  # fmt: skip
    wanted, rest = even[at], np.empty(len(at))
    part = np.arange(len(at)) * 6 // len(at)
    for out in (part == number for number in range(6)):
        inner = known[~out]
        solution = np.linalg.solve(inner.T @ inner + np.eye(known.shape[1]), inner.T @ wanted[~out])
        rest[out] = wanted[out] - known[out] @ solution
    return math.log((math.sqrt(float((rest**2).mean())) + 0.01) / (float(wanted.std()) + 0.02))


@cache
def _model() -> tuple[tuple[str, ...], Trees]:
    entry = json.loads(files("thalweg.diagnosis").joinpath("noise_model.json").read_text(encoding="utf-8"))
    return tuple(entry["features"]), Trees.read(entry["start"], entry["trees"])


def _chance(found: dict[str, float]) -> float:
    """Probability of full-batch descent."""
    names, trees = _model()
    chance = 1.0 / (1.0 + math.exp(-trees.sum(np.array([found[name] for name in names]))))
    return max(chance, _QUIET) if found["still"] > _STILL else chance


def judge(history: RunHistory) -> BatchNoise:
    """Tell full-batch descent from mini batches.

    Args:
        history: A run; its batch losses are looked at, else its training loss.

    Returns:
        The kind, its probability and the level of the noise. No kind where the curve does not tell; for a curve of
        epochs only a clear case is said, since an average over many batches is smooth, too: full batch only for 20
        values or more of which a recurrence foresees all but a twentieth of a step.

    Example:
        >>> from thalweg.core.signal import Signal
        >>> loss = tuple(float(v) for v in 2.0 * 0.95 ** np.arange(50))
        >>> signal = Signal(name="batch_loss", unit="nats", steps=tuple(range(1, 51)), values=loss)
        >>> judge(RunHistory(signals=(signal,))).kind
        'full_batch_like'
    """
    signal = history.signal("batch_loss") or history.signal("train_loss")
    if signal is None:
        return BatchNoise(kind="", probability=0.5, level=0.0)
    found = measure_noise(np.asarray(signal.values, dtype=np.float64))
    if not found:
        return BatchNoise(kind="", probability=0.5, level=0.0)
    chance = _chance(found)
    stepwise = signal.name == "batch_loss"
    every = stepwise and float(np.median(np.diff(signal.steps))) <= 1
    sure = _STEPS if every else _EPOCHS
    window = f"{'steps' if stepwise else 'epochs'} {signal.steps[0]}-{signal.steps[-1]}"
    evidence = (
        Evidence(signal=signal.name, window=window, observed=round(found["turns"], 3), threshold=0.53,
                 source=f"share of steps that reverse the one before; independent noise has two thirds; {_ABOVE}"),
        Evidence(signal=signal.name, window=window, observed=round(found["turns_low"], 3), threshold=0.33,
                 source=f"the same in the calmest tenth of stretches of twelve; {_ABOVE}"),
        Evidence(signal=signal.name, window=window, observed=round(math.exp(found["unforeseen"]), 3), threshold=0.49,
                 source=f"part of a step that a linear recurrence of the last three values does not foresee; {_ABOVE}"),
    )  # fmt: skip
    kind: Literal["full_batch_like", "mini_batch_like", ""] = ""
    law = stepwise or (len(signal.values) >= _LEAST_EPOCHS and found["unforeseen"] < math.log(_UNFORESEEN))
    if (chance > sure and law) or chance < 1 - sure:
        kind = "full_batch_like" if chance > sure else "mini_batch_like"
    level, turns = math.exp(found["scatter"]), found["turns"]
    return BatchNoise(kind=kind, probability=chance, level=level, turns=turns, evidence=evidence)
