"""Damage inside JPEG data, which decoders paint over: found, so that no invented pixels are used silently.

libjpeg goes on after damage. It fills what is missing with grey, skips what is left over and writes a line to the
terminal at most; Pillow drops even that line. Two things are done about it here, both without a second decoding:

* `survey` walks the file's markers: segments must join, restart markers must count, an end marker must come.
* `WatchedJpeg` hands the file to the decoder in three portions and counts how many it takes to paint all rows. Sound
  coded data needs its last byte and nothing after it: a decoder content without the last byte has bytes left over, and
  one that still wants more after it has seen the data end before the picture did. That is what becomes of a flipped
  bit: the codes after it are read at wrong places and their number no longer fits.

The second works for sequential files with one scan, as cameras write them. Progressive files and those with restart
markers are also shown to libjpeg's own strict mode where the package simplejpeg (extra `fast`) is installed.
"""

import importlib
import io
import re
from dataclasses import dataclass

__all__ = ["Survey", "WatchedJpeg", "strict_complaint", "survey"]

_MARKER, _END, _SCAN, _START, _TEMPORARY = 0xFF, 0xD9, 0xDA, 0xD8, 0x01  # ITU T.81, table B.1
_INTERVAL = 0xDD
_SEQUENTIAL = frozenset({0xC0, 0xC1})
_RESTARTS = range(0xD0, 0xD8)
_AFTER_DATA = re.compile(rb"\xff[^\x00\xff]")
_PADDING = b"\xff\x00" * 8  # one-bits in plenty for a decoder that reads ahead by 64 bits; no code consists of them
_NO_END = "JPEG data ends without its end marker: a part of the picture may be invented"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the markers of a JPEG file tell.

    Args:
        notes: A sentence for each kind of damage; empty for a sound file.
        data_end: Where the coded data ends, if the file is sequential with one scan and an end marker; else None.
        restarts: Whether the coded data is cut into parts by restart markers.
    """

    notes: tuple[str, ...]
    data_end: int | None
    restarts: bool


def survey(data: bytes) -> Survey:
    """Walk the markers of the first picture in a JPEG file (ITU T.81, annex B).

    Args:
        data: The file's bytes.

    Returns:
        The damage found, and where the coded data ends.

    Example:
        >>> survey(bytes.fromhex("ffd8ffda000200")).notes
        ('JPEG data ends without its end marker: a part of the picture may be invented',)
    """
    notes: dict[str, None] = {}
    scans: list[int] = []
    markers: set[int] = set()
    place = 2
    while True:
        start = data.find(b"\xff", place)
        if start > place:
            notes[f"{start - place} stray bytes in the JPEG header"] = None
        while 0 <= start < len(data) - 1 and data[start + 1] == _MARKER:  # fill bytes
            start += 1
        if start < 0 or start + 1 >= len(data):
            notes[_NO_END] = None
            return Survey(notes=tuple(notes), data_end=None, restarts=False)
        marker = data[start + 1]
        if marker == _END:
            end = scans[0] if markers & _SEQUENTIAL and len(scans) == 1 else None
            return Survey(notes=tuple(notes), data_end=end, restarts=_INTERVAL in markers)
        if marker in {0, _TEMPORARY, _START} or marker in _RESTARTS:
            place = start + 2
            continue
        markers.add(marker)
        place = start + 2 + max(int.from_bytes(data[start + 2 : start + 4], "big"), 2)
        if marker == _SCAN:
            place = _after_scan(data, place, notes)
            scans.append(place)


def strict_complaint(data: bytes) -> str:
    """Ask libjpeg's strict mode, where simplejpeg is installed, about a file that cannot be watched.

    Args:
        data: The file's bytes.

    Returns:
        What it complains about; empty if nothing, or if nobody could be asked.
    """
    try:
        simplejpeg = importlib.import_module("simplejpeg")  # untyped and optional
    except ImportError:
        return ""
    try:
        simplejpeg.decode_jpeg(data, colorspace="GRAY", min_factor=8)
    except ValueError as error:
        said = str(error)
        return said if said.startswith("Corrupt JPEG data") else ""
    return ""


class WatchedJpeg(io.BytesIO):
    """A JPEG file that notices how much of itself its decoder needs.

    Args:
        data: The file's bytes.
        data_end: Where its coded data ends.
    """

    def __init__(self, data: bytes, data_end: int) -> None:
        super().__init__(data)
        end = len(data[:data_end].rstrip(b"\xff"))  # fill bytes before the end marker belong to the marker
        self._portions = (data[: end - 1], data[end - 1 : end] + _PADDING, data[end:])
        self._sent: int | None = None

    def watch(self) -> None:
        """Begin to hand out portions; to be called between opening and loading."""
        self._sent = 0

    def read(self, size: int | None = -1) -> bytes:
        """Hand out the next portion to a decoder, or plain bytes before `watch`.

        Args:
            size: Most bytes wanted while nobody watches; a portion may be larger.

        Returns:
            Bytes; empty at the end.
        """
        if self._sent is None:
            return super().read(size)
        self._sent += 1
        return self._portions[self._sent - 1] if self._sent <= len(self._portions) else b""

    def notes(self) -> tuple[str, ...]:
        """Tell after loading what the decoder's appetite means.

        Returns:
            A sentence if the data is damaged, else nothing.
        """
        if self._sent == 1:
            return ("JPEG data is damaged: coded bytes are left over, a part of the picture may be wrong",)
        if self._sent == len(self._portions):
            return ("JPEG data is damaged: it ends before the picture does, a part of it is invented",)
        return ()


def _after_scan(data: bytes, place: int, notes: dict[str, None]) -> int:
    """Step over coded data to the marker that ends it, counting restart markers."""
    expected = 0
    for match in _AFTER_DATA.finditer(data, place):
        code = data[match.start() + 1]
        if code not in _RESTARTS:
            return match.start()
        if code != _RESTARTS[expected]:
            notes["JPEG restart markers are out of order: a part of the picture is lost or moved"] = None
        expected = (code + 1) % 8
    return len(data)
