"""A run as programs that keep track of runs want it: settings, curves with steps and times, scores, tags, files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from thalweg.core.files import printable

__all__ = ["TrackedCurve", "TrackedFile", "TrackedRun", "Tracking", "reason_of"]

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedCurve:
    """One metric.

    Args:
        tag: Its name, such as `validation/loss`.
        steps: Steps of training, counted from 1.
        values: What was measured.
        times: When, in seconds since 1970.
    """

    tag: str
    steps: tuple[int, ...]
    values: tuple[float, ...]
    times: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedFile:
    """One file to keep with the run.

    Args:
        path: Where it is.
        folder: The folder for it; empty for the top.
        kind: `model` for what brings the network back, else `report`.
    """

    path: Path
    folder: str = ""
    kind: str = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """A run.

    Args:
        key: Sixteen hexadecimal digits, the same whenever and wherever this run is written.
        name: What to call it.
        status: `finished`, `stopped`, `failed`, or `training`.
        started: Seconds since 1970.
        ended: The same.
        settings: The plan, by name.
        curves: The metrics.
        scores: Final scores, by name.
        tags: Findings, verdict, versions, by name.
        description: A few sentences.
        command: What started it.
        files: Files to keep.
        input_shape: Channels and extents of one sample.
    """

    key: str
    name: str
    status: str
    started: float
    ended: float
    settings: Mapping[str, object]
    curves: tuple[TrackedCurve, ...]
    scores: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    command: str = ""
    files: tuple[TrackedFile, ...] = ()
    input_shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """What was written, and how it is seen.

    Args:
        program: `mlflow` or `wandb`.
        place: The database, server or folder.
        project: The experiment or project.
        run_id: The run there.
        again: Whether the run was there before and was brought up to date.
        metrics: Metrics with at least one value.
        points: Values written this time.
        settings: Settings of the run there.
        files: Files written.
        written: Files on this machine that hold it; none where a server does.
        opened_with: A command, or an address.
        notes: What is not there as it is in the run.
    """

    program: str
    place: str
    project: str
    run_id: str
    again: bool
    metrics: int
    points: int
    settings: int
    files: int
    written: tuple[Path, ...]
    opened_with: str
    notes: tuple[str, ...] = ()


def reason_of(error: Exception) -> str:
    """What a tracker's library said went wrong, short enough for a sentence.

    Args:
        error: Whatever it raised.

    Returns:
        One printable line.

    Example:
        >>> reason_of(ValueError("no such   project"))
        'no such project'
    """
    return printable(" ".join(str(error).split()))[:_LONGEST_REASON]
