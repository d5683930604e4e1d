"""From short trials made beside a run to named numbers: where its rate lies from theirs, and from a whole run's best.

A trial's best rate is no whole run's: over a longer run a smaller rate wins. How much smaller depends on how long the
run is and on how far trials came, by a line fitted on 166 problems (`benchmarks/sweeps/fit_trials.py`). Signals: each
trial is a subject (`trial 1`, ...) of `batch_trial_rate`, its peak rate, `batch_trial_level`, its loss at the end over
that at the start, and `batch_trial_steps`, its updates.
"""

import math

import numpy as np
import numpy.typing as npt

from thalweg.core.finding import Evidence
from thalweg.diagnosis.curve import Curve
from thalweg.diagnosis.live import Live
from thalweg.diagnosis.live_features import NORMALISING

__all__ = ["length_told", "lowest", "measure_trials", "place_told", "trial_evidence", "trials_of"]

Numbers = npt.NDArray[np.float64]

LINE = (1.25, -0.999, -0.605, 0.374, -0.623, 0.134)
"""Log10 of the best rate: constant, normalising, momentum, the trials' best, log10 of steps, trials' fall."""
_BROKE, _ENDED_ABOVE = 4.0, 1.5
_LOWEST, _HIGHEST, _FARTHEST = -3.0, 1.5, -2.0
"""What the line was fitted on: decimal logarithms of a trial's best rate, and of its loss over the start."""
_SHORTEST, _LONGEST = 30.0, 5_000.0
"""Updates of the runs that the line was fitted on; what is longer is taken to be as long."""
_FEW = 3


def trials_of(live: Live) -> tuple[Numbers, Numbers] | None:
    """Gather trials by rate.

    Args:
        live: What was measured.

    Returns:
        Decimal logarithms of the rates, and logarithms of the loss at the end over the start; None without a walk.
    """
    rates, levels = live.layers("batch_trial_rate"), live.layers("batch_trial_level")
    pairs = sorted(
        (math.log10(rates[key].first), math.log(min(_BROKE, levels[key].first)))
        for key in rates
        if key in levels and rates[key].first > 0 and levels[key].first > 0
    )
    if len(pairs) < _FEW:
        return None
    logs, losses = np.array(pairs).T
    return logs, losses


def lowest(logs: Numbers, losses: Numbers) -> float:
    """Find the lowest point of the parabola through the best trial and its neighbours.

    Args:
        logs: Decimal logarithms of the rates, rising.
        losses: Logarithms of what trials came to.

    Returns:
        A decimal logarithm of a rate.

    Example:
        >>> round(lowest(np.array([-2.0, -1.5, -1.0]), np.array([-0.5, -1.0, -0.75])), 2)
        -1.42
    """
    best = int(losses.argmin())
    if 0 < best < len(logs) - 1:
        low, middle, high = losses[best - 1 : best + 2]
        bend = low - 2 * middle + high
        if bend > 0:
            return float(logs[best] + 0.5 * (low - high) / bend * (logs[1] - logs[0]))
    return float(logs[best])


def length_told(steps: float) -> float:
    """Take the length of a run as the line knows it.

    Args:
        steps: Updates of the whole run.

    Returns:
        Its decimal logarithm, within what the line was fitted on.

    Example:
        >>> length_told(1000), round(length_told(1e6), 2)
        (3.0, 3.7)
    """
    return math.log10(min(max(steps, _SHORTEST), _LONGEST))


def place_told(logs: Numbers, losses: Numbers, *, optimizer: str, momentum: float, steps: float) -> list[float]:
    """Collect what the best rate of a whole run is told from, in the order of `LINE`.

    Args:
        logs: Decimal logarithms of the trials' rates.
        losses: Logarithms of what they came to.
        optimizer: Its class's name.
        momentum: Its momentum.
        steps: Updates of the whole run.

    Returns:
        Six numbers.
    """
    normalises = any(name in optimizer.lower() for name in NORMALISING)
    return [
        1.0,
        float(normalises),
        float(not normalises and momentum > 0),
        min(max(lowest(logs, losses), _LOWEST), _HIGHEST),
        length_told(steps),
        min(max(float(losses.min()), _FARTHEST), 0.0),
    ]


def measure_trials(
    live: Live, rate: float, steps: float, gone: float | None, line: tuple[float, ...] = LINE
) -> dict[str, float]:
    """Measure where a rate lies beside the trials.

    `try_rate`: log10(rate / the trials' best), `try_place`: log10(rate / the whole run's best as told from them);
    `try_gain`: ln of how far the best trial came; `try_here`, `try_up`, `try_down`: ln of how much higher trials end
    at the rate, at ten times and at a tenth of it; `try_edge`: log10(rate / lowest that broke); `try_behind`: ln of the
    loss of the run over that of the best trial.

    Args:
        live: What was measured.
        rate: The peak rate in use.
        steps: Updates of the whole run.
        gone: ln of the run's first over its last loss; None where it was not seen.
        line: How the best rate is told, see `LINE`.

    Returns:
        Name -> number; empty without trials.
    """
    trials = trials_of(live)
    if trials is None or rate <= 0:
        return {}
    logs, losses = trials
    at, least = math.log10(rate), float(losses.min())
    told = place_told(logs, losses, optimizer=live.facts.optimizer, momentum=live.facts.momentum, steps=steps)
    found = {
        "try_rate": at - lowest(logs, losses),
        "try_place": at - sum(a * b for a, b in zip(line, told, strict=True)),
        "try_gain": least,
        "try_here": float(np.interp(at, logs, losses)) - least,
        "try_up": float(np.interp(at + 1, logs, losses)) - least,
        "try_down": float(np.interp(at - 1, logs, losses)) - least,
    }
    broken = logs[losses > math.log(_ENDED_ABOVE)]
    if len(broken):
        found["try_edge"] = at - float(broken.min())
    if gone is not None:
        found["try_behind"] = -gone - least
    return found


def trial_evidence(live: Live, rate: float) -> tuple[Evidence, str] | None:
    """Say what trials showed.

    Args:
        live: What was measured.
        rate: The peak rate in use.

    Returns:
        The rate over the best trial's as evidence, and the trials in words; None without trials.
    """
    trials = trials_of(live)
    if trials is None:
        return None
    logs, losses = trials
    curve: Curve = next(iter(live.layers("batch_trial_rate").values()))
    steps = max((int(each.first) for each in live.layers("batch_trial_steps").values()), default=0)
    count, best = len(logs), 10 ** float(logs[int(losses.argmin())])
    words = f"of {count} trials of {steps} steps {best:.2g} went lowest"
    source = f"the rate in use over that of the best trial: {words}"
    return curve.evidence(float(f"{rate / best:.3g}"), None, source), words
