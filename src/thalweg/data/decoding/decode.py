"""The one place that turns picture files into pixels: training, prediction and report all see what this shows.

A picture comes out upright (EXIF), as its first frame, in 8-bit RGB, or is refused with a reason. Decided here, once:

* Transparent parts are shown on white, as a browser shows them.
* Deep grey (16 bit and more) is scaled by the power of two that holds its largest value: 65535, 4095 for a 12-bit
  X-ray, and so on. Plain conversion would clip all of it to white. See `tones`.
* A picture is squashed to the wanted size, its aspect ratio not kept, as Keras' `image_dataset_from_directory` does.
  The filter is Pillow's antialiased bilinear one. A JPEG much larger than wanted is reduced while it is decoded, to
  no less than twice the wanted size. The same bytes and size always give the same pixels.
* Only formats that Pillow reads by itself are tried: none that starts another program, none without a signature.
"""

import errno
import io
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import PictureError, PlanError, SourceError
from thalweg.data.decoding.damage import reason_of
from thalweg.data.decoding.jpeg_stream import WatchedJpeg, strict_complaint, survey
from thalweg.data.decoding.pillow_notes import listening
from thalweg.data.decoding.tones import eight_bit

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["DECODER_VERSION", "FORMATS", "Decoded", "decode", "decode_planes", "pictures_at", "read_picture_file"]

DECODER_VERSION = 1
"""Raised whenever the same bytes would give other pixels, so that caches are made anew."""

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "QOI", "TIFF", "WEBP")
"""Pillow's names of the formats that are read; several pictures in one JPEG (MPO) count as JPEG."""

