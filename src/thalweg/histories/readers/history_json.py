"""Histories as JSON: Keras's `History.history`, a uniform case, a list of rows, a data frame as pandas writes it.

`{"loss": [...], "val_loss": [...]}` is what Keras keeps, one value an epoch. A uniform case wraps that as `history` and
may add `batch_loss` (the first steps), `seconds` and `learning_rate`. JSON has no NaN: a null in a list stands for one.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.log_file import LogFile
from thalweg.histories.names import is_epoch, is_step
from thalweg.histories.parts import spread, words_of_rows
from thalweg.histories.readers.exports import named_by_file
from thalweg.histories.readers.history_shapes import (
    cases_of,
    flat,
    inner_of,
    lists_of,
    rows_of,
    several_runs,
    side_by_side,
)
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters, refuse_results
from thalweg.histories.recording import Curve, Floats, Recording
from thalweg.histories.rows import Columns, as_number, columns_of_rows, to_recordings

__all__ = ["READER", "from_mapping"]


def _recognises(file: LogFile) -> bool:
    if _named(file) or _plotted(file.json):
        return True
    found = rows_of(file.json)
    if isinstance(found, list):
        return bool(found) and all(isinstance(row, dict) for row in found)
    if isinstance(found, dict) and (several_runs(found) or cases_of(found) or side_by_side(found)):
        return True
    return isinstance(found, dict) and (bool(lists_of(inner_of(found)[0])) or bool(lists_of(found)))


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    if curves := _named(file) or _plotted(file.json):
        return [Recording(place=file.place, format="points of JSON", curves=tuple(curves))]
    found = rows_of(file.json)
    if several := several_runs(found):
        made = (_of_rows(rows, f"{file.place}, {printable(name)}", columns) for name, rows in several.items())
        return [each for recordings in made for each in recordings]
    if cases := cases_of(found) or side_by_side(found):
        return [from_mapping(case, f"{file.place}, {printable(name)}", columns) for name, case in cases.items()]
    if isinstance(found, list):
        return _of_rows(found, file.place, columns)
    if not isinstance(found, dict):
        raise LogError(f"{file.place} is no history")
    return [from_mapping(found, file.place, columns)]


def _of_rows(found: Sequence[object], place: str, columns: Mapping[str, str]) -> list[Recording]:
    flattened = [flat(row) for row in found if isinstance(row, dict)]
    texts = words_of_rows(flattened)
    rows = Columns.guess(place, "rows of JSON", *spread(*columns_of_rows(flattened), texts))
    rows.words = texts
    if not set(columns) & {"epoch", "step"}:
        refuse_results([name for row in flattened[:1] for name in row], texts, place)
    apply_counters(rows, columns)
    return to_recordings(rows)


def _named(file: LogFile) -> list[Curve]:
    """One curve, called as its file: a list of numbers, or TensorBoard's export of time, step and value."""
    found = file.json
    if not isinstance(found, list) or len(found) < 2 or not (name := named_by_file(file.path)):  # noqa: PLR2004
        return []
    if all(isinstance(each, list) and len(each) == 3 for each in found):  # noqa: PLR2004 - wall time, step, value
        return [Curve(name=name, steps=_array([each[1] for each in found]), values=_array([each[2] for each in found]))]
    plain = all(isinstance(each, int | float) for each in found)
    return [Curve(name=name, values=_array(found), epochs=np.arange(1.0, len(found) + 1))] if plain else []


def _plotted(found: object, above: str = "") -> list[Curve]:
    """Curves whose points have places, `{"loss": {"train": {"x": [...], "y": [...]}}}` or pairs; empty for others."""
    curves: list[Curve] = []
    if isinstance(found, list) and all(isinstance(each, dict) and "name" in each and _points(each) for each in found):
        found = {str(each["name"]): each for each in found}  # series of a plot, as ClearML exports them
    for name, each in found.items() if isinstance(found, dict) else ():
        own = f"{above}/{name}" if above else str(name)
        if points := _points(each):
            curves.append(Curve(name=own, steps=_array(points[0]), values=_array(points[1])))
        elif not isinstance(each, dict) or not (below := _plotted(each, own)):
            return []
        else:
            curves += below
    return curves


def _points(found: object) -> tuple[list[object], list[object]] | None:
    """Places and values of one curve."""
    if isinstance(found, dict):
        x, y = found.get("x", found.get("steps")), found.get("y", found.get("values"))  # the latter is Sacred's
        return (x, y) if isinstance(x, list) and isinstance(y, list) and len(x) == len(y) and x else None
    if not isinstance(found, list) or not found:
        return None
    if all(isinstance(each, list) and len(each) == 2 for each in found):  # noqa: PLR2004 - step and value
        x, y = [each[0] for each in found], [each[1] for each in found]
    elif all(isinstance(each, dict) and "value" in each for each in found):
        key = next((name for name in found[0] if is_step(name) or is_epoch(name)), "")
        x, y = [each.get(key) for each in found], [each["value"] for each in found]
    else:
        return None
    counted = [as_number(each) for each in x]
    rises = all(one is not None and two is not None and one < two for one, two in itertools.pairwise(counted))
    return (x, y) if rises and counted[0] is not None else None


