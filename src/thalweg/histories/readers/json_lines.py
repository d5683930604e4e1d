"""JSON lines: detectron2's `metrics.json`, and any log with one JSON object a line.

Detectron2 writes `iteration` (from 0), `lr`, the weighted parts of the loss and their `total_loss`; rows of an
evaluation stand between. MMEngine's evaluations have no epoch: it is that of the row before. A line that a killed run
left half written is left out. Objects behind other words count, too, as transformers prints them beside its bar and
fairseq behind time and level; what stands around them is passed over.
"""

import itertools
from collections.abc import Mapping, Sequence

from thalweg.core.errors import LogError
from thalweg.histories.database import MAGIC
from thalweg.histories.log_file import LogFile, parse_json
from thalweg.histories.names import JUDGED, meaning
from thalweg.histories.parts import spread, words_of_rows
from thalweg.histories.printed import pieces
from thalweg.histories.readers.history_json import flat
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, as_number, columns_of_rows, to_recordings

__all__ = ["READER"]

_TABLES = {".csv", ".tsv", ".json", ".yaml", ".yml"}
_ENOUGH = 2
"""Objects with a loss or an accuracy in a text of other lines: more than a setting that is printed."""


def _recognises(file: LogFile) -> bool:
    if file.head.startswith(MAGIC):
        return False
    first = file.text.lstrip().partition("\n")[0].strip()
    if (first.startswith("{") and first.endswith("}") and file.json is None) or (
        file.path.suffix.lower() in {".jsonl", ".ndjson"} and first.startswith("{")
    ):
        return True
    if file.path.suffix.lower() in _TABLES or first.startswith(("{", "[")):
        return False
    found = (row for line in file.text.splitlines() for row in _objects(line) if _judges(row))
    return len(list(itertools.islice(found, _ENOUGH))) == _ENOUGH


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    rows: list[dict[str, object]] = []
    lost, last_lost = 0, False
    for line in file.text.splitlines():
        if not line.strip():
            continue
        found_here = _objects(line)
        rows += found_here
        last_lost = not found_here and line.lstrip().startswith("{")
        lost += last_lost
    if not rows:
        raise LogError(f"{file.place} has no line that is a JSON object")
    _mmengine(rows)
    texts = words_of_rows(rows)
    values, recorded = spread(*columns_of_rows(rows), texts)
    name = "detectron2 JSON lines" if {"iteration", "total_loss"} <= set(values) else READER.name
    found = Columns.guess(file.place, name, values, recorded)
    if name != READER.name:
        found.known = {"total_loss": "train_loss", "validation_loss": "val_loss", "lr": "learning_rate"}
        found.first_step = 0
    found.words = texts
    if last_lost:
        found.notes.append("the last line is cut off and was left out")
    if lost - last_lost:
        found.notes.append(f"{lost - last_lost:,} lines are no JSON objects: left out")
    apply_counters(found, columns)
    return to_recordings(found)


def _objects(line: str) -> list[dict[str, object]]:
    """The JSON objects that end a line, or a drawing of it."""
    found: list[dict[str, object]] = []
    if "{" not in line:  # most lines of a text that is no JSON
        return found
    for piece in pieces(line, longest=None):
        text = piece.strip()
        if not text.endswith("}") or "{" not in text:
            continue
        try:
            row = parse_json(text[text.index("{") :])
        except ValueError:
            continue
        if isinstance(row, dict):
            found.append(flat(row))
    return found


def _judges(row: Mapping[str, object]) -> bool:
    return any(meaning(name).quantity in JUDGED and as_number(value) is not None for name, value in row.items())


def _mmengine(rows: list[dict[str, object]]) -> None:
    """Count MMEngine's evaluations: they have `step` alone, which is the epoch, or the iteration where none is kept."""
    if not all("step" in row for row in rows) or not any("iter" in row for row in rows):
        return
    epoch = step = None
    for row in rows:
        where = row.pop("step")
        if "iter" in row:
            epoch, step = row.get("epoch", epoch), row["iter"]
            continue
        for name in [name for name in row if meaning(name).quantity and not meaning(name).split]:
            row[f"val/{name}"] = row.pop(name)
        row["iter"] = where if epoch is None else step
        if epoch is not None:
            row["epoch"] = epoch


READER = Reader(name="JSON lines", recognises=_recognises, read=_read)
