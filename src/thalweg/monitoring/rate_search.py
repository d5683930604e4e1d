"""Which learning rate? A walk over trials from a usual one to the best of them, and the correction of their bias.

The walk needs no bracket: it starts where optimizers of this kind usually do best in trials, goes downhill in steps of
half a decade, and ends when the best trial has a worse one on either side. A parabola through these three gives the
place in between. Over a whole run a smaller rate is best than over a few dozen updates, by a factor that hardly depends
on the problem: `SHORT_HORIZON` was measured on problems of which none is judged (docs/decisions/0008). What that leaves
is as uncertain as the one rate that usually serves whole runs, and errs elsewhere, so the answer lies half-way between
the two on the scale of logarithms; where they are more than a decade apart the problem is no usual one, and the trials
alone are believed (docs/decisions/0047). The user's rate takes no part: with 1e-6 as with 1e+2 the answer is the same.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from thalweg.monitoring.trials import Trial

__all__ = ["MOST", "Chosen", "is_normalising", "search_rate", "trial_steps", "usual_rate"]

STRIDE = math.sqrt(10.0)
"""Neighbouring trials differ by this factor."""

SHORT_HORIZON = {"plain": 10**-0.9, "normalising": 10**-0.6}
"""Rate of a run over best rate of its trials, for optimizers that follow the gradient's size or normalise it.

Above the best rate there is often a cliff, below it a slope: these factors lie on the safe side of the best mean.
"""

_USUAL = {"plain": 10**-0.5, "normalising": 10**-1.5}
WHOLE_RUN = {"plain": 0.1, "normalising": 0.01}
"""What usually serves whole runs of small networks from initial weights: with momentum 0.9, and of Adam and its kin."""
_FAR = 10.0  # times: farther from that the problem is no usual one
_NORMALISING = {"Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop", "Adagrad", "Lion", "SparseAdam", "Rprop"}
MOST = 7
"""Trials of a search, at most."""
_STILL = 1e-2  # relative distance below which a trial without gain went too slowly rather than too fast
_SAME = 0.01
_BREAK = 1.5
_BROKEN = 4.0  # times the start: what a broken trial counts as


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A learning rate and what it rests on.

    Args:
        rate: The rate to use as the peak.
        edge: Lowest rate whose trial broke or ended above its start; None where none did.
        trials: The trials, in the order they were made.
        spent: What they cost, in updates.
        usual: The rate that usually serves, where it has a share in the answer.
    """

    rate: float
    edge: float | None
    trials: tuple[Trial, ...]
    spent: float
    usual: float | None = None

    @property
    def message(self) -> str:
        """The finding in a sentence."""
        return f"learning rate {self.rate:.2g}: {self.reason}"

    @property
    def reason(self) -> str:
        """What the rate rests on."""
        if not self.trials:
            return "it was given"
        best = min(self.trials, key=lambda trial: trial.loss)
        edge = "" if self.edge is None else f", training breaks at {self.edge:.2g}"
        usual = "" if self.usual is None else f"; half-way from there to the usual {self.usual:.2g}"
        return (
            f"of {len(self.trials)} trials of {best.steps} steps "
            f"{best.rate:.2g} went lowest ({best.loss:.3g} from {best.start:.3g}){edge}{usual}"
        )

    @property
    def learned(self) -> bool:
        """Whether any trial lowered the loss clearly."""
        return any(trial.loss < (1 - 5 * _SAME) * trial.start for trial in self.trials)


def is_normalising(optimizer: torch.optim.Optimizer) -> bool:
    """Whether the size of its updates does not follow the gradient's.

    Args:
        optimizer: Any.

    Returns:
        True for Adam and its kin.
    """
    return any(kind.__name__ in _NORMALISING for kind in type(optimizer).__mro__)


def usual_rate(optimizer: torch.optim.Optimizer) -> float:
    """Where trials of this kind of optimizer usually do best; only where the walk starts.

    Args:
        optimizer: Any; momentum b of plain kinds makes steps 1 / (1 - b) as long.

    Returns:
        A rate.

    Example:
        >>> weights = [torch.zeros(1, requires_grad=True)]
        >>> [round(usual_rate(torch.optim.SGD(weights, lr=1.0, momentum=b)), 2) for b in (0.0, 0.9)]
        [3.16, 0.32]
    """
    if is_normalising(optimizer):
        return _USUAL["normalising"]
    return _USUAL["plain"] * (1 - float(optimizer.param_groups[0].get("momentum", 0.0))) / 0.1


