"""The course's twelve cells about Adam and SGD, held against what `lab optimizers` measured."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thalweg.core.lab import LabFinding
from thalweg.experiments.optimizer_runs import Measured
from thalweg.experiments.paired import Paired, paired, verdict

__all__ = ["ADAM", "PLAIN", "WITHIN", "Standings", "judge_table", "usable_width"]

ADAM, PLAIN = "Adam", ("SGD", "SGD with momentum")
WITHIN = 0.01
"""A rate is as good as the best within this share of right answers."""
_APART, _TOGETHER = 10.0, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """Everything that was measured.

    Args:
        tuned: Every optimizer at its own rate, a training a seed.
        widths: Decades of usable rates, a number a seed.
        drops: Accuracy lost by the worst change of one setting, a number a seed.
        variants: What was changed, by optimizer.
        sparse: Held-out loss on rare words at its own rate, a number a seed.
        saddles: Median steps away from a near saddle, of each optimizer; infinite where it stays.
        starts: How many starts near the saddle there were.
    """

    tuned: Mapping[str, Sequence[Measured]]
    widths: Mapping[str, Sequence[float]]
    drops: Mapping[str, Sequence[float]]
    variants: Mapping[str, Sequence[str]]
    sparse: Mapping[str, Sequence[float]]
    saddles: Mapping[str, Sequence[float]]
    starts: int

    def target(self) -> float:
        """The training loss that Adam, SGD and SGD with momentum all reach, seen from their means."""
        ends = [np.mean([run.losses[-1] for run in self.tuned[name]]) for name in (ADAM, *PLAIN)]
        return float(max(ends))

    def steps(self, name: str) -> list[float]:
        """Steps to the target, a number a seed; all steps where a training did not come so far."""
        target, found = self.target(), []
        for run in self.tuned[name]:
            below = np.flatnonzero(np.asarray(run.losses) <= target)
            found.append(float(below[0] + 1) if len(below) else float(len(run.losses)))
        return found

    def of(self, name: str, what: str) -> list[float]:
        """A number of every tuned training.

        Args:
            name: The optimizer.
            what: A field of `Measured` or of its last look.

        Returns:
            A number a seed.
        """
        return [
            float(getattr(run, what) if hasattr(run, what) else getattr(run.last, what)) for run in self.tuned[name]
        ]


def usable_width(rates: Sequence[float], accuracies: Sequence[float]) -> float:
    """How wide the range of rates around the best is that are within a point of it.

    Args:
        rates: In rising order.
        accuracies: Share of right answers of each.

    Returns:
        Decades, with the ends interpolated.

    Example:
        >>> usable_width((0.01, 0.1, 1.0), (0.78, 0.80, 0.78))
        1.0
    """
    best = int(np.argmax(accuracies))
    limit = accuracies[best] - WITHIN

    def reach(places: Sequence[int]) -> float:
        far, before = 0.0, best
        for place in places:
            gap = abs(math.log10(rates[place] / rates[before]))
            if accuracies[place] < limit:
                return far + gap * (accuracies[before] - limit) / (accuracies[before] - accuracies[place])
            far, before = far + gap, place
        return far

    return reach(range(best - 1, -1, -1)) + reach(range(best + 1, len(rates)))


def judge_table(found: Standings) -> tuple[LabFinding, ...]:
    """Judge the twelve cells.

    Args:
        found: What was measured.

    Returns:
        One finding a cell, Adam's first.
    """
    return (*_adam_good(found), *_adam_bad(found), *_sgd_good(found), *_sgd_bad(found))


def _both(numbers: Mapping[str, Sequence[float]], *, log: bool = False) -> dict[str, Paired]:
    """Adam less each of SGD's kinds."""

    def ready(name: str) -> list[float]:
        return [math.log(max(1e-12, number)) if log else number for number in numbers[name]]

    return {name: paired(ready(ADAM), ready(name)) for name in PLAIN}


def _numbers(found: Standings, what: str) -> dict[str, list[float]]:
    return {name: found.of(name, what) for name in (ADAM, *PLAIN)}


def _against(differences: Mapping[str, Paired], *, times: bool = False, unit: str = "", factor: float = 1.0) -> str:
    return "; ".join(
        f"against {name} {each.times() if times else each.said(unit=unit, factor=factor)}"
        for name, each in differences.items()
    )


def _adam_good(found: Standings) -> tuple[LabFinding, ...]:
    spread, turning = found.of(ADAM, "spread"), _both(_numbers(found, "alignment"))
    sparse = _both(found.sparse, log=True)
    return (
        LabFinding(
            claim="Adam adapts the rate of every parameter",
            verdict="supported" if min(spread) > _APART else "contradicted",
            observed=f"at the end the rates of single weights lie {min(spread):.0f} to {max(spread):.0f} times apart "
            f"(90th over 10th percentile, {len(spread)} seeds); SGD has one",
            fails="that rates differ is not yet a gain: whether it helps, the rows below say",
        ),
        LabFinding(
            claim="Adam has momentum built in",
            verdict=verdict(turning["SGD"].sign(beyond=_TOGETHER)),
            observed=f"cosine between successive updates {_mean(found.of(ADAM, 'alignment')):.2f}, of SGD "
            f"{_mean(found.of('SGD', 'alignment')):.2f}, of SGD with momentum "
            f"{_mean(found.of(PLAIN[1], 'alignment')):.2f}; against SGD {turning['SGD'].said(digits=2)}",
            fails="SGD with momentum has it as well",
        ),
        LabFinding(
            claim="Adam copes with sparse gradients",
            verdict=verdict(*(-each.sign() for each in sparse.values())),
            observed="held-out loss on texts of rare words, each at its own rate: " + _against(sparse, times=True),
            fails="a linear classifier of 300 words; supported wants it better than both kinds of SGD",
        ),
    )