def from_mapping(
    found: Mapping[str, object], place: str, columns: Mapping[str, str], format_name: str = "Keras History"
) -> Recording:
    """Read a mapping of names to lists.

    Args:
        found: Such as Keras's `History.history`, or a uniform case.
        place: What to call it.
        columns: What the user says which column is.
        format_name: What wrote it.

    Returns:
        Its curves.

    Example:
        >>> [curve.name for curve in from_mapping({"loss": [2.0, 1.0]}, "run", {}).curves]
        ['loss']
    """
    inner, wrapped = inner_of(found)
    lists = lists_of(inner)
    notes: list[str] = []
    strides = {str(name): _stride(cells) for name, cells in lists.items()}
    nulls = [name for name, cells in lists.items() if not strides[str(name)] and any(cell is None for cell in cells)]
    if nulls:
        notes.append(f"null in {printable(', '.join(nulls[:6]))} read as NaN")
    arrays = {str(name): _array(cells) for name, cells in lists.items()}
    outside = {str(name): _array(cells) for name, cells in lists_of(found).items()} if wrapped else {}
    stepwise = {name: arrays.pop(name, outside.get(name, np.zeros(0))) for name in ("batch_loss", "batch_accuracy")}
    for name in ("seconds", "learning_rate", "lr", "gradient_norm", "grad_norm"):
        if name in outside and name not in arrays:
            arrays[name] = outside[name]
    longest = max((len(each) for each in arrays.values()), default=0)
    if longest:
        arrays |= _constant(found, longest, arrays)
    counter = columns.get("epoch") or next((name for name in arrays if is_epoch(name) or is_step(name)), "")
    counted = arrays.pop(counter, None) if counter else None
    if counted is not None and (len(counted) != longest or not np.all(np.diff(counted) > 0)):
        counted = None
    by_step = counted is not None and not is_epoch(counter) and columns.get("epoch") != counter
    curves = []
    for name, values in arrays.items():
        kept, where = values, _epochs(name, values, longest, counted, notes)
        if stride := strides.get(name, 0):
            measured = np.isfinite(values)
            notes.append(f"{printable(name)} has a number in every {stride}. epoch and null between: not measured then")
            kept, where = values[measured], where[measured]
        curves.append(
            Curve(name=name, values=kept, epochs=None if by_step else where, steps=where if by_step else None)
        )
    curves += [
        Curve(name=name, values=values, steps=np.arange(1.0, len(values) + 1), signal=name)
        for name, values in stepwise.items()
        if len(values)
    ]
    plan = {
        name: found[name] for name in ("optimizer", "batch_size", "epochs") if isinstance(found.get(name), str | int)
    }
    return Recording(
        place=place,
        format="uniform case" if wrapped else format_name,
        curves=tuple(curves),
        first_epoch=1 if counted is None else None,
        notes=tuple(notes),
        plan=plan,
    )


def _stride(cells: Sequence[object]) -> int:
    """Every how many epochs a list has a number, where null stands in all between: it was not measured there.

    One NaN makes every weight NaN, so that numbers do not come back after it, let alone at equal distances.

    Returns:
        2 or more; 0 where nulls stand otherwise.
    """
    places = [place for place, cell in enumerate(cells) if as_number(cell) is not None]
    if len(places) < 2 or any(cell is not None and as_number(cell) is None for cell in cells):  # noqa: PLR2004 - a stride
        return 0
    stride = places[1] - places[0]
    even = all(two - one == stride for one, two in itertools.pairwise(places))
    return stride if stride > 1 and even and places[0] < stride and len(cells) - places[-1] <= stride else 0


def _array(cells: Sequence[object]) -> Floats:
    read = [as_number(cell) for cell in cells]
    return np.array([np.nan if each is None else each for each in read], dtype=np.float64)


def _constant(found: Mapping[str, object], length: int, arrays: Mapping[str, Floats]) -> dict[str, Floats]:
    """A learning rate given as one number holds for every epoch."""
    rate = as_number(found.get("learning_rate", found.get("lr")))
    if rate is None or "learning_rate" in arrays or "lr" in arrays:
        return {}
    return {"learning_rate": np.full(length, rate)}


def _epochs(name: str, values: Floats, longest: int, counted: Floats | None, notes: list[str]) -> Floats:
    """The epochs of a list; a shorter one was measured every few epochs, as `validation_freq` does."""
    every = counted if counted is not None else np.arange(1.0, longest + 1)
    stride = longest // len(values) if len(values) else 1
    if len(values) < longest and stride > 1 and longest - stride * len(values) < stride:
        notes.append(f"{printable(name)} has {len(values)} values for {longest} epochs: taken as every {stride}. epoch")
        return every[stride - 1 :: stride][: len(values)]
    if len(values) < longest:
        notes.append(f"{printable(name)} has {len(values)} values for {longest} epochs: taken as the first ones")
    return every[: len(values)]


READER = Reader(name="history as JSON", recognises=_recognises, read=_read)
