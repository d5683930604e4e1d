"""A bare number behind each epoch, as a first loop prints it: `Epoch 1: 2.41`.

It is most likely the training loss; that is said. Where it rises as an accuracy does, the user is asked.
"""

import math
import re
from collections.abc import Mapping, Sequence

from thalweg.core.errors import LogError
from thalweg.histories.database import MAGIC
from thalweg.histories.log_file import LogFile
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, columns_of_rows, to_recordings
from thalweg.histories.vocabulary import EPOCHS

__all__ = ["READER"]

_TABLES = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".yaml", ".yml"}
_WORDS = "|".join(sorted((word for word in EPOCHS if " " not in word), key=len, reverse=True))
_LINE = re.compile(
    rf"\W*(?:{_WORDS})\s*[#:]?\s*[\[(]?(\d{{1,9}})(?:\s*(?:/|of)\s*\d{{1,9}})?[\])]?\s*(?:[:=|,]|-+>?)\s*"
    r"([-+]?(?:\d*\.\d+(?:e[-+]?\d+)?|nan|inf))\s*",
    re.IGNORECASE,
)
_FEWEST = 5
"""Fewer lines might be a list of anything."""

_ALL = 100


def _recognises(file: LogFile) -> bool:
    if file.head.startswith(MAGIC) or file.path.suffix.lower() in _TABLES or file.text.lstrip()[:1] in {"{", "["}:
        return False
    return len(_rows(file.printed)) >= _FEWEST


def _rows(text: str) -> list[dict[str, object]]:
    found = filter(None, map(_LINE.fullmatch, text.splitlines()))
    return [{"epoch": int(each[1]), "value": float(each[2])} for each in found]


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    rows = _rows(file.printed)
    values, recorded = columns_of_rows(rows)
    course = [value for value in values["value"].tolist() if math.isfinite(value)]
    if not columns and len(course) > 1 and course[-1] > course[0] and min(course) >= 0 and max(course) <= _ALL:
        raise LogError(
            f"{file.place} prints a number behind each epoch without a name, and it rises from {course[0]:g} to "
            f"{course[-1]:g}: say --columns train_accuracy=value, or train_loss=value where it is a loss"
        )
    found = Columns(file.place, READER.name, values, recorded, epoch="epoch", says_nan=True)
    found.known = {"value": "train_loss"}
    if not columns:
        found.notes.append(
            "a number without a name stands behind each epoch: taken as the training loss; say --columns "
            "val_loss=value where it is of validation"
        )
    apply_counters(found, columns)
    return to_recordings(found)


READER = Reader(name="printed lines", recognises=_recognises, read=_read)
