"""Histories as JSON: Keras's `History.history`, a uniform case, a list of rows, a data frame as pandas writes it.

`{"loss": [...], "val_loss": [...]}` is what Keras keeps, one value an epoch. A uniform case wraps that as `history` and
may add `batch_loss` (the first steps), `seconds` and `learning_rate`. JSON has no NaN: a null in a list stands for one.
"""

import itertools
import re
from collections.abc import Mapping, Sequence

import numpy as np

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.log_file import LogFile
from thalweg.histories.names import JUDGED, is_epoch, is_step, meaning, words
from thalweg.histories.parts import spread, words_of_rows
from thalweg.histories.readers.exports import named_by_file
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters
from thalweg.histories.recording import Curve, Floats, Recording
from thalweg.histories.rows import Columns, as_number, columns_of_rows, to_recordings

__all__ = ["READER", "flat", "from_mapping"]

_WRAPPERS = ("history", "log_history", "epochs", "history_dict", "metrics", "logs", "log", "results", "curves")
_ENVELOPES = {"data", "metrics", "payload", "logs", "log", "values", "scalars", "kpi"}
_EPOCH_KEY = re.compile(r"(?:epochs?|ep)?[\s_-]*(\d{1,9})", re.IGNORECASE)
_SPLITS = (["train"], ["training"], ["val"], ["valid"], ["validation"], ["test"], ["eval"])


def _recognises(file: LogFile) -> bool:
    if _named(file) or _plotted(file.json):
        return True
    found = _rows(file.json)
    if isinstance(found, list):
        return bool(found) and all(isinstance(row, dict) for row in found)
    if isinstance(found, dict) and _cases(found):
        return True
    return isinstance(found, dict) and (bool(_lists(_inner(found)[0])) or bool(_lists(found)))


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    if curves := _named(file) or _plotted(file.json):
        return [Recording(place=file.place, format="points of JSON", curves=tuple(curves))]
    found = _rows(file.json)
    if cases := _cases(found):
        return [from_mapping(case, f"{file.place}, {printable(name)}", columns) for name, case in cases.items()]
    if isinstance(found, list):
        flattened = [flat(row) for row in found if isinstance(row, dict)]
        texts = words_of_rows(flattened)
        rows = Columns.guess(file.place, "rows of JSON", *spread(*columns_of_rows(flattened), texts))
        rows.words = texts
        apply_counters(rows, columns)
        return to_recordings(rows)
    if not isinstance(found, dict):
        raise LogError(f"{file.place} is no history")
    return [from_mapping(found, file.place, columns)]


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


def _rows(found: object) -> object:
    """A list of rows that lies inside an object, as `{"history": [{"epoch": 1, "loss": 0.9}, ...]}`."""
    if isinstance(found, dict) and (keyed := _by_epoch(found) or _framed(found) or _halves(found)):
        return keyed
    if isinstance(found, dict) and not _lists(found) and not _lists(_inner(found)[0]):
        below = [each for each in found.values() if isinstance(each, dict) and _is_history(_rows(each))]
        found = _rows(below[0]) if len(below) == 1 else found
        if not isinstance(found, dict):
            return found
    inner = next((found[name] for name in _WRAPPERS if name in found), None) if isinstance(found, dict) else None
    return inner if isinstance(inner, list) and inner and all(isinstance(row, dict) for row in inner) else found


def _by_epoch(found: Mapping[str, object]) -> list[dict[str, object]]:
    """Rows by their epoch, `{"epoch_1": {"loss": 0.9}, ...}`; empty for anything else."""
    rows: list[dict[str, object]] = []
    for key, row in found.items():
        counted = _EPOCH_KEY.fullmatch(str(key).strip())
        if counted is None or not isinstance(row, dict):
            return []
        flattened = flat(row)
        judged = [each for name, each in flattened.items() if meaning(name).quantity in JUDGED]
        if not any(isinstance(each, int | float | str) and as_number(each) is not None for each in judged):
            return []
        rows.append({"epoch": int(counted[1]), **flattened})
    return rows if len(rows) > 1 else []


def _halves(found: Mapping[str, object]) -> list[dict[str, object]]:
    """Rows of each split, `{"train": [{"loss": 0.9}, ...], "val": [...]}`, with their split; empty for others."""
    rows: list[dict[str, object]] = []
    for name, half in found.items():
        if not _is_split(str(name)) or not isinstance(half, list) or not all(isinstance(row, dict) for row in half):
            return []
        counts = any(is_epoch(str(key)) or is_step(str(key)) for row in half for key in row)
        for place, row in enumerate(half, start=1):
            rows.append(({} if counts else {"epoch": place}) | flat(row) | {"split": str(name)})
    return rows