def _adam_bad(found: Standings) -> tuple[LabFinding, ...]:
    runs, drops = found.tuned[ADAM], _both(found.drops)
    momentum = drops[PLAIN[1]]
    sharp = _both(_numbers(found, "sharpness"), log=True)
    losses = ", ".join(f"{name} {_mean(found.of(name, 'train_loss')):.3f}" for name in (ADAM, *PLAIN))
    return (
        LabFinding(
            claim="Adam needs extra state and memory",
            verdict="supported" if runs[0].kept > 0 else "contradicted",
            observed=f"{runs[0].kept:,} bytes (predicted {runs[0].predicted:,}); SGD "
            f"{found.tuned['SGD'][0].kept:,}, SGD with momentum {found.tuned[PLAIN[1]][0].kept:,}",
            fails="weights, gradients and what backpropagation keeps come on top for all of them",
        ),
        LabFinding(
            claim="Adam is sensitive to its hyper-parameters",
            verdict=verdict(momentum.sign()),
            observed=f"the worst change of one setting ({'; '.join(found.variants[ADAM])}) costs Adam "
            f"{100 * _mean(found.drops[ADAM]):.1f} points, SGD with momentum ({'; '.join(found.variants[PLAIN[1]])}) "
            f"{100 * _mean(found.drops[PLAIN[1]]):.1f}: {momentum.said(factor=100, unit=' points')}",
            fails="settings near the usual ones, one at a time, at the rate tuned for the usual ones",
        ),
        LabFinding(
            claim="Adam converges to sharp minima",
            verdict=verdict(*(each.sign() for each in sharp.values())),
            observed="largest eigenvalue of the Hessian of the training loss at the end: "
            + _against(sharp, times=True),
            fails=f"no minimum is reached in so many steps, and curvature depends on the loss (training loss {losses})",
        ),
    )


def _sgd_good(found: Standings) -> tuple[LabFinding, ...]:
    right = _both(_numbers(found, "test_accuracy"))
    gaps = {name: [run.last.train_accuracy - run.last.test_accuracy for run in found.tuned[name]]
            for name in (ADAM, *PLAIN)}  # fmt: skip
    wide = _both(gaps)
    seconds = {name: 1e6 * min(found.of(name, "update_seconds")) for name in (ADAM, "SGD")}
    bytes_of = {name: found.tuned[name][0].kept for name in (ADAM, *PLAIN)}
    return (
        LabFinding(
            claim="SGD needs less memory",
            verdict=verdict(*(1 if bytes_of[name] < bytes_of[ADAM] else -1 for name in PLAIN)),
            observed=", ".join(f"{name} {count:,} bytes of state" for name, count in bytes_of.items()),
            fails="momentum costs half of Adam's",
        ),
        LabFinding(
            claim="SGD is simple",
            verdict=verdict(1 if seconds["SGD"] < seconds[ADAM] else -1),
            observed=f"one setting (the rate) against four, no state; its update takes {seconds['SGD']:.0f} us, "
            f"Adam's {seconds[ADAM]:.0f} us (least of several)",
            fails=f"a whole step takes {1e6 * min(found.of('SGD', 'seconds')):,.0f} us and "
            f"{1e6 * min(found.of(ADAM, 'seconds')):,.0f} us: beside forward and backward pass it hardly counts",
        ),
        LabFinding(
            claim="SGD generalises better",
            verdict=verdict(*(-each.sign() for each in right.values())),
            observed="Adam's held-out accuracy " + _against(right, factor=100, unit=" points")
            + "; its gap between training and held-out "
            + _against(wide, factor=100, unit=" points"),
            fails="the same number of steps for all: who learns faster is farther into the gap",
        ),
    )  # fmt: skip


def _sgd_bad(found: Standings) -> tuple[LabFinding, ...]:
    steps = {name: found.steps(name) for name in (ADAM, *PLAIN)}
    speed = _both(steps, log=True)
    width = _both(found.widths)
    stuck = {name: sum(math.isinf(each) for each in taken) for name, taken in found.saddles.items()}
    stays = [stuck["SGD"] > found.starts / 2, stuck[ADAM] < found.starts / 2]
    return (
        LabFinding(
            claim="SGD converges more slowly",
            verdict=verdict(*(-each.sign() for each in speed.values())),
            observed=f"Adam's steps to a training loss of {found.target():.3f}: " + _against(speed, times=True),
            fails="steps, each optimizer at the rate that is best after all of them",
        ),
        LabFinding(
            claim="SGD is sensitive to the rate",
            verdict=verdict(*(each.sign() for each in width.values())),
            observed="rates within a point of the best span "
            + ", ".join(f"{_mean(found.widths[name]):.1f} decades ({name})" for name in (ADAM, *PLAIN))
            + "; Adam's range "
            + _against(width, unit=" decades"),
            fails="a grid of half decades, and a point is little where few samples are held out",
        ),
        LabFinding(
            claim="SGD gets stuck at saddles",
            verdict="supported" if all(stays) else "contradicted" if not stuck["SGD"] else "undecided",
            observed=f"of {found.starts} starts near the saddle of identical units "
            + ", ".join(f"{name} stays at {count}" for name, count in stuck.items()),
            fails="exactly on it all of them stay: thalweg lab saddle tells more",
        ),
    )


def _mean(numbers: Sequence[float]) -> float:
    known = [number for number in numbers if math.isfinite(number)]
    return sum(known) / len(known) if known else math.nan