_TOO_MANY = frozenset({errno.EMFILE, errno.ENFILE})
FILE_LIMIT = 512 * 2**20
"""Largest file that is read, in bytes."""
PIXEL_LIMIT = 178_956_970
"""Largest picture, in pixels, by its header: Pillow's own limit."""
MEMORY_LIMIT = 100_000_000
"""Largest picture, in pixels, that is unpacked in memory; JPEG reduced while decoding counts as reduced."""
_JPEG = frozenset({"JPEG", "MPO"})
_ORIENTATION = 0x0112  # EXIF 2.3, table 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A picture ready for a network.

    Args:
        pixels: uint8 of shape (height, width, 3).
        original_size: Width and height of the upright picture in its file, in pixels.
        warnings: What is odd about the file although it is used; empty for nearly all.
        grey: Whether the three channels are equal everywhere.
    """

    pixels: npt.NDArray[np.uint8]
    original_size: tuple[int, int]
    warnings: tuple[str, ...] = ()
    grey: bool = False


def decode(source: Path | bytes, *, size: tuple[int, int] | None = None) -> Decoded:
    """Decode one picture file.

    Args:
        source: The file, or its bytes.
        size: Wanted width and height in pixels; None keeps the picture's own.

    Returns:
        The upright picture with its warnings.

    Raises:
        PictureError: The file is no picture that can be used; the message is the reason alone, without the file's name.

    Example:
        >>> decode(b"P5 2 1 255 " + bytes([0, 255])).pixels[..., 0]
        array([[  0, 255]], dtype=uint8)
    """
    planes = decode_planes(source, size=size)
    if planes.pixels.shape[2] == 1:
        return replace(planes, pixels=np.repeat(planes.pixels, 3, axis=2))
    return planes


def decode_planes(source: Path | bytes, *, size: tuple[int, int] | None = None) -> Decoded:
    """Decode one picture file, a grey one to a single channel; otherwise as `decode`.

    Args:
        source: The file, or its bytes.
        size: Wanted width and height in pixels; None keeps the picture's own.

    Returns:
        The upright picture; `pixels` has one channel if it is grey, else three.

    Raises:
        PictureError: The file is no picture that can be used.

    Example:
        >>> decode_planes(b"P5 2 1 255 " + bytes([0, 255])).pixels.shape
        (1, 2, 1)
    """
    data = source if isinstance(source, bytes) else read_picture_file(source)
    if not data:
        raise PictureError("the file is empty (0 bytes)")
    with listening() as notes:
        try:
            return _decode(data, size, notes)
        except PictureError:
            raise
        # Pillow was seen to refuse files with OSError (and UnidentifiedImageError), DecompressionBombError, ValueError,
        # NotImplementedError, TypeError, SyntaxError, struct.error, EOFError, MemoryError, zlib.error, OverflowError,
        # IndexError, KeyError, AttributeError, AssertionError and PyCMSError: whatever a damaged file makes it raise is
        # the file's fault, and one file must never end a run.
        except Exception as error:
            raise PictureError(reason_of(error, data)) from error


def pictures_at(size: int | tuple[int, int]) -> tuple[tuple[int, int], str]:
    """Name what decoding gives at a size, for caches: another decoder or another Pillow may give other pixels.

    Args:
        size: Side of a square, or width and height, in pixels.

    Returns:
        Width and height, and the name.

    Raises:
        PlanError: The size is not positive.

    Example:
        >>> size, name = pictures_at((96, 64))
        >>> size, name.partition("-pillow")[0]
        ((96, 64), '96x64-v1')
    """
    wide, high = (size, size) if isinstance(size, int) else size
    if min(wide, high) < 1:
        raise PlanError(f"--image-size {size}: pictures need at least 1 pixel a side")
    from PIL import __version__ as pillow

    return (wide, high), f"{wide if wide == high else f'{wide}x{high}'}-v{DECODER_VERSION}-pillow{pillow}"


def read_picture_file(path: str | os.PathLike[str]) -> bytes:
    """Read a file's bytes, if it is a plain file of bearable size.

    Args:
        path: The file.

    Returns:
        All its bytes.

    Raises:
        PictureError: It cannot be opened, is a folder, pipe or device, or is larger than the limit.
        SourceError: The process has too many files open to open another.

    Example:
        >>> read_picture_file(Path("/"))
        Traceback (most recent call last):
        thalweg.core.errors.PictureError: this is a folder, not a picture file
    """
    try:
        if os.path.isdir(path):  # noqa: PTH112 - a name may come as text
            raise PictureError("this is a folder, not a picture file")
        # A pipe put in place of a file must not block for ever.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode):
                raise PictureError("this is a pipe, socket or device, not a picture file")
            if state.st_size > FILE_LIMIT:
                raise PictureError(f"the file has {state.st_size:,} bytes, more than the limit of {FILE_LIMIT:,}")
            data = file.read(state.st_size + 1)  # memory for as much is taken at once, however short the file is
            return data if len(data) <= state.st_size else data + file.read(FILE_LIMIT + 1 - len(data))
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in _TOO_MANY:  # no fault of the file, which must not be left out for it
            raise SourceError(
                "no more files can be opened at once: let this process have more (ulimit -n 1024) and try again"
            ) from error
        raise PictureError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from error


def _decode(data: bytes, size: tuple[int, int] | None, notes: list[str]) -> Decoded:
    from PIL import Image

    stream = _open_stream(data, notes)
    with Image.open(stream, formats=FORMATS) as image:
        width, height = image.size
        _check_size(width, height, PIXEL_LIMIT)
        if image.format == "TIFF":
            _note_pages(data, notes)
        if size is not None:
            _draft(image, size)
        _check_size(*image.size, MEMORY_LIMIT)
        drafted = image.size
        if isinstance(stream, WatchedJpeg) and image.format in _JPEG:
            stream.watch()
        image.load()
        notes.extend(stream.notes() if isinstance(stream, WatchedJpeg) else ())
        upright = _upright(image, notes)
        turned = upright.size != drafted and upright.size == drafted[::-1]
        shown = eight_bit(upright, notes)
    if size is not None and shown.size != size:
        shown = shown.resize(size, Image.Resampling.BILINEAR)
    pixels = np.asarray(shown)
    if pixels.ndim == 2:  # noqa: PLR2004 - mode L has no channel axis
        pixels = pixels[:, :, None]
    elif (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 0] == pixels[..., 2]).all():
        pixels = np.ascontiguousarray(pixels[..., :1])
    grey = pixels.shape[2] == 1
    original = (height, width) if turned else (width, height)
    return Decoded(pixels=pixels, original_size=original, warnings=tuple(dict.fromkeys(notes)), grey=grey)


def _note_pages(data: bytes, notes: list[str]) -> None:
    """Say that a TIFF is a stack, of which one page is a picture; the second page of a photo is its miniature."""
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
        pages = getattr(image, "n_frames", 1)
    if pages > 2:  # noqa: PLR2004 - a photo and its miniature
        notes.append(f"holds {pages:,} pages, of which the first is used; save stacks as .npy or .nii.gz for volumes")


def _open_stream(data: bytes, notes: list[str]) -> io.BytesIO:
    """Wrap bytes as a file; JPEG data is looked through for hidden damage."""
    if not data.startswith(b"\xff\xd8"):
        return io.BytesIO(data)
    found = survey(data)
    notes.extend(found.notes)
    if not found.notes and (found.restarts or found.data_end is None) and (complaint := strict_complaint(data)):
        notes.append(f"{complaint}: a part of the picture may be wrong")
    return io.BytesIO(data) if found.data_end is None else WatchedJpeg(data, found.data_end)


def _check_size(width: int, height: int, limit: int) -> None:
    if width < 1 or height < 1:
        raise PictureError(f"the picture is {width} x {height} pixels: nothing to see")
    if width * height > limit:
        raise PictureError(
            f"the picture claims {width:,} x {height:,} pixels ({width * height:,}), more than the limit of {limit:,}"
        )


def _draft(image: "Image.Image", size: tuple[int, int]) -> None:
    """Let libjpeg reduce by 2, 4 or 8 while decoding; other formats ignore this."""
    if image.format not in _JPEG:
        return
    # Which side is which is known only after the EXIF turn, so both must stay large enough for either.
    enough = 2 * max(size)
    image.draft(None, (enough, enough))


def _upright(image: "Image.Image", notes: list[str]) -> "Image.Image":
    """Turn the picture as its EXIF orientation says; damaged EXIF data counts as upright, and is noted.

    Args:
        image: The loaded picture.
        notes: Where damage is noted.

    Returns:
        The upright picture, perhaps the same object.
    """
    from PIL import ImageOps

    try:
        if image.getexif().get(_ORIENTATION, 1) == 1:
            return image
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - a damaged EXIF block raises anything; the pixels are not touched by it
        notes.append("the EXIF data is damaged; shown as stored")
        return image
