"""Logs of rows: columns to curves, and rows whose counter goes back to runs that were resumed or begun anew."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from thalweg.core.files import printable
from thalweg.histories.evaluations import order_of_rows
from thalweg.histories.names import JUDGED, is_epoch, is_step, meaning
from thalweg.histories.parts import runs_apart
from thalweg.histories.recording import Curve, Floats, Recording

__all__ = ["UNNAMED", "Columns", "Mask", "as_number", "columns_of_rows", "named_numbers", "to_recordings"]

Mask = npt.NDArray[np.bool_]
UNNAMED = {"", "unnamed: 0", "index", "idx", "#"}
"""Names of a column that numbers the rows."""

_LARGEST_COUNT = 2.0**53


@dataclass(slots=True)
class Columns:
    """A log of rows.

    Args:
        place: The path, for people.
        format: What wrote it.
        values: The columns by name.
        recorded: Which of their cells hold something.
        epoch: The column that counts epochs; empty where there is none.
        step: The column that counts steps; empty where there is none.
        first_epoch: As in `Recording`.
        first_step: As in `Recording`.
        elapsed: As in `Recording`.
        known: Column to signal, where a format knows more than names say; `-` for none of ours.
        percent: True where the format writes accuracies as percentages.
        says_nan: True where the format writes NaN as such, so that what is missing is missing.
        notes: What was noticed so far.
        words: The columns of words, which may name runs.
    """

    place: str
    format: str
    values: dict[str, Floats]
    recorded: dict[str, Mask]
    epoch: str = ""
    step: str = ""
    first_epoch: int | None = None
    first_step: int | None = None
    elapsed: bool = False
    known: Mapping[str, str] = field(default_factory=dict)
    percent: bool = False
    says_nan: bool = False
    notes: list[str] = field(default_factory=list)
    words: Mapping[str, list[str]] = field(default_factory=dict)

    @classmethod
    def guess(cls, place: str, format_name: str, values: dict[str, Floats], recorded: dict[str, Mask]) -> "Columns":
        """Find the counters by name.

        Args:
            place: The path, for people.
            format_name: What wrote it.
            values: The columns.
            recorded: Which of their cells hold something.

        Returns:
            The columns with their counters.
        """
        if "train_runtime" in values and "loss" in values:  # rows of transformers' Trainer; the last sums the run up
            for name in [name for name in values if name.startswith("train_") and recorded[name].sum() == 1]:
                del values[name], recorded[name]
        epochs = [name for name in values if is_epoch(name) and recorded[name].any()]
        steps = [name for name in values if is_step(name) and recorded[name].any()]
        found = cls(place, format_name, values, recorded)
        found.epoch, found.step = (epochs or [""])[0], (steps or [""])[0]
        unnamed = next(iter(values), "")
        if values and not epochs and not steps and unnamed.lower() in UNNAMED:
            counted = values[unnamed]
            if np.array_equal(counted, np.arange(len(counted)) + counted[:1]):
                found.epoch = unnamed
        return found


def named_numbers(row: Mapping[str, object]) -> list[str]:
    """Find the names in a row that stand for numbers.

    Args:
        row: Names and values.

    Returns:
        The names, in their order.

    Example:
        >>> named_numbers({"loss": 0.5, "loss_fn": "mse"})
        ['loss']
    """
    return [name for name, value in row.items() if as_number(value) is not None]


def columns_of_rows(rows: Iterable[Mapping[str, object]]) -> tuple[dict[str, Floats], dict[str, Mask]]:
    """Turn a list of mappings into columns; what is no number is left out.

    Args:
        rows: The rows, each with some of the keys.

    Returns:
        The columns and which of their cells hold something.

    Example:
        >>> columns_of_rows([{"loss": 1}, {"loss": None}, {"val": "nan"}])[1]["loss"]
        array([ True, False, False])
    """
    cells: dict[str, tuple[list[int], list[float]]] = {}
    count = 0
    for place, row in enumerate(rows):
        count = place + 1
        for key, value in row.items():
            read = value if type(value) is float else as_number(value)  # most are
            if read is not None:
                places, values = cells.setdefault(key, ([], []))
                places.append(place)
                values.append(read)
    made: dict[str, Floats] = {}
    recorded: dict[str, Mask] = {}
    for key, (places, values) in cells.items():
        made[key], recorded[key] = np.full(count, np.nan), np.zeros(count, dtype=np.bool_)
        made[key][places], recorded[key][places] = values, True
    return made, recorded


def as_number(value: object) -> float | None:
    """Read a JSON value as a number.

    Args:
        value: Anything; `"NaN"` and `"Infinity"` as strings count, for JSON itself has neither.

    Returns:
        The number, or None.

    Example:
        >>> as_number("Infinity"), as_number(True), as_number([0.5])
        (inf, None, 0.5)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | str):
        try:
            return float(value)
        except (ValueError, OverflowError):
            return None
    if isinstance(value, list) and len(value) == 1:
        return as_number(value[0])
    return None


