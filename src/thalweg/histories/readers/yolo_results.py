"""The `results.txt` of YOLOv3, v5 (until version 5) and v7: a row an epoch, parted by spaces, without a header.

    0/299  5.6G  0.111  0.071  0.042  0.224  68  640  0.01  0.02  0.003  0.001  0.10  0.06  0.04

It holds epoch and last epoch, memory, the parts of the training loss (box, objectness, class; some forks have landmarks
or key points after them) and their sum, labels and picture size of the last batch, then precision, recall, mAP at 0.5,
mAP from 0.5 to 0.95 (F1 in v3), and the three parts of the validation loss. Validation that was not run is seven zeros.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from thalweg.core.errors import LogError
from thalweg.histories.database import MAGIC
from thalweg.histories.log_file import LogFile
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, columns_of_rows, to_recordings

__all__ = ["READER"]

_CELL = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)"
_ROW = re.compile(rf"\s*(\d{{1,9}})/(\d{{1,9}})\s+([\d.]+)G((?:\s+{_CELL}){{13,24}})\s*", re.IGNORECASE)
_JUDGED = 7
_AROUND = 3 + _JUDGED
"""Cells that are no part of the training loss: its sum, labels, picture size, and what validation says."""
_PARTS = ("box", "obj", "cls")
_ROUNDED = 2e-3
_SUM = "sum of losses"


def _recognises(file: LogFile) -> bool:
    if file.head.startswith(MAGIC) or "G" not in file.text[: len(file.head)]:
        return False
    return bool(_rows(file.text))


def _rows(text: str) -> list[tuple[int, list[float]]]:
    """The rows of a file that holds nothing else but a header and a last row that is cut; empty for any other."""
    rows: list[tuple[int, list[float]]] = []
    lines = [line for line in text.splitlines() if line.strip()]
    for place, line in enumerate(lines):
        found = _ROW.fullmatch(line)
        cells = [float(cell) for cell in found[4].split()] if found else []
        if found is not None and (not rows or len(cells) == len(rows[0][1])):
            rows.append((int(found[1]), cells))
        elif 0 < place < len(lines) - 1:
            return []
    return rows if rows and _adds_up(rows) else []


def _adds_up(rows: Sequence[tuple[int, list[float]]]) -> bool:
    """Whether the sum of the training losses is that of the parts before it."""
    parts = len(rows[0][1]) - _AROUND
    whole = np.array([cells[: parts + 1] for _, cells in rows])
    known = whole[np.isfinite(whole).all(axis=1)]
    total = known[:, parts]
    return bool(np.all(np.abs(known[:, :parts].sum(axis=1) - total) <= _ROUNDED * (np.abs(total) + _ROUNDED)))


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    rows = _rows(file.text)
    if not rows:
        raise LogError(f"{file.place} has no rows of YOLO's results.txt")
    parts = len(rows[0][1]) - _AROUND
    trained = [f"train/{name}_loss" for name in _names(parts)]
    area = "metrics/F1" if any(cells[-4] > cells[-5] for _, cells in rows) else "metrics/mAP_0.5:0.95"
    judged = ["metrics/precision", "metrics/recall", "metrics/mAP_0.5", area, *(f"val/{name}_loss" for name in _PARTS)]
    made: list[dict[str, object]] = []
    for epoch, cells in rows:
        row: dict[str, object] = {"epoch": epoch, **dict(zip([*trained, "train/total_loss"], cells, strict=False))}
        if any(cells[-_JUDGED:]):
            row |= dict(zip(judged, cells[-_JUDGED:], strict=True)) | {f"val/{_SUM}": sum(cells[-len(_PARTS) :])}
        made.append(row)
    values, recorded = columns_of_rows(made)
    found = Columns(file.place, READER.name, values, recorded, epoch="epoch", first_epoch=0, says_nan=True)
    alike = parts == len(_PARTS)
    found.known = dict.fromkeys(values, "-") | {"train/total_loss": "train_loss"}
    found.known |= {f"val/{_SUM}": "val_loss"} if alike else {}
    if not alike:
        found.notes.append(f"validation has {len(_PARTS)} losses, training {parts}: their sums are not compared")
    elif f"val/{_SUM}" in values:
        found.notes.append(f"val_loss is the sum of {', '.join(judged[-len(_PARTS) :])}")
    apply_counters(found, columns)
    return to_recordings(found)


def _names(parts: int) -> list[str]:
    """What the parts are called; further ones by number, for forks differ in them."""
    return [*_PARTS, *(f"part {place}" for place in range(len(_PARTS) + 1, parts + 1))][:parts]


READER = Reader(name="YOLO's results.txt", recognises=_recognises, read=_read)
