"""What an epoch is in a log: recorded, or the round from one evaluation to the next, or the points themselves."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thalweg.histories.recording import Curve, Floats, Recording
from thalweg.histories.roles import Roles

__all__ = ["Axis", "find_axis"]

LONGEST_BY_EPOCH = 500
"""A training loss logged at every step, alone, is by epoch up to so many points, and by batch beyond."""

_JUST = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """How the points of a log are counted in epochs.

    Args:
        kind: `epochs` as recorded, `rounds` between evaluations, `points` one after another, `none` for batches alone.
        first: What the log calls its first epoch; 1 for elapsed epochs.
        elapsed: Epochs are fractions that have passed.
        by_step: Bounds of rounds are steps, else elapsed epochs.
        bounds: Where each round ends.
        numbers: The epochs of the rounds, counted from 1.
        notes: What was guessed.
    """

    kind: str
    first: float = 1.0
    elapsed: bool = False
    by_step: bool = True
    bounds: Floats | None = None
    numbers: npt.NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()

    def epochs(self, curve: Curve) -> npt.NDArray[np.int64]:
        """Count a curve's points in epochs.

        Args:
            curve: The curve.

        Returns:
            An epoch from 1 for each point; 0 for a point before the first step of training.
        """
        if self.kind == "epochs" and curve.epochs is not None:
            counted = np.ceil(curve.epochs - _JUST) if self.elapsed else np.floor(curve.epochs) + 1 - self.first
            return counted.astype(np.int64)
        where = curve.steps if self.by_step else curve.epochs
        if self.bounds is not None and self.numbers is not None and where is not None:
            place = np.searchsorted(self.bounds, where - _JUST)
            beyond = self.numbers[-1] + 1 if len(self.numbers) else 1
            return np.append(self.numbers, beyond)[np.minimum(place, len(self.numbers))]
        if where is not None and len(where):
            return regular(where)
        return np.arange(1, len(curve.values) + 1, dtype=np.int64)


def find_axis(recording: Recording, roles: Roles) -> Axis:
    """Decide what an epoch is.

    Args:
        recording: The run as read.
        roles: Its curves by role.

    Returns:
        How to count.
    """
    held_out = [curve for name, curve in roles.known.items() if name.startswith("val_") and len(curve.values)]
    trained = [curve for name, curve in roles.known.items() if name.startswith("train_") and len(curve.values)]
    main = held_out + trained
    if main and all(curve.epochs is not None for curve in main):
        axis = _recorded(recording, main)
        crowded = [curve for curve in held_out if len(set(axis.epochs(curve).tolist())) < len(curve.values)]
        if not crowded:
            return axis
        by_step = all(curve.steps is not None for curve in main)
        if by_step or axis.elapsed:
            return _rounds(crowded, by_step=by_step, within=True)
        return axis
    if held_out and all(curve.steps is not None for curve in main):
        return _rounds(held_out, by_step=True)
    if trained and all(curve.steps is not None for curve in trained):
        return _alone(trained)
    return Axis(kind="points") if main else Axis(kind="none")


def _recorded(recording: Recording, main: list[Curve]) -> Axis:
    """The epochs that the log itself counts."""
    broken = any(np.any(each.epochs != np.floor(each.epochs)) for each in recording.curves if each.epochs is not None)
    if recording.elapsed or broken:
        return Axis(kind="epochs", elapsed=True)
    least = min(float(curve.epochs.min()) for curve in main if curve.epochs is not None)
    first = float(recording.first_epoch) if recording.first_epoch is not None else min(1.0, least)
    return Axis(kind="epochs", first=min(first, least))


def _rounds(held_out: list[Curve], *, by_step: bool, within: bool = False) -> Axis:
    """Each evaluation ends an epoch."""
    longest = max(held_out, key=lambda curve: len(curve.values))
    where = longest.steps if by_step else longest.epochs
    bounds = np.unique(where if where is not None else np.zeros(0))
    unit = "steps" if by_step else "epochs"
    counted = regular(bounds)
    plain = by_step and bounds[0] in {0.0, 1.0} and np.array_equal(bounds, counted - 1 + bounds[0])
    reason = "there are several evaluations in an epoch" if within else "the log counts steps, not epochs"
    span = f"{len(bounds):,} in all ({unit} {_shown(bounds)})"
    told = f"{reason}: counted from one evaluation to the next, {span}"
    notes = () if plain and not within else (told,)
    return Axis(kind="rounds", by_step=by_step, bounds=bounds, numbers=counted, notes=notes)


def _alone(trained: list[Curve]) -> Axis:
    """A training curve without evaluations, by step: few points one after another are epochs, others batches."""
    longest = max(trained, key=lambda curve: len(curve.values))
    steps = np.unique(longest.steps if longest.steps is not None else np.zeros(0))
    consecutive = steps[0] in {0.0, 1.0} and _one_by_one(steps)
    if consecutive and len(steps) <= LONGEST_BY_EPOCH:
        return Axis(
            kind="points",
            notes=(f"the log counts steps, one a point ({_shown(steps)}) and few: taken as epochs",),
        )
    return Axis(
        kind="none",
        notes=(f"the log counts steps ({_shown(steps)}) and has no evaluations: its losses are those of batches",),
    )


def regular(where: Floats) -> npt.NDArray[np.int64]:
    """Number points from 1, leaving out numbers where an even spacing has gaps.

    Args:
        where: Increasing steps.

    Returns:
        Their numbers.

    Example:
        >>> regular(np.array([0.0, 1.0, 2.0, 5.0])), regular(np.array([100.0, 200.0, 400.0]))
        (array([1, 2, 3, 6]), array([1, 2, 4]))
    """
    ranks = np.arange(1, len(where) + 1, dtype=np.int64)
    if len(where) < 3:  # noqa: PLR2004 - two points have no spacing to keep
        return ranks
    gaps = np.diff(where)
    if _one_by_one(where):
        pace = 1.0
    else:
        pace = float(gaps[:-1].min())  # the last gap may be a run's shorter end
        if pace <= 0 or np.any(gaps % pace) or 2 * np.sum(gaps[:-1] == pace) < len(gaps) - 1:
            return ranks
    numbers: npt.NDArray[np.int64] = ((where - where[0]) / pace + 1).astype(np.int64)
    return numbers


def _one_by_one(steps: Floats) -> bool:
    """Whether steps follow one another, but for a few that are missing."""
    return bool(len(steps) == 1 or (np.diff(steps).min() == 1 and steps[-1] - steps[0] < 2 * len(steps)))


def _shown(where: Floats) -> str:
    told = [f"{each:g}" for each in where[:3]]
    return ", ".join(told) + (f", ... {where[-1]:g}" if len(where) > 3 else "")  # noqa: PLR2004 - three are shown