def _is_history(found: object) -> bool:
    """Whether what lies deeper is a history."""
    if isinstance(found, list):
        return bool(found)
    return isinstance(found, dict) and _has_curves(found)


def _framed(found: Mapping[str, object]) -> list[dict[str, object]]:
    """Rows of a data frame that pandas wrote by `orient="split"`; empty for anything else."""
    names, data = found.get("columns"), found.get("data")
    if not isinstance(names, list) or not isinstance(data, list) or not data:
        return []
    if not all(isinstance(row, list) and len(row) == len(names) for row in data):
        return []
    return [dict(zip(map(str, names), row, strict=True)) for row in data]


def _cases(found: object) -> dict[str, Mapping[str, object]]:
    """Several cases in one file, by name or one after another; empty where it is not that."""
    if isinstance(found, list):
        named = {f"run {number} of {len(found)}": case for number, case in enumerate(found, start=1)}
    elif isinstance(found, dict) and not _lists(_inner(found)[0]):
        named = {str(name): case for name, case in found.items()}
    else:
        return {}
    cases: dict[str, Mapping[str, object]] = {
        name: case for name, case in named.items() if isinstance(case, dict) and _has_curves(case)
    }
    return cases if cases and len(cases) == len(named) else {}


def _has_curves(case: Mapping[str, object]) -> bool:
    inner, wrapped = _inner(case)
    return any(meaning(name).quantity and (wrapped or len(cells) > 1) for name, cells in _lists(inner).items())


def flat(row: Mapping[str, object], *, deep: int = 3) -> dict[str, object]:
    """Take objects within an object apart.

    Args:
        row: Such as `{"train": {"loss": 1}}`.
        deep: How many levels are taken apart.

    Returns:
        The same with one level, names joined by a stroke; what only wraps the rest (`data`, `metrics`) gives no name.

    Example:
        >>> flat({"epoch": 1, "train": {"loss": 0.5}})
        {'epoch': 1, 'train/loss': 0.5}
        >>> flat({"event": "end", "data": {"epoch": 1, "train": {"loss": 0.5}}})
        {'event': 'end', 'epoch': 1, 'train/loss': 0.5}
    """
    taken: dict[str, object] = {}
    for key, value in row.items():
        if isinstance(value, dict) and deep:
            wraps = str(key).lower() in _ENVELOPES and not set(value) & (set(row) | set(taken))
            inside = flat(value, deep=deep - 1)
            taken |= inside if wraps else {f"{key}/{inner}": each for inner, each in inside.items()}
        else:
            taken[str(key)] = value
    return taken


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
    inner, wrapped = _inner(found)
    lists = _lists(inner)
    notes: list[str] = []
    nulls = [name for name, cells in lists.items() if any(cell is None for cell in cells)]
    if nulls:
        notes.append(f"null in {printable(', '.join(nulls[:6]))} read as NaN")
    arrays = {str(name): _array(cells) for name, cells in lists.items()}
    outside = {str(name): _array(cells) for name, cells in _lists(found).items()} if wrapped else {}
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
    curves = [
        Curve(name=name, values=values, epochs=_epochs(name, values, longest, counted, notes))
        for name, values in arrays.items()
    ]
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


def _inner(found: Mapping[str, object]) -> tuple[Mapping[str, object], bool]:
    """The mapping that holds the lists, and whether it lay inside another."""
    if any(isinstance(value, dict) and (_is_split(str(name)) or _by_split(value)) for name, value in found.items()):
        return flat(found), False
    for name in _WRAPPERS:
        inner = found.get(name)
        if isinstance(inner, dict) and _lists(inner):
            return inner, True
    return found, False


def _by_split(value: Mapping[str, object]) -> bool:
    """Whether a mapping holds the lists of splits: `{"train": [...], "val": [...]}`."""
    return bool(value) and all(_is_split(str(name)) and isinstance(each, list) for name, each in value.items())


def _is_split(name: str) -> bool:
    """Whether a name ends with that of a split, which may have a number: `valid_1`."""
    parts = words(name)
    return parts[-1:] in _SPLITS or (len(parts) > 1 and parts[-1].isdecimal() and parts[-2:-1] in _SPLITS)


def _lists(found: Mapping[str, object]) -> dict[str, list[object]]:
    """The entries that are lists of numbers, or mappings of places to numbers as pandas writes a column."""
    lists: dict[str, list[object]] = {}
    for name, value in found.items():
        cells = value
        if isinstance(value, dict) and value and all(str(key).isdigit() for key in value):
            cells = [value[key] for key in sorted(value, key=int)]
        if not isinstance(cells, list | tuple) or not cells:
            continue
        burst = all(cell is None for cell in cells) and meaning(str(name)).quantity  # NaN from the first epoch on
        if burst or any(as_number(cell) is not None for cell in cells):
            lists[str(name)] = list(cells)
    return lists


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
