"""`thalweg follow`: a run looked at once a second until it ends, from any terminal, whoever started it."""

import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from thalweg.core.errors import LogError, RunError
from thalweg.core.files import printable
from thalweg.core.history import EPOCH_COLUMNS
from thalweg.core.ranges import check_range
from thalweg.core.run_folder import RunFolder
from thalweg.core.run_log import NamedHistory
from thalweg.core.run_state import Followed, RunState
from thalweg.histories.reading import read
from thalweg.workbench.diagnose import diagnose_history
from thalweg.workbench.following.run_states import RunShelf, run_state
from thalweg.workbench.following.run_view import RunView

__all__ = ["follow", "followed_log"]

SECONDS = 1.0
_LOSSES = 120
"""Means of the loss that are kept for a small curve."""
_LOOKS = 3
"""A run that seems to have died is looked at so often before it is believed: it may be starting just now."""


def follow(
    run: str | os.PathLike[str] | None = None,
    *,
    idle: float = 300.0,
    show: Callable[[Followed], None] | None = None,
) -> Followed:
    """Follow a run until it ends.

    Args:
        run: A run folder, or a training log that `diagnose` reads; the newest run in `runs` by default.
        idle: A log of another program does not say when it ends: it is taken as ended after so many seconds without
            anything new.
        show: Called with every look.

    Returns:
        The last look.

    Raises:
        RunError: There is no run.
        LogError: It is neither a run nor a log that can be read.
        PlanError: The seconds are no number from 0 on.

    Example:
        >>> follow("runs/none")
        Traceback (most recent call last):
        thalweg.core.errors.RunError: runs/none is no run folder (it has no plan.toml)...
    """
    check_range("--idle", idle, 0, math.inf)  # nan would never have passed
    folder = _newest() if run is None else Path(run)
    if folder.name == "plan.toml" or (folder.parent / "plan.toml").is_file():
        folder = folder.parent
    if not folder.exists():
        RunFolder.open(folder)  # says so, with the runs that are there
    look = _own(folder) if (folder / "plan.toml").is_file() else _foreign(folder, idle)
    while True:
        seen, ended = look()
        if show is not None:
            show(seen)
        if ended:
            return seen
        time.sleep(SECONDS)


def _own(folder: Path) -> Callable[[], tuple[Followed, bool]]:
    view, dead = RunView(folder), 0

    def look() -> tuple[Followed, bool]:
        nonlocal dead
        state = run_state(folder)
        dead = dead + 1 if state.phase == "stopped" else 0
        findings = view.findings(state)
        seen = Followed(
            state=replace(state, warnings=tuple(each.name for each in findings if each.severity != "info")),
            rows=tuple(view.rows()),
            losses=tuple(view.last_loss(_LOSSES)),
            events=tuple(view.events()),
            findings=findings,
        )
        return seen, not state.running and (state.phase != "stopped" or dead >= _LOOKS)

    return look


def _foreign(path: Path, idle: float) -> Callable[[], tuple[Followed, bool]]:
    seen, stamp, changed = _looked_at(path), _stamp(path), time.monotonic()

    def look() -> tuple[Followed, bool]:
        nonlocal seen, stamp, changed
        now = _stamp(path)
        if now != stamp:
            stamp, changed = now, time.monotonic()
            try:
                seen = _looked_at(path)
            except LogError:  # it is being written just now
                stamp = ()
        return seen, time.monotonic() - changed >= idle

    return look


def _looked_at(path: Path) -> Followed:
    found = read(path)
    if len(found) > 1:
        names = ", ".join(named.place for named in found[:3])
        raise LogError(f"{printable(path)} holds {len(found)} runs ({names}, ...): name one of them")
    return followed_log(found[0], path)


def followed_log(named: NamedHistory, path: Path) -> Followed:
    """Look at a log of another program.

    Args:
        named: Its curves.
        path: Where it lies.

    Returns:
        The look, with a verdict and findings.
    """
    history = named.history
    by_epoch = {name: signal for name in EPOCH_COLUMNS if (signal := history.signal(name)) is not None}
    epochs = sorted({step for signal in by_epoch.values() for step in signal.steps})
    values = {name: dict(zip(signal.steps, signal.values, strict=True)) for name, signal in by_epoch.items()}
    rows = tuple(
        {"epoch": float(epoch), **{name: known[epoch] for name, known in values.items() if epoch in known}}
        for epoch in epochs
    )
    steps = history.signal("batch_loss")
    losses = steps.values[-_LOSSES:] if steps is not None else ()
    judged = diagnose_history(named)
    state = RunState(path=str(path), name=printable(path.name), phase="log", format=named.format)
    if rows:
        best = max(rows, key=lambda row: row.get("val_accuracy", -1.0))
        last = rows[-1]
        state = replace(
            state,
            epoch=int(last["epoch"]),
            best_epoch=int(best["epoch"]) if "val_accuracy" in best else 0,
            train_loss=last.get("train_loss", math.nan),
            val_loss=last.get("val_loss", math.nan),
            val_accuracy=last.get("val_accuracy", math.nan),
            best_accuracy=best.get("val_accuracy", math.nan),
            learning_rate=last.get("learning_rate", math.nan),
        )
    elif losses:
        state = replace(state, train_loss=losses[-1])
    trail = tuple(row["val_loss"] for row in rows[-32:] if "val_loss" in row)
    warnings = tuple(each.name for each in judged.findings if each.severity != "info")
    state = replace(
        state,
        trail=trail,
        warnings=warnings,
        updated=max((file.stat().st_mtime for file in _files(path)), default=0.0),
        verdict=judged.learning_rate.verdict,
        verdict_line=str(judged.learning_rate),
    )
    return Followed(state=state, rows=rows, losses=losses, findings=judged.findings)


def _files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def _stamp(path: Path) -> tuple[object, ...]:
    try:
        return tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in _files(path))
    except OSError:
        return ()


def _newest() -> Path:
    states = RunShelf(Path("runs")).states()
    if not states:
        raise RunError("there is no run in the folder runs: name one, or begin one with thalweg train")
    return Path(max(states, key=lambda state: (state.running, state.updated)).path)
