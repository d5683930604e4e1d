"""`steps.csv` while it grows: only what is new is read, a million rows within a second, and nothing is read twice.

A general reader of tables takes Python objects a cell; here every row has the same number of commas, so the wanted
cells of a quarter of a megabyte are cut out and turned into numbers at once, several such blocks side by side: numpy
lets go of Python meanwhile. A block of another form is read row by row.
"""

import itertools
import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

__all__ = ["StepsTail"]

Floats = npt.NDArray[np.float64]

_BLOCK = 1 << 18
"""What is made of so many bytes stays in a core's cache."""
_THREADS = min(4, os.cpu_count() or 1)
_TOGETHER = 32 * _THREADS
"""So many blocks are held at a time."""
_COMMA, _NEWLINE, _POINT = 44, 10, 46
_EXACT = 15
_POWERS = 10.0 ** np.arange(_EXACT + 1)
_ZEROS, _UP_TO_NINE, _HIGH_BITS = (np.uint64(int(byte * 8, 16)) for byte in ("30", "76", "80"))
_KEPT = np.array([(2**64 - 1) >> 8 * (8 - count) << 8 * (8 - count) for count in range(9)], dtype=np.uint64)
"""Of a word the last so many letters."""
_EVERY_OTHER = np.uint64(0x000000FF000000FF)
_UPPER, _LOWER = np.uint64(100 + (1_000_000 << 32)), np.uint64(1 + (10_000 << 32))
_TEN, _BYTE, _TWO_BYTES, _FOUR_BYTES = (np.uint64(each) for each in (10, 8, 16, 32))
_MANY = 1000
_WIDEST = 32
"""No cell that this program writes is longer."""


class StepsTail:
    r"""A table of numbers under one header that is appended to, such as `steps.csv`.

    Args:
        path: The file; it may not be there yet.
        names: The columns wanted; one that the file lacks stays empty.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "steps.csv")
        ...     _ = path.write_text("step,epoch,loss\n1,1,0.9\n2,1,0.7\n3,1,0.")
        ...     tail = StepsTail(path, ("step", "loss"))
        ...     grown = tail.refresh()
        ...     grown, tail["loss"].tolist()
        (True, [0.9, 0.7])
    """

    def __init__(self, path: Path, names: tuple[str, ...]) -> None:
        self.path, self.names = path, names
        self._offset, self._file = 0, (0, 0)
        self._header: list[str] = []
        self._parts: dict[str, list[Floats]] = {}
        self.rows = 0
        self._forget()

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, name: str) -> Floats:
        """The values of a column so far; nan in an empty cell."""
        parts = self._parts[name]
        if len(parts) > 1:
            self._parts[name] = parts = [np.concatenate(parts)]
        return parts[0] if parts else np.empty(0)

    def refresh(self) -> bool:
        """Read what was appended; begin anew where the file was replaced.

        Returns:
            Whether anything changed.
        """
        try:
            with self.path.open("rb") as file:
                found = os.fstat(file.fileno())
                if (found.st_ino, found.st_dev) != self._file or found.st_size < self._offset:
                    self._forget()
                    self._file = (found.st_ino, found.st_dev)
                if found.st_size == self._offset:
                    return False
                file.seek(self._offset)
                began = self._offset
                while blocks := list(itertools.islice(_whole_rows(file), _TOGETHER)):
                    self._take(blocks)
                    self._offset += sum(map(len, blocks))
                return self._offset > began
        except FileNotFoundError:
            had = bool(self.rows)
            self._forget()
            return had
        except OSError:
            return False

    def _forget(self) -> None:
        self._offset, self._file = 0, (0, 0)
        self._header = []
        self._parts = {name: [] for name in self.names}
        self.rows = 0

    def _take(self, blocks: list[bytes]) -> None:
        first, *others = blocks
        if not self._header:
            head, _, first = first.partition(b"\n")
            self._header = head.decode("utf-8", "replace").strip().split(",")
        places = [self._place(name) for name in self.names]

        def cells(block: bytes) -> list[Floats]:
            return _cells(block, len(self._header), places)

        wanted = [block for block in (first, *others) if block]
        if len(wanted) > 1:
            with ThreadPoolExecutor(_THREADS) as pool:
                tables = list(pool.map(cells, wanted))
        else:
            tables = list(map(cells, wanted))
        for table in tables:
            self.rows += len(table[0]) if table else 0
            for name, values in zip(self.names, table, strict=True):
                self._parts[name].append(values)

    def _place(self, name: str) -> int:
        return self._header.index(name) if name in self._header else -1


def _whole_rows(file: BinaryIO) -> Iterator[bytes]:
    """Blocks that end with a line; what follows the last line is left for later."""
    while block := file.read(_BLOCK):
        whole = block.rfind(b"\n") + 1
        if not whole:
            return
        file.seek(whole - len(block), os.SEEK_CUR)
        yield block[:whole]


def _cells(block: bytes, columns: int, places: list[int]) -> list[Floats]:
    """The numbers of some columns of whole rows."""
    text = np.frombuffer(block, dtype=np.uint8)
    marks = np.flatnonzero((text == _COMMA) | (text == _NEWLINE))
    rows = int(np.count_nonzero(text == _NEWLINE))
    if len(marks) != rows * columns:
        return _row_by_row(block, columns, places)
    table = marks.reshape(rows, columns)
    ends = np.ascontiguousarray(table[:, -1])
    if not (text[ends] == _NEWLINE).all():
        return _row_by_row(block, columns, places)
    bounds = [np.concatenate(([-1], ends[:-1])), *table.T]
    try:
        return [
            np.full(rows, math.nan) if place < 0 else _numbers(text, bounds[place] + 1, bounds[place + 1])
            for place in places
        ]
    except ValueError:
        return _row_by_row(block, columns, places)


