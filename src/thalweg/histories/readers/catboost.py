"""CatBoost: what it prints, and `catboost_training.json`, `learn_error.tsv` and `test_error.tsv` in `catboost_info`.

A printed line (`0:	learn: 0.68	test: 0.69	best: 0.69 (0)	total: 12ms	remaining: 1.2s`) gives a tree's number and
one metric, whose name is not said: a loss falls and its best is the least, a score rises and its best is the most. The
files name their metrics, and the JSON says of each whether less of it is better. An iteration adds a tree; it stands
where networks have an epoch.
"""

import math
import re
from collections.abc import Mapping, Sequence

from thalweg.core.errors import LogError
from thalweg.histories.boosting import ADDS_TREES, loss_of
from thalweg.histories.database import MAGIC
from thalweg.histories.log_file import LogFile
from thalweg.histories.printed import pieces
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, as_number, columns_of_rows, to_recordings

__all__ = ["LEARNED", "READER", "TESTED", "TRAINING"]

TRAINING, LEARNED, TESTED = "catboost_training.json", "learn_error.tsv", "test_error.tsv"
"""What CatBoost calls its files."""

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)"
_LINE = re.compile(
    rf"(?:^|\s)(\d{{1,9}}):\s+((?:(?:learn|test\d*):\s*{_NUMBER}\s+)+)(?:best:\s*({_NUMBER})\s*\(\d+\)\s+)?total:",
    re.IGNORECASE,
)
_METRIC = re.compile(rf"(learn|test\d*):\s*({_NUMBER})", re.IGNORECASE)
_SPLITS = {"learn": "train", "test": "val", "test0": "val"}


def _recognises(file: LogFile) -> bool:
    if file.head.startswith(MAGIC):
        return False
    if file.name in {LEARNED, TESTED}:
        return file.table is not None and file.table.names[0] == "iter"
    if file.head[:1] == b"{":
        return b'"learn_metrics"' in file.head and _training(file) is not None
    if "learn:" not in file.text and "test:" not in file.text:
        return False
    return any(
        _LINE.search(piece)
        for row in file.text.splitlines()
        if "learn:" in row or "test:" in row
        for piece in pieces(row)
    )


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    if file.name in {LEARNED, TESTED}:
        rows, known = _tables(file)
    elif (training := _training(file)) is not None:
        rows, known = _objects(training)
    else:
        rows, known = _lines(file, columns)
    values, recorded = columns_of_rows(rows)
    found = Columns(file.place, READER.name, values, recorded, epoch="iteration", first_epoch=0, says_nan=True)
    found.known = {name: signal for name, signal in known.items() if name in values}
    found.notes.append(ADDS_TREES)
    apply_counters(found, columns)
    return to_recordings(found)


def _lines(file: LogFile, columns: Mapping[str, str]) -> tuple[list[dict[str, object]], dict[str, str]]:
    """The printed lines: a metric without a name."""
    rows: list[dict[str, object]] = []
    best: list[float] = []
    for row in file.text.splitlines():
        for said in filter(None, map(_LINE.search, pieces(row))):
            named = {name.lower(): float(value) for name, value in _METRIC.findall(said[2])}
            if "test0" in named:
                named["test"] = named.pop("test0")
            rows.append({"iteration": int(said[1]), **named})
            if said[3]:
                best.append(float(said[3]))
    if not set(columns) - {"epoch", "step"} and _rises(rows, best):
        raise LogError(
            f"{file.place} prints a score that rises and does not name it, as CatBoost does with accuracy or AUC: "
            f"give {TRAINING} of its catboost_info, or say --columns train_accuracy=learn,val_accuracy=test"
        )
    return rows, {"learn": "train_loss", "test": "val_loss"}


def _rises(rows: Sequence[Mapping[str, object]], best: Sequence[float]) -> bool:
    """Whether what is printed is better where it is more."""
    if len(best) > 1 and best[0] != best[-1]:
        return best[-1] > best[0]
    watched = next((name for name in ("test", "learn") if rows and name in rows[0]), "")
    course = [value for row in rows if isinstance(value := row.get(watched), float)]
    if len(course) < 2:  # noqa: PLR2004 - one place is no course
        return False
    if best:  # the first tree was the best
        return course[0] == max(course)
    return course[-1] > course[0]


def _training(file: LogFile) -> Mapping[str, object] | None:
    found = file.json
    if not isinstance(found, dict) or not isinstance(found.get("iterations"), list):
        return None
    return found if isinstance(found.get("meta"), dict) else None


def _objects(training: Mapping[str, object]) -> tuple[list[dict[str, object]], dict[str, str]]:
    """The JSON: lists of values in the order in which `meta` names the metrics."""
    meta, iterations = training["meta"], training["iterations"]
    known: dict[str, str] = {}
    names: dict[str, list[str]] = {}
    for kind in ("learn", "test"):
        told = meta.get(f"{kind}_metrics") if isinstance(meta, dict) else None
        metrics = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
        sets = meta.get(f"{kind}_sets") if isinstance(meta, dict) else None
        for each in sets if isinstance(sets, list) else [kind]:
            names[str(each)] = [f"{_SPLITS.get(str(each), str(each))}/{metric.get('name')}" for metric in metrics]
        least = [str(metric.get("name")) for metric in metrics if metric.get("best_value") == "Min"]
        known |= _loss(kind, least, less=True)
    rows: list[dict[str, object]] = []
    for place, row in enumerate(iterations if isinstance(iterations, list) else []):
        if not isinstance(row, dict):
            continue
        made: dict[str, object] = {"iteration": as_number(row.get("iteration", place))}
        for kind, columns in names.items():
            values = row.get(kind)
            made |= dict(zip(columns, values, strict=False)) if isinstance(values, list) else {}
        rows.append(made)
    return rows, known


def _tables(file: LogFile) -> tuple[list[dict[str, object]], dict[str, str]]:
    """The tables of both halves, the one that lies beside the other with it."""
    rows: dict[int, dict[str, object]] = {}
    known: dict[str, str] = {}
    for name, kind in ((LEARNED, "learn"), (TESTED, "test")):
        path = file.path.with_name(name)
        half = file if file.name == name else LogFile(path) if path.is_file() else None
        table = half.table if half is not None else None
        if table is None or table.names[0] != "iter":
            continue
        metrics = [each for each in table.values if each != "iter"]
        known |= _loss(kind, metrics, less=False)
        for place, number in enumerate(table.values["iter"].tolist()):
            if not math.isfinite(number):
                continue
            row = rows.setdefault(int(number), {"iteration": number})
            row |= {f"{_SPLITS[kind]}/{each}": float(table.values[each][place]) for each in metrics}
    return [rows[number] for number in sorted(rows)], known


def _loss(kind: str, metrics: Sequence[str], *, less: bool) -> dict[str, str]:
    """The signal of the metric that stands for the loss."""
    split, chosen = _SPLITS[kind], loss_of(metrics, less=less)
    return {f"{split}/{chosen}": f"{split}_loss"} if chosen else {}


READER = Reader(name="CatBoost", recognises=_recognises, read=_read)
