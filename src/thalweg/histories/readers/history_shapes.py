"""The shapes in which people write histories as JSON: where the lists or rows of a run lie, and of how many runs."""

import re
from collections.abc import Mapping

from thalweg.histories.names import JUDGED, is_epoch, is_step, judges, meaning, words
from thalweg.histories.rows import as_number, named_numbers

__all__ = ["cases_of", "flat", "inner_of", "lists_of", "rows_of", "several_runs", "side_by_side"]

_WRAPPERS = ("history", "log_history", "epochs", "history_dict", "metrics", "logs", "log", "results", "curves")
_ENVELOPES = {"data", "metrics", "payload", "logs", "log", "values", "scalars", "kpi"}
_EPOCH_KEY = re.compile(r"(?:epochs?|ep)?[\s_-]*(\d{1,9})", re.IGNORECASE)
_SPLITS = (["train"], ["training"], ["val"], ["valid"], ["validation"], ["test"], ["eval"])


def rows_of(found: object) -> object:
    """A list of rows that lies inside an object, as `{"history": [{"epoch": 1, "loss": 0.9}, ...]}`.

    Args:
        found: What a file holds.

    Returns:
        The list of rows; what it was, where it holds none.

    Example:
        >>> rows_of({"config": {}, "history": [{"epoch": 1, "loss": 0.9}]})
        [{'epoch': 1, 'loss': 0.9}]
    """
    if isinstance(found, dict) and (keyed := _by_epoch(found) or _framed(found) or _halves(found)):
        return keyed
    if isinstance(found, dict) and not lists_of(found) and not lists_of(inner_of(found)[0]):
        below = [each for each in found.values() if isinstance(each, dict) and _is_history(rows_of(each))]
        found = rows_of(below[0]) if len(below) == 1 else found
        if not isinstance(found, dict):
            return found
    inner = next((found[name] for name in _WRAPPERS if name in found), None) if isinstance(found, dict) else None
    if inner is None and isinstance(found, dict):
        judging = list(filter(_judges, found.values()))
        inner = judging[0] if len(judging) == 1 else None
    return inner if isinstance(inner, list) and inner and all(isinstance(row, dict) for row in inner) else found


def _judges(rows: object) -> bool:
    """Whether a value is a list of rows that tell how a run went."""
    if not isinstance(rows, list) or len(rows) < 2 or not all(isinstance(row, dict) for row in rows):  # noqa: PLR2004
        return False
    return judges(named_numbers(flat(rows[-1])))


def several_runs(found: object) -> dict[str, list[object]]:
    """Rows of several runs by name, `{"fold_1": [{"loss": 0.9}, ...], "fold_2": ...}`; empty for others.

    Args:
        found: What a file holds.

    Returns:
        The rows of each.

    Example:
        >>> runs = {"fold_1": [{"loss": 2}, {"loss": 1}], "fold_2": [{"loss": 3}, {"loss": 2}]}
        >>> list(several_runs(runs)), several_runs({"fold_1": 0.9})
        (['fold_1', 'fold_2'], {})
    """
    if not isinstance(found, dict) or len(found) < 2 or not all(map(_judges, found.values())):  # noqa: PLR2004
        return {}
    return {str(name): rows for name, rows in found.items() if isinstance(rows, list)}


def side_by_side(found: object) -> dict[str, Mapping[str, object]]:
    """Runs side by side, `{"train_losses": [[...], [...]], "val_losses": [[...], [...]]}`; empty for others.

    Args:
        found: What a file holds.

    Returns:
        The lists of each run, by its number.

    Example:
        >>> side_by_side({"train_loss": [[2, 1], [3, 2]], "val_loss": [[4, 3], [5, 4]]})["run 2 of 2"]
        {'train_loss': [3, 2], 'val_loss': [5, 4]}
    """
    named = found.items() if isinstance(found, dict) else ()
    nested = {
        str(name): each
        for name, each in named
        if meaning(str(name)).quantity in JUDGED and isinstance(each, list) and each and isinstance(each[0], list)
    }
    sizes = {tuple(len(run) if isinstance(run, list) else 0 for run in each) for each in nested.values()}
    # the lists of one run are as long as one another; batches of epochs, which are written alike, are not
    if len(nested) < 2 or len(sizes) != 1 or min(min(sizes)) < 2:  # noqa: PLR2004 - two curves of two epochs
        return {}
    count = len(next(iter(sizes)))
    return {
        f"run {place + 1} of {count}": {name: each[place] for name, each in nested.items()} for place in range(count)
    }


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


def cases_of(found: object) -> dict[str, Mapping[str, object]]:
    """Several cases in one file, by name or one after another; empty where it is not that.

    Args:
        found: What a file holds.

    Returns:
        The cases by name.

    Example:
        >>> list(cases_of({"small": {"loss": [2, 1]}, "large": {"loss": [3, 2]}}))
        ['small', 'large']
    """
    if isinstance(found, list):
        named = {f"run {number} of {len(found)}": case for number, case in enumerate(found, start=1)}
    elif isinstance(found, dict) and not lists_of(inner_of(found)[0]):
        named = {str(name): case for name, case in found.items()}
    else:
        return {}
    cases: dict[str, Mapping[str, object]] = {
        name: case for name, case in named.items() if isinstance(case, dict) and _has_curves(case)
    }
    return cases if cases and len(cases) == len(named) else {}


def _has_curves(case: Mapping[str, object]) -> bool:
    inner, wrapped = inner_of(case)
    return any(meaning(name).quantity and (wrapped or len(cells) > 1) for name, cells in lists_of(inner).items())


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


def inner_of(found: Mapping[str, object]) -> tuple[Mapping[str, object], bool]:
    """The mapping that holds the lists, and whether it lay inside another.

    Args:
        found: A history.

    Returns:
        The mapping, and whether it was wrapped.

    Example:
        >>> inner_of({"history": {"loss": [2, 1]}, "batch_size": 64})
        ({'loss': [2, 1]}, True)
    """
    if any(isinstance(value, dict) and (_is_split(str(name)) or _by_split(value)) for name, value in found.items()):
        return flat(found), False
    for name in _WRAPPERS:
        inner = found.get(name)
        if isinstance(inner, dict) and lists_of(inner):
            return inner, True
    return found, False


def _by_split(value: Mapping[str, object]) -> bool:
    """Whether a mapping holds the lists of splits: `{"train": [...], "val": [...]}`."""
    return bool(value) and all(_is_split(str(name)) and isinstance(each, list) for name, each in value.items())


def _is_split(name: str) -> bool:
    """Whether a name ends with that of a split, which may have a number: `valid_1`."""
    parts = words(name)
    return parts[-1:] in _SPLITS or (len(parts) > 1 and parts[-1].isdecimal() and parts[-2:-1] in _SPLITS)


def lists_of(found: Mapping[str, object]) -> dict[str, list[object]]:
    """The entries that are lists of numbers, or mappings of places to numbers as pandas writes a column.

    Args:
        found: A mapping.

    Returns:
        Its lists by name.

    Example:
        >>> lists_of({"loss": [2, 1], "val": {"0": 3, "1": 2}, "names": ["a"]})
        {'loss': [2, 1], 'val': [3, 2]}
    """
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
