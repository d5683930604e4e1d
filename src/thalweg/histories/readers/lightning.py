"""Lightning's `CSVLogger` (`metrics.csv`): every key a column, one row a call of `log`, so that rows are sparse.

`epoch` and `step` count from 0; rows of the learning rate have no epoch, so they take that of the next row that has
one. What is logged by step and by epoch stands in two columns, `train_loss_step` and `train_loss_epoch`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from thalweg.histories.log_file import LogFile
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import from_table
from thalweg.histories.recording import Recording
from thalweg.histories.rows import to_recordings

__all__ = ["READER"]


def _recognises(file: LogFile) -> bool:
    table = file.table
    if table is None or not {"epoch", "step"} <= set(table.values):
        return False
    split = any(name.removesuffix("_step") + "_epoch" in table.names for name in table.names if name.endswith("_step"))
    others = [name for name in table.values if name not in {"epoch", "step"}]
    sparse = table.rows > 1 and any(not table.recorded[name].all() for name in others)
    first = table.values["epoch"][table.recorded["epoch"]][:1]
    counted = bool(len(first)) and float(first[0]).is_integer()  # an epoch may be written as infinity
    return (file.name == "metrics.csv" or split) and (split or sparse) and counted


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    found = from_table(file, READER.name, columns)
    found.step = columns.get("step", "step")
    found.first_epoch = found.first_step = 0
    recorded, values = found.recorded["epoch"], found.values["epoch"].copy()
    there = np.flatnonzero(recorded)
    if len(there) and found.epoch == "epoch":
        nearest = np.minimum(np.searchsorted(there, np.arange(len(values))), len(there) - 1)
        found.values["epoch"] = values[there[nearest]]
        found.recorded["epoch"] = np.ones(len(values), dtype=np.bool_)
    return to_recordings(found)


READER = Reader(name="Lightning CSVLogger", recognises=_recognises, read=_read)
