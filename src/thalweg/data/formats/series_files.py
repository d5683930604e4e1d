"""Series of the UCR and UEA archives: `.ts` as aeon and sktime have them, `.arff` as Weka has them.

    @classLabel true walk run          @attribute att1 numeric
    @data                              @attribute target {walk,run}
    1.0,2.0,3.0:4.0,5.0,6.0:walk       @data
                                       1.0,2.0,3.0,walk

In `.ts`, channels stand one after the other between colons, and the class last. Series of other lengths than the usual
one are cut or filled to it, as recordings of one file each are.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.arrays.axes import Axes
from thalweg.data.arrays.fitting import cut_or_fill
from thalweg.data.arrays.part import ArrayPart

__all__ = ["SERIES", "one_length", "read_series"]

SERIES = (".ts", ".arff")
"""Endings of such files."""
_LARGEST = 2 << 30
_NUMERIC = ("numeric", "real", "integer")

Row = tuple[list[npt.NDArray[np.float64]], str]


def read_series(path: Path) -> list[ArrayPart]:
    """Read the series of one file with their classes.

    Args:
        path: The file.

    Returns:
        One part.

    Raises:
        SourceError: It is damaged, has no classes, or is of a form that is not read; the message says which.
    """
    shown = printable(path.name)
    try:
        if path.stat().st_size > _LARGEST:
            raise SourceError(f"{shown}: is larger than {_LARGEST >> 30} GB; save it as .npz")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SourceError(f"{shown}: cannot be read ({error.strerror or error})") from None
    head, found, body = text.partition("\n@data")
    if not found:
        head, found, body = text.partition("\n@DATA")
    lines = [line.strip() for line in body.splitlines()[1:] if line.strip() and line[0] not in "%#"]
    if not found or not lines:
        raise SourceError(f"{shown}: holds no series behind a line @data")
    rows = _of_ts(shown, head, lines) if path.suffix.lower() == ".ts" else _of_arff(shown, head, lines)
    channels = {len(row) for row, _ in rows}
    if len(channels) > 1:
        raise SourceError(f"{shown}: its series have {min(channels)} to {max(channels)} channels; one number is wanted")
    lengths = [max(map(len, row)) for row, _ in rows]
    usual = int(np.median(lengths))
    values = np.stack([_fitted(row, usual) for row, _ in rows])
    other = sum(length != usual for length in lengths)
    labels = np.asarray([label for _, label in rows])
    return [
        ArrayPart(
            file=path.name,
            part=None,
            pictures=values,
            known=Axes(form="signal", channel=0, why="" if values.shape[1] == 1 else "channels as the file has them"),
            labels=_numbers_if_all(labels),
            said=f"{other:,} of {len(rows):,} series are of another length than {usual}: cut or filled to it"
            if other
            else "",
        )
    ]


def one_length(parts: Sequence[ArrayPart]) -> list[ArrayPart]:
    """Bring the series of several files to the length of the first one for training.

    Args:
        parts: What `read_series` gave for each file, with their parts.

    Returns:
        The same, of one length.
    """
    length = next((each for each in parts if each.part == "train"), parts[0]).pictures.shape[-1]
    return [
        part
        if part.pictures.shape[-1] == length
        else replace(
            part,
            pictures=np.stack([cut_or_fill(each.T, length).T for each in part.pictures]),
            said=f"its series are brought from {part.pictures.shape[-1]:,} to {length:,} steps, as in training",
        )
        for part in parts
    ]


def _numbers_if_all(labels: npt.NDArray[np.str_]) -> npt.NDArray[np.generic]:
    whole = all(re.fullmatch(r"-?\d+(\.0*)?", label) for label in labels.tolist())
    return labels.astype(np.float64) if whole else labels


def _fitted(row: list[npt.NDArray[np.float64]], length: int) -> npt.NDArray[np.float32]:
    longest = max(map(len, row))
    even = [cut_or_fill(each[:, None], longest)[:, 0] if len(each) else np.full(longest, np.nan) for each in row]
    return np.asarray(cut_or_fill(np.stack(even, axis=1), length).T, np.float32)


def _of_ts(shown: str, head: str, lines: list[str]) -> list[Row]:
    said = {line.split()[0].lower(): line.split()[1:] for line in head.splitlines() if line.startswith("@")}
    if [each.lower() for each in said.get("@timestamps", [])] == ["true"]:
        raise SourceError(f"{shown}: its series have a time with each value, which are not read; save them as .npz")
    if [each.lower() for each in said.get("@classlabel", [])][:1] != ["true"]:
        raise SourceError(
            f"{shown}: its series have no classes (@classLabel true ...): values to predict are not trained on"
        )
    rows = []
    for number, line in enumerate(lines, 1):
        *channels, label = line.split(":")
        rows.append(([_values(shown, number, each) for each in channels], label.strip()))
        if not channels:
            raise SourceError(f"{shown}: series {number:,} has no values before its class")
    return rows


def _of_arff(shown: str, head: str, lines: list[str]) -> list[Row]:
    kinds = [line.split(None, 2) for line in head.splitlines() if line.lower().startswith("@attribute")]
    kinds = [each for each in kinds if len(each) > 2]  # noqa: PLR2004 - a word, a name and a kind
    if any("relational" in each[2].lower() for each in kinds):
        raise SourceError(f"{shown}: series of several channels are not read from .arff; take the .ts of the same set")
    words = [place for place, each in enumerate(kinds) if not each[2].lower().startswith(_NUMERIC)]
    if len(words) != 1:
        raise SourceError(f"{shown}: {len(words)} attributes are no numbers, and one is wanted: the class")
    rows = []
    for number, line in enumerate(lines, 1):
        cells = [cell.strip().strip("'\"") for cell in line.split(",")]
        if len(cells) != len(kinds):
            raise SourceError(f"{shown}: row {number:,} has {len(cells):,} cells, the header names {len(kinds):,}")
        label = cells.pop(words[0])
        rows.append(([_values(shown, number, ",".join(cells))], label))
    return rows


def _values(shown: str, number: int, text: str) -> npt.NDArray[np.float64]:
    cells = text.replace("?", "nan").split(",")
    try:
        return np.asarray([cell for cell in cells if cell.strip()], np.float64)
    except ValueError:
        bad = next((cell for cell in cells if not re.fullmatch(r"\s*-?[\d.eE+-]+\s*|\s*nan\s*", cell)), cells[0])
        raise SourceError(f"{shown}: series {number:,} holds {printable(bad)[:40]!r}, which is no number") from None
