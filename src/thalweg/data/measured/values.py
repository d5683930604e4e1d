"""Measured samples as the network takes them: brought to size once, mapped, and the numbers that standardise them."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Notice
from thalweg.core.errors import SourceError
from thalweg.core.files import printable, written_aside
from thalweg.data.arrays.fitting import resize
from thalweg.data.health.health import Health, imbalance
from thalweg.data.measured.measuring import described_size
from thalweg.data.measured.store import Measured
from thalweg.data.storing.cache import Pictures
from thalweg.data.storing.store_values import THUMBNAIL

__all__ = ["extents_at", "load_values", "standardisation", "values_health"]

_PIECE_BYTES = 32 << 20
_SAME = 1e-9


def extents_at(extents: Sequence[int], side: int | None) -> tuple[int, ...]:
    """The size that samples are brought to: no axis is longer than a side, none is stretched.

    Args:
        extents: Size in the source.
        side: The longest that an axis may be; None for any length.

    Returns:
        The size.

    Example:
        >>> extents_at((64, 64, 20), 32), extents_at((187,), None)
        ((32, 32, 20), (187,))
    """
    return tuple(extent if side is None else min(extent, side) for extent in extents)


def load_values(
    measured: Measured,
    *,
    extents: Sequence[int] | None = None,
    channels: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Pictures:
    """Map the samples at the size that the network takes.

    Args:
        measured: The samples of a source.
        extents: The size wanted; None as they are.
        channels: Channels wanted; None as they are.
        progress: Called with the number of samples done and of all.

    Returns:
        What `load_pictures` gives for pictures, without miniatures: values take the place of pixels.

    Raises:
        SourceError: Channels or axes differ from what is wanted, or the cache cannot be written.
    """
    wanted = tuple(extents or measured.extents)
    form = measured.index.form
    if len(wanted) != len(measured.extents) or (channels is not None and channels != measured.channels):
        size = (*wanted, channels if channels is not None else measured.channels)
        raise SourceError(
            f"{printable(measured.folder.name)[:12]}: samples of {described_size(form, measured.values.shape[1:])}; "
            f"the network takes {described_size('signal' if len(wanted) == 1 else 'volume', size)}"
        )
    count = len(measured.rows)
    if wanted == measured.extents:
        pixels, rows = measured.values, measured.rows
    else:
        pixels, rows = _resized(measured, wanted, progress or (lambda _done, _all: None)), np.arange(count)
    return Pictures(
        pixels=pixels,
        rows=rows,
        left_out={},
        warnings={},
        content=_digests(measured),
        thumbnails=np.zeros((count, THUMBNAIL, THUMBNAIL), np.uint8),
        original_sizes=np.zeros((count, 2), np.int64),
        decoded=0,
    )


def _resized(measured: Measured, extents: tuple[int, ...], progress: Callable[[int, int], None]) -> npt.NDArray[Any]:
    """Samples at another size, written once beside the samples themselves."""
    kind = np.dtype(np.uint8 if measured.values.dtype == np.uint8 else np.float32)
    shape = (len(measured.rows), *extents, measured.channels)
    path = measured.folder / f"values-{'x'.join(map(str, extents))}.bin"
    if not path.is_file() or path.stat().st_size != math.prod(shape) * kind.itemsize:
        piece = max(1, _PIECE_BYTES // (4 * math.prod(measured.values.shape[1:])))
        try:
            with written_aside(path) as file:
                for start in range(0, len(measured.rows), piece):
                    block = resize(measured.values[measured.rows[start : start + piece]], extents, first_axis=1)
                    file.write(np.ascontiguousarray(block.round() if kind == np.uint8 else block, kind).data)
                    progress(min(start + piece, len(measured.rows)), len(measured.rows))
        except OSError as error:
            raise SourceError(
                f"{printable(measured.folder)}: cannot be written ({error.strerror or error}); make room there, or "
                f"set THALWEG_CACHE to another folder"
            ) from None
    return np.memmap(path, kind, mode="r", shape=shape)


def _digests(measured: Measured) -> npt.NDArray[np.uint8]:
    digests = np.zeros((len(measured.rows), 16), np.uint8)
    for number, row in enumerate(measured.rows):
        data = np.ascontiguousarray(measured.values[row])
        digests[number] = np.frombuffer(hashlib.blake2b(data.data, digest_size=16).digest(), np.uint8)
    return digests


def standardisation(pictures: Pictures, rows: Sequence[int] | npt.NDArray[np.int64]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel over some samples, the training part's.

    Args:
        pictures: The samples.
        rows: Rows of the samples to measure.

    Returns:
        Mean and deviation of each channel.
    """
    channels = pictures.pixels.shape[-1]
    piece = max(1, _PIECE_BYTES // (8 * math.prod(pictures.pixels.shape[1:])))
    chosen = np.asarray(rows, np.int64)
    shift = np.asarray(pictures.pixels[chosen[0]], np.float64).reshape(-1, channels).mean(axis=0)
    total, squares, count = np.zeros(channels), np.zeros(channels), 0
    for start in range(0, len(chosen), piece):
        block = np.asarray(pictures.pixels[chosen[start : start + piece]], np.float64).reshape(-1, channels) - shift
        total += block.sum(axis=0)
        squares += np.square(block).sum(axis=0)
        count += len(block)
    mean = total / count
    deviation = np.sqrt(np.maximum(0.0, squares / count - mean**2))
    level = np.abs(mean + shift) + 1e-30
    constant = deviation <= _SAME * level
    return (mean + shift).tolist(), np.where(constant, 0.0, deviation).tolist()


def values_health(
    pictures: Pictures, files: Sequence[str], labels: npt.NDArray[np.int64], classes: Sequence[str]
) -> Health:
    """Look over all samples.

    Args:
        pictures: What `load_values` gave.
        files: Names of the samples.
        labels: Index of each sample's class.
        classes: Class names in index order.

    Returns:
        Counts, constant samples, and DAT001 where the classes are uneven.
    """
    counts = Counter(labels)
    numbers = tuple(counts[label] for label in range(len(classes)))
    flat = [
        files[index]
        for index, row in enumerate(pictures.rows)
        if np.ptp(np.asarray(pictures.pixels[row], np.float32)) == 0
    ]
    warnings = [Notice(file, "constant: all its values are the same") for file in flat]
    finding = imbalance(numbers, classes)
    return Health(
        class_counts=numbers,
        median_size=(0, 0),
        smallest_size=(0, 0),
        largest_size=(0, 0),
        warnings=tuple(warnings),
        findings=(finding,) if finding else (),
    )
