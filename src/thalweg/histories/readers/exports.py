"""What TensorBoard's page exports: a table of `Wall time,Step,Value` for one run and one tag, named in the file's name.

Of several such tables in a folder those of one run are put together; `train` and `validation` are halves of one.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.log_file import LogFile
from thalweg.histories.names import split_of, words
from thalweg.histories.recording import Curve, Recording

__all__ = ["exported", "from_exports"]

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
        if table is None or not {"step", "value"} <= set(columns):
            raise LogError(f"{file.place} has no columns Step and Value, as TensorBoard exports them")
        curves.append(Curve(name=name, values=table.values[columns["value"]], steps=table.values[columns["step"]]))
    told = ", ".join(printable(path.name) for path, _ in files[:_MOST_TOLD])
    more = f" and {len(files) - _MOST_TOLD} more" if len(files) > _MOST_TOLD else ""
    return Recording(
        place=place,
        format="TensorBoard's exports",
        curves=tuple(curves),
        notes=(f"{len(files)} exports were put together as one run: {told}{more}",),
    )
