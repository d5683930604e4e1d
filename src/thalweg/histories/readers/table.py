"""Plain tables (CSV, TSV, semicolons), and those whose header gives their writer away.

The header decides: Keras's `CSVLogger`, Lightning's `metrics.csv`, fastai, Ultralytics and timm have files of their own
beside this one, which say what is particular in them; what no one claims is guessed from its names.
"""

import contextlib
import math
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.levels import RUN_MARK
from thalweg.histories.log_file import LogFile
from thalweg.histories.names import JUDGED, Meaning, is_epoch, is_step, meaning
from thalweg.histories.parts import split_word, spread
from thalweg.histories.readers.exports import held_out_by_file, named_by_file
from thalweg.histories.readers.reader import Reader
from thalweg.histories.recording import Floats, Recording
from thalweg.histories.refusing import refuse_unknown
from thalweg.histories.rows import UNNAMED, Columns, Mask, to_recordings
from thalweg.histories.table import Table

__all__ = ["READER", "apply_counters", "from_table", "refuse_results"]

_Cells = TypeVar("_Cells")
_WHEN = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d:\d\d|\b(?:epoch|iter|step)", re.IGNORECASE)
_NEPTUNES = re.compile(r"([A-Z][A-Z0-9]*-\d+)/")
_MOST_TOLD = 8
_A_TIME = 1e9
_SUBJECTS = {"model", "name", "algorithm", "classifier", "method", "architecture", "network", "experiment", "dataset"}
_LOWEST, _HIGHEST = "__MIN", "__MAX"


def _recognises(file: LogFile) -> bool:
    return file.table is not None


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    table = file.table
    if table is None:
        raise LogError(f"{file.place} is no table")
    values, recorded = spread(table.values, table.recorded, table.words)
    notes = list(table.notes)
    if not set(columns) & {"epoch", "step"}:
        unnumbered = [name for name in table.names if name not in table.values or name.lower() not in UNNAMED]
        refuse_results(unnumbered, table.words, file.place)
    if not table.headless and not columns and any(map(_is_number, table.names)):  # a line of words and numbers
        repeated = any({cell.strip() for cell in cells} == {name} for name, cells in table.words.items())
        refuse_unknown(table.names, file.place, printed=repeated)
    if table.headless:
        notes.append(_headless(file, table, values, recorded, columns))
    made: list[Recording] = []
    for run, names in _runs(values, marked=table.runs).items():
        own = {_shortened(name, file): values[name] for name in names}
        there = {_shortened(name, file): recorded[name] for name in names}
        own, there = _by_file(file, own), _by_file(file, there)
        found = Columns.guess(f"{file.place}, {printable(run)}" if run else file.place, "table", own, there)
        found.words = table.words
        apply_counters(found, columns)
        found.notes = [*notes, *_guesses(found, columns)]
        made += to_recordings(found)
    return made


def _is_number(name: str) -> bool:
    with contextlib.suppress(ValueError):
        return math.isfinite(float(name))
    return False


def refuse_results(names: Sequence[str], words: Mapping[str, list[str]], place: str) -> None:
    """Refuse rows that a column of words names, each another, as tables of models and their results do.

    Args:
        names: The columns in order, without one that numbers the rows.
        words: The columns of words.
        place: What the rows are called.

    Raises:
        LogError: They are no course of a run.
    """
    first = next(iter(names), "")
    asked = [first, *(name for name in names if name.strip().lower() in _SUBJECTS)]
    named = next((name for name in asked if _are_names([cell.strip() for cell in words.get(name, [])])), None)
    if named is None or any(is_epoch(name) or is_step(name) for name in names):
        return
    told = printable(named) or "its first column"
    raise LogError(
        f"{place} names its rows by {told} and has no column that counts epochs or steps: it is a "
        "table of results, not the course of a run; if its rows are epochs, leave that column out"
    )


def _are_names(cells: Sequence[str]) -> bool:
    if len(cells) < 2 or len(set(cells)) < len(cells) or any(not cell or _WHEN.search(cell) for cell in cells):  # noqa: PLR2004
        return False
    return not split_word(cells[0])


def _runs(values: Mapping[str, Floats], *, marked: bool) -> dict[str, list[str]]:
    """The columns of each run: `RUN - METRIC`, in a chart of Weights & Biases beside its `__MIN` and `__MAX`."""
    if prefixed := _prefixed(values):
        return prefixed
    bounds = [name for name in values if name.endswith((_LOWEST, _HIGHEST))]
    owned = {
        name: name.rpartition(RUN_MARK)[0]
        for name in values
        if RUN_MARK in name and (marked or f"{name}{_LOWEST}" in values)
    }
    runs = list(dict.fromkeys(owned.values()))
    kept = [name for name in values if name not in bounds or not owned]
    if len(runs) < 2:  # noqa: PLR2004 - one run needs no telling apart
        return {"": kept}
    return {run: [name for name in kept if owned.get(name, run) == run] for run in runs}


def _prefixed(values: Mapping[str, Floats]) -> dict[str, list[str]]:
    """The columns of each run where names begin with it, `EXP-1/train/loss`, as Neptune exports charts."""
    owned = {name: found[1] for name in values if (found := _NEPTUNES.match(name))}
    runs = dict.fromkeys(run for name, run in owned.items() if meaning(name[len(run) + 1 :]).quantity in JUDGED)
    return {run: [name for name in values if owned.get(name, run) == run] for run in runs}


