"""fastai's `CSVLogger` (`history.csv`): `epoch` from 0, training loss, validation loss, metrics, time.

The training loss is a running mean over batches, late by a few dozen of them. Metrics are of the validation split
although they do not say so; `time` is minutes and seconds of each epoch.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from thalweg.histories.log_file import LogFile
from thalweg.histories.names import meaning
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import from_table
from thalweg.histories.recording import Recording
from thalweg.histories.rows import to_recordings

__all__ = ["READER"]


def _recognises(file: LogFile) -> bool:
    return (
        file.table is not None
        and file.table.names[:3] == ("epoch", "train_loss", "valid_loss")
        and (
            len(file.table.names) == 3 or file.table.names[-1] == "time"  # noqa: PLR2004 - nothing but the three
        )
    )


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    found = from_table(file, READER.name, columns)
    found.first_epoch = 0
    quantities = {name: meaning(name).quantity for name in found.values if not meaning(name).split}
    known: dict[str, str] = {}
    for quantity, signal in (("accuracy", "val_accuracy"), ("error_rate", "val_error_rate")):
        known |= {name: signal for name, each in quantities.items() if each == quantity}
    if "time" in found.values:
        found.values["time"] = np.cumsum(found.values["time"])
        known["time"] = "seconds"
    found.known = known
    return to_recordings(found)


READER = Reader(name="fastai CSVLogger", recognises=_recognises, read=_read)
