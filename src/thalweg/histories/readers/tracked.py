"""Runs of this program's own that `thalweg export` wrote into MLflow: read back as the run folder itself is read."""

import json
from collections.abc import Mapping

import numpy as np

from thalweg.core.curve_tags import BY_EPOCH, BY_STEP, ENDS, EPOCH, MEASURED
from thalweg.histories.recording import Curve

__all__ = ["as_own", "plan_of"]

_BY_EPOCH = {tag: name for name, tag in (*BY_EPOCH.items(), *ENDS.items())}
_BY_STEP = {tag: name for name, tag in BY_STEP.items()}
_SIGNALS = {"loss": "batch_loss", "learning_rate": "batch_learning_rate", "objective": "-"}


def as_own(curves: tuple[Curve, ...]) -> tuple[Curve, ...]:
    """Turn metrics back into the columns of `history.csv` and `steps.csv`.

    Args:
        curves: Metrics by step, as they were written.

    Returns:
        The curves by epoch and by step, as the run folder's reader gives them; as they were where no epoch is told.

    Example:
        >>> ends = Curve(name="epoch", values=np.array([1.0, 2.0]), steps=np.array([10.0, 20.0]))
        >>> loss = Curve(name="validation/loss", values=np.array([0.5, 0.4]), steps=np.array([10.0, 20.0]))
        >>> [(curve.name, curve.signal, curve.epochs.tolist()) for curve in as_own((ends, loss))]
        [('val_loss', 'val_loss', [1.0, 2.0])]
    """
    # a run that was written in two goes may have times out of order; steps are what counts
    known = {
        curve.name: curve.at(np.argsort(curve.steps, kind="stable")) for curve in curves if curve.steps is not None
    }
    counted = known.get(EPOCH)
    if counted is None or counted.steps is None or not len(counted.steps):
        return curves
    ends, numbers = counted.steps, counted.values
    found = []
    for tag in (*_BY_EPOCH, *_BY_STEP, *(tag for tag in known if tag.startswith(MEASURED))):
        curve = known.get(tag)
        if curve is None or curve.steps is None:
            continue
        place = np.searchsorted(ends, curve.steps)
        epochs = np.append(numbers, numbers[-1] + 1)[place]
        if tag in _BY_EPOCH:
            name = _BY_EPOCH[tag]
            signal = "" if name == "images_per_second" else name
            found.append(Curve(name=name, values=curve.values, epochs=epochs, signal=signal))
        else:
            name = _BY_STEP.get(tag) or tag.removeprefix(MEASURED)
            steps, signal = curve.steps, _SIGNALS.get(name, "")
            found.append(Curve(name=name, values=curve.values, epochs=epochs, steps=steps, signal=signal))
    return tuple(found)


def plan_of(settings: Mapping[str, str]) -> Mapping[str, object]:
    """Read settings back: what is JSON is a value, everything else is text.

    Args:
        settings: Texts by name.

    Returns:
        The plan.

    Example:
        >>> plan_of({"epochs": "8", "optimizer": "adamw"})
        {'epochs': 8, 'optimizer': 'adamw'}
    """

    def value(text: str) -> object:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text

    return {name: value(text) for name, text in settings.items()}