def to_recordings(columns: Columns) -> list[Recording]:
    """Split rows into runs and make curves of each run's columns.

    Args:
        columns: The log.

    Returns:
        The runs, in the order of the file.
    """
    key = columns.epoch or columns.step
    if apart := runs_apart(columns.values, columns.recorded, columns.words, key):
        return [each for name, rows in apart.items() for each in to_recordings(_of_run(columns, name, rows))]
    rows = len(next(iter(columns.values.values()))) if columns.values else 0
    counters = {name for name in (columns.epoch, columns.step) if name}
    if not columns.says_nan:
        _non_finite_tails(columns, counters, rows)
    if not key:
        return [_recording(columns, np.arange(rows), counters, columns.place, columns.notes)]
    usable = columns.recorded[key] & (np.abs(columns.values[key]) < _LARGEST_COUNT)
    places = np.flatnonzero(usable)
    if not len(places):
        return [_recording(columns, np.arange(rows), set(), columns.place, columns.notes)]
    lost = rows - len(places)
    notes = [*columns.notes, *([f"{lost:,} rows without {printable(key)} left out"] if lost else [])]
    segments = np.split(places, np.flatnonzero(np.diff(columns.values[key][places]) < 0) + 1)
    runs, offsets = _runs(columns, key, segments, notes)
    many = len(runs) > 1
    return [
        _recording(
            columns,
            run,
            counters,
            f"{columns.place}, run {number} of {len(runs)}" if many else columns.place,
            notes,
            offset,
        )
        for number, (run, offset) in enumerate(zip(runs, offsets, strict=True), start=1)
    ]


def _of_run(columns: Columns, name: str, rows: npt.NDArray[np.intp]) -> Columns:
    return replace(
        columns,
        place=f"{columns.place}, {printable(name)}",
        values={each: values[rows] for each, values in columns.values.items()},
        recorded={each: there[rows] for each, there in columns.recorded.items()},
        words={each: [cells[row] for row in rows] for each, cells in columns.words.items()},
        notes=list(columns.notes),
    )


def _runs(
    columns: Columns, key: str, segments: Sequence[npt.NDArray[np.intp]], notes: list[str]
) -> tuple[list[npt.NDArray[np.intp]], list[Floats | None]]:
    """Join segments of one run: a resumed one overlaps, a continued one goes on at its loss, others start anew."""
    runs: list[npt.NDArray[np.intp]] = []
    offsets: list[Floats | None] = []
    counter = columns.values[key]
    for segment in segments:
        start = counter[segment[0]]
        if not runs:
            runs, offsets = [segment], [None]
            continue
        run, offset = runs[-1], offsets[-1]
        if not _shared(columns, run, segment):
            runs[-1] = np.concatenate([run, segment])
            offsets[-1] = None
        elif offset is None and start > counter[run[0]]:
            kept = run[counter[run] < start]
            notes.append(
                f"the log goes back to {printable(key)} {start:g} after {counter[run[-1]]:g}: a resumed run; "
                f"the later rows count ({len(run) - len(kept):,} earlier ones left out)"
            )
            runs[-1] = np.concatenate([kept, segment])
        elif _continues(columns, run, segment):
            last = counter[run[-1]] + (0.0 if offset is None else offset[-1])
            ahead = last + 1 - start
            before = np.zeros(len(run)) if offset is None else offset
            notes.append(
                f"{printable(key)} starts again at {start:g} with a loss near the one before: "
                f"taken as one run that went on, counted on from {last + 1:g}"
            )
            runs[-1] = np.concatenate([run, segment])
            offsets[-1] = np.concatenate([before, np.full(len(segment), ahead)])
        else:
            runs.append(segment)
            offsets.append(None)
    if len(runs) > 1:
        notes.append(f"{printable(key)} starts again with another loss: {len(runs):,} runs in a file")
    return runs, offsets


