"""TensorBoard's event files, written without TensorFlow: a record is a length, a checksum, an event, a checksum.

An event is a protocol buffer of a time, a step, and tags with a number each (TensorFlow's event.proto, summary.proto);
only these fields are needed. Both checksums are CRC-32C, masked as TFRecord files do. A file is only appended to: a run
that goes on begins a new one, whose first event says from which step on the earlier ones no longer count.
"""

import math
import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

__all__ = ["EventWriter", "crc32c"]

_MASK = 0xA282EAD8
_POLYNOMIAL = 0x82F63B78
_EIGHT, _BYTES, _FOUR = 1, 2, 5
_TIME, _STEP, _VERSION, _SUMMARY, _SESSION = 1, 2, 3, 5, 7
_TAG, _SIMPLE = 1, 2
_SESSION_STARTS = b"\x08\x01"


def _make_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)  # noqa: PLW2901 - shifted in place
        table.append(value)
    return tuple(table)


_TABLE = _make_table()


def crc32c(data: bytes) -> int:
    """Sum up bytes by CRC-32C (Castagnoli).

    Args:
        data: The bytes.

    Returns:
        The sum; of `123456789`, as RFC 3720 has it, 0xe3069283.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


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
    return length + struct.pack("<I", _masked(length)) + event + struct.pack("<I", _masked(event))


def _masked(data: bytes) -> int:
    value = crc32c(data)
    return (((value >> 15) | (value << 17)) + _MASK) & 0xFFFFFFFF


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
