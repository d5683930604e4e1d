"""A run written for Weights & Biases (extra `wandb`): a folder that `wandb sync` sends, when and where its owner wants.

Nothing leaves the machine unless `WANDB_MODE=online` stands in the environment. A run keeps its id, so that what is
written again takes the place of what was written before, here and, once synced, there. W&B's records of machine,
packages, code and its own crashes stay switched off.
"""

import contextlib
import importlib
import math
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thalweg.core.curve_tags import IDENTITY
from thalweg.core.errors import MissingExtraError, PlanError
from thalweg.core.files import printable
from thalweg.exporting.tracked_run import TrackedRun, Tracking, reason_of

__all__ = ["FOLDER", "parts_folder", "write_wandb"]

FOLDER = "wandb"
_PARTS = "thalweg-files-"
_QUIETLY = {"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}
_MODE = "WANDB_MODE"


@contextlib.contextmanager
def parts_folder(out: Path, key: str) -> Iterator[Path]:
    """Make the folder for files that are made for the run; they stay, since they are sent only by `wandb sync`.

    Args:
        out: Where the folder `wandb` shall be.
        key: The run's key.

    Yields:
        The folder, empty.

    Raises:
        PlanError: It cannot be made.
    """
    place = out / FOLDER / f"{_PARTS}{key}"
    try:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    except OSError as error:
        raise PlanError(f"{printable(place)} cannot be made: {error.strerror}; name a folder with --out") from None
    yield place


def write_wandb(run: TrackedRun, project: str, out: Path) -> Tracking:
    """Write a run.

    Args:
        run: The run.
        project: The project, or `ENTITY/PROJECT`.
        out: Where the folder `wandb` shall be.

    Returns:
        What was written.

    Raises:
        MissingExtraError: wandb is not installed.
        PlanError: It cannot be written, or W&B refuses the project.
    """
    online = os.environ.get(_MODE, "").lower() == "online"
    entity, _, name = project.rpartition("/")
    with _wandb() as wandb:
        again = _forget(out / FOLDER, run.key)
        try:
            live = _begin(wandb, run, name, entity or None, out, online=online)
        except Exception as error:  # noqa: BLE001 - W&B raises what its service says
            told = reason_of(error)
            raise PlanError(f"W&B refuses project {printable(project)}: {told}") from None
        try:
            points = _fill(wandb, live, run)
            place, address = Path(live.dir).parent, str(live.url or "")
        finally:
            live.finish(exit_code=int(run.status == "failed"))
    return Tracking(
        program="wandb",
        place=str(place),
        project=project,
        run_id=run.key,
        again=again,
        metrics=sum(bool(curve.steps) for curve in run.curves) + len(run.scores),
        points=points,
        settings=len(run.settings),
        files=len(run.files),
        written=tuple(sorted(place.glob("*.wandb"))),
        opened_with=address if online else f"wandb sync {shlex.quote(str(place))}",
        notes=(),
    )


def _begin(wandb: Any, run: TrackedRun, project: str, entity: str | None, out: Path, *, online: bool) -> Any:  # noqa: ANN401 - W&B's own
    settings = wandb.Settings(
        console="off",
        silent=True,
        disable_git=True,
        disable_code=True,
        save_code=False,
        x_disable_meta=True,
        x_disable_stats=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
        host="unnamed",  # neither the name of the machine nor of its user is asked for
        username="unnamed",
        program="thalweg export",
    )
    return wandb.init(
        project=project,
        entity=entity,
        dir=str(out),
        id=run.key,
        name=run.name,
        mode="online" if online else "offline",
        config={**run.settings, IDENTITY: run.key, **{k: v for k, v in run.tags.items() if "finding" not in k}},
        tags=[key.removeprefix("thalweg.finding.")[:64] for key in run.tags if key.startswith("thalweg.finding.")],
        notes=run.description,
        reinit="create_new",  # a run of the user's own in this process goes on
        settings=settings,
    )


def _fill(wandb: Any, live: Any, run: TrackedRun) -> int:  # noqa: ANN401 - W&B's own
    rows: dict[int, dict[str, float]] = {}
    times: dict[int, float] = {}
    for curve in run.curves:
        for step, value, when in zip(curve.steps, curve.values, curve.times, strict=True):
            rows.setdefault(step, {})[curve.tag] = value
            times[step] = max(when, times.get(step, 0.0))
    for step in sorted(rows):
        live.log({**rows[step], "_timestamp": times[step]}, step=step)
    for name, value in run.scores.items():
        live.summary[name] = value
    for key, told in run.tags.items():
        live.summary[key] = told
    for kind in ("report", "model"):
        files = [file for file in run.files if file.kind == kind]
        if files:
            artifact = wandb.Artifact(f"{kind}-{run.key}", kind)
            for file in files:
                name = f"{file.folder}/{file.path.name}" if file.folder and kind == "report" else file.path.name
                # not copied aside: what is sent is read where it lies, when it is sent
                artifact.add_file(str(file.path.resolve()), name, policy="immutable", skip_cache=True)
            live.log_artifact(artifact)
    return sum(len(row) for row in rows.values()) + sum(map(math.isfinite, run.scores.values()))


def _forget(folder: Path, key: str) -> bool:
    """Remove what was written of this run before; nothing else in the folder is touched."""
    old = [
        path
        for path in folder.glob(f"*run-*-{key}")
        if re.fullmatch(rf"(?:offline-)?run-\d{{8}}_\d{{6}}-{key}", path.name) and not path.is_symlink()
    ]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return bool(old)


@contextlib.contextmanager
def _wandb() -> Iterator[Any]:
    before = {name: os.environ.get(name) for name in _QUIETLY}
    os.environ.update({name: value for name, value in _QUIETLY.items() if before[name] is None})
    try:
        try:
            yield importlib.import_module("wandb")
        except ImportError as error:
            raise MissingExtraError(error.name or "wandb", "wandb", "to write runs for Weights & Biases") from None
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
