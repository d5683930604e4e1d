"""From a reader's raw curves to a `RunHistory`: roles, epochs counted from 1, fractions, and the notes that say how."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.core.history import STEPWISE, RunHistory
from thalweg.core.run_log import NamedHistory
from thalweg.core.signal import Signal
from thalweg.histories.axis import Axis, find_axis
from thalweg.histories.names import meaning, words
from thalweg.histories.recording import Curve, Floats, Recording
from thalweg.histories.roles import SIGNALS, Roles, assign

__all__ = ["assemble"]

Steps = npt.NDArray[np.int64]
_JUDGED = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "batch_loss", "batch_accuracy")
_FEW = 0.45
_SHOWN = 12
_ROUNDING = 1e-6
_SAME = 0.01
_LARGEST_COUNT = 2.0**53
_PERCENT_FROM = 1.01
_UNITS = {"learning_rate": "1", "gradient_norm": "1", "seconds": "s"}


def assemble(recording: Recording, columns: Mapping[str, str]) -> NamedHistory:
    """Make a run of a reader's curves.

    Args:
        recording: The run as read.
        columns: What the user says which column is.

    Returns:
        The run.

    Raises:
        LogError: None of its curves is a loss or an accuracy.
    """
    roles = assign(recording, columns)
    roles.known = {name: _clean(name, curve, roles) for name, curve in roles.known.items()}
    roles.other = [curve.at(_countable(curve)) for curve in roles.other]
    roles.known = {name: curve for name, curve in roles.known.items() if len(curve.values)}
    _perplexities(roles)
    _accuracies(roles)
    if not any(name in roles.known for name in _JUDGED):
        names = ", ".join(curve.name for curve in recording.curves[:_SHOWN]) or "none"
        more = ", ..." if len(recording.curves) > _SHOWN else ""
        raise LogError(
            f"{recording.place} has no curve that is a loss or an accuracy by its name "
            f"(it has {printable(names)}{more}): say which is which with --columns train_loss=NAME,val_loss=NAME"
        )
    axis = find_axis(recording, roles)
    shift = _first_step(recording)
    notes = [*recording.notes, *roles.notes, *axis.notes]
    signals: dict[str, Signal] = {}
    for name in sorted(roles.known, key=lambda each: SIGNALS.index(each) if each in SIGNALS else len(SIGNALS)):
        signals |= {each.name: each for each in _signals(name, roles.known[name], axis, shift, notes)}
    for curve in roles.other:
        made = _signals(_own_name(curve.name, signals), curve, axis, shift, [])
        signals |= {each.name: each for each in made if each.name not in signals}
    history = RunHistory(signals=tuple(signals.values()), plan=recording.plan, environment=recording.environment)
    return NamedHistory(
        place=recording.place, format=recording.format, history=history, notes=tuple(dict.fromkeys(notes))
    )


def _own_name(name: str, taken: Mapping[str, Signal]) -> str:
    """The curve's own name, told apart from ours."""
    own = printable(name).strip() or "unnamed"
    return own if own not in taken and own not in SIGNALS else f"{own} (as logged)"


def _clean(name: str, curve: Curve, roles: Roles) -> Curve:
    """Order by step and let the later of two values at one place win."""
    kept = _countable(curve)
    curve = curve if kept.all() else curve.at(kept)
    where = curve.steps if curve.steps is not None else curve.epochs
    if where is None or len(where) < 2:  # noqa: PLR2004 - one point is in order
        return curve
    if np.any(np.diff(where) < 0):
        order = np.argsort(where, kind="stable")
        curve, where = curve.at(order), where[order]
    twice = np.append(where[1:] == where[:-1], False)
    if not twice.any():
        return curve
    per_batch = curve.steps is None and twice.mean() > _FEW and np.array_equal(where, np.floor(where))
    if per_batch and name.startswith(("train_", STEPWISE)):
        return curve  # rows of batches, with nothing but the epoch beside them
    if name not in _UNITS:  # a learning rate that several lines of an epoch repeat loses nothing
        roles.notes.append(
            f"{printable(curve.name)} has {int(twice.sum()):,} values at places with a later one: the later counts"
        )
    return curve.at(~twice)


def _countable(curve: Curve) -> npt.NDArray[np.bool_]:
    """Which points have a step and an epoch that are numbers a program may count to."""
    kept = np.ones(len(curve.values), dtype=np.bool_)
    for counted in (curve.steps, curve.epochs):
        if counted is not None:
            kept &= np.abs(counted) < _LARGEST_COUNT
    return kept


def _first_step(recording: Recording) -> int:
    """What to add so that steps are counted from 1."""
    if recording.first_step is not None:
        return 1 - recording.first_step
    least = [float(curve.steps.min()) for curve in recording.curves if curve.steps is not None and len(curve.steps)]
    return 1 if least and min(least) < 1 else 0


def _perplexities(roles: Roles) -> None:
    """Turn perplexities into the losses that they are powers of, where the loss itself is not there."""
    for split in ("train", "val"):
        curve = roles.known.pop(f"{split}_perplexity", None)
        if curve is None:
            continue
        finite = curve.values[np.isfinite(curve.values)]
        if split == "train" and _is_that_of(curve, roles.known.get("val_loss")):
            roles.other.append(curve)
            continue
        if f"{split}_loss" in roles.known or (finite.size and finite.min() < 1 - _ROUNDING):
            roles.other.append(curve)
            continue
        with np.errstate(invalid="ignore"):
            roles.known[f"{split}_loss"] = _with_values(curve, np.log(curve.values))
        roles.notes.append(f"{printable(curve.name)} is a perplexity: its logarithm was taken as {split}_loss")


