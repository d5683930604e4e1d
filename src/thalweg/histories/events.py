"""TensorBoard's events, read off the wire: time, step, and every tag whose value is one number.

Only the fields that a scalar needs are known here (TensorFlow's event, summary and tensor.proto): a value is
`simple_value` (torch, tensorboardX) or a `tensor` of one element (TensorFlow 2, Keras). The rest is skipped.
"""

import re
import struct
from collections.abc import Iterator

import numpy as np

__all__ = ["scalars"]

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_EVENT_STEP, _EVENT_SUMMARY = 2, 5
_SUMMARY_VALUE = 1
_TAG, _SIMPLE, _TENSOR = 1, 2, 8
_DTYPE, _SHAPE, _CONTENT = 1, 2, 4
_KINDS: dict[int, "np.dtype[np.generic]"] = {
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    3: np.dtype("<i4"),
    4: np.dtype("u1"),
    5: np.dtype("<i2"),
    6: np.dtype("i1"),
    9: np.dtype("<i8"),
    10: np.dtype("?"),
    17: np.dtype("<u2"),
    19: np.dtype("<f2"),
    22: np.dtype("<u4"),
    23: np.dtype("<u8"),
}
_BFLOAT, _HALF = 14, 19
_FLOATS, _DOUBLES, _HALVES = 5, 6, 13
_INTEGERS = {7, 10, 11, 16, 17}
_TOP = 1 << 63
_COMMON = re.compile(
    rb"\x09.{8}(?:\x10([\x80-\xff]{0,8}[\0-\x7f]))?\x2a([\0-\x7f])\x0a([\0-\x7f])\x0a([\0-\x7f])(.*)\x15(.{4})",
    re.DOTALL,
)
"""An event of one simple value, as nearly all are: time, step, and the lengths of summary, value and tag below 128."""


def scalars(event: bytes) -> tuple[int, list[tuple[str, float]]]:
    """Read one event.

    Args:
        event: Its data.

    Returns:
        The step, and each tag with its number; none for events of other kinds.

    Raises:
        ValueError: The data is no event.

    Example:
        >>> scalars(bytes([0x10, 3, 0x2A, 10, 0x0A, 8, 0x0A, 1, 97, 0x15, 0, 0, 0x80, 0x3F]))
        (3, [('a', 1.0)])
    """
    if (common := _COMMON.fullmatch(event)) and len(common[5]) == common[4][0] == common[3][0] - 7 == common[2][0] - 9:
        step = _varint(common[1], 0)[0] if common[1] else 0
        return step, [(common[5].decode("utf-8", "replace"), struct.unpack("<f", common[6])[0])]
    step = 0
    found: list[tuple[str, float]] = []
    for field, value in _fields(event):
        if field == _EVENT_STEP and isinstance(value, int):
            step = value - 2 * _TOP if value >= _TOP else value
        elif field == _EVENT_SUMMARY and isinstance(value, bytes):
            for inner, entry in _fields(value):
                if inner == _SUMMARY_VALUE and isinstance(entry, bytes):
                    tag, number = _entry(entry)
                    if number is not None:
                        found.append((tag, number))
    return step, found


def _entry(entry: bytes) -> tuple[str, float | None]:
    tag, number = "", None
    for field, value in _fields(entry):
        if not isinstance(value, bytes):
            continue
        if field == _TAG:
            tag = value.decode("utf-8", "replace")
        elif field == _SIMPLE and len(value) == 4:  # noqa: PLR2004 - a float of four bytes
            number = struct.unpack("<f", value)[0]
        elif field == _TENSOR:
            number = _tensor(value)
    return tag, number


def _tensor(tensor: bytes) -> float | None:
    """The number in a tensor of one element; None for any other."""
    kind, content, number = 0, b"", None
    for field, value in _fields(tensor):
        if field == _DTYPE and isinstance(value, int):
            kind = value
        elif field == _CONTENT and isinstance(value, bytes):
            content = value
        else:
            told = _listed(field, value, kind)
            number = number if told is None else told
    if content:
        return _content(content, kind)
    return number if kind in _KINDS or kind == _BFLOAT else None


def _listed(field: int, value: int | bytes, kind: int) -> float | None:
    """The number in one of a tensor's lists of values."""
    if field == _FLOATS and isinstance(value, bytes) and len(value) == 4:  # noqa: PLR2004 - one float
        return float(struct.unpack("<f", value)[0])
    if field == _DOUBLES and isinstance(value, bytes) and len(value) == 8:  # noqa: PLR2004 - one double
        return float(struct.unpack("<d", value)[0])
    if field not in _INTEGERS | {_HALVES}:
        return None
    whole = value if isinstance(value, int) else _only_varint(value)
    if whole is None:
        return None
    return _half(whole, kind) if field == _HALVES else float(whole - 2 * _TOP if whole >= _TOP else whole)


def _content(content: bytes, kind: int) -> float | None:
    """The number that a tensor holds as raw bytes."""
    if kind == _BFLOAT and len(content) == 2:  # noqa: PLR2004 - one bfloat16
        return _half(int.from_bytes(content, "little"), kind)
    known = _KINDS.get(kind)
    if known is None or len(content) != known.itemsize:
        return None
    return float(np.frombuffer(content, known)[0])


def _half(bits: int, kind: int) -> float:
    """A number of 16 bits: the upper half of a float (bfloat16) or IEEE's half."""
    if kind == _BFLOAT:
        return float(struct.unpack("<f", ((bits & 0xFFFF) << 16).to_bytes(4, "little"))[0])
    return float(struct.unpack("<e", (bits & 0xFFFF).to_bytes(2, "little"))[0])


def _only_varint(packed: bytes) -> int | None:
    """The one number in a packed list, or None where there are more."""
    try:
        value, end = _varint(packed, 0)
    except ValueError:
        return None
    return value if end == len(packed) else None


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Every field of a message: its number, and its value as an integer or as bytes."""
    at, size = 0, len(data)
    while at < size:
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, at = _varint(data, at)
        elif kind in {_EIGHT, _FOUR}:
            length = 8 if kind == _EIGHT else 4
        else:
            raise ValueError("no protocol buffer")
        if at + length > size:
            raise ValueError("a field beyond the end")
        yield key >> 3, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:  # noqa: PLR2004 - 64 bits
            raise ValueError("a number without end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
            return value, at
        shift += 7
