"""The door of this room: a path goes in, the runs recorded there come out."""

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.core.run_log import NamedHistory
from thalweg.core.signal import Signal
from thalweg.histories.assembly import assemble
from thalweg.histories.boosting import ADDS_TREES, adds_trees
from thalweg.histories.database import MAGIC
from thalweg.histories.documents import NOTEBOOK, is_course, is_document, quoted
from thalweg.histories.folders import Found, search
from thalweg.histories.log_file import LARGEST, LogFile
from thalweg.histories.measured import measurements_beside, with_measurements
from thalweg.histories.names import split_of, words
from thalweg.histories.readers import (
    bare,
    boosted,
    catboost,
    console,
    drawn,
    fastai,
    history_json,
    json_lines,
    keras_csv,
    lightning,
    lines,
    literals,
    mlflow,
    own,
    table,
    tensorboard,
    timm,
    trackio,
    transformers,
    ultralytics,
    ultralytics_console,
    yolo_results,
)
from thalweg.histories.readers.exports import from_exports
from thalweg.histories.readers.history_json import from_mapping
from thalweg.histories.readers.mlflow_files import from_run_folder
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.tensorboard import from_event_files
from thalweg.histories.recording import Recording
from thalweg.histories.roles import AXES, SIGNALS

__all__ = ["READERS", "read", "read_mapping", "read_stream"]

READERS: tuple[Reader, ...] = (
    tensorboard.READER,
    mlflow.READER,
    trackio.READER,
    transformers.READER,
    catboost.READER,
    boosted.READER,
    history_json.READER,
    json_lines.READER,
    ultralytics_console.READER,
    yolo_results.READER,
    console.READER,
    lines.READER,
    literals.READER,
    drawn.READER,
    lines.NAMED,
    bare.READER,
    own.READER,
    keras_csv.READER,
    fastai.READER,
    ultralytics.READER,
    timm.READER,
    lightning.READER,
    table.READER,
)
"""In the order in which a file is offered to them."""

_LARGE = 4 << 20
_HEAD = 1 << 16
_YAML = {".yaml", ".yml"}
_DATABASES = {".db", ".sqlite", ".sqlite3"}


def read(path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None) -> tuple[NamedHistory, ...]:
    r"""Read every run recorded at a path.

    Args:
        path: A log file, or a folder that holds some.
        columns: Which column is what, where the guess from the names is wrong: `{"train_loss": "foo"}`; `epoch` and
            `step` name the counters.

    Returns:
        The runs, in the order of the file or of their names.

    Raises:
        LogError: There is no log there that can be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     log = Path(folder, "log.csv")
        ...     _ = log.write_text("epoch,loss,val_loss\n0,0.9,0.8\n1,0.5,0.6\n")
        ...     read(log)[0].history.signal("val_loss").values
        (0.8, 0.6)
    """
    wanted = _checked(columns or {})
    path = Path(path)
    try:
        if path.is_dir():
            return tuple(_read_folder(path, wanted))
    except ValueError:  # a NUL byte in the name
        raise LogError(f"{printable(path)} is no file name") from None
    return tuple(read_file(LogFile(path), wanted))


def read_mapping(
    history: Mapping[str, object], *, place: str = "history", columns: Mapping[str, str] | None = None
) -> NamedHistory:
    """Read a history that is in memory, such as Keras's `History.history`.

    Args:
        history: Names to lists of values, one an epoch; or a uniform case.
        place: What to call it.
        columns: As for `read`.

    Returns:
        The run.

    Raises:
        LogError: None of it is a loss or an accuracy.

    Example:
        >>> read_mapping({"loss": [0.9, 0.5]}).history.signal("train_loss").steps
        (1, 2)
    """
    wanted = _checked(columns or {})
    if boosted.is_evals(history):
        return _assembled(boosted.from_evals(history, place, wanted)[0], wanted)
    return _assembled(from_mapping(history, place, wanted), wanted)


