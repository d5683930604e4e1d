"""This program's own runs: `history.csv` by epoch, `steps.csv` by step, and the plan beside them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from thalweg.core.errors import LogError
from thalweg.core.history import EPOCH_COLUMNS, FURTHER_COLUMNS
from thalweg.histories.log_file import LogFile
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import from_table
from thalweg.histories.recording import Curve, Recording
from thalweg.histories.rows import to_recordings

__all__ = ["EPOCHS", "READER", "STEPS"]

EPOCHS, STEPS = "history.csv", "steps.csv"
_STEP_HEADER = {"step", "epoch", "objective", "loss", "gradient_norm", "learning_rate"}
_BY_STEP = {"loss": "batch_loss", "learning_rate": "batch_learning_rate"}
_BY_EPOCH = {"loss": "train_loss"}
_PLAN = "plan.toml"


def _recognises(file: LogFile) -> bool:
    if file.table is None:
        return False
    names = file.table.names
    own = tuple(name for name in names if name not in FURTHER_COLUMNS)
    return own == ("epoch", *EPOCH_COLUMNS) or (names[0] == "step" and set(names) >= _STEP_HEADER)


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    folder = file.path.parent
    notes: list[str] = []
    curves: list[Curve] = []
    by_epoch = file.table is not None and file.table.names[0] == "epoch"
    if by_epoch:
        found = from_table(file, READER.name, columns)
        found.first_epoch, found.known = (
            1,
            {name: name for name in (*EPOCH_COLUMNS, *FURTHER_COLUMNS) if name != "images_per_second"},
        )
        for recording in to_recordings(found):
            curves += recording.curves
            notes += recording.notes
    if (folder / _PLAN).is_file() or not by_epoch:
        curves += _steps(file, folder, notes, read_epochs=by_epoch)
    plan, environment = _mapping(folder / _PLAN, notes), _mapping(folder / "environment.json", notes)
    return [
        Recording(
            place=file.place.rpartition("/")[0] if (folder / _PLAN).is_file() and "/" in file.place else file.place,
            format=READER.name,
            curves=tuple(curves),
            first_epoch=1,
            first_step=1,
            notes=tuple(notes),
            plan=plan,
            environment=environment,
        )
    ]


def _steps(file: LogFile, folder: Path, notes: list[str], *, read_epochs: bool) -> list[Curve]:
    """The curves of `steps.csv`, where it is there."""
    try:
        steps = LogFile(folder / STEPS) if read_epochs else file
        if steps.table is None or "step" not in steps.table.values:
            return []
        found = from_table(steps, READER.name, {})
    except LogError as error:
        if not read_epochs:
            raise
        if (folder / STEPS).exists():
            notes.append(f"{STEPS} was left out: {error}")
        return []
    found.step = "step"
    found.known = {**(_BY_STEP if read_epochs else _BY_EPOCH), **dict.fromkeys(("seconds", "objective"), "-")}
    (recording, *_) = to_recordings(found)
    notes += recording.notes
    return [curve for curve in recording.curves if curve.name != "seconds"]


def _mapping(path: Path, notes: list[str]) -> Mapping[str, object]:
    """A plan or environment, or nothing where it is missing or damaged."""
    try:
        if path.suffix == ".toml":
            import tomllib

            return tomllib.loads(path.read_text(encoding="utf-8"))
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        notes.append(f"{path.name} beside the log cannot be read")
        return {}
    return found if isinstance(found, dict) else {}


READER = Reader(name="thalweg run", recognises=_recognises, read=_read)
