"""Samples that came as numbers on disk: signals, volumes and pictures of arrays as one flat file that is mapped, and an
index.

    values.bin    samples one after the other, channels last; or whole recordings, of which windows are read
    index.json    what each sample is called, its class, part and group, and how everything was read

Overlapping windows of a recording are views of one array (a window begins at a row), so they take no room of their own.
"""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from thalweg.core.codec import dumps, from_plain
from thalweg.core.dataset import Form, Notice, Part, ValueRange
from thalweg.core.errors import RunError, SourceError
from thalweg.core.files import printable, write_atomically

__all__ = ["Index", "Measured", "ValuesFile", "open_measured", "stored_type"]

_VALUES, _INDEX = "values.bin", "index.json"
_KEPT_TYPES = ("uint8", "int8", "uint16", "int16", "float16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What `index.json` holds.

    Args:
        form: Signals or volumes; or pictures, as uint8.
        kind: What they were read from: `array`, or the kind of file that each of them had for itself.
        dtype: Type of the stored numbers.
        shape: Shape of the stored array: samples (or steps of all recordings), extents of a sample, channels.
        names: What each sample is called.
        labels: Index of its class; -1 where it has none.
        classes: Names of the classes in index order.
        parts: The split the source itself assigns; empty where it assigns none.
        groups: Number of what it belongs to, such as a patient; empty where nothing is known.
        grouped_by: What groups are, such as `record`.
        window: Steps of a window, or 0 where samples are stored whole.
        starts: First step of each window.
        note: What was read and how, in a sentence.
        rate_hz: Samples a second, where known.
        upright: Whether samples have an upright direction, as clips have.
        shown: What is black and white in the arrays that pictures came as.
        left_out: What is not used, with the reason.
        warnings: What is odd.
    """

    form: Form
    dtype: str
    shape: tuple[int, ...]
    names: tuple[str, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    note: str
    kind: str = "array"
    parts: tuple[Part | None, ...] = ()
    groups: tuple[int, ...] = ()
    grouped_by: str = ""
    window: int = 0
    starts: tuple[int, ...] = ()
    rate_hz: float | None = None
    upright: bool = True
    shown: ValueRange | None = None
    left_out: tuple[Notice, ...] = ()
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """The samples of a source, mapped.

    Args:
        folder: Where they lie.
        index: What is known about each.
        values: Read-only array (rows, extents, channels); `rows` says which row each sample is.
        rows: Row of each sample.
    """

    folder: Path
    index: Index
    values: npt.NDArray[Any]
    rows: npt.NDArray[np.int64]

    @property
    def extents(self) -> tuple[int, ...]:
        """Size of a sample."""
        return tuple(self.values.shape[1:-1])

    @property
    def channels(self) -> int:
        """Channels of a sample."""
        return int(self.values.shape[-1])

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Positions of samples that belong together, of each group that has two or more."""
        found: dict[int, list[int]] = {}
        for position, group in enumerate(self.index.groups):
            if group >= 0:
                found.setdefault(group, []).append(position)
        return tuple(tuple(group) for group in found.values() if len(group) > 1)


def open_measured(folder: Path) -> Measured | None:
    """Map the samples that lie in a folder.

    Args:
        folder: Where they were written.

    Returns:
        The samples, or None where the folder holds something else.

    Raises:
        SourceError: What lies there is damaged.
    """
    path = folder / _INDEX
    if not path.is_file() or not (folder / _VALUES).is_file():
        return None
    try:
        index = from_plain(Index, json.loads(path.read_text(encoding="utf-8")), _INDEX)
        missing = math.prod(index.shape) * np.dtype(index.dtype).itemsize - (folder / _VALUES).stat().st_size
    except (OSError, ValueError, TypeError, RunError) as error:
        raise SourceError(f"{printable(folder)}: these samples are damaged ({error}); delete that folder") from None
    if missing:
        wrong = f"{_VALUES} is {abs(missing):,} bytes too {'short' if missing > 0 else 'long'}"
        raise SourceError(f"{printable(folder)}: these samples are damaged ({wrong}); delete that folder")
    stored = np.memmap(folder / _VALUES, dtype=index.dtype, mode="r", shape=index.shape)
    if not index.window:
        return Measured(folder=folder, index=index, values=stored, rows=np.arange(len(stored)))
    views = np.lib.stride_tricks.sliding_window_view(stored, index.window, axis=0)
    return Measured(
        folder=folder, index=index, values=np.moveaxis(views, -1, 1), rows=np.asarray(index.starts, np.int64)
    )


def stored_type(kinds: Sequence[np.dtype[Any]]) -> np.dtype[Any]:
    """The type to keep values in: as they came where that is small, otherwise float32, which products are made in.

    Args:
        kinds: Types of the parts of a source.

    Returns:
        One type for all of them.

    Example:
        >>> stored_type([np.dtype("bool")]), stored_type([np.dtype("int16"), np.dtype("float64")])
        (dtype('uint8'), dtype('float32'))
    """
    names = {"uint8" if kind == np.bool_ else kind.newbyteorder("=").name for kind in kinds}
    (only,) = names if len(names) == 1 else ("float32",)
    return np.dtype(only if only in _KEPT_TYPES else np.float32)


class ValuesFile:
    """Writes `values.bin` a piece at a time, then the index; memory holds one piece.

    Args:
        folder: Where to; made here.
        dtype: Type to store.
    """

    def __init__(self, folder: Path, dtype: npt.DTypeLike) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.dtype, self.rows = folder, np.dtype(dtype), 0
        self._file = (folder / _VALUES).open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, block: npt.NDArray[Any]) -> None:
        """Write some samples, or some steps of a recording.

        Args:
            block: `(rows, ..., channels)`.
        """
        self._file.write(np.ascontiguousarray(block, self.dtype).data)
        self.rows += len(block)

    def finish(self, index: Index) -> None:
        """Write the index, when all samples are there.

        Args:
            index: What was written.
        """
        self._file.flush()
        os.fsync(self._file.fileno())  # what the index names must be there after a power cut
        write_atomically(self.folder / _INDEX, dumps(index))