def read_stream(
    stream: IO[Any], *, place: str = "standard input", columns: Mapping[str, str] | None = None
) -> tuple[NamedHistory, ...]:
    r"""Read what comes through a pipe or was pasted, as the same bytes in a file would be.

    Args:
        stream: An open file, of bytes or of text; it is read to its end.
        place: What to call it.
        columns: As for `read`.

    Returns:
        The runs.

    Raises:
        LogError: It is no log that can be read.

    Example:
        >>> import io
        >>> read_stream(io.StringIO("epoch 1, loss 0.9\nepoch 2, loss 0.5\n"))[0].history.signal("train_loss").values
        (0.9, 0.5)
    """
    wanted = _checked(columns or {})
    content = stream.read(LARGEST + 1)
    with tempfile.TemporaryDirectory(prefix="thalweg-") as folder:  # readers look at names and beside files
        path = Path(folder, "input")
        path.write_bytes(content.encode("utf-8", "replace") if isinstance(content, str) else content)
        return tuple(read_file(LogFile(path, place), wanted))


def read_file(file: LogFile, columns: Mapping[str, str]) -> Iterable[NamedHistory]:
    """Read one file by the first reader that knows it.

    Args:
        file: The file.
        columns: What the user says which column is.

    Returns:
        Its runs.

    Raises:
        LogError: No reader knows it, or it has no usable curve.
    """
    if is_document(file):
        return _read_document(file, columns)
    for reader in READERS:
        if reader.recognises(file):
            runs = [_assembled(recording, columns, file) for recording in reader.read(file, columns)]
            measured = measurements_beside(file.path) if len(runs) == 1 else None
            return [with_measurements(run, measured) for run in runs] if measured else runs
    if file.head.startswith(MAGIC):
        raise LogError(f"{file.place} is a database, but of neither MLflow nor trackio")
    suffix = file.path.suffix.lower()
    if suffix in _YAML or (file.json is None and suffix not in {".json", ".jsonl", ".ndjson"}):
        raise LogError(
            f"{file.place} is no training log that is known: it is neither a table nor JSON, and no line of it prints "
            f"a loss or an accuracy with its number, such as: epoch 3, loss 0.51, val_loss 0.48"
        )
    if isinstance(file.json, list) and file.json and all(isinstance(each, int | float) for each in file.json):
        raise LogError(
            f"{file.place} holds {len(file.json):,} numbers, of which nothing says what they are: call the file "
            f"train_loss.json or val_loss.json"
        )
    raise LogError(
        f"{file.place} is no training log that is known: it is JSON without a list of numbers, or damaged; "
        'a history is {"loss": [0.9, ...], "val_loss": [0.8, ...]}'
    )


def _read_document(file: LogFile, columns: Mapping[str, str]) -> list[NamedHistory]:
    """Read what a notebook or a page quotes; a part that shows one moment is no course of a run."""
    runs: list[NamedHistory] = []
    for part in quoted(file):
        if not columns and not is_course(part):
            continue
        with contextlib.suppress(LogError):
            runs += read_file(part, columns)
    runs = [run for run in runs if any(len(signal.steps) > 1 for signal in run.history.signals if _is_judged(signal))]
    if not runs:
        raise LogError(
            f"{file.place} is a notebook or page whose outputs and tables hold no training log: run its training "
            "cells and save it, or give the log that the program wrote"
        )
    return runs


def _is_judged(signal: Signal) -> bool:
    return signal.name.endswith(("_loss", "_accuracy")) and signal.name in SIGNALS


def _assembled(recording: Recording, columns: Mapping[str, str], file: LogFile | None = None) -> NamedHistory:
    """Make a run of what was read, with the remark that it is one of boosted trees where it is."""
    names = [curve.name for curve in recording.curves]
    if adds_trees(names, file.known_text if file is not None else ""):
        recording = dataclasses.replace(recording, notes=(*recording.notes, ADDS_TREES))
    if file is not None and file.ranks > 1:
        note = f"{file.ranks:,} processes printed into it: the lines of the first count"
        recording = dataclasses.replace(recording, notes=(*recording.notes, note))
    run = assemble(recording, columns)
    return run if recording.measured is None else with_measurements(run, recording.measured)


