"""Runs on the disk as states: one, or all below a folder, cheaply enough to look every second.

Every file of a run is put in place by a rename, which changes the folder's own time of change: a folder that has not
changed need not be read again, unless a process works on it.
"""

import math
import os
import socket
import time
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from thalweg.core.codec import from_plain
from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.core.history import epochs_from_csv
from thalweg.core.holding import is_held
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.live_state import LiveState, read_live_state
from thalweg.core.run_folder import whatever_json
from thalweg.core.run_state import RunPhase, RunState

__all__ = ["RunShelf", "run_state"]

_DEEPEST = 4
_TRAIL = 32
_MOST_RUNS = 5000
_SETTLED_SECONDS = 2.0
"""What changed just now may change again within one tick of the disk's clock: it is not taken as settled."""
_AGE_SECONDS = 30.0
"""A run of another machine, whose hold cannot be seen here, is taken as going on while it spoke so recently."""
_RESCAN_SECONDS = 5.0


class RunShelf:
    """The runs below a folder, remembered from look to look.

    Args:
        root: The folder; a run folder itself is a shelf of one.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: tuple[Path, ...] = ()
        self._scanned = -math.inf
        self._known: dict[Path, tuple[int, RunState]] = {}

    def folders(self) -> tuple[Path, ...]:
        """Find the run folders; the tree is walked anew every few seconds."""
        if time.monotonic() - self._scanned >= _RESCAN_SECONDS:
            self._folders = tuple(_run_folders(self.root, _DEEPEST))[:_MOST_RUNS]
            self._scanned = time.monotonic()
            for gone in set(self._known) - set(self._folders):
                del self._known[gone]
        return self._folders

    def states(self) -> tuple[RunState, ...]:
        """Look at every run.

        Returns:
            Their states, in the order of their names.
        """
        return tuple(state for folder in self.folders() if (state := self.state(folder)) is not None)

    def state(self, folder: Path) -> RunState | None:
        """Look at one run.

        Args:
            folder: Its folder.

        Returns:
            Its state; None where it is gone.
        """
        try:
            changed = folder.stat().st_mtime_ns
        except OSError:
            return None
        known = self._known.get(folder)
        if known is not None and known[0] == changed and not known[1].running:
            return known[1]
        state = run_state(folder, name=self._name(folder))
        settled = time.time() - changed / 1e9 > _SETTLED_SECONDS
        self._known[folder] = (changed if settled else -1, state)
        return state

    def _name(self, folder: Path) -> str:
        inside = folder.relative_to(self.root)
        return printable(inside.as_posix() if inside.parts else folder.resolve().name)


def run_state(folder: Path, *, name: str = "") -> RunState:
    """Look at a run folder.

    Args:
        folder: The folder.
        name: How to call it; its own name by default.

    Returns:
        What its files tell; a damaged file tells nothing.

    Raises:
        RunError: There is no run there.

    Example:
        >>> run_state(Path("no/such/run"))
        Traceback (most recent call last):
        thalweg.core.errors.RunError: no/such/run is no run folder (it has no plan.toml)
    """
    try:
        plan = tomllib.loads((folder / "plan.toml").read_text(encoding="utf-8"))
        updated = folder.stat().st_mtime
    except OSError:
        raise RunError(f"{printable(folder)} is no run folder (it has no plan.toml)") from None
    except ValueError:
        plan, updated = {}, 0.0
    live = read_live_state(folder)
    metrics = whatever_json(folder / "metrics.json")
    base = RunState(
        path=str(folder),
        name=name or printable(folder.resolve().name),
        phase=_phase(folder, live, finished=bool(metrics)),
        network=printable(str(plan.get("network", ""))),
        source=printable(str(plan.get("source", ""))),
        updated=updated,
        epochs=_whole(plan.get("epochs")) or None,
        learning_rate=_number(plan.get("learning_rate")),
        report=(folder / "report.html").is_file(),
    )
    state = _with_epochs(base, folder)
    if live is not None:
        state = _with_live(state, live)
    if state.phase == "finished" and metrics:
        state = _with_metrics(state, metrics)
    if state.phase != "training" and not state.warnings:
        state = _with_findings(state, whatever_json(folder / "findings.json"))
    return state


def _phase(folder: Path, live: LiveState | None, *, finished: bool) -> RunPhase:
    if live is None:
        return "training" if is_held(folder) else "finished" if finished else "stopped"
    if live.phase not in {"training", "evaluating"}:
        return live.phase
    goes_on = is_held(folder) or (live.host != socket.gethostname() and live.age < _AGE_SECONDS)
    return live.phase if goes_on else "stopped"


def _with_epochs(state: RunState, folder: Path) -> RunState:
    try:
        rows = epochs_from_csv((folder / "history.csv").read_text(encoding="utf-8"), "history.csv")
    except (OSError, ValueError, RunError):
        return state
    if not rows:
        return state
    last = rows[-1]
    best = max(rows, key=lambda row: (row.get("val_accuracy", -1.0), -row.get("val_loss", math.inf)))
    return replace(
        state,
        epoch=int(last["epoch"]),
        trail=_thinned([row.get("val_loss", math.nan) for row in rows]),
        train_loss=last.get("train_loss", math.nan),
        val_loss=last.get("val_loss", math.nan),
        val_accuracy=last.get("val_accuracy", math.nan),
        best_accuracy=best.get("val_accuracy", math.nan),
        best_epoch=int(best["epoch"]),
        images_per_second=last.get("images_per_second", math.nan),
        seconds=last.get("seconds", math.nan),
    )


def _with_live(state: RunState, live: LiveState) -> RunState:
    state = replace(
        state,
        epoch=max(state.epoch, live.epoch),
        epochs=live.epochs or state.epochs,
        fraction=live.fraction,
        steps=live.steps,
        monitor=printable(live.monitor),
        message=printable(live.message),
    )
    state = _with_verdict(state, live.estimate)
    if not state.running:
        return state
    return replace(
        state,
        updated=live.updated,
        train_loss=live.loss if math.isfinite(live.loss) else state.train_loss,
        learning_rate=live.learning_rate,
        images_per_second=live.images_per_second,
        seconds_left=live.seconds_left if state.phase == "training" else math.nan,
    )


def _with_metrics(state: RunState, metrics: Mapping[str, object]) -> RunState:
    ends = metrics.get("accuracy_interval")
    low, high = ends if isinstance(ends, list) and len(ends) == 2 else (None, None)  # noqa: PLR2004 - two ends
    return replace(
        state,
        fraction=1.0,
        accuracy=_number(metrics.get("accuracy")),
        accuracy_interval=(_number(low), _number(high)),
        split=printable(str(metrics.get("split", ""))),
        seconds=_number(metrics.get("seconds")),
        images_per_second=_number(metrics.get("images_per_second")),
        learning_rate=_number(metrics.get("learning_rate")),
    )


def _with_findings(state: RunState, stored: Mapping[str, object]) -> RunState:
    found = stored.get("findings")
    names = tuple(
        printable(str(each.get("name")))
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, Mapping) and each.get("severity") in {"warning", "error"}
    )
    return _with_verdict(replace(state, warnings=names), stored.get("learning_rate"))


def _with_verdict(state: RunState, plain: object) -> RunState:
    try:
        estimate = from_plain(LearningRateEstimate, plain, "learning_rate")
    except RunError:
        return state
    return replace(state, verdict=estimate.verdict, verdict_line=printable(str(estimate)))


def _thinned(values: list[float]) -> tuple[float, ...]:
    step = max(1, math.ceil(len(values) / _TRAIL))
    return tuple(float(f"{value:.4g}") for value in values[(len(values) - 1) % step :: step])


def _run_folders(folder: Path, depth: int) -> list[Path]:
    if (folder / "plan.toml").is_file():
        return [folder]
    if not depth:
        return []
    try:
        with os.scandir(folder) as entries:
            inside = sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        return []
    return [found for name in inside for found in _run_folders(folder / name, depth - 1)]


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
