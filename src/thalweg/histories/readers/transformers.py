"""transformers' `trainer_state.json`: `log_history`, a row a call of `log`, training and evaluation apart.

`epoch` is the fraction that has passed, `loss` the mean since the last row, so an epoch's loss is the mean of its rows.
The last row (`train_runtime`, `train_loss`) sums the run up and is no point of a curve.
"""

from collections.abc import Mapping, Sequence

from thalweg.histories.log_file import LogFile
from thalweg.histories.readers.reader import Reader
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, columns_of_rows, to_recordings

__all__ = ["READER"]

_NO_CURVES = ("runtime", "samples_per_second", "steps_per_second", "total_flos", "memory", "model_preparation_time")


def _recognises(file: LogFile) -> bool:
    return isinstance(file.json, dict) and isinstance(file.json.get("log_history"), list)


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    del columns
    state = file.json if isinstance(file.json, dict) else {}
    rows = [row for row in state["log_history"] if isinstance(row, dict) and "train_runtime" not in row]
    values, recorded = columns_of_rows(rows)
    for name in [name for name in values if name.endswith(_NO_CURVES)]:
        del values[name], recorded[name]
    found = Columns(file.place, READER.name, values, recorded)
    found.epoch, found.step = ("epoch" if "epoch" in values else ""), ("step" if "step" in values else "")
    found.elapsed, found.first_step = True, 1
    found.known = {
        "loss": "train_loss",
        "eval_loss": "val_loss",
        "grad_norm": "gradient_norm",
        "learning_rate": "learning_rate",
    }
    return to_recordings(found)


READER = Reader(name="transformers trainer_state.json", recognises=_recognises, read=_read)