def from_table(file: LogFile, format_name: str, columns: Mapping[str, str], *, epoch: str = "epoch") -> Columns:
    """Take a table as it is, for a reader that knows its header.

    Args:
        file: The file.
        format_name: What wrote it.
        columns: What the user says which column is.
        epoch: The column that counts epochs.

    Returns:
        The columns.

    Raises:
        LogError: It is no table.
    """
    table = file.table
    if table is None:
        raise LogError(f"{file.place} is no table")
    found = Columns(file.place, format_name, _by_file(file, table.values), _by_file(file, table.recorded))
    found.epoch = epoch if epoch in table.values else ""
    found.notes = list(table.notes)
    if set(found.values) != set(table.values):
        found.notes.append("the file or its folder is called validation, and its columns name no split: taken as such")
    found.words = table.words
    apply_counters(found, columns)
    return found


def apply_counters(found: Columns, columns: Mapping[str, str]) -> None:
    """Take the user's word for the counters.

    Args:
        found: The log.
        columns: What the user says.

    Raises:
        LogError: A named column is not there.
    """
    for counter in ("epoch", "step"):
        wanted = columns.get(counter)
        if wanted is None:
            continue
        match = next((name for name in found.values if name.strip().lower() == wanted.strip().lower()), None)
        if match is None:
            listed = ", ".join(list(found.values)[:12])
            raise LogError(f"{found.place} has no column {printable(wanted)!r}: it has {printable(listed)}")
        setattr(found, counter, match)


def _shortened(name: str, file: LogFile) -> str:
    """A tag or metric without what a dashboard's export puts around it."""
    if found := _NEPTUNES.match(name):
        return name[found.end() :]
    if name.lower() == "value" and (told := named_by_file(file.path)):
        return told
    return name.rpartition(RUN_MARK)[2] if RUN_MARK in name else name


def _by_file(file: LogFile, columns: Mapping[str, _Cells]) -> dict[str, _Cells]:
    """The columns, with the split that the file is called by, where none of them names one."""
    split = held_out_by_file(file.path)
    judged = {name for name in columns if meaning(name).quantity in JUDGED}
    if not split or any(meaning(name).split for name in judged):
        return dict(columns)
    return {f"{split}/{name}" if name in judged else name: cells for name, cells in columns.items()}


def _headless(
    file: LogFile, table: Table, values: dict[str, Floats], recorded: dict[str, Mask], columns: Mapping[str, str]
) -> str:
    """Name the columns of a table without a header: one, or a count and one, can only be a training loss."""
    names = list(values)
    if not columns and len(names) > 2 and (timed := _timed(file, values, recorded)):  # noqa: PLR2004 - with a time
        return timed
    if set(columns) - {"epoch", "step"}:
        return f"there is no header: columns are numbered 1 to {len(names)}"
    first = values[names[0]]
    counts = bool(len(first) > 1 and np.all(np.diff(first) > 0) and np.array_equal(first, np.floor(first)))
    if len(names) - counts != 1:
        raise LogError(
            f"{file.place} has {len(table.names)} columns without a header: say which is which by number, such as "
            "--columns epoch=1,train_loss=2,val_loss=3"
        )
    if counts:
        values["epoch"], recorded["epoch"] = values.pop(names[0]), recorded.pop(names[0])
    named = named_by_file(file.path) or "train_loss"
    values[named], recorded[named] = values.pop(names[-1]), recorded.pop(names[-1])
    told = "the training loss" if named == "train_loss" else f"{printable(named)}, as the file is called"
    if counts:
        return f"there is no header: the first column was taken as epochs, the second as {told}"
    return f"there is no header: the column was taken as {told}"


def _timed(file: LogFile, values: dict[str, Floats], recorded: dict[str, Mask]) -> str:
    """Name the columns of `time value step`, as MLflow and Neptune write them in some order; empty for others."""
    rest = [name for name, column in values.items() if not np.all(column > _A_TIME)]
    counts = [name for name in rest if _rises(values[name])]
    if len(rest) != 2 or len(rest) == len(values) or len(counts) != 1:  # noqa: PLR2004 - a count and a value
        return ""
    told = named_by_file(file.path) or "train_loss"
    value = next(name for name in rest if name not in counts)
    for column in [name for name in values if name not in rest]:
        del values[column], recorded[column]
    values["step"], recorded["step"] = values.pop(counts[0]), recorded.pop(counts[0])
    values[told], recorded[told] = values.pop(value), recorded.pop(value)
    return f"there is no header: of a time, a step and a value in each row the value was taken as {printable(told)}"


def _rises(column: Floats) -> bool:
    return bool(len(column) > 1 and np.all(np.diff(column) > 0) and np.array_equal(column, np.floor(column)))


def _guesses(found: Columns, columns: Mapping[str, str]) -> list[str]:
    """What was taken for what, in one sentence."""
    counters = [f"column {printable(counter)} counts" for counter in (found.epoch, found.step) if counter]
    meanings = {name: meaning(name) for name in found.values if name not in columns.values()}
    rest = [f"column {printable(name)} is {_said(each)}" for name, each in meanings.items() if each.quantity]
    told = "; ".join([*counters, *rest][:_MOST_TOLD])
    return [f"guessed from the header: {told}"] if told else []


def _said(each: Meaning) -> str:
    """A meaning in words: `val loss`."""
    return f"{each.split} {each.quantity}".strip().replace("_", " ")


READER = Reader(name="table", recognises=_recognises, read=_read)