def _read_folder(folder: Path, columns: Mapping[str, str]) -> list[NamedHistory]:
    """Read every run below a folder; what is no log is passed over, and the first reason told where nothing is one."""
    runs: list[NamedHistory] = []
    first = ""
    looked = 0
    tables: set[Path] = set()
    for found in search(folder):
        looked += 1
        try:
            if found.kind == "file":
                if _worth_reading(found.path):
                    runs += [_with_notes(run, found.notes) for run in read_file(LogFile(found.path), columns)]
                    if found.path.suffix.lower() != NOTEBOOK:
                        tables.add(found.path.parent)
                continue
            if found.kind == "events" and found.path in tables:
                continue  # the same run, which the table beside them tells already
            for recording in _recordings(found):
                try:
                    runs.append(_with_notes(_assembled(recording, columns), found.notes))
                except LogError as error:
                    first = first or str(error)
        except LogError as error:
            first = first or str(error)
    if not runs:
        why = f"; the first: {first}" if first else ": name a log file, or the folder in which the program writes them"
        raise LogError(f"{printable(folder)} holds no training log that can be read ({looked:,} files looked at){why}")
    return _joined(runs)


def _joined(runs: list[NamedHistory]) -> list[NamedHistory]:
    """Put the halves of a run together that two files tell: `train.csv` and `val.csv`, each of its own split alone."""
    halves: dict[tuple[Path, str], list[NamedHistory]] = {}
    for run in runs:
        path = Path(run.place)
        rest = " ".join(word for word in words(path.stem) if not split_of(word))
        if any(map(split_of, words(path.stem))):
            halves.setdefault((path.parent, f"{rest}{path.suffix}"), []).append(run)
    for pair in halves.values():
        pair.sort(key=_splits)
        if [_splits(run) for run in pair] != [["train"], ["val"]]:
            continue
        one, two = pair
        known = {signal.name for signal in one.history.signals}
        signals = (*one.history.signals, *(each for each in two.history.signals if each.name not in known))
        note = f"{Path(one.place).name} and {Path(two.place).name} were put together as one run"
        whole = dataclasses.replace(
            one,
            history=dataclasses.replace(one.history, signals=signals),
            notes=(*one.notes, *two.notes, printable(note)),
        )
        runs = [whole if run is one else run for run in runs if run is not two]
    return runs


def _splits(run: NamedHistory) -> list[str]:
    return sorted({signal.name.partition("_")[0] for signal in run.history.signals if _is_judged(signal)})


def _recordings(found: Found) -> Iterable[Recording]:
    """What several files say together."""
    if found.kind == "events":
        return from_event_files(found.events, printable(found.path))
    if found.kind == "exports":
        return [from_exports(found.events, printable(found.path))]
    return from_run_folder(found.path)


def _worth_reading(path: Path) -> bool:
    """Whether a large file in a folder speaks of training at all; the data of a project may lie beside its logs."""
    try:
        if path.stat().st_size < _LARGE or path.suffix.lower() in _DATABASES:
            return True
        with path.open("rb") as file:  # a notebook may have pictures above what its training printed
            head = file.read(-1 if path.suffix.lower() == NOTEBOOK else _HEAD).replace(b"\0", b"").lower()
    except OSError:
        return True  # the reader says why
    return any(word in head for word in (b"loss", b"acc", b"err", b"cost"))


def _with_notes(run: NamedHistory, notes: Iterable[str]) -> NamedHistory:
    return dataclasses.replace(run, notes=(*run.notes, *notes)) if notes else run


def _checked(columns: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(columns) - set(SIGNALS) - set(AXES))
    if unknown:
        raise LogError(f"--columns: {printable(unknown[0])!r} is none of {', '.join((*SIGNALS, *AXES))}")
    return dict(columns)
