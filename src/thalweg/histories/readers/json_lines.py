"""JSON lines: detectron2's `metrics.json`, and any log with one JSON object a line.

Detectron2 writes `iteration` (from 0), `lr`, the weighted parts of the loss and their `total_loss`; rows of an
evaluation stand between. A line that a killed run left half written is left out.
"""

from collections.abc import Mapping, Sequence

from thalweg.core.errors import LogError
from thalweg.histories.database import MAGIC
from thalweg.histories.log_file import LogFile, parse_json
from thalweg.histories.readers.history_json import flat
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, columns_of_rows, to_recordings

__all__ = ["READER"]


def _recognises(file: LogFile) -> bool:
    if file.head.startswith(MAGIC):
        return False
    first = file.text.lstrip().partition("\n")[0].strip()
    return (first.startswith("{") and first.endswith("}") and file.json is None) or (
        file.path.suffix.lower() in {".jsonl", ".ndjson"} and first.startswith("{")
    )


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    rows, lost, last_lost = [], 0, False
    for line in file.text.splitlines():
        if not line.strip():
            continue
        last_lost = False
        try:
            row = parse_json(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            rows.append(flat(row))
        else:
            lost, last_lost = lost + 1, True
    if not rows:
        raise LogError(f"{file.place} has no line that is a JSON object")
    values, recorded = columns_of_rows(rows)
    name = "detectron2 JSON lines" if {"iteration", "total_loss"} <= set(values) else READER.name
    found = Columns.guess(file.place, name, values, recorded)
    if name != READER.name:
        found.known = {"total_loss": "train_loss", "validation_loss": "val_loss", "lr": "learning_rate"}
        found.first_step = 0
    if last_lost:
        found.notes.append("the last line is cut off and was left out")
    if lost - last_lost:
        found.notes.append(f"{lost - last_lost:,} lines are no JSON objects: left out")
    apply_counters(found, columns)
    return to_recordings(found)


READER = Reader(name="JSON lines", recognises=_recognises, read=_read)
