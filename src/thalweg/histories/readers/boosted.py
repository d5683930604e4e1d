"""XGBoost and LightGBM: what they print, and their `evals_result` as JSON.

`[12] train-logloss:0.31 eval-logloss:0.35` is XGBoost's line, `[12] training's auc: 0.9 valid_1's auc: 0.8` LightGBM's,
`Iteration:12, valid_1 auc : 0.8` that of its program, with tabs for these spaces; cross validation adds a deviation
behind `+`, which is left out. `evals_result` maps data sets to metrics to lists. Each fit starts its count anew, so
that folds are runs; the row that repeats the best iteration at the end is passed over. What is called `error` is the
share of wrong answers.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from thalweg.core.files import printable
from thalweg.histories.boosting import ADDS_TREES, error_of, loss_of, only_boosting_says
from thalweg.histories.database import MAGIC
from thalweg.histories.log_file import LogFile
from thalweg.histories.names import meaning, split_of, words
from thalweg.histories.printed import pieces
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters
from thalweg.histories.recording import Recording
from thalweg.histories.roles import told_of_test
from thalweg.histories.rows import Columns, as_number, columns_of_rows, to_recordings

__all__ = ["READER", "from_evals", "is_evals"]

_TABLES = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".yaml", ".yml"}
_NUMBER = r"([-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf))(?:\s?\+\s?[-+.\de]+)?(?=\s|$)"
_XGBOOST = re.compile(r"\[(\d{1,9})\]\s+(?=[^\s:]+-[^\s:]+:)")
_XGBOOST_S = re.compile(rf"([^\s:\[\]]+?)-([A-Za-z][\w@.-]*):\s?{_NUMBER}", re.IGNORECASE)
_LIGHTGBM = re.compile(r"\[(\d{1,9})\]:?\s+(?=[^\s:']+'s )")
_LIGHTGBM_S = re.compile(rf"([^\s:']+)'s ([A-Za-z][^:\t\n]*):\s?{_NUMBER}", re.IGNORECASE)
_PROGRAM = re.compile(rf"\bIteration:\s?(\d{{1,9}}), (\S+) ([\w@.-]+) : {_NUMBER}", re.IGNORECASE)
_BEST = re.compile(r"\bbest iteration(?: is)?:\s*$", re.IGNORECASE)
_NUMBERED = re.compile(r"valid(?:ation)?_\d+", re.IGNORECASE)
_FOLDS = "cv_agg"
_KNOWN = {"rmse", "mae", "mape", "logloss", "error", "merror", "mlogloss", "auc", "aucpr", "ndcg", "map"}
_Row = tuple[int, dict[tuple[str, str], float]]


def _recognises(file: LogFile) -> bool:
    if file.head.startswith(MAGIC):
        return False
    if file.text.lstrip()[:1] == "{":
        return is_evals(file.json)
    if file.path.suffix.lower() in _TABLES:
        return False
    if "[" not in file.text and "iteration:" not in file.text.lower():
        return False
    marks = (_XGBOOST, _LIGHTGBM, _PROGRAM)
    return any(mark.search(file.text) for mark in marks) and next(_printed(file.text), None) is not None


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    if isinstance(file.json, dict):
        return from_evals(file.json, file.place, columns)
    rows: list[_Row] = []
    for number, values in _printed(file.text):
        if rows and rows[-1][0] == number and not set(values) & set(rows[-1][1]):
            rows[-1][1].update(values)  # LightGBM's program prints a line for each metric
        else:
            rows.append((number, values))
    first = 0 if rows[0][0] == 0 else 1
    return _recordings(rows, file.place, columns, mark=" " if "'s " in file.text else "-", first=first)


def _printed(text: str) -> Iterator[_Row]:
    """The rows that are printed, without those that repeat the best."""
    repeats = False
    for line in text.splitlines():
        for piece in pieces(line):
            if _BEST.search(piece):
                repeats = True
            elif "[" in piece and (row := _row(piece)):
                if not repeats:
                    yield row
                repeats = False


def _row(piece: str) -> _Row | None:
    """What one line says: the iteration, and values by data set and metric."""
    if found := _PROGRAM.search(piece):
        return int(found[1]), {(found[2], found[3]): float(found[4])}
    if found := _LIGHTGBM.search(piece):
        said = _LIGHTGBM_S.findall(piece, found.end())
    elif found := _XGBOOST.search(piece):
        said = _XGBOOST_S.findall(piece, found.end())
        if not any(only_boosting_says(metric) or metric.lower() in _KNOWN for _, metric, _ in said):
            return None
    else:
        return None
    values = {_named(name, metric.strip()): float(value) for name, metric, value in said}
    return (int(found[1]), values) if values else None


def _named(name: str, metric: str) -> tuple[str, str]:
    """Data set and metric; LightGBM's cross validation says the data set within the metric, or means the held-out."""
    own, _, rest = metric.partition(" ")
    return (own, rest) if name == _FOLDS and rest and split_of(own) else (name, metric)


