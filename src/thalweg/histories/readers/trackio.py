"""trackio's `<project>.db` (SQLite): a row a call of `log`, the metrics as JSON, which may be text or bytes.

JSON has no NaN: trackio writes it and the infinities as words.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.database import MAGIC, columns_of, open_database, tables
from thalweg.histories.log_file import LogFile, parse_json
from thalweg.histories.readers.reader import Reader
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, columns_of_rows, to_recordings

__all__ = ["READER"]

_ASKED = {"run_name", "step", "metrics"}


def _recognises(file: LogFile) -> bool:
    if not file.head.startswith(MAGIC):
        return False
    with open_database(file) as base:
        return "metrics" in tables(base) and columns_of(base, "metrics") >= _ASKED


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    del columns
    with open_database(file) as base:
        rows = base.execute("SELECT run_name, step, metrics FROM metrics ORDER BY rowid").fetchall()
    runs: dict[str, list[dict[str, object]]] = {}
    for name, step, metrics in rows:
        logged = _metrics(metrics)
        if logged is not None:
            runs.setdefault(str(name), []).append({**logged, _STEP: step})
    found = []
    for name, logged_rows in runs.items():
        values, recorded = columns_of_rows(logged_rows)
        own = Columns(f"{file.place}, run {printable(name)}", READER.name, values, recorded)
        own.step = _STEP if _STEP in values else ""
        if "epoch" in values and recorded["epoch"].all() and np.all(np.diff(values["epoch"]) >= 0):
            own.epoch = "epoch"
        found += to_recordings(own)
    if not found:
        raise LogError(f"{file.place} is a trackio project without a logged metric")
    return found


_STEP = "step of trackio"


def _metrics(cell: object) -> dict[str, object] | None:
    """The metrics of one row, or None where they cannot be read."""
    text = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell
    if not isinstance(text, str):
        return None
    try:
        read = parse_json(text)
    except ValueError:
        return None
    return {str(key): value for key, value in read.items()} if isinstance(read, dict) else None


READER = Reader(name="trackio", recognises=_recognises, read=_read)
