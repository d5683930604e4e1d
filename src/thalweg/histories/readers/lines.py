"""Logs of lines, as programs print them: `Epoch: [3][100/391] loss: 0.51 (0.48)`, `iter 250: loss 2.31`, and many more.

What one line says is read in `printed`; here lines become rows. An epoch lasts until the next is named. Lines within an
epoch that count batches are batches; one that sums the epoch up, or the running mean in the last of them, is its value,
else the mean of what was printed. What `Test:` or `[Eval]` prints is one evaluation: its last line, or the mean of its
batches. Two progress bars an epoch of different lengths, neither named, are training and validation, and that is said.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from thalweg.core.errors import LogError
from thalweg.histories.database import MAGIC
from thalweg.histories.log_file import LogFile
from thalweg.histories.names import JUDGED, Meaning, judges, meaning, split_of, stand_in, words
from thalweg.histories.printed import Printed
from thalweg.histories.readers.reader import Reader
from thalweg.histories.readers.table import apply_counters
from thalweg.histories.recording import Recording
from thalweg.histories.rows import Columns, columns_of_rows, to_recordings

__all__ = ["NAMED", "READER"]

_TABLES = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".yaml", ".yml"}
_UNCOUNTED = 3
_LOSSES = JUDGED - {"accuracy", "error_rate"}
_MEAN = " (of the epoch)"


@dataclass(slots=True)
class _Row:
    """What belongs together: a line, or the lines of one evaluation."""

    epoch: int | None
    step: int | None
    line: int
    split: str = ""
    counted: bool = False  # a batch within its epoch
    in_parts: bool = False  # an evaluation that counts its batches
    values: dict[str, float] = field(default_factory=dict)
    means: dict[str, float] = field(default_factory=dict)
    batches: dict[str, list[float]] = field(default_factory=dict)  # of an evaluation


def _is_text(file: LogFile) -> bool:
    if file.head.startswith(MAGIC) or file.path.suffix.lower() in _TABLES or file.text.lstrip()[:1] == "{":
        return False
    return file.text.lstrip()[:1] != "[" or file.json is None


def _recognises(file: LogFile) -> bool:
    if not _is_text(file):
        return False
    uncounted = standing = 0
    text = _Text()
    for row in text.rows(file.said):
        counted = _is_counted(row)
        if judges(row.values):
            uncounted += any(meaning(name).quantity in _LOSSES for name in row.values)  # `k = 3, accuracy: 0.8` is none
            if counted or uncounted >= _UNCOUNTED:
                return True
        elif counted:
            standing += any(map(stand_in, row.values))
    return standing > 1


def _names_numbers(file: LogFile) -> bool:
    """Whether counted lines have a name in common, which `--columns` may mean, as `Loss_D` of two networks is none."""
    if not _is_text(file):
        return False
    text = _Text()
    seen: set[str] = set()
    for row in text.rows(file.said):
        if not _is_counted(row):
            continue
        if seen & set(row.values):
            return True
        seen |= set(row.values)
    return False


def _read(file: LogFile, columns: Mapping[str, str]) -> Sequence[Recording]:
    text = _Text()
    said = list(file.said)
    if _counts_below(said):
        said = _counted_above(said)
    rows = list(text.rows(said))
    if len(rows) == 1 and len(drawn := list(_Text(apart=True).rows(said))) > 2:  # noqa: PLR2004 - two ends
        rows = drawn
    by_epoch = any(row.epoch is not None for row in rows)
    counted = any(map(_is_counted, rows))
    if counted:  # what was printed before training began
        rows = [row for row in rows if _is_counted(row)]
    notes = list(text.notes)
    if not counted:
        notes.append("no epoch and no step is printed: lines were counted")
    summed = _sum_up(rows) if by_epoch else {}
    found = [_flat(row) for row in rows]
    if not found:
        raise LogError(f"{file.place} prints no loss and no accuracy that can be read")
    values, recorded = columns_of_rows(found)
    for name in list(values) if len(rows) > 2 else ():  # noqa: PLR2004 - of two rows neither is the rule
        if recorded[name].sum() == 1 and name not in {"epoch", "step"}:
            del values[name], recorded[name]  # printed once: a setting, or the best of all
    made = Columns(file.place, READER.name, values, recorded, says_nan=True, notes=notes)
    made.epoch, made.step = ("epoch" if "epoch" in values else ""), ("step" if "step" in values else "")
    made.known = {name: signal for name, signal in summed.items() if name in values}
    apply_counters(made, columns)
    return to_recordings(made)


def _is_counted(row: _Row) -> bool:
    return row.epoch is not None or row.step is not None or "epoch" in row.values


def _counts_below(lines: Sequence[tuple[int, Printed]]) -> bool:
    """Whether epochs are named below their lines, as Catalyst does: some are above each name, none after the last."""
    above, named, before = 0, 0, 0
    for _, said in lines:
        if said.epoch is not None:
            if not above and (named == 0 or said.epoch != before):
                return False
            above, named, before = 0, named + (named == 0 or said.epoch != before), said.epoch
        elif judges(said.values):
            above += 1
    return named > 1 and not above


def _counted_above(lines: Sequence[tuple[int, Printed]]) -> list[tuple[int, Printed]]:
    """Give lines the epoch that is named below them."""
    epoch = None
    made: list[tuple[int, Printed]] = []
    for line, said in reversed(lines):
        epoch = said.epoch if said.epoch is not None else epoch
        made.append((line, replace(said, epoch=epoch)))
    return made[::-1]


class _Text:
    """The text up to here, and what it taught.

    Args:
        apart: A bar's drawings are steps of their own, for all training is one bar.
    """

    def __init__(self, *, apart: bool = False) -> None:
        self.apart = apart
        self.notes: list[str] = []
        self.epoch: int | None = None
        self.step: int | None = None
        self.sticky = ""
        self.headed = False  # the line before was a heading of this split
        self.first_total = 0  # how many batches the epoch's first bar counts
        self.later_total = 0
        self.row: _Row | None = None

    def rows(self, lines: Iterable[tuple[int, Printed]]) -> Iterator[_Row]:
        """Go through what lines say.

        Args:
            lines: The number of each, and what it says.

        Yields:
            Its rows, whole ones.
        """
        for line, said in lines:
            if (whole := self._take(said, line)) is not None:
                yield whole
        if (whole := self._close()) is not None:
            yield whole

    def _take(self, said: Printed, line: int) -> _Row | None:
        """Take in what a line says; the row that ends before it."""
        said = self._paired(said)
        split = self._count(said)
        self.headed = not said.values and bool(said.split)
        if not said.values:
            self.sticky = said.split or self.sticky
            return None
        if said.part is not None and _held_out(said.split):
            self.sticky = said.split  # its sum may stand alone in the next line: ` * Acc@1 76.1`
        split = said.split or split
        named = {_named(name, split): value for name, value in said.values.items()}
        means = {_named(name, split): value for name, value in said.means.items()} if said.means else {}
        before = None
        if not self._joins(split, said, named, line):
            before = self._close()
            self.row = _Row(epoch=self.epoch, step=self.step, line=line, split=split)
        row = self.row
        if row is None:
            return None
        row.line = line
        if said.part is not None:
            row.counted, row.in_parts = row.counted or not _held_out(split), row.in_parts or _held_out(split)
        row.step = self.step if row.step is None else row.step
        if _held_out(split):
            for name, value in named.items():
                if said.part is not None and name not in means:
                    row.batches.setdefault(name, []).append(value)
                else:
                    row.batches.pop(name, None)
                row.values[name] = means.get(name, value)
        else:
            row.values |= named
            row.means |= means
        return before

    def _count(self, said: Printed) -> str:
        """Take in a line's counters; the split that they leave in force."""
        if said.epoch is not None:
            if self._sums_up(said):
                return self.row.split if self.row is not None else ""
            headed = self.headed and said.epoch == self.epoch  # `Validation:` above `[Epoch: 3, numImages: 100]`
            if said.epoch != self.epoch:
                self.first_total, self.step = 0, None
            self.epoch, self.sticky = said.epoch, self.sticky if headed else ""
        if said.step is not None:
            self.step = said.step
            self.sticky = self.sticky if self.epoch is not None else ""
        elif said.part is not None and self.epoch is None and any(meaning(name).quantity for name in said.values):
            self.step, self.sticky = (said.part[0], self.sticky) if not said.split else (self.step, self.sticky)
        if said.part is None or said.split or self.epoch is None or not said.part[1]:
            return self.sticky
        total = said.part[1]
        if not self.first_total:
            self.first_total = total
        elif total != self.first_total and not self.sticky and said.epoch is None:
            if not self.later_total:
                self.notes.append(
                    f"two counts an epoch, to {self.first_total:,} and to {total:,}, neither named: "
                    "taken as training and validation"
                )
            self.later_total = total
            return "val"
        return "" if total == self.first_total else self.sticky

    def _paired(self, said: Printed) -> Printed:
        """Take two bare counts below a heading of the epoch for a part of it: `390 391 Loss: 0.51`."""
        uncounted = said.epoch is None and said.step is None and said.part is None
        if said.pair and uncounted and self.epoch is not None and said.pair[0] < said.pair[1]:
            return replace(said, part=said.pair)
        return said

    def _sums_up(self, said: Printed) -> bool:
        """Whether a line tells the evaluation above it once more, as a whole: ` * Finished epoch # 1  top1: 23.4`."""
        row = self.row
        if row is None or not row.in_parts or said.epoch != row.epoch:
            return False
        whole = said.part is None and not said.split and bool(said.values)
        return whole and all(_named(name, row.split) in row.values for name in said.values if judges([name]))

    def _joins(self, split: str, said: Printed, named: Mapping[str, float], line: int) -> bool:
        """Whether a line belongs to the row that is open."""
        row = self.row
        if row is None or row.epoch != self.epoch:
            return False
        if row.line == line:
            return row.split == split and not (self.apart and row.step != self.step)  # a bar that is drawn again
        if _held_out(split) and row.split == split:
            again = self.epoch is None and self.step is None and bool(set(named) & set(row.values))
            return said.part is not None or (row.step == self.step and not again)
        if row.step is not None and self.step is not None and row.step != self.step:
            return False
        return said.part is None and not row.counted and not set(named) & set(row.values)

    def _close(self) -> _Row | None:
        row, self.row = self.row, None
        if row is not None and row.batches:
            row.values |= {name: sum(each) / len(each) for name, each in row.batches.items()}
        return row