def is_evals(found: object) -> bool:
    """Tell whether a mapping is an `evals_result`.

    Args:
        found: Anything.

    Returns:
        True for data sets to metrics to lists of numbers, where a name says that trees were added.

    Example:
        >>> is_evals({"train": {"mlogloss": [0.9, 0.8]}, "eval": {"mlogloss": [0.9, 0.9]}})
        True
        >>> is_evals({"train": {"loss": [0.9, 0.8]}, "eval": {"loss": [0.9, 0.9]}})
        False
    """
    if not isinstance(found, dict) or not found:
        return False
    metrics: set[str] = set()
    for each in found.values():
        if not isinstance(each, dict) or not each:
            return False
        if not all(isinstance(cells, list) and cells and as_number(cells[0]) is not None for cells in each.values()):
            return False
        metrics |= set(map(str, each))
    return any(map(only_boosting_says, metrics)) or any(_NUMBERED.fullmatch(str(name)) for name in found)


def from_evals(found: Mapping[str, object], place: str, columns: Mapping[str, str]) -> list[Recording]:
    """Read an `evals_result`.

    Args:
        found: Data sets to metrics to lists of numbers.
        place: What to call it.
        columns: What the user says which column is.

    Returns:
        The run.
    """
    rows: list[_Row] = []
    for name, metrics in found.items():
        for metric, cells in metrics.items() if isinstance(metrics, dict) else ():
            for number, cell in enumerate(cells):
                if number == len(rows):
                    rows.append((number, {}))
                if (value := as_number(cell)) is not None:
                    rows[number][1][str(name), str(metric)] = value
    return _recordings(rows, place, columns, mark="/", first=0)


def _recordings(rows: list[_Row], place: str, columns: Mapping[str, str], *, mark: str, first: int) -> list[Recording]:
    pairs = list(dict.fromkeys(pair for _, row in rows for pair in row))
    made = [{"iteration": n, **{mark.join(pair): each for pair, each in row.items()}} for n, row in rows]
    values, recorded = columns_of_rows(made)
    found = Columns(place, READER.name, values, recorded, epoch="iteration", first_epoch=first, says_nan=True)
    found.known, notes = _signals(pairs, mark)
    found.notes = [*notes, ADDS_TREES]
    apply_counters(found, columns)
    return to_recordings(found)


def _signals(pairs: Sequence[tuple[str, str]], mark: str) -> tuple[dict[str, str], list[str]]:
    """Which metric of which data set is which signal, and what was guessed for it."""
    sets = list(dict.fromkeys(name for name, _ in pairs))
    numbered = [name for name in sets if name.lower().startswith("validation_")]
    splits = {name: _split(name) for name in sets}
    if len(numbered) > 1 and "train" not in splits.values():
        return {}, []  # which of them was trained on is for the user to say
    notes: list[str] = []
    left = [name for name in sets if not splits[name]]
    if len(left) == 1 and set(splits.values()) == {"train", ""}:
        splits[left[0]] = "val"
        notes.append(f"{printable(left[0])} is the data set beside the training set: taken as validation")
    known: dict[str, str] = {}
    for split, kinds in (("train", ("train",)), ("val", ("val", "test"))):
        name = next((each for kind in kinds for each in sets if splits[each] == kind), "")
        metrics = [metric for each, metric in pairs if each == name]
        for metric, signal in ((loss_of(metrics), "loss"), (error_of(metrics), "error_rate")):
            if metric:
                column = f"{name}{mark}{metric}"
                known[column] = f"{split}_{signal}"
                if splits[name] == "test" and signal == "loss":
                    notes.append(told_of_test(column, "val_loss"))
                if signal == "loss" and meaning(metric).quantity != "loss":
                    notes.append(f"{printable(metric)} stands for the loss: less of it is better")
    return known, list(dict.fromkeys(notes))


def _split(name: str) -> str:
    """The split that the name of a data set says; `dtrain` is what XGBoost's examples call theirs."""
    if name == _FOLDS:
        return "val"
    said = {split_of(word) or split_of(word.removeprefix("d")) for word in words(name)} - {""}
    return said.pop() if len(said) == 1 else ""


READER = Reader(name="XGBoost or LightGBM", recognises=_recognises, read=_read)
