"""The table that YOLO's training scripts draw: a header, a row an epoch beside a bar, and what validation says below.

YOLOv5 to v8 and their kin print `Epoch GPU_mem box_loss obj_loss cls_loss Instances Size` and under it `0/99 1.2G 0.08
0.03 0.02 215 640:`, drawn again and again until the bar is full; then `Class Images Instances P R mAP50` and a row
`all`. The numbers of a row are running means, so that the last drawing counts. The loss that is minimised is the sum of
the parts, or the column `total`; validation prints no loss, and mAP is no accuracy, but `top1_acc` of classifiers is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.cells import number
from thalweg.histories.database import MAGIC
from thalweg.histories.log_file import LogFile
from thalweg.histories.names import meaning
from thalweg.histories.printed import pieces
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, columns_of_rows, to_recordings

__all__ = ["READER"]

_HEADED = re.compile(r"^[^\S\n]*Epoch[^\S\n]+[A-Za-z]", re.MULTILINE)
_HEADER = re.compile(r"\s*Epoch((?:\s+[A-Za-z]\w*){2,})\s*(?::|$)")
_ROW = re.compile(
    r"\s*(\d{1,9})/(\d{1,9})((?:\s+[-+]?(?:[\d.]+(?:e[-+]?\d+)?[GMK]?|nan|inf))+)\s*(?::|$)", re.IGNORECASE
)
_JUDGES = re.compile(r"\s*Class(?:es)?((?:\s+[A-Za-z][\w@.():-]*)+?):?(?:\s*$|:?\s+\d+%|:)", re.IGNORECASE)
_ALL = re.compile(r"\s*all((?:\s+[-+]?(?:[\d.]+(?:e[-+]?\d+)?|nan))+)\s*$", re.IGNORECASE)
_MEMORY = {"gpu_mem", "mem"}
_SHARE = re.compile(r"\b(\d{1,3})%")
_COUNTS = {"labels", "targets", "instances", "img_size", "size", "imgsz"}
_SUM = "sum of losses"


@dataclass(slots=True)
class _Epoch:
    """What is drawn of one epoch."""

    number: int
    values: dict[str, float] = field(default_factory=dict)
    judged: bool = False
    whole: bool = True  # the bar beside it is full


def _recognises(file: LogFile) -> bool:
    if file.head.startswith(MAGIC) or "Epoch" not in file.text or not _HEADED.search(file.text):
        return False
    return next(_epochs(file.text), None) is not None


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    epochs = list(_epochs(file.text))
    if not epochs:
        raise LogError(f"{file.place} has a header of epochs, but no row under it")
    notes: list[str] = []
    if len(epochs) > 1 and not epochs[-1].whole and epochs[-2].whole:
        notes.append(f"epoch {epochs.pop().number} is not finished: left out")
    parts = _parts(list(epochs[0].values))
    rows: list[dict[str, object]] = []
    for each in epochs:
        row: dict[str, object] = {"epoch": each.number, **each.values}
        if parts and all(name in each.values for name in parts):
            row[_SUM] = sum(each.values[name] for name in parts)
        rows.append(row)
    values, recorded = columns_of_rows(rows)
    found = Columns(file.place, READER.name, values, recorded, epoch="epoch", says_nan=True, notes=notes)
    found.known = {"metrics/top1_acc": "val_accuracy", "metrics/accuracy_top1": "val_accuracy", _SUM: "train_loss"}
    found.known |= {"total": "train_loss"} | dict.fromkeys(parts, "-")
    if parts:
        found.notes.append(f"train_loss is the sum of {printable(', '.join(parts))}")
    apply_counters(found, columns)
    return to_recordings(found)


def _parts(names: Sequence[str]) -> list[str]:
    """The columns that are parts of the loss, where none is the loss itself."""
    own = [name for name in names if not name.startswith("metrics/")]
    if "total" in own or any(meaning(name).quantity == "loss" for name in own if name != "cls_loss"):
        return []
    counted = next((place for place, name in enumerate(own) if name.lower() in _COUNTS), len(own))
    return [name for name in own[:counted] if name.lower() not in _MEMORY]


def _epochs(text: str) -> Iterator[_Epoch]:
    """Go through the text; an epoch is complete when the next one begins."""
    console = _Console()
    for row in text.splitlines():
        for piece in pieces(row):
            before = console.epoch
            console.take(piece)
            if before is not None and console.epoch is not before:
                yield before
    if console.epoch is not None:
        yield console.epoch


class _Console:
    """The text up to here."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.judges: list[str] = []
        self.epoch: _Epoch | None = None

    def take(self, piece: str) -> None:
        """Take in a drawing of a line."""
        if found := _HEADER.match(piece):
            self.names = found[1].split()
        elif self.names and (found := _ROW.match(piece)):
            share = _SHARE.search(piece, found.end())
            self._trained(int(found[1]), found[3].split(), whole=share is None or share[1] == "100")
        elif found := _JUDGES.match(piece):
            self.judges = [re.sub(r"^\w+\(|\)$", "", name) for name in found[1].rstrip(":").split()]
        elif found := _ALL.match(piece):
            self._judged(found[1].split())

    def _trained(self, number_of_epoch: int, texts: list[str], *, whole: bool) -> None:
        if len(texts) != len(self.names):
            return
        if self.epoch is None or self.epoch.number != number_of_epoch:
            self.epoch = _Epoch(number=number_of_epoch)
        cells = map(_cell, texts)
        self.epoch.values |= {name: cell for name, cell in zip(self.names, cells, strict=True) if cell is not None}
        self.epoch.whole = whole

    def _judged(self, texts: list[str]) -> None:
        if self.epoch is None or self.epoch.judged:
            return  # what is printed after training is of the best weights
        self.epoch.judged = True
        if len(texts) == len(self.judges):
            cells = zip(self.judges, map(number, texts), strict=True)
            self.epoch.values |= {f"metrics/{name}": cell for name, cell in cells if cell is not None}


def _cell(text: str) -> float | None:
    """A cell; of memory (`3.62G`) the number."""
    return number(text.rstrip("GMKgmk"))


READER = Reader(name="YOLO's table", recognises=_recognises, read=_read)