def _held_out(split: str) -> bool:
    return split in {"val", "test"}


@functools.lru_cache(maxsize=4_096)
def _named(name: str, split: str) -> str:
    """A name, with its split where it has none itself."""
    own = any(split_of(word) for word in words(name))
    return name if own or not split else f"{split} {name}"


def _sum_up(rows: Sequence[_Row]) -> dict[str, str]:
    """Tell batches from what sums an epoch up; the signals of both by name."""
    batches: set[str] = set()
    for row in rows:
        if row.counted:
            batches |= set(row.values)
    summed: dict[str, str] = {}
    last: dict[str, _Row] = {}
    before: int | None = None
    for row in [*rows, _Row(epoch=None, step=None, line=-1)]:
        if row.epoch != before:
            for name, each in last.items():
                each.values[name + _MEAN] = each.means[name]
            last, before = {}, row.epoch
        if batches and not row.counted:  # a line that sums up says it better than the mean of the last batch
            row.means = {name: row.values.pop(name) for name in batches & set(row.values)} | row.means
        if row.means:
            last |= dict.fromkeys(row.means, row)
    summed |= _of_epochs(rows, batches)
    names = sorted({name for row in rows for name in row.means}, key=lambda each: -meaning(each).plain)
    for name in names:
        said = meaning(name) if judges(names) else stand_in(name) or meaning(name)
        if said.quantity in {"loss", "accuracy"} and said.split in {"", "train"}:
            summed.setdefault(name, f"batch_{said.quantity}")
            summed.setdefault(name + _MEAN, f"train_{said.quantity}")
    return summed


