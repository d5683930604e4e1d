"""timm's `summary.csv`: `epoch` from 0, `train_loss`, `eval_loss`, accuracies in percent, the learning rate.

A run resumed in its folder by an older version repeats the header and overlaps.
"""

from collections.abc import Mapping, Sequence

from thalweg.histories.log_file import LogFile
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import from_table
from thalweg.histories.recording import Recording
from thalweg.histories.rows import to_recordings

__all__ = ["READER"]


def _recognises(file: LogFile) -> bool:
    return (
        file.table is not None
        and file.table.names[0] == "epoch"
        and {"train_loss", "eval_top1"} <= set(file.table.names)
    )


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    found = from_table(file, READER.name, columns)
    found.first_epoch, found.percent = 0, True
    found.known = {"eval_top1": "val_accuracy", "eval_loss": "val_loss", "train_loss": "train_loss"}
    return to_recordings(found)


READER = Reader(name="timm summary.csv", recognises=_recognises, read=_read)
