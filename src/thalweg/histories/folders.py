"""Folders of logs: which files there are runs, which belong together, and which say the same run twice.

Links to folders are not followed, so that a loop of them ends nothing and `latest -> run-7` is not read twice.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from thalweg.histories.measured import SIGNALS_FILE
from thalweg.histories.names import words
from thalweg.histories.readers.catboost import LEARNED, TESTED, TRAINING
from thalweg.histories.readers.exports import exported
from thalweg.histories.readers.mlflow_files import METRICS, is_run_folder
from thalweg.histories.readers.own import EPOCHS, STEPS
from thalweg.histories.readers.tensorboard import MARK

__all__ = ["Found", "search"]

MOST_FILES = 20_000
"""So many files that could be logs are looked at, no more."""

_DEEPEST = 16
_NAMED_ENDINGS = (".log", ".txt", ".out")
_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".db", ".sqlite", ".sqlite3", ".json", ".ipynb", *_NAMED_ENDINGS)
_NAMED = ("log", "hist", "metric", "loss", "train", "output", "stdout", "console", "slurm", "nohup", "progress")
_YOLOS = "results.txt"
_PASSED_OVER = {"__pycache__", "node_modules", "site-packages", "artifacts", "checkpoints", ".trash"}
_STATE = "trainer_state.json"
_CHECKPOINT = re.compile(r"checkpoint-\d+")
_DVC = {"metrics", "scalars"}
_CATBOOSTS = re.compile(r"learn|test\d*|tmp")
_NUMBER = re.compile(r"(\d+)")
_SPLITS = {"train": "train", "training": "train", "validation": "val", "valid": "val", "val": "val", "eval": "val"}
_SPLITS |= {"test": "test"}

_LINE = 1 << 16
"""Bytes of a line that are enough to see whether it holds anything."""


@dataclass(slots=True)
class Found:
    """One thing to read.

    Args:
        kind: `file`, `events` (files of one run), `exports` (of one run, a tag each), or `mlflow` (a run's folder).
        path: The file or folder.
        events: The event files, each with its folder's split; the exports, each with the curve's name.
        notes: What was passed over for it.
    """

    kind: str
    path: Path
    events: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def search(root: Path) -> Iterator[Found]:
    """Find what may be logs below a folder.

    Args:
        root: The folder.

    Yields:
        Things to read, folder by folder in the order of their names; numbers count as numbers.
    """
    events: dict[Path, list[Path]] = {}
    found: list[Found] = []
    states: list[Path] = []
    for top, folders, names in os.walk(root, onerror=None):
        folder = Path(top)
        folders[:] = sorted((name for name in folders if _enters(folder, name, root)), key=natural)
        if (folder / "plan.toml").is_file() and {EPOCHS, STEPS} & set(names):
            by_epoch = EPOCHS in names and (STEPS not in names or _has_rows(folder / EPOCHS))
            found.append(Found("file", folder / (EPOCHS if by_epoch else STEPS)))
            folders.clear()
            continue
        if METRICS in folders and is_run_folder(folder):
            found.append(Found("mlflow", folder))
            folders.clear()
            continue
        if told := next((name for name in (TRAINING, LEARNED, TESTED) if name in names), ""):
            found.append(Found("file", folder / told))  # the other tables and the events tell the same run
            names[:] = [name for name in names if name not in {TRAINING, LEARNED, TESTED, "time_left.tsv"}]
            folders[:] = [name for name in folders if not _CATBOOSTS.fullmatch(name)]
        if folder.name in _DVC and (tables := _dvc(folder)):
            found.append(Found("exports", folder.parent, events=tables))
            folders.clear()
            continue
        if _CHECKPOINT.fullmatch(folder.name) and folder.parent in states:
            continue
        if _STATE in names or any(_CHECKPOINT.fullmatch(name) for name in folders):
            state = _latest_state(folder)
            if state is not None:
                states.append(folder)
                found.append(state)
        mine = sorted((name for name in names if MARK in name), key=natural)
        if mine and not any(state in folder.parents or state == folder for state in states):
            events[folder] = [folder / name for name in mine]
        exports = _exports(folder, names)
        found += exports
        joined = {path.name for each in exports for path, _ in each.events}
        found += [
            Found("file", folder / name)
            for name in sorted(names, key=natural)
            if _may_be_log(name) and name not in joined
        ]
    yield from found[:MOST_FILES]
    yield from _groups(events)


def _has_rows(table: Path) -> bool:
    """Whether a run came as far as the end of an epoch."""
    try:
        with table.open("rb") as file:
            return bool(file.readline(_LINE) and file.readline(_LINE).strip())
    except OSError:
        return True  # whoever reads it says why it cannot be


def natural(name: str) -> list[tuple[int, str]]:
    """Order names so that `run-10` comes after `run-9`.

    Args:
        name: A name.

    Returns:
        What to sort by.
    """
    return [(int(part), "") if part.isdecimal() and len(part) < 20 else (-1, part) for part in _NUMBER.split(name)]  # noqa: PLR2004 - longer ones are no counters


def _enters(folder: Path, name: str, root: Path) -> bool:
    depth = len(folder.parts) - len(root.parts)
    hidden = name.startswith(".") or name in _PASSED_OVER
    return depth < _DEEPEST and not hidden


def _may_be_log(name: str) -> bool:
    low = name.lower()
    if MARK in low or low.endswith(SIGNALS_FILE) or low == _STATE or low.startswith(".") or not low.endswith(_ENDINGS):
        return False
    return not low.endswith(_NAMED_ENDINGS) or low == _YOLOS or any(word in low for word in _NAMED)


def _dvc(folder: Path) -> list[tuple[Path, str]]:
    """The curves that DVCLive writes: `train/loss.tsv` with the columns step and loss; empty for other folders."""
    files = sorted(folder.glob("**/*.tsv"))[:MOST_FILES]
    for path in files:
        try:
            with path.open(encoding="utf-8", errors="replace") as table:
                header = table.readline().split()
        except OSError:
            return []
        if "step" not in header or header[-1] != path.stem:
            return []
    return [(path, path.relative_to(folder).with_suffix("").as_posix()) for path in files]


def _exports(folder: Path, names: Sequence[str]) -> list[Found]:
    """The exports of a folder, those of one run together: `train` and `validation` are halves of one."""
    runs: dict[str, list[tuple[Path, str]]] = {}
    for name in sorted(names, key=natural):
        told = exported(Path(name).stem) if name.lower().endswith(".csv") else None
        if told:
            runs.setdefault(told[0], []).append((folder / name, told[1]))
    return [
        Found("exports", folder / run if len(runs) > 1 else folder, events=files)
        for run, files in runs.items()
        if len(files) > 1
    ]


def _latest_state(folder: Path) -> Found | None:
    """The furthest of a folder's `trainer_state.json` and those of its checkpoints, which are its beginnings."""
    paths = [folder / _STATE, *(folder / name / _STATE for name in os.listdir(folder) if _CHECKPOINT.fullmatch(name))]  # noqa: PTH208 - names alone

    def reached(path: Path) -> float:
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            return float(state.get("global_step") or 0)
        except (OSError, ValueError, AttributeError, TypeError, RecursionError):
            return -1.0

    there = [path for path in paths if path.is_file()]
    if not there:
        return None
    best = max(there, key=reached)
    notes = [f"{len(there) - 1} other {_STATE} of the same run passed over"] if len(there) > 1 else []
    return Found("file", best, notes=notes)


def _groups(events: dict[Path, list[Path]]) -> Iterator[Found]:
    """Put the event files of a run together: its own, those of train/ and validation/, those of `add_scalars`."""
    split_of: dict[Path, tuple[Path, str, str]] = {}
    for folder in events:
        *rest, last = words(folder.name) or [""]
        split = _SPLITS.get(last, "")
        split_of[folder] = (folder.parent, " ".join(rest), split)
    runs: dict[Path, list[tuple[Path, str]]] = {}
    for folder, files in events.items():
        parent, prefix, split = split_of[folder]
        together = {split_of[each][2] for each in events if split_of[each][:2] == (parent, prefix)} - {""}
        joined = split and (len(together) > 1 if prefix else True)
        home = parent if joined and (not prefix or parent in events) else parent / prefix if joined else folder
        runs.setdefault(home, []).extend((path, split if joined else "") for path in files)
    for home in sorted(runs, key=lambda path: natural(str(path))):
        yield Found("events", home, events=_in_time(runs[home]))


def _in_time(files: Sequence[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """By the time in their names, which is where event files carry it."""
    return sorted(files, key=lambda pair: natural(pair[0].name))
