"""What is wrong with a file: reasons people understand, and damage inside JPEG data that decoders paint over.

libjpeg goes on after damage: it invents the missing blocks, writes a line to the terminal at most, and Pillow drops
that line. `jpeg_damage` walks the file's structure instead: it costs microseconds and needs no decoder.
"""

import re
import struct
import zlib

__all__ = ["jpeg_damage", "reason_of"]

_MARKER, _END, _SCAN, _START, _TEMPORARY = 0xFF, 0xD9, 0xDA, 0xD8, 0x01  # ITU T.81, table B.1
_RESTARTS = range(0xD0, 0xD8)
_STUFFED_OR_RESTART = re.compile(rb"\xff[^\x00\xff]")
_SIGNATURES = {
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML file",
    b"<!DOC": "a web page",
    b"<html": "a web page",
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript document",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"8BPS": "a Photoshop file",
    b"\x93NUMPY": "a NumPy array",
    b"SIMPLE  =": "a FITS file",
    b"RIFF": "a RIFF file that is no WebP picture",
}


def reason_of(error: BaseException, data: bytes) -> str:
    """Say in plain words why a file was refused.

    Args:
        error: What the decoder raised.
        data: The file's bytes.

    Returns:
        One sentence part, without the file's name.

    Example:
        >>> reason_of(OSError("image file is truncated"), bytes(10))
        'the file ends too early (it has 10 bytes): image file is truncated'
        >>> from PIL import UnidentifiedImageError
        >>> reason_of(UnidentifiedImageError("cannot identify"), b"%PDF-1.4")
        'not a picture but a PDF document'
    """
    from PIL import Image, UnidentifiedImageError

    said = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, UnidentifiedImageError):
        return _unknown(data)
    if isinstance(error, Image.DecompressionBombError):
        claim = re.search(r"\((\d+) pixels\) exceeds limit of (\d+)", said)
        size = f"{int(claim[1]):,} pixels, more than the limit of {int(claim[2]):,}" if claim else said
        return f"the picture claims {size}"
    if isinstance(error, MemoryError):
        return "unpacking the picture needs more memory than there is"
    if "truncated" in said.lower() or isinstance(error, EOFError):
        return f"the file ends too early (it has {len(data):,} bytes): {said}"
    if isinstance(error, OSError | ValueError | SyntaxError | struct.error | zlib.error):
        return f"the picture data is damaged: {said}"
    return f"the picture data is damaged or of a kind nobody reads: {type(error).__name__}: {said}"


def _unknown(data: bytes) -> str:
    start = data[:64].lstrip()
    for signature, name in _SIGNATURES.items():
        if start.startswith(signature):
            return f"not a picture but {name}"
    if not any(data[:4096]):
        return f"the file holds only zero bytes ({len(data):,} in all)"
    known = {b"\x89PNG": "PNG", b"\xff\xd8": "JPEG", b"GIF8": "GIF", b"BM": "BMP", b"II*": "TIFF", b"MM\x00*": "TIFF"}
    for signature, name in known.items():
        if data.startswith(signature):
            return f"it starts like {name} but its header is damaged"
    return "its content is none of the picture formats read here (JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF, PPM, ...)"


def jpeg_damage(data: bytes) -> tuple[str, ...]:
    """Find damage in a JPEG file that a decoder would hide.

    Walks the markers of the first picture in the file (ITU T.81, annex B): every segment must start where the one
    before ends, coded data must run to an end marker, and restart markers must count 0 to 7 in turn.

    Args:
        data: The file's bytes.

    Returns:
        A sentence for each kind of damage; empty for a sound file.

    Example:
        >>> jpeg_damage(bytes.fromhex("ffd8ffda000200"))
        ('JPEG data ends without its end marker: a part of the picture may be invented',)
    """
    notes: dict[str, None] = {}
    place = 2
    while True:
        start = data.find(b"\xff", place)
        if start != place and start >= 0:
            notes[f"{start - place} stray bytes in the JPEG header"] = None
        while 0 <= start < len(data) - 1 and data[start + 1] == _MARKER:  # fill bytes
            start += 1
        if start < 0 or start + 1 >= len(data):
            notes["JPEG data ends without its end marker: a part of the picture may be invented"] = None
            return tuple(notes)
        marker = data[start + 1]
        if marker == _END:
            return tuple(notes)
        if marker in {0, _TEMPORARY, _START} or marker in _RESTARTS:
            place = start + 2
            continue
        length = int.from_bytes(data[start + 2 : start + 4], "big")
        place = start + 2 + max(length, 2)
        if marker == _SCAN:
            place = _after_scan(data, place, notes)


def _after_scan(data: bytes, place: int, notes: dict[str, None]) -> int:
    """Step over coded data to the marker that ends it."""
    expected = 0
    for match in _STUFFED_OR_RESTART.finditer(data, place):
        code = data[match.start() + 1]
        if code not in _RESTARTS:
            return match.start()
        if code != _RESTARTS[expected]:
            notes["JPEG restart markers are out of order: a part of the picture is lost or moved"] = None
        expected = (code + 1) % 8
    return len(data)
