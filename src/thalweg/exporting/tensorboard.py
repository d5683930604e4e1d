"""TensorBoard's event files, written without TensorFlow: a record is a length, a checksum, an event, a checksum.

An event is a protocol buffer of a time, a step, and tags with a number each (TensorFlow's event.proto, summary.proto);
only these fields are needed. `core.tfrecord` has the checksums. A file is only appended to: a run
that goes on begins a new one, whose first event says from which step on the earlier ones no longer count.
"""

import math
import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

from thalweg.core.tfrecord import masked_sum

__all__ = ["EventWriter"]

_EIGHT, _BYTES, _FOUR = 1, 2, 5
_TIME, _STEP, _VERSION, _SUMMARY, _SESSION = 1, 2, 3, 5, 7
_TAG, _SIMPLE = 1, 2
_SESSION_STARTS = b"\x08\x01"


class EventWriter:
    """Appends scalars to an event file.

    Args:
        folder: Where the file is made.
        resumed: The last step of an earlier file that counts, where a run goes on.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = EventWriter(Path(folder))
        ...     writer.add(1, {"loss": 0.5})
        ...     writer.flush()
        ...     writer.path.name.startswith("events.out.tfevents."), writer.path.stat().st_size
        (True, 84)
    """

    def __init__(self, folder: Path, *, resumed: int | None = None) -> None:
        host = "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in socket.gethostname())
        now = time.time()
        self.path = folder / f"events.out.tfevents.{int(now * 1e6):017d}.{host}.{os.getpid()}"
        self._pending = [_record(_event(now, 0, _field(_VERSION, b"brain.Event:2")))]
        if resumed is not None:
            self._pending.append(_record(_event(now, resumed + 1, _field(_SESSION, _SESSION_STARTS))))

    def add(self, step: int, values: Mapping[str, float], *, at: float | None = None) -> None:
        """Keep some numbers of a step.

        Args:
            step: The step.
            values: Numbers by tag; nan is left out, infinity is kept.
            at: When they were measured, in seconds since 1970; now by default.
        """
        entries = b"".join(
            _field(1, _field(_TAG, tag.encode("utf-8", "replace")) + bytes([_SIMPLE << 3 | _FOUR]) + _float(value))
            for tag, value in values.items()
            if not math.isnan(value)
        )
        if entries:
            when = time.time() if at is None else at
            self._pending.append(_record(_event(when, step, _field(_SUMMARY, entries))))

    def flush(self) -> None:
        """Append to the file what was kept."""
        pending, self._pending = self._pending, []
        with self.path.open("ab") as file:
            file.write(b"".join(pending))


def _event(when: float, step: int, rest: bytes) -> bytes:
    head = bytes([_TIME << 3 | _EIGHT]) + struct.pack("<d", when)
    return head + bytes([_STEP << 3]) + _varint(step) + rest


def _record(event: bytes) -> bytes:
    length = struct.pack("<Q", len(event))
    return length + struct.pack("<I", masked_sum(length)) + event + struct.pack("<I", masked_sum(event))


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | _BYTES]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _float(value: float) -> bytes:
    try:
        return struct.pack("<f", value)
    except OverflowError:  # beyond what a float of four bytes holds
        return struct.pack("<f", math.copysign(math.inf, value))
