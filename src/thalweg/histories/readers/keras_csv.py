"""Keras's `CSVLogger`: `epoch` from 0, then the logs in alphabetical order; `NA` for what an epoch did not have.

Appended runs (`append=True`) begin again at 0, or at `initial_epoch`, without a second header.
"""

from collections.abc import Mapping, Sequence

from thalweg.histories.log_file import LogFile
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import from_table
from thalweg.histories.recording import Recording
from thalweg.histories.rows import to_recordings

__all__ = ["READER"]


def _recognises(file: LogFile) -> bool:
    table = file.table
    if table is None or table.names[0] != "epoch" or "loss" not in table.names:
        return False
    rest = list(table.names[1:])
    whole = set(table.values) == set(table.names)
    return whole and rest == sorted(rest) and float(table.values["epoch"][:1].sum()) == 0


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    found = from_table(file, READER.name, columns)
    found.first_epoch = 0
    return to_recordings(found)


READER = Reader(name="Keras CSVLogger", recognises=_recognises, read=_read)