def _shared(columns: Columns, run: npt.NDArray[np.intp], segment: npt.NDArray[np.intp]) -> bool:
    """Whether two stretches of rows have a quantity in common; if not, they are sections of one run."""
    names = [name for name in columns.values if meaning(name).quantity in JUDGED]
    both = [name for name in names or columns.values if columns.recorded[name][run].any()]
    return any(columns.recorded[name][segment].any() for name in both)


def _continues(columns: Columns, run: npt.NDArray[np.intp], segment: npt.NDArray[np.intp]) -> bool:
    """Whether a stretch begins nearer to where the one before ended than to where it began."""
    for name in columns.values:
        if meaning(name).quantity != "loss" or meaning(name).split not in {"", "train"}:
            continue
        before = columns.values[name][run][columns.recorded[name][run]]
        after = columns.values[name][segment][columns.recorded[name][segment]]
        if len(before) > 1 and len(after):
            begun, ended, again = float(before[0]), float(before[-1]), float(after[0])
            if np.isfinite([begun, ended, again]).all() and begun != ended:
                return abs(again - ended) < 0.5 * abs(again - begun)
    return False


def _non_finite_tails(columns: Columns, counters: set[str], rows: int) -> None:
    """Cells that go empty for good while the rest goes on: pandas writes NaN so."""
    for name, recorded in columns.recorded.items():
        if name in counters or recorded.all() or not recorded.any() or meaning(name).quantity != "loss":
            continue
        last = int(np.flatnonzero(recorded)[-1]) + 1
        others = [
            each
            for each in columns.values
            if each != name and each not in counters and meaning(each).quantity in {"accuracy", "learning_rate"}
        ]
        if recorded[:last].all() and any(columns.recorded[each][last - 1 :].all() for each in others):
            recorded[last:] = True
            columns.values[name][last:] = np.nan
            columns.notes.append(
                f"{printable(name)} is empty in the last {rows - last:,} rows while other columns go on: read as NaN"
            )


def _recording(
    columns: Columns,
    rows: npt.NDArray[np.intp],
    counters: set[str],
    place: str,
    notes: Sequence[str],
    offset: Floats | None = None,
) -> Recording:
    epochs = columns.values[columns.epoch][rows] if columns.epoch in counters and columns.epoch else None
    steps = columns.values[columns.step][rows] if columns.step in counters and columns.step else None
    if steps is not None and (np.any(np.diff(steps) < 0) or not np.all(np.abs(steps) < _LARGEST_COUNT)):
        steps = None  # a batch number that starts again in each epoch
    elif steps is not None and epochs is not None and np.any((np.diff(epochs) >= 1) & (np.diff(steps) == 0)):
        steps = None  # the same batch number in each epoch
    if steps is None and epochs is not None:
        steps = order_of_rows(columns.recorded, rows, epochs)
    if offset is not None and epochs is not None:
        epochs = epochs + offset
    elif offset is not None and steps is not None:
        steps = steps + offset
    curves = []
    for name, values in columns.values.items():
        if name in counters:
            continue
        there = columns.recorded[name][rows]
        if there.any():
            curves.append(
                Curve(
                    name=name,
                    values=values[rows][there],
                    epochs=None if epochs is None else epochs[there],
                    steps=None if steps is None else steps[there],
                    signal=columns.known.get(name, ""),
                    percent=columns.percent,
                )
            )
    return Recording(
        place=place,
        format=columns.format,
        curves=tuple(curves),
        first_epoch=columns.first_epoch,
        first_step=columns.first_step,
        elapsed=columns.elapsed,
        notes=tuple(notes),
    )
