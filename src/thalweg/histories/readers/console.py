"""Progress as a console shows it: `Epoch 3/10`, then `name: number` pairs, as Keras and many loops print them.

Keras redraws a line while an epoch lasts (carriage returns, backspaces, colours); the last drawing counts, for only it
has the validation. What `evaluate` prints after the last epoch, callbacks' remarks and summaries are passed over. A
loop's own prints are read alike: `Epoch [3/10], loss: 0.51, val acc: 81.2%`, `epoch 3/10 | loss=0.51`, a tqdm bar, and
the two lines `train Loss: 0.51 Acc: 0.80` and `val Loss: ...` under a heading. Rounded as printed: four digits or so.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from thalweg.core.errors import LogError
from thalweg.histories.cells import number
from thalweg.histories.database import MAGIC
from thalweg.histories.log_file import LogFile
from thalweg.histories.names import is_epoch, is_step, meaning, words
from thalweg.histories.printed import is_remark
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, columns_of_rows, to_recordings
from thalweg.histories.shapes import Said, Shapes

__all__ = ["READER"]

_TABLES = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".yaml", ".yml"}
_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_REDRAWN = re.compile(r"[\r\x08]+")
_HEADING = re.compile(r"\bepoch\b\s*[:#]?\s*[\[(]?\s*(\d{1,9})\s*(?:/|of)\s*(\d{1,9})\s*[\])]?", re.IGNORECASE)
_OF = re.compile("/|of", re.IGNORECASE)
_COUNT = re.compile(r"(?<![\w./])(\d{1,12})\s*/\s*(\d{1,12}|Unknown)(?![\w./])")
_REMARK = re.compile(r"\s?\((?:batch|epoch|avg|average|mean)\)(?=\s?[:=])")
_BREAKS = re.compile(r"\s+-\s+|[,;|\t]|(?<![:=\s])\s{2,}")
_PAIR = re.compile(
    r"(?<![\w/.@])([A-Za-z_][\w/.@]{0,60}(?:[ -][A-Za-z_][\w/.@]{0,60}){0,3}(?: [1-9])?)\s?[:=]\s{0,9}"
    r"([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|inf(?:inity)?)(?:\s?%)?)(?![\w/]|:\S|[.,]\d)",
    re.IGNORECASE,
)
_SPLITS = {"train", "training", "val", "valid", "validation", "test", "eval"}
_EVALUATES = "Eval begin"
"""Paddle's heading of what then has the names of training: `readers.lines` tells them apart."""

_SECTION = re.compile(
    r"(?:.*\s[-:|]\s)?[^\w]*(?:eval(?:uat(?:ion|ing))?|validati(?:on|ng)|test)\b[^\w:=]*:?\s*(?:\([^()]*\))?\s*",
    re.IGNORECASE,
)
"""A heading such as Coqui's ` > EVALUATION `, or AllenNLP's `Validating` behind time and level."""

_PEOPLE_PRINT = 200
"""Characters before a heading in its line, such as the date and level of a logging line."""


@dataclass(slots=True)
class _Epoch:
    """What has been printed of one epoch so far."""

    number: int
    values: dict[str, float] = field(default_factory=dict)
    whole: str = ""  # how many batches the finished line counts; empty before that
    line: int = -1
    count: str = ""  # how far an unfinished line had come
    unfinished: int = 0  # lines that tell of a part of the epoch
    unfinished_line: int = -1
    partial: dict[str, float] = field(default_factory=dict)
    sections: bool = False  # a line names validation for those below it

    @property
    def shown(self) -> bool:
        """Whether any number was printed."""
        return bool(self.values or self.partial)

    def add(self, found: dict[str, float], count: tuple[str, str] | None, line: int) -> None:
        """Take in one drawing of a line."""
        if count is not None and count[0] != count[1]:
            if not self.whole:
                self.count, self.partial = count[0], found
                self.unfinished += line != self.unfinished_line
                self.unfinished_line = line
        elif self.whole:
            redrawn = count is not None and count[1] == self.whole
            if redrawn and (line == self.line or set(found) > set(self.values)):
                self.values, self.line = found, line
            else:
                self.values = found | self.values  # what `evaluate` prints has names that are there already
        elif count is not None:
            self.values, self.whole, self.line = self.values | found, count[1], line
        else:
            self.values |= found


def _recognises(file: LogFile) -> bool:
    if file.head.startswith(MAGIC) or file.path.suffix.lower() in _TABLES or file.text.lstrip()[:1] in {"{", "["}:
        return False
    first = next(_epochs(file.printed, []), None)
    if first is None or first.sections or _EVALUATES in file.text:
        return False
    if first.unfinished and any(_sums_up(name) for name in first.values):
        return False  # its counted lines are batches, even the last, as MONAI's tutorials print them
    return bool(first.whole) or first.unfinished <= 1  # else its lines are batches, which another reader keeps