def _numbers(text: npt.NDArray[np.uint8], first: npt.NDArray[np.intp], end: npt.NDArray[np.intp]) -> Floats:
    length = end - first
    wide = int(length.max(initial=1))
    if wide > _WIDEST:
        raise ValueError("a cell longer than any number")
    counted = _counted(text, first, end)
    if counted is not None:
        return counted
    values, sure = _plain_decimals(text, first, end)
    values[length == 0] = math.nan
    others = np.flatnonzero(~sure & (length > 0))
    if len(others):  # with a sign or an exponent, or no number
        padded = np.concatenate((text, np.zeros(wide, dtype=np.uint8)))
        windows: npt.NDArray[np.bytes_] = np.ndarray((len(text) + 1,), dtype=f"S{wide}", buffer=padded, strides=(1,))
        words = windows[first[others]]
        words.view(np.uint8).reshape(-1, wide)[np.arange(wide) >= length[others, None]] = 0
        values[others] = words.astype(np.float64)
    return values


def _plain_decimals(
    text: npt.NDArray[np.uint8], first: npt.NDArray[np.intp], end: npt.NDArray[np.intp]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Numbers such as 0.0001234567, and which of them were read."""
    # Up to fifteen digits and a power of ten are both exact, so their quotient is the number that any parser gives.
    padded = np.zeros(len(text) + 32, dtype=np.uint8)
    padded[16:-16] = text
    before = np.ndarray((len(text) + 25,), dtype="<u8", buffer=padded, strides=(1,))  # at i the bytes from i - 16 on
    point = _points(padded[16:], first, end)
    whole, decimals = point - first, np.maximum(end - point - 1, 0)
    if int(whole.max(initial=0)) <= 1:
        digit = padded[16:][first] - np.uint8(48)
        value, sure = np.where(whole > 0, digit, 0).astype(np.float64), (digit < 10) | (whole == 0)  # noqa: PLR2004
    else:
        value, sure = _eight_digits(before[point + 8], whole)
    longest = int(decimals.max(initial=0))
    sure &= (whole <= 8) & (decimals <= _EXACT) & (whole + decimals > 0)  # noqa: PLR2004 - bytes of a word
    sure &= (value == 0) | (whole + decimals <= _EXACT)
    low, right = _eight_digits(before[end + 8], decimals)
    sure &= right
    power = _POWERS[np.minimum(decimals, _EXACT)]
    digits = value * power + low
    if longest > 8:  # noqa: PLR2004 - a second word
        high, right = _eight_digits(before[end], decimals - 8)
        sure &= right
        digits += high * 1e8
    return digits / power, sure


def _points(
    text: npt.NDArray[np.uint8], first: npt.NDArray[np.intp], end: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """Where the point of each cell is, with at most eight places before it; its end where there is none."""
    point, found = end, first == end
    for place in (1, 2, 0, 3, 4, 5, 6, 7, 8):
        at = first + place
        here = (text[at] == _POINT) & (at < end)
        point, found = np.where(here, at, point), found | here
        if found.all():
            break
    return point


def _eight_digits(words: npt.NDArray[np.uint64], count: npt.NDArray[np.intp]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The numbers that the last `count` of eight letters are, and whether these are all digits."""
    # All letters of a word at once, as in Lemire's fast_double_parser: pairs, fours, then eight digits become numbers.
    digits = (words ^ _ZEROS) & _KEPT[np.clip(count, 0, 8)]
    right = ((digits + _UP_TO_NINE) | digits) & _HIGH_BITS == 0
    pairs = digits * _TEN + (digits >> _BYTE)
    eight = (((pairs & _EVERY_OTHER) * _UPPER) + (((pairs >> _TWO_BYTES) & _EVERY_OTHER) * _LOWER)) >> _FOUR_BYTES
    return eight.astype(np.float64), right


def _counted(text: npt.NDArray[np.uint8], first: npt.NDArray[np.intp], end: npt.NDArray[np.intp]) -> Floats | None:
    """A counter that goes up by one from row to row, as `step` does, told from its first, middle and last cell."""
    count = len(first)
    if count < _MANY:
        return None
    ends = []
    for place in (0, 1, count // 2, count - 1):
        cell = text[first[place] : end[place]].tobytes()
        if not cell.isdigit():
            return None
        ends.append(int(cell) - place)
    return np.arange(ends[0], ends[0] + count, dtype=np.float64) if len(set(ends)) == 1 else None


def _row_by_row(block: bytes, columns: int, places: list[int]) -> list[Floats]:
    """The same for rows of which some are damaged: these are left out."""
    rows: list[list[float]] = []
    for line in block.decode("utf-8", "replace").splitlines():
        cells = line.split(",")
        if len(cells) != columns:
            continue
        try:
            rows.append([float(cells[place] or "nan") if place >= 0 else math.nan for place in places])
        except ValueError:
            continue
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(places))
    return [np.ascontiguousarray(column) for column in table.T]
