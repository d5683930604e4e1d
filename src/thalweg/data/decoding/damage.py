"""Reasons that people understand for files that are no usable pictures."""

import re
import struct
import zlib

__all__ = ["reason_of"]

_OTHER_KINDS = {
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
_BROKEN_KINDS = {
    b"\x89PNG": "PNG",
    b"\xff\xd8": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*": "TIFF",
    b"MM\x00*": "TIFF",
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
    for signature, name in _OTHER_KINDS.items():
        if start.startswith(signature):
            return f"not a picture but {name}"
    if not any(data[:4096]):
        return f"the file holds only zero bytes ({len(data):,} in all)"
    for signature, name in _BROKEN_KINDS.items():
        if data.startswith(signature):
            return f"it starts like {name} but its header is damaged"
    return "its content is none of the picture formats read here (JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF, PPM, ...)"