def _sums_up(name: str) -> bool:
    """Whether a name is of an epoch's mean training loss: `average loss`."""
    said = meaning(name)
    return said.quantity == "loss" and said.per == "epoch" and said.split in {"", "train"}


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    notes: list[str] = []
    epochs = list(_epochs(file.printed, notes))
    if epochs and not epochs[-1].values:
        last = epochs.pop()
        if last.partial and epochs and last.count == epochs[-1].count:
            epochs.append(last)  # a loop that never prints its last batch
        else:
            notes.append(f"epoch {last.number} is not finished: left out")
    rows: list[dict[str, object]] = [{"epoch": each.number, **(each.values or each.partial)} for each in epochs]
    if not rows:
        raise LogError(f"{file.place} prints the progress of an epoch, but none is finished")
    values, recorded = columns_of_rows(rows)
    for name in [name for name in values if len(rows) > 2 and recorded[name].sum() == 1 and recorded[name][-1]]:  # noqa: PLR2004
        del values[name], recorded[name]  # printed once, after training
        notes.append(f"{name} is printed once, after the last epoch: left out")
    found = Columns(file.place, READER.name, values, recorded, epoch="epoch", first_epoch=1, says_nan=True, notes=notes)
    apply_counters(found, columns)
    return to_recordings(found)


@dataclass(slots=True)
class _Console:
    """The text up to here."""

    epoch: _Epoch | None = None
    single: int = 0  # how often `fit` was called again for one epoch
    shapes: Shapes[tuple[str, ...]] = field(default_factory=lambda: Shapes(_taken_apart))

    def take(self, piece: str, line: int) -> _Epoch | None:
        """Take in a drawing of a line; returns the epoch before, where another begins here."""
        before = None
        heading = _HEADING.search(piece, 0, _PEOPLE_PRINT) if "epoch" in piece[:_PEOPLE_PRINT].lower() else None
        if heading:
            before = self._begin(int(heading[1]), int(heading[2]), line)
            split = words(piece[: heading.start()])[-1:]  # `Test Epoch: [3/9] Acc@1: 81.2%`
            piece = piece[heading.end() :]
            piece = f"{split[0]} {piece}" if _SPLITS.intersection(split) else piece
        if self.epoch is not None and not is_remark(piece) and (found := self.pairs(piece)):
            self.epoch.add(found, _count(piece), line)
        elif self.epoch is not None and _SECTION.fullmatch(piece):
            self.epoch.sections = True
        return before

    def pairs(self, piece: str) -> dict[str, float]:
        """The names and numbers in a drawing of a line."""
        names, numbers = self.shapes(piece)
        return dict(zip(names, numbers, strict=True))

    def _begin(self, number: int, total: int, line: int) -> _Epoch | None:
        before = self.epoch
        if before is not None:
            if total == 1 and before.values and before.line != line:
                self.single += 1
            elif number + self.single == before.number:
                return None  # the same heading, drawn again
        self.epoch = _Epoch(number=number + self.single)
        return before if before is not None and before.shown else None


def _epochs(text: str, notes: list[str]) -> Iterator[_Epoch]:
    """Go through the text; the values of an epoch are complete when the next one begins."""
    console = _Console()
    for line, row in enumerate(text.split("\n")):
        if console.epoch is None and (("poch" not in row and "POCH" not in row) or not _OF.search(row)):
            continue
        for piece in _REDRAWN.split(_COLOURS.sub("", row)):
            if (before := console.take(piece, line)) is not None:
                yield before
    if console.single:
        notes.append(f"{console.single + 1} times one epoch: taken as one run that went on")
    if console.epoch is not None and console.epoch.shown:
        yield console.epoch


def _count(piece: str) -> tuple[str, str] | None:
    """How many batches of how many a line says are done."""
    found = _COUNT.search(piece)
    return (found[1], found[2]) if found else None


def _taken_apart(piece: str) -> Said[tuple[str, ...]]:
    found = _pairs(piece)
    return tuple(found), tuple(found.values())


def _pairs(piece: str) -> dict[str, float]:
    """The names and numbers in a line; a split at its beginning (`val Loss: 0.5 Acc: 0.8`) holds for all of them."""
    found: dict[str, float] = {}
    piece = _REMARK.sub("", piece) if "(" in piece else piece
    begin = _PAIR.search(piece)
    above = words(piece[: begin.start()]) if begin else []
    split = next((each for each in (*reversed(above), *words(piece[:60])[:1]) if each in _SPLITS), "")
    for part in _BREAKS.split(piece):
        for name, text in _PAIR.findall(part):
            plain = " ".join(name.split())
            if is_epoch(plain) or is_step(plain):
                continue
            if split and not _SPLITS & set(words(plain)):
                plain = f"{split} {plain}"
            read = number(text.replace(" ", ""))
            if read is not None:
                found[plain] = read
    return found


READER = Reader(name="console progress", recognises=_recognises, read=_read)
