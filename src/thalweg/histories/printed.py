"""One line of a text log: its counters, the split it speaks of, and its names with their numbers.

Programs print what they like, but alike: a name before its number (`loss: 0.51`, `train loss 0.51`, `Acc@1 56.2`), a
running mean in brackets behind it, a counter (`Epoch: [3][100/391]`, `iter 250`, `[Train][Epoch 3/40]`), and `Test:` or
`[Eval]` where the numbers are not those of training. So a line is read from number to number: what stands between two
of them is the second one's name. That takes one pass, however long the line.
"""

import functools
import re
from dataclasses import dataclass, field

from thalweg.histories.cells import number
from thalweg.histories.names import JUDGED, Meaning, is_epoch, is_step, meaning, split_of, stand_in, words
from thalweg.histories.phrases import plainly
from thalweg.histories.vocabulary import AROUND_EPOCH

__all__ = ["MANY", "Printed", "is_remark", "pieces", "read_line"]

_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_REDRAWN = re.compile(r"[\r\x08]+")
_LONGEST = 2_000
_REMEMBERED = 4_096
_NUMBER = re.compile(
    r"(?<![\w.@/#-])([-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d|[.,]\d)|\d+\.?\d*(?:[eE][-+]?\d+)?"
    r"|\.\d+(?:[eE][-+]?\d+)?|(?:nan|inf(?:inity)?)(?![A-Za-z_])))"
    r"(\s?%|\s?/\s{0,6}\d+(?![\w./])|(?:[A-Za-z_/]|:\d)[^\s,;|()\[\]]*)?",
    re.IGNORECASE,
)
_BREAKS = re.compile(
    r"\s-\s|[:,;|>*\t\[\]()]|[^\x00-\x7f\w\s\u200c\u200d]|(?<![Vv]al)(?<![Tt]est)(?<![Aa]cc)(?<![Aa]vg)\.+\s"
)
_NAME = re.compile(r"[^\W\d_][\w/.@' -]{0,59}")
_SOURCE_FILE = re.compile(r"\.(?:py|cpp|cc|cu|go|rs|jl|java|js|ts)\b")
_MOST_WORDS = 5
_LONGEST_COUNT = 12
_WORD_AFTER = re.compile(r"\s[A-Za-z]\w*\s*[:=]")
_MORE = re.compile(r"\s*,\s*[-+.\d]|\s+[-+.\d]")
_HEADED = re.compile(r"\s*\[\s*(\d{1,9})\s*(?:[/,]\s*(\d{1,9})\s*)?\]")
_SPLIT_AND_EPOCH = re.compile(
    r"\s*(?:train|training|val|valid|validation|test|eval):?\s+(?:(\d{1,9})|\[(\d{1,9})\])\s*:?\s*\[",
    re.IGNORECASE,
)
_BARE = re.compile(r"\s*(\d{1,9})\s+(\d{1,9})\s+(?=[A-Za-z])")
_DARKNET = re.compile(
    r"\s*(\d{1,9})(?:,\s*[\d.]+)?:\s*([-+.\w]+),\s*([-+.\w]+)\s+avg\b(?:[^,]*,\s*([\d.e+-]+)\s+rate)?"
)
_DARKNET_NAMED = re.compile(  # `12: loss=2.3, avg loss=2.4, rate=0.001`
    r"\s*(\d{1,9}):\s*(?:loss\s?[=:]?\s*)?([-+.\w]+),\s*avg(?:[_ ]loss)?\s?[=:]?\s*([-+.\w]+)"
    r"(?:.*?\brate\s?[=:]?\s*([\d.e+-]+))?"
)
_DARKNET_PART = re.compile(r"\s*(?:v\d \(|Region |Detection layer)")
_SPLIT_WORD = re.compile(
    r"(?<![\w./-])(train(?:ing)?|val(?:id(?:ation|ating|ate)?)?|test(?:ing)?|dev|eval(?:uat(?:ion|ing|e))?)(?![\w./])",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\s\d+:\d\d")
_EVALUATED = re.compile(r"\b(?:Saving dict for|cur metric,)|^metrics: ?\{")  # TensorFlow's, Paddle's, MindSpore's
_SETTINGS = {"batch", "batches", "steps", "updates", "iterations", "iters"}  # `batch = 64` says how large, not which
_WRONG = (["error"], ["err"])
_HEADING = 100
_REMARK = re.compile(r"\b(?:saved|saving(?! dict)|(?:new|best) (?:best|model|checkpoint|weights|metric)|best so far)\b")
_VALUE = re.compile(r"[A-Za-z_]\w*\s*[:=]?\s*\d+\.\d")
_TWO = re.compile(  # Swin's `[3/300][0/1251]`, PointNet's `[3: 0/1251]`
    r"\[\s*(\d{1,9})(?:/\s*\d{1,9}\]\s?\[|:)\s*(\d{1,12})/\s*(\d{1,12})\]"
)
MANY = 5_000
"""Epochs: who counts to more counts steps."""


@dataclass(slots=True)
class Printed:
    """What one drawing of a line says.

    Args:
        epoch: The epoch it names.
        step: The step it names.
        part: How far within an epoch, of how much (0 where it does not say).
        split: `train`, `val` or `test`, where words before the first number say so.
        pair: Two bare counts before the first name, which may be a part of the epoch.
        values: Names and numbers.
        means: Of the same names, the running mean in brackets behind the number.
    """

    epoch: int | None = None
    step: int | None = None
    part: tuple[int, int] | None = None
    split: str = ""
    pair: tuple[int, int] | None = None
    values: dict[str, float] = field(default_factory=dict)
    means: dict[str, float] = field(default_factory=dict)


def pieces(row: str, longest: int | None = _LONGEST) -> list[str]:
    r"""The drawings of a line, without colours.

    Args:
        row: The line as a terminal got it.
        longest: Characters of a drawing that are looked at.

    Returns:
        What was drawn, one over the other.

    Example:
        >>> pieces("\x1b[32m 1/2\rloss: 0.5")
        [' 1/2', 'loss: 0.5']
    """
    if "\x1b" not in row and "\r" not in row and "\x08" not in row:  # most lines are drawn once and plainly
        return [row[:longest]] if row.strip() else []
    return [piece[:longest] for piece in _REDRAWN.split(_COLOURS.sub("", row)) if piece.strip()]


def is_remark(piece: str) -> bool:
    """Tell whether a line remarks on the best so far, whose numbers stand there already, or only where it was beaten.

    Args:
        piece: A drawing of a line.

    Returns:
        True where it speaks of saving or of the best before its first number.

    Example:
        >>> is_remark("Saved new best model (val_acc: 0.69)"), is_remark("Epoch 3: val_loss 0.7, saved")
        (True, False)
    """
    head = piece[:_HEADING].lower()
    found = _REMARK.search(head) if "sav" in head or "best" in head else None
    return found is not None and _VALUE.search(piece, 0, found.start()) is None


def read_line(piece: str) -> Printed | None:
    """Read one drawing of a line.

    Args:
        piece: Its text.

    Returns:
        What it says; None where it says nothing of training.

    Example:
        >>> said = read_line("Epoch: [3][ 100/391]  Loss 0.51 (0.48)  Acc@1 81.2 (80.9)")
        >>> said.epoch, said.part, said.values, said.means
        (3, (100, 391), {'Loss': 0.51, 'Acc@1': 81.2}, {'Loss': 0.48, 'Acc@1': 80.9})
        >>> read_line("step 250: train loss 2.45, val loss 2.51").values
        {'train loss': 2.45, 'val loss': 2.51}
    """
    if found := _DARKNET.match(piece) or _DARKNET_NAMED.match(piece):
        return _darknet(found)
    if _DARKNET_PART.match(piece):
        return None  # of one mini batch and one output, many a step
    remark = is_remark(piece)
    line = _Line(plainly(piece))
    line.go()
    said = line.said
    if line.first >= 0 or len(line.text) < _HEADING:
        marked = _SPLIT_WORD.search(line.text[: line.first] if line.first >= 0 else line.text)
        said.split = split_of(marked[1]) if marked else "val" if _EVALUATED.search(line.text) else ""
    if remark:
        said.values, said.means = {}, {}
    counted = said.epoch is not None or said.step is not None or said.part is not None
    return said if counted or said.values or said.split else None


def _darknet(found: re.Match[str]) -> Printed | None:
    try:
        said = Printed(step=int(found[1]), values={"loss": float(found[2])}, means={"loss": float(found[3])})
        if found[4]:
            said.values["learning rate"] = float(found[4])
    except ValueError:
        return None
    return said


class _Line:
    """A line while it is gone through, from number to number."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.said = Printed()
        self.first = -1  # where the name of the first value begins
        self.last = ""  # the name that a mean in brackets would belong to
        self.percent = False
        self.split = ""  # the last split that was named, for names without one: `Train: loss 0.5 acc 0.8 | Val: loss`

    def go(self) -> None:
        """Take in every number."""
        before = 0
        headed = _HEADED.match(self.text)
        if "]" in self.text and (two := _TWO.search(self.text)):
            self.said.epoch, self.said.part = int(two[1]), (int(two[2]), int(two[3]))
        elif headed and _NAME.search(self.text, headed.end()):
            if headed[2] and "/" in headed[0] and int(headed[2]) > MANY:
                self.said.step = int(headed[1])
            else:
                self.said.epoch = int(headed[1])
            if headed[2] and "," in headed[0]:
                self.said.part = (int(headed[2]), 0)
            before = headed.end()
        elif headed := _SPLIT_AND_EPOCH.match(self.text):
            self.said.epoch = int(headed[1] or headed[2])
            before = headed.end() - 1
        elif pair := _BARE.match(self.text):
            self.said.pair = int(pair[1]), int(pair[2])
        for found in _NUMBER.finditer(self.text, before):
            if found[1][-1:].isalpha() and _WORD_AFTER.match(self.text, found.end()):
                name, _, plain = _name(self.text[before : found.start()])
                if not plain and not meaning(name).quantity:
                    continue  # a word: `number of nan iterations: 0`
            self._take(found, self.text[before : found.start()], before)
            before = found.end()

    def _take(self, found: re.Match[str], label: str, start: int) -> None:
        digits, unit = found[1].removesuffix(".").replace(",", ""), (found[2] or "").strip()
        bare = label.strip()
        if bare == "(" and self.last:
            self._mean(digits, unit, found.end())
            return
        last, self.last = self.last, ""
        name, at, plain = _name(label)
        marked = _last_split(label, at if name and not split_of(name) else len(label))
        settles = plain and bare.endswith("=") and name.lower() in _SETTINGS and self.said.epoch is None
        counts = digits.isdecimal() and len(digits) <= _LONGEST_COUNT and not settles
        if counts and self._counts(int(digits), unit, name, bare, last, found.end()):
            self.split = split_of(marked) or self.split
            return
        if marked and name != marked:  # `train 2.1s` is a time
            self.split = split_of(marked)
        total = unit[1:].strip() if unit.startswith("/") else ""
        if not name or (unit and unit != "%" and not total.isdecimal()):
            return
        if bare.endswith("[") and _MORE.match(self.text, found.end()):
            return  # a list, which is no value of this moment
        elapsed = "." in digits and not unit and _counts_epochs(name)
        name = "epoch" if elapsed else self._in_full(name, digits, unit)
        quantity = meaning(name).quantity
        told = plain or elapsed or quantity or ("." in digits and (stand_in(name) or _is_of_five(name)))
        if not told or (total and quantity not in {"accuracy", "error_rate"}):
            return
        read = number(digits + (unit if unit == "%" else ""))
        if read is None or (total and int(total) == 0):
            return
        if self.first < 0:
            self.first = start + at
        name = self._with_split(name)
        self.said.values[name] = read / int(total) if total else read
        self.last, self.percent = ("" if total else name), unit == "%"

    def _in_full(self, name: str, digits: str, unit: str) -> str:
        """The name, with what goes without saying: `loss train: 2.3, val: 2.5` and `validation error 9.6 %`."""
        if unit == "%" and words(name)[-1:] in _WRONG:
            return f"{name} rate"
        if self.said.values and "." in digits and (split := split_of(name)):
            before = meaning(next(reversed(self.said.values)))
            if before.quantity in JUDGED and before.split not in {"", split}:
                return f"{name} {before.quantity}"
        return name

    def _with_split(self, name: str) -> str:
        """The name, with the split that was named before it in the line where it has none itself."""
        own = meaning(name)
        if own.split:
            self.split = own.split
        elif self.split and own.quantity in JUDGED:
            taken = [each.plain for each in map(meaning, self.said.values) if _same(each, own, self.split)]
            if own.plain > max(taken, default=0):  # `Train cls loss 0.4 total loss 0.9`
                return f"{self.split} {name}"
        return name

    def _counts(self, count: int, unit: str, name: str, bare: str, last: str, end: int) -> bool:
        """Whether a number is a counter: of epochs, of steps, or how far within an epoch."""
        said, total = self.said, unit[1:].strip() if unit.startswith("/") else ""
        if unit and not total.isdecimal():
            return False
        if name and _counts_epochs(name):
            if said.epoch is None and name.lower() != "epochs":
                said.epoch = count
            return True
        if name and _counts_steps(name):
            if total:
                said.part = said.part or (count, int(total))
            else:
                said.step = count if said.step is None else said.step
            return True
        if total and (not name or split_of(name.rsplit(maxsplit=1)[-1])):
            if not (bare.endswith("(") and last) and not _CLOCK.match(self.text, end):
                said.part = said.part or (count, int(total))
            return True
        if name or said.values or said.epoch is None or said.part is not None or bare not in {",", "][", "["}:
            return False
        said.part = (count, 0)
        return True

    def _mean(self, digits: str, unit: str, end: int) -> None:
        """A number in brackets behind a value of the same kind."""
        closes = self.text[end : end + 1] == ")"
        change = digits[:1] in "+-" and self.said.values[self.last] >= 0  # `loss 0.51 (-0.02)` against the epoch before
        if closes and not change and unit in {"", "%"} and (unit == "%") == self.percent:
            read = number(digits + unit)
            if read is not None:
                self.said.means[self.last] = read
        self.last = ""


def _is_of_five(name: str) -> bool:
    return name.endswith("5") and meaning(f"{name[:-1]}1").quantity == "accuracy"


def _same(one: Meaning, other: Meaning, split: str) -> bool:
    return one.quantity == other.quantity and one.split == split


@functools.lru_cache(maxsize=_REMEMBERED)  # a log says the same names again and again
def _last_split(label: str, end: int) -> str:
    """The last word for a split in the first characters of a label."""
    marked = list(_SPLIT_WORD.finditer(label, 0, end))
    return marked[-1][1] if marked else ""


@functools.lru_cache(maxsize=_REMEMBERED)
def _counts_epochs(name: str) -> bool:
    parts = [part for part in words(name) if not split_of(part) and part not in AROUND_EPOCH]
    return is_epoch(" ".join(parts))


@functools.lru_cache(maxsize=_REMEMBERED)
def _counts_steps(name: str) -> bool:
    return is_step(name) or is_step(" ".join(part for part in words(name) if part not in AROUND_EPOCH))


@functools.lru_cache(maxsize=_REMEMBERED)
def _name(label: str) -> tuple[str, int, bool]:
    """The name at the end of a label, where it begins, and whether `:` or `=` stands behind it."""
    text = label.rstrip(" [(\"'")
    stripped = text.rstrip(" :=")
    plain = any(mark in text[len(stripped) :] for mark in ":=")
    text = stripped.rstrip("'\"")
    begin = 0
    for each in _BREAKS.finditer(text):
        begin = each.end()
    found = _NAME.search(text, begin)
    if found is None or found.end() != len(text) or _SOURCE_FILE.search(found[0]):
        return "", 0, False
    # two spaces part columns: `eta: 0:01:12  loss`
    start = max(found.start(), text.rfind("  ") + 2 if "  " in text[found.start() :] else 0)
    name = text[start:].strip()
    if not name or len(name.split()) > _MOST_WORDS:
        return "", 0, False
    return name, start, plain
