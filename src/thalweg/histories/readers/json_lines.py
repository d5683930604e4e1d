"""JSON lines: detectron2's `metrics.json`, and any log with one JSON object a line.

Detectron2 writes `iteration` (from 0), `lr`, the weighted parts of the loss and their `total_loss`; rows of an
evaluation stand between. MMEngine's evaluations have no epoch: it is that of the row before. A line that a killed run
left half written is left out. Objects behind other words count, too, as transformers prints them beside its bar and
fairseq behind time and level; of what stands before them, counters and a split are taken where the object has none:
`eval | step: 100 | output: {'loss': 0.5}`. Such an object may go over several lines.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from thalweg.core.errors import LogError
from thalweg.histories.database import MAGIC
from thalweg.histories.log_file import LogFile, parse_json
from thalweg.histories.names import JUDGED, is_epoch, is_step, judges, meaning
from thalweg.histories.parts import spread, words_of_rows
from thalweg.histories.printed import pieces, read_line
from thalweg.histories.readers.history_shapes import flat
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, columns_of_rows, named_numbers, to_recordings

__all__ = ["READER"]

_TABLES = {".csv", ".tsv", ".json", ".yaml", ".yml"}
_MOST_LINES = 60
_LOOKED_AT, _LONGEST = 400, 2_000
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
    if "{" not in file.text or file.path.suffix.lower() in _TABLES or first.startswith(("{", "[")):
        return False
    found = (row for line in _entries(file.text) for row in _objects(line) if judges(named_numbers(row)))
    return len(list(itertools.islice(found, _ENOUGH))) == _ENOUGH and not _says_more_outside(file.text)


def _says_more_outside(text: str) -> bool:
    """Whether lines without an object tell as often how the run goes: `Epoch 3 loss 0.5` above `metrics: {...}`."""
    inside = outside = 0
    for line in itertools.islice(_entries(text), _LOOKED_AT):
        if "{" in line:
            inside += any(judges(named_numbers(row)) for row in _objects(line))
        elif (said := read_line(line[:_LONGEST])) is not None:
            outside += judges(said.values)
    return outside >= inside > 0


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    rows: list[dict[str, object]] = []
    lost, last_lost = 0, False
    above: list[dict[str, object]] = []
    counters: dict[str, object] = {}
    for line in _entries(file.text):
        if not line.strip():
            continue
        found_here = _objects(line)
        rows += found_here
        counters = counters if found_here else _counters(line) or counters
        above += [counters] * len(found_here)
        last_lost = not found_here and line.lstrip().startswith("{")
        lost += last_lost
    if not rows:
        raise LogError(f"{file.place} has no line that is a JSON object")
    if not any(map(_is_counted, rows)) and all(above) and 2 * len({*map(str, above)}) >= len(rows):
        rows = [here | row for here, row in zip(above, rows, strict=True)]  # `Step 100` in a line of its own
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


def _entries(text: str) -> Iterator[str]:
    """The lines of a text, those of an object that goes over several as one, with a line that ends in `:` above."""
    held: list[str] = []
    deep = 0
    for line in text.splitlines():
        if not held and line.startswith("{") and line.endswith("}"):  # a brace within a text opens nothing
            yield line
            continue
        heads = bool(held) and not deep
        if heads and not line.lstrip().startswith("{"):
            yield from held
            held = []
        deep += line.count("{") - line.count("}")
        held.append(line)
        if deep < 0 or len(held) > _MOST_LINES:
            yield from held
            held, deep = [], 0
        elif not deep and not line.rstrip().endswith(":"):
            yield " ".join(held)
            held = []
    yield from held


def _counters(text: str) -> dict[str, object]:
    """The epoch and step that words name."""
    said = read_line(text)
    if said is None or judges(said.values):
        return {}
    return {name: each for name, each in (("epoch", said.epoch), ("step", said.step)) if each is not None}


def _is_counted(row: Mapping[str, object]) -> bool:
    return any(is_epoch(name) or is_step(name) for name in row)


def _with_words(row: dict[str, object], before: str) -> dict[str, object]:
    """An object with the counters and the split that stand before it, where it has none itself."""
    said = read_line(before) if before.strip() else None
    if said is None:
        return row
    if said.split and not any(meaning(name).split for name in row):
        row = {f"{said.split}/{name}" if meaning(name).quantity in JUDGED else name: each for name, each in row.items()}
    return row if _is_counted(row) else _counters(before) | row


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
            found.append(_with_words(flat(row), text[: text.index("{")]))
    return found


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