def _is_that_of(perplexity: Curve, loss: Curve | None) -> bool:
    """Whether a perplexity that names no split is the power of a loss that does."""
    if loss is None or meaning(perplexity.name).split or len(loss.values) != len(perplexity.values):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.allclose(np.exp(loss.values), perplexity.values, rtol=_SAME, equal_nan=True))


def _accuracies(roles: Roles) -> None:
    """Turn error rates and percentages into fractions of right answers, and say so."""
    _errors_of_five(roles)
    for split in ("train", "val", "batch"):
        error = roles.known.pop(f"{split}_error_rate", None)
        if error is None:
            continue
        if f"{split}_accuracy" in roles.known:
            roles.other.append(error)
            continue
        scale = 100.0 if error.percent or _reaches(error.values, _PERCENT_FROM) else 1.0
        roles.known[f"{split}_accuracy"] = _with_values(error, 1.0 - error.values / scale)
        roles.notes.append(f"{printable(error.name)} is an error rate: converted to accuracy")
    for name in [name for name in roles.known if name.endswith("_accuracy")]:
        curve = roles.known[name]
        finite = curve.values[np.isfinite(curve.values)]
        if finite.size and (finite.max() > 100 + _ROUNDING or finite.min() < -_ROUNDING):
            del roles.known[name]
            roles.other.append(curve)
            roles.notes.append(f"{printable(curve.name)} leaves 0 to 100: not taken as an accuracy")
        elif curve.percent or _reaches(finite, _PERCENT_FROM) or "%" in curve.name:
            roles.known[name] = _with_values(curve, curve.values / 100.0)
            roles.notes.append(f"{printable(curve.name)} is in percent: converted to fractions")


def _errors_of_five(roles: Roles) -> None:
    """Take Torch's `top1` above `top5` for rates of errors: no accuracy of one guess is above that of five."""
    others = {" ".join(words(curve.name)): curve for curve in roles.other}
    for name in [name for name in roles.known if name.endswith("_accuracy")]:
        curve = roles.known[name]
        if "top" not in words(curve.name) or {"acc", "accuracy"} & {*words(curve.name)}:
            continue
        five = others.get(" ".join("5" if word == "1" else word for word in words(curve.name)))
        if five is None or five is curve or len(five.values) != len(curve.values):
            continue
        if np.all(five.values <= curve.values) and np.any(five.values < curve.values):
            roles.known[name.replace("accuracy", "error_rate")] = roles.known.pop(name)


def _reaches(values: Floats, bound: float) -> bool:
    finite = values[np.isfinite(values)]
    return bool(finite.size and finite.max() > bound)


def _with_values(curve: Curve, values: Floats) -> Curve:
    return Curve(name=curve.name, values=values, epochs=curve.epochs, steps=curve.steps, signal=curve.signal)


def _signals(name: str, curve: Curve, axis: Axis, shift: int, notes: list[str]) -> list[Signal]:
    """One curve by epoch, and by step where an epoch has several values."""
    if name.startswith(STEPWISE) or axis.kind == "none":
        by_step = name if name.startswith(STEPWISE) else STEPWISE + name.removeprefix("train_")
        return [_signal(by_step, _steps(curve, shift), curve.values)]
    epochs = axis.epochs(curve)
    early = epochs < 1
    if early.any():
        notes.append(f"{printable(curve.name)}: {int(early.sum())} value(s) from before the first step left out")
        curve, epochs = curve.at(~early), epochs[~early]
        if not len(epochs):
            return []
    if len(set(epochs.tolist())) == len(epochs):  # np.unique would load numpy.ma for nothing
        return [_signal(name, epochs, curve.values)]
    found = [_signal(STEPWISE + name.removeprefix("train_"), _steps(curve, shift), curve.values)]
    if name == "train_loss":
        count = int(np.unique(epochs, return_counts=True)[1].max())
        notes.append(
            f"{printable(curve.name)} has up to {count:,} values an epoch: "
            "train_loss is their mean, batch_loss all of them"
        )
    numbers, mean = _means(epochs, curve.values)
    return [_signal(name, numbers, mean), *found]


def _means(epochs: Steps, values: Floats) -> tuple[Steps, Floats]:
    """The mean of each epoch; one NaN or infinity makes the epoch's mean so."""
    numbers, first, place = np.unique(epochs, return_index=True, return_inverse=True)
    with np.errstate(invalid="ignore", over="ignore"):
        base = np.where(np.isfinite(values[first]), values[first], 0.0)  # so that a constant keeps its last digit
        return numbers, base + np.bincount(place, weights=values - base[place]) / np.bincount(place)


def _steps(curve: Curve, shift: int) -> Steps:
    if curve.steps is None:
        return np.arange(1, len(curve.values) + 1, dtype=np.int64)
    return curve.steps.astype(np.int64) + shift


def _signal(name: str, steps: Steps, values: Floats) -> Signal:
    quantity = name.removeprefix(STEPWISE)
    unit = _UNITS.get(quantity, "nats" if quantity.endswith("loss") else "fraction" if "accuracy" in quantity else "")
    return Signal(name=name, unit=unit, steps=tuple(steps.tolist()), values=tuple(values.tolist()))
