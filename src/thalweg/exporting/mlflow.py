"""A run written to MLflow (extra `mlflow`): to a server or database by its URI, or to a database in a folder.

A run is found again by its tag, so that writing it twice brings one run up to date: MLflow never takes a value back, so
only points that are not there yet are sent. Nothing is sent anywhere but to the place that was named; MLflow's own
reports on its use are switched off while it is loaded.
"""

import contextlib
import datetime as dt
import importlib
import json
import logging
import math
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thalweg.core.curve_tags import IDENTITY
from thalweg.core.errors import MissingExtraError, PlanError
from thalweg.core.files import printable
from thalweg.exporting.tracked_run import TrackedFile, TrackedRun, Tracking, reason_of

__all__ = ["DATABASE", "ONNX", "Destination", "destination", "write_mlflow"]

DATABASE = "mlflow.db"
"""The database in a folder."""
ONNX = "model.onnx"
"""The network as MLflow can serve it."""
_ARTIFACTS = "mlartifacts"
_AT_ONCE = 1000
_SETTINGS_AT_ONCE = 100
_LONGEST = {"setting": 6000, "tag": 5000}
_STATUS = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED", "training": "RUNNING"}
_SAFE = re.compile(r"[^/\w.\- ]")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:.*|databricks|uc")
_QUIETLY = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where MLflow keeps runs.

    Args:
        uri: The tracking URI.
        artifacts: Where files of new experiments go; None lets MLflow decide.
        database: The database's file where it is on this machine.
    """

    uri: str
    artifacts: str | None = None
    database: Path | None = None

    def opened_with(self, experiment: str, run: str) -> str:
        """Say how a run is seen.

        Args:
            experiment: Its experiment's number.
            run: Its own.

        Returns:
            An address of a server, else a command.
        """
        if self.uri.startswith(("http://", "https://")):
            return f"{self.uri.rstrip('/')}/#/experiments/{experiment}/runs/{run}"
        return f"mlflow ui --backend-store-uri {shlex.quote(self.uri)}"


def destination(where: str) -> Destination:
    """Understand what was named.

    Args:
        where: A tracking URI (`http://...`, `sqlite:///...`, `databricks`), or a folder.

    Returns:
        The place.

    Raises:
        PlanError: It is a file, or a folder in which MLflow kept runs in files, which it no longer writes.

    Example:
        >>> destination("http://localhost:5000").uri, destination("no/such").database.name
        ('http://localhost:5000', 'mlflow.db')
    """
    if _URI.fullmatch(where) and not Path(where).is_dir():
        local = re.fullmatch(r"sqlite:///(.+)", where)
        return Destination(uri=where, database=Path(local[1]) if local else None)
    folder = Path(where)
    if folder.exists() and not folder.is_dir():
        raise PlanError(f"--mlflow {printable(where)} is a file: name a folder, or a database as sqlite:///PATH")
    if not (folder / DATABASE).exists() and any(folder.glob("*/meta.yaml")):
        raise PlanError(
            f"--mlflow {printable(where)} holds MLflow's older store of files, which MLflow no longer writes: "
            "name another folder, or bring it into a database with mlflow migrate-filestore"
        )
    base = folder.resolve()
    uri = f"sqlite:///{(base / DATABASE).as_posix()}"
    return Destination(uri=uri, artifacts=(base / _ARTIFACTS).as_uri(), database=base / DATABASE)


def write_mlflow(run: TrackedRun, where: Destination, experiment: str) -> Tracking:
    """Write a run, or bring it up to date.

    Args:
        run: The run.
        where: The place.
        experiment: The experiment's name; made where it is missing.

    Returns:
        What was written.

    Raises:
        MissingExtraError: MLflow is not installed.
        PlanError: The place cannot be reached or written.
    """
    with _mlflow() as (mlflow, entities):
        try:
            if where.database is not None:
                where.database.parent.mkdir(parents=True, exist_ok=True)
            client = mlflow.MlflowClient(tracking_uri=where.uri)
            number = _experiment(client, experiment, where)
            return _Writing(client, entities, run, where).write(number, experiment)
        except (PlanError, MissingExtraError):
            raise
        except ModuleNotFoundError as error:  # a database needs more packages than a server
            raise MissingExtraError(error.name or "mlflow", "mlflow", "to write runs to MLflow") from None
        except Exception as error:  # noqa: BLE001 - each store raises what its own library raises
            told = reason_of(error)
            raise PlanError(f"MLflow at {printable(where.uri)} cannot be written: {told}") from None


class _Writing:
    """One run on its way into MLflow.

    Args:
        client: MLflow's client.
        entities: MLflow's module of values.
        run: The run.
        where: The place.
    """

    def __init__(self, client: Any, entities: Any, run: TrackedRun, where: Destination) -> None:  # noqa: ANN401 - MLflow's own
        self.client, self.entities, self.run, self.where = client, entities, run, where
        self.notes: list[str] = []

    def write(self, experiment: str, name: str) -> Tracking:
        """Write everything; the run's end is written last."""
        known = self.client.search_runs([experiment], f"tags.`{IDENTITY}` = '{self.run.key}'", max_results=1)
        if known:
            there = known[0]
        else:
            there = self.client.create_run(
                experiment, start_time=_milliseconds(self.run.started), run_name=self.run.name, tags=self._tags()
            )
        number = there.info.run_id
        self._settings(number, there.data.params)
        points = self._points(number, frozenset(there.data.metrics) if known else frozenset())
        if known:
            self._tags_again(number, there.data.tags)
        for file in self.run.files:
            self.client.log_artifact(number, str(file.path), file.folder or None)
            if file.path.name == ONNX:
                self._model(number, file)
        ended = None if self.run.status == "training" else _milliseconds(self.run.ended)
        if ended is None:
            self.client.update_run(number, status=_STATUS[self.run.status])
        else:
            self.client.set_terminated(number, _STATUS[self.run.status], ended)
        return Tracking(
            program="mlflow",
            place=self.where.uri,
            project=name,
            run_id=number,
            again=bool(known),
            metrics=sum(bool(curve.steps) for curve in self.run.curves) + len(self.run.scores),
            points=points,
            settings=len(self.run.settings),
            files=len(self.run.files),
            written=() if self.where.database is None else (self.where.database,),
            opened_with=self.where.opened_with(experiment, number),
            notes=tuple(self.notes),
        )

    def _tags(self) -> dict[str, str]:
        own = {
            IDENTITY: self.run.key,
            "mlflow.source.name": self.run.command,
            "mlflow.note.content": self.run.description,
            **self.run.tags,
        }
        return {_name(key): value[: _LONGEST["tag"]] for key, value in own.items() if value}

    def _tags_again(self, number: str, there: Mapping[str, str]) -> None:
        """What no longer holds goes; MLflow's own tags and other people's stay."""
        wanted = self._tags()
        for key in there:
            if key.startswith("thalweg.") and key not in wanted:
                self.client.delete_tag(number, key)
        for key, value in wanted.items():
            if there.get(key) != value:
                self.client.set_tag(number, key, value)

    def _settings(self, number: str, there: Mapping[str, str]) -> None:
        wanted = {_name(key): text(value)[: _LONGEST["setting"]] for key, value in self.run.settings.items()}
        new = [self.entities.Param(key, value) for key, value in wanted.items() if key not in there]
        for first in range(0, len(new), _SETTINGS_AT_ONCE):
            self.client.log_batch(number, params=new[first : first + _SETTINGS_AT_ONCE])
        for key, value in wanted.items():
            if there.get(key, value) != value:
                told = f"{key} is {printable(there[key])} there and {printable(value)} in the plan"
                self.notes.append(f"{told}: MLflow keeps a parameter as it was first written")

    def _model(self, number: str, file: TrackedFile) -> None:
        """Say beside the network what MLflow needs to know to load and serve it."""
        data = {"data": file.path.name}
        shape = [-1, *self.run.input_shape]
        taken = [{"name": "pixels", "type": "tensor", "tensor-spec": {"dtype": "float32", "shape": shape}}]
        told = {
            "flavors": {
                "onnx": {**data, "providers": ["CPUExecutionProvider"], "onnx_version": "1.17.0"},
                "python_function": {**data, "loader_module": "mlflow.onnx"},
            },
            "run_id": number,
            "signature": {"inputs": json.dumps(taken)},
            "utc_time_created": dt.datetime.fromtimestamp(self.run.ended, dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        }
        # MLmodel is YAML, which any JSON is
        self.client.log_text(number, json.dumps(told, indent=1), f"{file.folder}/MLmodel")
        self.client.log_text(number, "mlflow\nonnx\nonnxruntime\n", f"{file.folder}/requirements.txt")

    def _points(self, number: str, there: frozenset[str]) -> int:
        """Send the values that are not there yet."""
        end = _milliseconds(self.run.ended)
        last = max((curve.steps[-1] for curve in self.run.curves if curve.steps), default=0)
        new: list[Any] = []
        for curve in self.run.curves:
            tag = _name(curve.tag)
            old = {each.step for each in self.client.get_metric_history(number, tag)} if tag in there else frozenset()
            new += [
                self.entities.Metric(tag, value, _milliseconds(when), step)
                for step, value, when in zip(curve.steps, curve.values, curve.times, strict=True)
                if step not in old
            ]
        for name, value in self.run.scores.items():
            tag = _name(name)
            old_values = self.client.get_metric_history(number, tag) if tag in there else []
            if math.isfinite(value) and (not old_values or old_values[-1].value != value):
                new.append(self.entities.Metric(tag, value, end, last))
        for first in range(0, len(new), _AT_ONCE):
            self.client.log_batch(number, metrics=new[first : first + _AT_ONCE])
        return len(new)


def text(value: object) -> str:
    """Write a setting so that it can be read back.

    Args:
        value: A setting.

    Returns:
        Text as it is, everything else as JSON.

    Example:
        >>> text("adamw"), text(True), text([0.5, 1.0])
        ('adamw', 'true', '[0.5, 1.0]')
    """
    return value if isinstance(value, str) else json.dumps(value)


def _experiment(client: Any, name: str, where: Destination) -> str:  # noqa: ANN401 - MLflow's own
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name, artifact_location=where.artifacts))
    if found.lifecycle_stage == "deleted":
        raise PlanError(
            f"MLflow's experiment {printable(name)} was deleted: restore it, or name another (--experiment)"
        )
    return str(found.experiment_id)


@contextlib.contextmanager
def _mlflow() -> Iterator[tuple[Any, Any]]:
    """MLflow, silent about what it makes and about its own use, for as long as it is needed."""
    before = {name: os.environ.get(name) for name in _QUIETLY}
    os.environ.update({name: value for name, value in _QUIETLY.items() if before[name] is None})
    loud = {name: logging.getLogger(name).level for name in ("mlflow", "alembic")}
    try:
        try:
            mlflow = importlib.import_module("mlflow")
            entities = importlib.import_module("mlflow.entities")
        except ImportError as error:
            raise MissingExtraError(error.name or "mlflow", "mlflow", "to write runs to MLflow") from None
        for name in loud:
            logging.getLogger(name).setLevel(logging.ERROR)
        yield mlflow, entities
    finally:
        for name, level in loud.items():
            logging.getLogger(name).setLevel(level)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


def _name(text: str) -> str:
    """A name that MLflow takes: it refuses most signs, and what looks like a path upward."""
    return _SAFE.sub("_", text).strip("/. ").replace("..", "_")[:250] or "unnamed"


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))
