"""Which rows of a log belong to which split, which quantity and which run, where columns say so.

A long table has a row a split (`epoch,phase,loss`), a row a metric (`step,metric,value`), or both, as R's Keras writes
it; logs of several folds, trials or runs have a column that names them. Read without these columns, what belongs apart
would be taken for batches of one run.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from thalweg.histories.names import JUDGED, is_epoch, is_step, meaning, split_of, words
from thalweg.histories.recording import Floats

__all__ = ["runs_apart", "split_word", "spread", "words_of_rows"]

Mask = npt.NDArray[np.bool_]

_PHASES = {"train", "training", "val", "valid", "validation", "test", "eval", "evaluation", "dev"}
_TAGS = {"metric", "tag", "key", "name", "variable", "metrics", "metric name", "scalar", "tag name"}
_AMOUNTS = {"value", "values", "metric value", "val"}
_MOST_TAGS = 200
_RUNS = {
    *("fold", "folds", "kfold", "k fold", "cv", "cv fold", "fold id", "fold idx", "fold index", "fold no", "fold num"),
    *("run", "run id", "run no", "run num", "run number", "run idx", "run index", "trial", "trial id", "trial number"),
    *("seed", "random seed", "random state", "experiment", "experiment id", "exp", "exp id", "repeat", "repetition"),
    *("replicate", "rep", "model id", "job id"),
}
_NAMED = {"run", "run name", "run id", "experiment", "experiment name", "model", "model name", "name", "exp"}
_MOST_RUNS = 1_000


def words_of_rows(rows: Iterable[Mapping[str, object]]) -> dict[str, list[str]]:
    """Take the words out of a list of mappings, as columns.

    Args:
        rows: The rows, each with some of the keys.

    Returns:
        The columns of words; empty where a row has none.

    Example:
        >>> words_of_rows([{"phase": "train", "loss": 1}, {"loss": 2}])
        {'phase': ['train', '']}
    """
    found: dict[str, list[str]] = {}
    count = 0
    for place, row in enumerate(rows):
        count = place + 1
        for key, value in row.items():
            if isinstance(value, str) and not _is_number(value):
                cells = found.setdefault(str(key), [])
                cells += [""] * (place - len(cells)) + [value]
    return {key: cells + [""] * (count - len(cells)) for key, cells in found.items()}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def spread(
    values: Mapping[str, Floats], recorded: Mapping[str, Mask], texts: Mapping[str, list[str]]
) -> tuple[dict[str, Floats], dict[str, Mask]]:
    """Give each split, and each metric, of a long table a column of its own.

    Args:
        values: The columns of numbers.
        recorded: Which of their cells hold something.
        texts: The columns of words.

    Returns:
        The columns, `train/loss` and `val/loss` for `loss` beside `phase`; as they were where no column tells.

    Example:
        >>> there = np.ones(2, dtype=np.bool_)
        >>> columns = {"epoch": np.array([1.0, 1.0]), "loss": np.array([3.0, 4.0])}
        >>> sorted(spread(columns, {"epoch": there, "loss": there}, {"phase": ["train", "val"]})[0])
        ['epoch', 'train/loss', 'val/loss']
    """
    made, there = dict(values), dict(recorded)
    amount = next((each for each in values if " ".join(words(each)) in _AMOUNTS), "")
    tag = next((name for name, cells in texts.items() if amount and _tags(name, cells)), "")
    phase = next((name for name, cells in texts.items() if name != tag and _phases(name, cells)), "")
    if not tag and not phase:
        return made, there
    moved = [amount] if tag else [each for each in values if not (is_epoch(each) or is_step(each))]
    phases = [split_word(cell) for cell in texts[phase]] if phase else [""] * len(texts[tag])
    tags = [cell.strip() for cell in texts[tag]] if tag else [""] * len(phases)
    pairs = np.array([f"{one}\n{two}" for one, two in zip(phases, tags, strict=True)])
    for pair in sorted(set(pairs.tolist()) - {"\n"}):
        split, metric = pair.split("\n")
        for each in moved:
            name = metric or each
            own = f"{split}/{name}" if split and not meaning(name).split else name
            chosen = recorded[each] & (pairs == pair)
            if own in made and own not in moved:
                made[own] = np.where(chosen, values[each], made[own])
                there[own] = there[own] | chosen
            elif chosen.any() or own != each:
                made[own], there[own] = values[each], chosen
    for each in moved:
        if not any(own == each for own in tags):
            unsaid = recorded[each] & (pairs == "\n")
            made.pop(each)
            there.pop(each)
            if unsaid.any() and not tag:
                made[each], there[each] = values[each], unsaid
    return made, there


def split_word(text: str) -> str:
    """The split that a cell names.

    Args:
        text: Such as `train`, `Validation` or `val_epoch_end`.

    Returns:
        The cell itself where it is one word, the split's word else; empty for no split or for two.

    Example:
        >>> split_word("Validation"), split_word("train_end"), split_word("resnet")
        ('Validation', 'train', '')
    """
    text = text.strip()
    if text.lower() in _PHASES:
        return text
    found = {split_of(word) for word in words(text)} - {""}
    return found.pop() if len(found) == 1 else ""


def _tags(name: str, cells: list[str]) -> bool:
    return " ".join(words(name)) in _TAGS and len({cell.strip() for cell in cells}) <= _MOST_TAGS


def _phases(name: str, cells: list[str]) -> bool:
    kinds = {cell.strip() for cell in cells} - {""}
    if not kinds:
        return False
    if {kind.lower() for kind in kinds} <= _PHASES:
        return True
    return " ".join(words(name)) not in _NAMED and len(kinds) <= len(_PHASES) and all(map(split_word, kinds))


def runs_apart(
    values: Mapping[str, Floats], recorded: Mapping[str, Mask], texts: Mapping[str, list[str]], counter: str
) -> dict[str, npt.NDArray[np.intp]]:
    """Tell the rows of several runs apart by a column that names fold, trial or run.

    A column does so where the counter does not rise over all rows, but within the rows of each of its values.

    Args:
        values: The columns of numbers.
        recorded: Which of their cells hold something.
        texts: The columns of words.
        counter: The column that counts epochs or steps.

    Returns:
        The rows of each run, by `NAME VALUE`; empty where the log is of one run.

    Example:
        >>> there = np.ones(4, dtype=np.bool_)
        >>> columns = {"fold": np.array([0.0, 1, 0, 1]), "epoch": np.array([1.0, 1, 2, 2]), "loss": np.arange(4.0)}
        >>> runs_apart(columns, dict.fromkeys(columns, there), {}, "epoch")
        {'fold 0': array([0, 2]), 'fold 1': array([1, 3])}
    """
    if counter not in values:
        return {}
    counted = values[counter]
    judged = [name for name in values if meaning(name).quantity in JUDGED]
    usable = recorded[counter] & np.isfinite(counted)
    if not judged or usable.sum() < 4 or np.all(np.diff(counted[usable]) > 0):  # noqa: PLR2004 - two runs of two rows
        return {}
    numbered = [
        name
        for name in values
        if name != counter and (" ".join(words(name)) in _RUNS or meaning(name).quantity == "learning_rate")
    ]
    keys = {name: [cell.strip() for cell in texts[name]] for name in texts}
    for name in numbered:
        column = zip(values[name].tolist(), recorded[name].tolist(), strict=True)
        keys[name] = [f"{each:g}" if there else "" for each, there in column]
    for name, cells in keys.items():
        kinds = {kind: place for place, kind in enumerate(dict.fromkeys(cells))}
        if len(kinds) > _MOST_RUNS + 1:  # a rate that a schedule changes at every step
            continue
        cells_of = np.array([kinds[cell] for cell in cells])
        groups = {kind: np.flatnonzero(usable & (cells_of == place)) for kind, place in kinds.items() if kind}
        if _are_runs(groups, counted, [recorded[each] for each in judged], int(usable.sum())):
            return {f"{name} {kind}": rows for kind, rows in groups.items()}
    return {}


def _are_runs(groups: Mapping[str, npt.NDArray[np.intp]], counted: Floats, judged: list[Mask], rows: int) -> bool:
    if not 1 < len(groups) <= _MOST_RUNS or sum(map(len, groups.values())) < rows:
        return False
    if any(len(group) < 2 or np.any(np.diff(counted[group]) <= 0) for group in groups.values()):  # noqa: PLR2004
        return False
    return any(all(mask[group].any() for group in groups.values()) for mask in judged)
