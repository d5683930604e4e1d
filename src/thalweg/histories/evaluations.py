"""Evaluations that come several times within an epoch of a log that says no step: their order stands in for it.

Sockeye prints a checkpoint's perplexities and the epoch, MMCV's loops by iteration say epoch 1 of every evaluation.
Counted by the epoch they name, all but the last would be lost.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from thalweg.histories.names import JUDGED, meaning
from thalweg.histories.recording import Floats

__all__ = ["order_of_rows"]

_OFTEN = 3
"""Evaluations an epoch; a second one may only say the first again."""

Mask = npt.NDArray[np.bool_]


def order_of_rows(recorded: Mapping[str, Mask], rows: npt.NDArray[np.intp], epochs: Floats) -> Floats | None:
    """Count rows one after another where evaluations need it.

    Args:
        recorded: Which cells of each column hold something.
        rows: The rows of the run.
        epochs: The epoch of each of them.

    Returns:
        The rows' numbers from 1; None where an epoch has at most two evaluations with training before each.

    Example:
        >>> told = {"val_loss": np.array([0, 1] * 4, dtype=bool), "loss": np.array([1, 0] * 4, dtype=bool)}
        >>> order_of_rows(told, np.arange(8), np.ones(8))
        array([1., 2., 3., 4., 5., 6., 7., 8.])
        >>> order_of_rows(told, np.arange(8), np.arange(8.0)) is None
        True
    """
    held_out, trained = np.zeros(len(rows), dtype=np.bool_), np.zeros(len(rows), dtype=np.bool_)
    for name, there in recorded.items():
        said = meaning(name)
        if said.quantity in JUDGED:
            side = held_out if said.split in {"val", "test"} else trained
            side |= there[rows]
    judged = np.flatnonzero(held_out | trained)
    before = np.append(False, trained[judged][:-1])  # batches of one evaluation have none of training between them
    begun = judged[held_out[judged] & (before | trained[judged])]
    often = len(begun) >= _OFTEN * len(set(epochs[begun].tolist())) > 0
    return np.arange(1.0, len(rows) + 1) if often else None