def trial_steps(steps: int | None) -> int:
    """Length of a trial: 3 % of the run, within what was measured to work.

    Args:
        steps: Updates of the run, where known.

    Returns:
        Updates of a trial.

    Example:
        >>> trial_steps(1000), trial_steps(200), trial_steps(None), trial_steps(50_000)
        (30, 10, 30, 60)
    """
    return 30 if steps is None else max(10, min(60, round(0.03 * steps)))


def search_rate(
    attempt: Callable[[float], Trial],
    optimizer: torch.optim.Optimizer,
    *,
    most: int = MOST,
    known: tuple[Trial, ...] = (),
    usual: float | None = None,
    fresh: bool = True,
) -> Chosen:
    """Walk to the best trial and correct it for the short horizon.

    Args:
        attempt: Makes a trial of a rate.
        optimizer: Decides where the walk starts and which correction holds.
        most: Trials at most.
        known: Trials made before, at rates of the walk's own grid.
        usual: Best rate of whole runs of this network, where it is known: the walk starts at the trial's for it, and
            whoever knows it weighs it against the answer.
        fresh: Whether this is a small network with initial weights; otherwise what usually serves these has no share in
            the answer.

    Returns:
        The rate.
    """
    kind = "normalising" if is_normalising(optimizer) else "plain"
    shift = SHORT_HORIZON[kind]
    centre = usual_rate(optimizer) if usual is None else usual / shift
    made: dict[int, Trial] = {}
    for trial in known:
        made[round(math.log(trial.rate / centre, STRIDE))] = trial
    place: int | None = 0
    while place is not None and len(made) < most:
        if place not in made:
            made[place] = attempt(centre * STRIDE**place)
        place = _next(made)
    best = min(made, key=lambda each: (made[each].loss, each))
    rate = centre * STRIDE ** _vertex(made, best) * shift
    serves = WHOLE_RUN[kind] * usual_rate(optimizer) / _USUAL[kind]
    edge = min((each.rate for each in made.values() if each.loss > _BREAK * each.start), default=None)
    shared = usual is None and fresh and 1 / _FAR < rate / serves < _FAR and (edge is None or serves < edge)
    return Chosen(
        rate=math.sqrt(rate * serves) if shared else rate,
        usual=serves if shared else None,
        edge=edge,
        trials=tuple(made.values()),
        spent=sum(each.steps for each in made.values()),
    )


def _next(made: dict[int, Trial]) -> int | None:
    """Where to try next: beside the best trial, downhill; None when it has a neighbour on either side."""
    best = min(made, key=lambda each: (made[each].loss, each))
    flat = all(
        not math.isfinite(each.loss) or abs(each.loss - made[best].loss) <= _SAME * abs(made[best].loss)
        for each in made.values()
    )
    if flat and len(made) > 1:  # nothing learned anywhere: too slow everywhere, or broken everywhere
        slow = all(each.moved < _STILL for each in made.values())
        return max(made) + 2 if slow else min(made) - 2
    up, down = best + 1, best - 1
    wanted = [each for each in (down, up) if each not in made]
    if len(wanted) == 2 and made[best].moved < _STILL:  # noqa: PLR2004 - both sides are open
        return up
    return wanted[0] if wanted else None


def _vertex(made: dict[int, Trial], best: int) -> float:
    """Lowest point of the parabola through the best trial and its neighbours, in logarithms of rate and loss."""
    if not {best - 1, best + 1} <= set(made) or not 0 < made[best].loss < math.inf:
        return float(best)
    worst = _BROKEN * max(made[best].start, made[best].loss)
    low, middle, high = (math.log(min(made[each].loss, worst)) for each in (best - 1, best, best + 1))
    bend = low - 2 * middle + high
    return best + (0.5 * (low - high) / bend if bend > 0 else 0.0)
