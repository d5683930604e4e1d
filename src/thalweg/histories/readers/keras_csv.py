"""Keras's `CSVLogger`: `epoch` from 0, then the logs in alphabetical order; `NA` for what an epoch did not have.

Appended runs (`append=True`) begin again at 0, or at `initial_epoch`, without a second header.
"""

from collections.abc import Mapping, Sequence

from thalweg.core.errors import LogError
from thalweg.histories.log_file import LogFile
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, to_recordings

__all__ = ["READER"]


def _recognises(file: LogFile) -> bool:
    table = file.table
    if table is None or table.names[0] != "epoch" or "loss" not in table.names:
        return False
    rest = list(table.names[1:])
    whole = {"epoch", *table.values} == set(table.names)
    return whole and rest == sorted(rest) and float(table.values["epoch"][:1].sum()) == 0


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    table = file.table
    if table is None:
        raise LogError(f"{file.place} is no table")
    found = Columns(file.place, READER.name, table.values, table.recorded, epoch="epoch", first_epoch=0)
    found.notes = list(table.notes)
    apply_counters(found, columns)
    return to_recordings(found)


READER = Reader(name="Keras CSVLogger", recognises=_recognises, read=_read)
