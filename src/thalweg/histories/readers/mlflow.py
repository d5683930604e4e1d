"""MLflow's database (`mlflow.db`, SQLite): every metric is a row of key, value, timestamp, step.

The database keeps NaN as 0 with a mark, and infinity as the largest double. Metrics logged without a step all have
step 0 and are counted by their time. Runs that were deleted are still there: they are left out, and that is said.
Runs that `thalweg export --mlflow` wrote have a tag that says so, and are read as their run folders are.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import numpy as np

from thalweg.core.curve_tags import IDENTITY
from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.database import MAGIC, columns_of, open_database, tables
from thalweg.histories.log_file import LogFile
from thalweg.histories.measured import SIGNALS_FILE
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.tracked import as_own, plan_of
from thalweg.histories.recording import Curve, Floats, Recording

if TYPE_CHECKING:
    import sqlite3

__all__ = ["READER", "metric_curve"]

_MOST_BYTES = 1 << 28
_LARGEST = np.finfo(np.float64).max


def _recognises(file: LogFile) -> bool:
    if not file.head.startswith(MAGIC):
        return False
    with open_database(file) as base:
        return {"metrics", "runs"} <= tables(base) and "run_uuid" in columns_of(base, "metrics")


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    del columns
    with open_database(file) as base:
        optional = columns_of(base, "runs") & {"name", "lifecycle_stage", "start_time"}
        name, stage, start = (each if each in optional else "''" for each in ("name", "lifecycle_stage", "start_time"))
        runs = base.execute(f"SELECT run_uuid, {name}, {stage} FROM runs ORDER BY {start}, run_uuid").fetchall()  # noqa: S608
        kept = [row for row in runs if row[2] != "deleted"]
        notes = [f"{len(runs) - len(kept)} deleted run(s) left out"] if len(runs) > len(kept) else []
        params = tables(base) & {"params"}
        found = []
        for uuid, title, _ in kept:
            curves = _curves(base, uuid)
            plan = dict(base.execute("SELECT key, value FROM params WHERE run_uuid = ?", (uuid,))) if params else {}
            place = f"{file.place}, run {printable(str(title or uuid))}"
            if curves:
                recording = Recording(
                    place=place, format=READER.name, curves=tuple(curves), notes=tuple(notes), plan=plan
                )
                found.append(_own(base, uuid, recording, file) if _is_own(base, uuid) else recording)
    if not found:
        raise LogError(f"{file.place} holds {len(runs)} MLflow runs, and none has a metric")
    return found


def _is_own(base: "sqlite3.Connection", uuid: str) -> bool:
    if "tags" not in tables(base):
        return False
    return bool(base.execute("SELECT 1 FROM tags WHERE run_uuid = ? AND key = ?", (uuid, IDENTITY)).fetchone())


def _own(base: "sqlite3.Connection", uuid: str, recording: Recording, file: LogFile) -> Recording:
    """A run of ours: nothing of it need be guessed, and what was measured in its layers is among its files."""
    (uri,) = (
        base.execute("SELECT artifact_uri FROM runs WHERE run_uuid = ?", (uuid,)).fetchone()
        if "artifact_uri" in columns_of(base, "runs")
        else ("",)
    )
    folder = _beside(file.path, str(uri or ""))
    measured = folder / SIGNALS_FILE if folder is not None else None
    lost = (
        () if folder else ("its files are not beside the database: judged by its curves, not by what its layers did",)
    )
    return dataclasses.replace(
        recording,
        curves=as_own(recording.curves),
        first_epoch=1,
        first_step=1,
        plan=plan_of({str(key): str(value) for key, value in recording.plan.items()}),
        notes=(*recording.notes, *lost),
        measured=measured if measured and measured.is_file() and measured.stat().st_size < _MOST_BYTES else None,
    )


def _beside(database: Path, uri: str) -> Path | None:
    """Where a run's files are; only below the database's folder, wherever a stranger's database points to."""
    base = database.resolve().parent
    parts = [part for part in unquote(urlsplit(uri).path).split("/") if part not in {"", ".", ".."}]
    for kept in range(2, len(parts) + 1):  # the folder may have been moved since: its end is the same
        folder = base.joinpath(*parts[-kept:])
        if folder.is_dir() and base in folder.resolve().parents:
            return folder
    return None


def _curves(base: "sqlite3.Connection", uuid: str) -> list[Curve]:
    marked = "is_nan" if "is_nan" in columns_of(base, "metrics") else "0"
    stepped = "step" if "step" in columns_of(base, "metrics") else "0"
    rows = base.execute(
        f"SELECT key, value, {stepped}, {marked} FROM metrics WHERE run_uuid = ? ORDER BY key, timestamp, rowid",  # noqa: S608
        (uuid,),
    )
    points: dict[str, list[tuple[float, float]]] = {}
    for key, value, step, nan in rows:
        if not str(key).startswith("system/") and isinstance(value, int | float) and isinstance(step, int):
            points.setdefault(str(key), []).append((float("nan") if nan else float(value), float(step)))
    return [metric_curve(key, *np.array(pairs).T) for key, pairs in points.items()]


def metric_curve(name: str, values: Floats, steps: Floats) -> Curve:
    """Make a curve of a metric; without steps it is counted by time.

    Args:
        name: The metric.
        values: In the order of their time; the largest double stands for infinity.
        steps: Where they were logged; all 0 where the program gave none.

    Returns:
        The curve.

    Example:
        >>> metric_curve("loss", np.array([2.0, 1.0]), np.zeros(2)).steps
        array([0., 1.])
    """
    values = np.where(np.abs(values) >= _LARGEST, np.copysign(np.inf, values), values)
    if len(steps) > 1 and not steps.any():
        steps = np.arange(float(len(steps)))
    return Curve(name=name, values=values, steps=steps)


READER = Reader(name="MLflow database", recognises=_recognises, read=_read)
