"""TensorBoard's event files: one run may be several files, and Keras puts training and validation in two folders.

Steps are whatever the program passed: epochs or batches. Keras's tags `epoch_...` are by epoch from 0. A file of a
resumed run goes back some steps: the later file counts from there, as TensorBoard itself shows it. Every point is kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.events import scalars
from thalweg.histories.log_file import LogFile
from thalweg.histories.names import is_epoch, meaning
from thalweg.histories.readers.reader import Reader
from thalweg.histories.recording import Curve, Floats, Recording
from thalweg.histories.records import RecordFile

__all__ = ["MARK", "READER", "from_event_files"]

MARK = "tfevents"
"""What the names of event files have in them."""

_HEADER = 12
Points = dict[str, tuple[Floats, Floats]]


def _recognises(file: LogFile) -> bool:
    if MARK in file.name:
        return True
    # a renamed event file: its first record is the version, a length below 256 and then a field of a double
    return len(file.head) > _HEADER and file.head[1:8] == b"\0" * 7 and b"brain.Event:" in file.head[:64]


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    del columns
    return from_event_files([(file.path, "")], file.place)


def from_event_files(files: Iterable[tuple[Path, str]], place: str) -> list[Recording]:
    """Read the event files of one run.

    Args:
        files: The files in the order in which they were written, each with the split its folder stands for.
        place: What to call the run.

    Returns:
        The run; more than one where files of one folder each begin at the start.

    Raises:
        LogError: There is no scalar in them.
    """
    runs: list[Points] = []
    notes: list[str] = []
    empty = 0
    for path, split in files:
        points = _points(path, split, notes)
        if not points:
            empty += 1
        elif not runs or _begins_anew(runs[-1], points):
            runs.append(points)
        else:
            _join(runs[-1], points, notes)
    if not runs:
        raise LogError(
            f"{place} holds no scalar{'; '.join(['', *notes])}: the program logged none there, or has not yet"
        )
    many = len(runs) > 1
    if many:
        notes.append(f"{len(runs)} event files begin at the same step: taken as {len(runs)} runs")
    return [
        _recording(points, f"{place}, run {number} of {len(runs)}" if many else place, notes)
        for number, points in enumerate(runs, start=1)
    ]


def _points(path: Path, split: str, notes: list[str]) -> Points:
    """The scalars of one file by tag."""
    records = RecordFile(path)
    steps: dict[str, list[int]] = {}
    values: dict[str, list[float]] = {}
    strange = 0
    try:
        for record in records:
            try:
                step, found = scalars(record)
            except ValueError:
                strange += 1
                continue
            for tag, value in found:
                if tag not in steps:
                    steps[tag], values[tag] = [], []
                steps[tag].append(step)
                values[tag].append(value)
    except OSError as error:
        raise LogError(f"{printable(path)} cannot be read: {error.strerror or error}") from None
    if records.damaged + strange:
        notes.append(f"{printable(path.name)}: {records.damaged + strange:,} damaged record(s) left out")
    if records.cut:
        notes.append(f"{printable(path.name)} is cut off in its last record: read up to there")
    return {
        f"{split}/{tag}" if split and not meaning(tag).split else tag: (
            np.array(steps[tag], dtype=np.float64),
            np.array(values[tag], dtype=np.float64),
        )
        for tag in steps
    }


def _begins_anew(run: Points, points: Points) -> bool:
    """Whether a file is another run: all that it shares with the one before starts where that started, and goes on."""
    shared = [tag for tag in points if tag in run]
    return bool(shared) and all(points[tag][0][0] <= run[tag][0][0] and len(run[tag][0]) > 1 for tag in shared)


def _join(run: Points, points: Points, notes: list[str]) -> None:
    for tag, (steps, values) in points.items():
        if tag not in run:
            run[tag] = (steps, values)
            continue
        before, old = run[tag]
        kept = before < steps[0]
        if not kept.all():
            notes.append(
                f"{printable(tag)}: a later file goes back to step {steps[0]:g}: a resumed run; "
                f"{int((~kept).sum()):,} earlier values left out"
            )
        run[tag] = (np.concatenate([before[kept], steps]), np.concatenate([old[kept], values]))


def _recording(points: Points, place: str, notes: Sequence[str]) -> Recording:
    told = list(notes)
    counted = next((tag for tag in points if is_epoch(tag) and len(points[tag][0])), "")
    by_keras = any(tag.rpartition("/")[2].startswith("epoch_") for tag in points)
    curves = []
    for tag, pair in points.items():
        steps, values = _purged(tag, *pair, told)
        epochs = None
        if tag == counted:
            continue
        if by_keras and tag.rpartition("/")[2].startswith("epoch_"):
            epochs, steps_of = steps, None
        else:
            steps_of = steps
            if counted:
                at, number = points[counted]
                order = np.argsort(at, kind="stable")
                epochs = number[order][np.minimum(np.searchsorted(at[order], steps), len(at) - 1)]
        curves.append(Curve(name=tag, values=values, epochs=epochs, steps=steps_of))
    return Recording(
        place=place,
        format="TensorBoard, by Keras" if by_keras else READER.name,
        curves=tuple(curves),
        first_epoch=0 if by_keras else None,
        notes=tuple(told),
    )


def _purged(tag: str, steps: Floats, values: Floats, notes: list[str]) -> tuple[Floats, Floats]:
    """Points that a later one goes back over are left out, as TensorBoard does on a restart."""
    least_after = np.minimum.accumulate(steps[::-1])[::-1]
    kept = np.append(steps[:-1] < least_after[1:], True)
    if not kept.all():
        notes.append(f"{printable(tag)} goes back {int((np.diff(steps) <= 0).sum()):,} time(s): the later values count")
    return steps[kept], values[kept]


READER = Reader(name="TensorBoard", recognises=_recognises, read=_read)
