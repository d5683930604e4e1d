"""`steps.csv` while it grows: only what is new is read, a million rows within a second, and nothing is read twice.

A general reader of tables takes Python objects a cell; here every row has the same number of commas, so the wanted
cells of two megabytes are cut out and turned into numbers at once, several such blocks side by side: numpy lets go of
Python meanwhile. A block of another form is read row by row.
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

_BLOCK = 1 << 21
_THREADS = min(4, os.cpu_count() or 1)
_TOGETHER = 4 * _THREADS
"""So many blocks are held at a time."""
_COMMA, _NEWLINE, _POINT = 44, 10, 46
_POWERS = 10.0 ** np.arange(9)
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
    ends = np.flatnonzero(text == _NEWLINE)
    commas = np.flatnonzero(text == _COMMA)
    if len(commas) != len(ends) * (columns - 1):
        return _row_by_row(block, columns, places)
    starts = np.concatenate(([0], ends[:-1] + 1))
    table = commas.reshape(len(ends), columns - 1)
    if columns > 1 and not ((table[:, 0] >= starts).all() and (table[:, -1] < ends).all()):
        return _row_by_row(block, columns, places)
    bounds = [starts - 1, *table.T, ends]
    try:
        return [
            np.full(len(ends), math.nan) if place < 0 else _numbers(text, bounds[place] + 1, bounds[place + 1])
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
    padded = np.concatenate((text, np.zeros(wide, dtype=np.uint8)))
    windows: npt.NDArray[np.bytes_] = np.ndarray((len(text) + 1,), dtype=f"S{wide}", buffer=padded, strides=(1,))
    words = windows[first]
    letters = words.view(np.uint8).reshape(-1, wide)
    letters[np.arange(wide) >= length[:, None]] = 0
    values, sure = _plain_decimals(np.ascontiguousarray(letters.T))
    values[length == 0], others = math.nan, ~sure & (length > 0)
    values[others] = words[others].astype(np.float64)
    return values


def _plain_decimals(letters: npt.NDArray[np.uint8]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Numbers such as 0.1234567, one a column, and which of them were read."""
    # Up to eight digits and a power of ten are both exact, so their quotient is the number that any parser gives.
    count = letters.shape[1]
    digits, decimals, read = (np.zeros(count, dtype=np.int32) for _ in range(3))
    after = np.zeros(count, dtype=np.int32)
    sure = np.ones(count, dtype=np.bool_)
    for letter in letters:
        digit = letter - np.uint8(48)
        is_digit = digit < 10  # noqa: PLR2004 - ten digits
        one = is_digit.astype(np.int32)
        digits = np.where(is_digit, digits * 10 + digit, digits)
        read += one
        decimals += one * after
        point = letter == _POINT
        after += point
        sure &= is_digit | point | (letter == 0)
    sure &= (read > 0) & (read <= 8) & (after <= 1)  # noqa: PLR2004 - of nine, the sum may not fit
    return digits / _POWERS[np.minimum(decimals, 8)], sure


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
