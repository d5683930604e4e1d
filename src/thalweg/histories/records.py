"""TFRecord files: length, check sum of the length, data, check sum of the data, again and again.

`core.tfrecord` says what the check sums are. Records of one length are checked together, a column of bytes at a time: a
million of them in seconds, without a compiled extension. Records above 64 KiB (pictures, graphs) are passed over.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thalweg.core.tfrecord import MASK_DELTA, TABLE, masked_sum

__all__ = ["RecordFile", "masked_sums"]

_LARGEST = 1 << 16
_CHUNK = 20_000
_TOGETHER = 64
_HEADER = struct.Struct("<QI")
_SUM = struct.Struct("<I")


_TABLE_ARRAY = np.array(TABLE, dtype=np.uint32)


def masked_sums(rows: list[bytes]) -> npt.NDArray[np.uint32]:
    """The sums of records of one length, as `core.tfrecord.masked_sum` gives each.

    Args:
        rows: Their data.

    Returns:
        uint32, one a record.
    """
    columns = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1).T
    value = np.full(len(rows), 0xFFFFFFFF, dtype=np.uint32)
    for column in columns:
        value = _TABLE_ARRAY[(value ^ column) & 0xFF] ^ (value >> 8)
    value ^= 0xFFFFFFFF
    return np.asarray(((value >> 15) | (value << 17)) + np.uint32(MASK_DELTA), dtype=np.uint32)


class RecordFile:
    """A file of records, read from its start until it ends or is no longer whole.

    Args:
        path: The file.

    After the records were read, `damaged` counts those whose data had changed, `cut` tells whether the end was missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self.cut = False

    def __iter__(self) -> Iterator[bytes]:
        """Give the data of every small record whose check sum holds.

        Yields:
            The data, in the order of the file.
        """
        chunk: list[bytes] = []
        sums: list[int] = []
        size = self.path.stat().st_size
        known: set[bytes] = set()  # lengths repeat, and so do their check sums
        with self.path.open("rb") as file:
            at = 0
            while header := file.read(_HEADER.size):
                if len(header) < _HEADER.size:
                    self.cut = True
                    break
                length, check = _HEADER.unpack(header)
                if header not in known:
                    if masked_sum(header[:8]) != check:
                        self.cut = True
                        break
                    known.add(header)
                if at + length + 16 > size:
                    self.cut = True
                    break
                at += length + 16
                if length > _LARGEST:
                    file.seek(at)
                    continue
                data = file.read(length + 4)
                if len(data) < length + 4:
                    self.cut = True
                    break
                chunk.append(data[:-4])
                sums.append(_SUM.unpack(data[-4:])[0])
                if len(chunk) == _CHUNK:
                    yield from self._whole(chunk, sums)
                    chunk, sums = [], []
        yield from self._whole(chunk, sums)

    def _whole(self, chunk: list[bytes], sums: list[int]) -> Iterator[bytes]:
        """The records of a chunk whose sums hold."""
        places: dict[int, list[int]] = {}
        for place, data in enumerate(chunk):
            places.setdefault(len(data), []).append(place)
        bad = set()
        for length, same in places.items():
            if len(same) < _TOGETHER or not length:
                bad |= {place for place in same if masked_sum(chunk[place]) != sums[place]}
            else:
                told = np.array([sums[place] for place in same], dtype=np.uint32)
                wrong = np.flatnonzero(masked_sums([chunk[place] for place in same]) != told)
                bad |= {same[place] for place in wrong.tolist()}
        self.damaged += len(bad)
        return (data for place, data in enumerate(chunk) if place not in bad)
