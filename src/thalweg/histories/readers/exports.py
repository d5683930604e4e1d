"""What TensorBoard's page exports: a table of `Wall time,Step,Value` for one run and one tag, named in the file's name.

Of several such tables in a folder those of one run are put together; `train` and `validation` are halves of one.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.log_file import LogFile
from thalweg.histories.names import JUDGED, meaning, split_of, words
from thalweg.histories.recording import Curve, Recording

__all__ = ["exported", "from_exports", "held_out_by_file", "named_by_file"]

_EXPORT = re.compile(r"(?:run[-_])?(.*?)[-_,]?tag[-_](.+)")
_MOST_TOLD = 8


def exported(stem: str) -> tuple[str, str] | None:
    """What a file that TensorBoard's page exported says of its one curve.

    Args:
        stem: The file's name without its ending.

    Returns:
        The run without its split, and the curve's name with it; None for any other name.

    Example:
        >>> exported("run-logs_validation-tag-epoch_loss")
        ('logs', 'val/epoch_loss')
    """
    found = _EXPORT.fullmatch(stem)
    if not found:
        return None
    parts = words(found[1])
    split = next((split_of(part) for part in parts if split_of(part)), "")
    return " ".join(part for part in parts if not split_of(part)), f"{split}/{found[2]}" if split else found[2]


def named_by_file(path: Path) -> str:
    """The curve that a file's name says where the file holds one alone.

    Args:
        path: The file.

    Returns:
        Its name; empty where the file's name does not say.

    Example:
        >>> named_by_file(Path("run-logs_train-tag-epoch_loss.csv")), named_by_file(Path("val_acc.txt"))
        ('train/epoch_loss', 'val_acc')
    """
    if told := exported(path.stem):
        return told[1]
    return path.stem if meaning(path.stem).quantity in JUDGED else ""


def held_out_by_file(path: Path) -> str:
    """The split that a file's name says, or its folder's, where that is validation.

    Args:
        path: The file.

    Returns:
        `val`, or nothing: names with `test` say more often that something was tried.

    Example:
        >>> [held_out_by_file(Path(name)) for name in ("val.log", "eval/loss.tsv", "test.csv")]
        ['val', 'val', '']
    """
    said = {split_of(word) for word in words(path.stem)} - {""}
    return "val" if said == {"val"} or (not said and split_of(path.parent.name) == "val") else ""


def from_exports(files: Sequence[tuple[Path, str]], place: str) -> Recording:
    """Put the tables together that TensorBoard's page exports, a curve each.

    Args:
        files: The files, each with the name of its curve.
        place: What to call the run.

    Returns:
        The run.

    Raises:
        LogError: One of them is no such table.
    """
    curves: list[Curve] = []
    for path, name in files:
        file = LogFile(path)
        table = file.table
        columns = {each.lower(): each for each in table.values} if table is not None else {}
        value = columns.get("value") or columns.get(path.stem.lower())  # TensorBoard's word, and DVCLive's
        if table is None or value is None or "step" not in columns:
            raise LogError(f"{file.place} has no columns Step and Value, as TensorBoard exports them")
        curves.append(Curve(name=name, values=table.values[value], steps=table.values[columns["step"]]))
    told = ", ".join(printable(path.name) for path, _ in files[:_MOST_TOLD])
    more = f" and {len(files) - _MOST_TOLD} more" if len(files) > _MOST_TOLD else ""
    return Recording(
        place=place,
        format="TensorBoard's exports",
        curves=tuple(curves),
        notes=(f"{len(files)} exports were put together as one run: {told}{more}",),
    )
