"""Ultralytics' `results.csv`: training losses, metrics of the validation split, validation losses, rates of the groups.

Older versions pad the header with spaces and count epochs from 0; newer ones from 1, with the seconds since the start.
Detection has several losses, written after their weights: the loss that is minimised is their sum.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from thalweg.histories.log_file import LogFile
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import from_table
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, to_recordings

__all__ = ["READER"]


def _recognises(file: LogFile) -> bool:
    if file.table is None or file.table.names[0] != "epoch":
        return False
    names = file.table.names
    return any(name.startswith("metrics/") for name in names) and any(name.startswith("train/") for name in names)


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    found = from_table(file, READER.name, columns)
    known = {
        "metrics/accuracy_top1": "val_accuracy",
        "time": "seconds",
        "lr/pg0": "learning_rate",
        "x/lr0": "learning_rate",
    }
    known |= {f"lr/pg{group}": "-" for group in range(1, 10)}
    for split, signal in (("train", "train_loss"), ("val", "val_loss")):
        losses = [name for name in found.values if name.startswith(f"{split}/") and name.endswith("loss")]
        if len(losses) == 1:
            known[losses[0]] = signal
        elif losses and signal not in columns:
            _add_up(found, f"{split}/sum of losses", losses)
            known[f"{split}/sum of losses"] = signal
    found.known = known
    return to_recordings(found)


def _add_up(found: Columns, name: str, losses: list[str]) -> None:
    found.recorded[name] = np.logical_and.reduce([found.recorded[each] for each in losses])
    found.values[name] = np.sum([found.values[each] for each in losses], axis=0)
    found.notes.append(f"{name.partition('/')[0]}_loss is the sum of {', '.join(losses)}")


READER = Reader(name="Ultralytics results.csv", recognises=_recognises, read=_read)