def _of_epochs(rows: Sequence[_Row], batches: set[str]) -> dict[str, str]:
    """What sums an epoch up by another name than its batches: `Average loss` below `Train Epoch: 3 [64/100] Loss`."""
    names = {name for row in rows if not row.counted and not _held_out(row.split) for name in row.values} - batches
    found: dict[str, str] = {}
    for name in sorted(names):
        said = meaning(name)
        beside = [each for each in batches if _alike(meaning(each), said)]
        if said.per == "epoch" and said.quantity in {"loss", "accuracy"} and said.split in {"", "train"} and beside:
            found |= {name: f"train_{said.quantity}", beside[0]: f"batch_{said.quantity}"}
    return found


def _alike(one: Meaning, other: Meaning) -> bool:
    return one.quantity == other.quantity and one.split in {"", "train"}


def _flat(row: _Row) -> dict[str, object]:
    flat: dict[str, object] = dict(row.values)
    flat.pop("step", None)
    if row.epoch is not None:
        flat["epoch"] = row.epoch
    if row.step is not None:
        flat["step"] = row.step
    return flat


READER = Reader(name="printed lines", recognises=_recognises, read=_read)
NAMED = Reader(name="printed lines", recognises=_names_numbers, read=_read)
"""For lines whose names say no loss and no accuracy: offered last, for the user may say which is which."""
