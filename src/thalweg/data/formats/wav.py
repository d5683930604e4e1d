"""Recordings: `.wav` files of 8, 16, 24 or 32-bit whole numbers or floating point, and cutting them into windows.

The reader is our own, since the standard library's refuses floating point and the extensible header that most tools
write for 24 bits. Full scale becomes 1. Rates that differ are brought to the most frequent one by leaving out, or
adding, high frequencies of the spectrum, so that nothing is aliased.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import PictureError

__all__ = ["WavHeader", "read_wav", "resampled", "wav_header", "window_starts"]

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_BITS = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}
_MOST_CHANNELS = 64
_DESCRIPTION = 64  # bytes of a description that matter, however long it says it is
_UNKNOWN = 0xFFFFFFFF  # the length that a program writes which cannot go back to the header


@dataclass(frozen=True, slots=True, kw_only=True)
class WavHeader:
    """What a file says of itself.

    Args:
        rate_hz: Samples a second.
        channels: Channels.
        bits: Bits a sample.
        floating: Whether samples are floating-point numbers.
        offset: Where the samples begin, in bytes.
        steps: Samples a channel that the file really holds.
        cut_short: Whether the file is shorter than it says.
    """

    rate_hz: int
    channels: int
    bits: int
    floating: bool
    offset: int
    steps: int
    cut_short: bool


def wav_header(path: Path) -> WavHeader:
    """Read the header of a file.

    Args:
        path: The file.

    Returns:
        What it says.

    Raises:
        PictureError: It is no such file, or of a kind that is not read.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size == 0:
                raise PictureError("is empty")
            if file.read(4) not in {b"RIFF", b"RF64"} or file.read(8)[4:] != b"WAVE":
                raise PictureError("does not begin as a .wav file does")
            described: tuple[int, int, int, int] | None = None
            while len(head := file.read(8)) == 8:  # noqa: PLR2004 - name and length of a chunk
                name, length = struct.unpack("<4sI", head)
                if name == b"fmt ":
                    chunk = file.read(min(length, _DESCRIPTION))
                    described = _described(chunk)
                    file.seek(length - len(chunk) + length % 2, 1)
                elif name == b"data":
                    return _checked(described, file.tell(), length, size)
                else:
                    file.seek(length + length % 2, 1)
    except OSError as error:
        raise PictureError(f"cannot be read ({error.strerror or error})") from None
    raise PictureError("holds no samples: its data chunk is missing")


def _described(chunk: bytes) -> tuple[int, int, int, int]:
    if len(chunk) < 16:  # noqa: PLR2004 - the shortest description there is
        raise PictureError("its header is cut short")
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
    if kind == _EXTENSIBLE and len(chunk) >= 26:  # noqa: PLR2004 - the kind stands in its first two bytes
        kind = struct.unpack("<H", chunk[24:26])[0]
    return kind, channels, rate, bits


def _checked(described: tuple[int, int, int, int] | None, offset: int, length: int, size: int) -> WavHeader:
    if described is None:
        raise PictureError("its samples come before their description")
    kind, channels, rate, bits = described
    if bits not in _BITS.get(kind, ()):
        raise PictureError(f"is compressed or of a kind that is not read (kind {kind}, {bits} bits): save it as PCM")
    if rate == 0:
        raise PictureError("its header gives no rate (0 samples a second)")
    if not 1 <= channels <= _MOST_CHANNELS:
        raise PictureError(f"has {channels} channels; 1 to {_MOST_CHANNELS} are read")
    frame = channels * bits // 8
    steps = min(length, size - offset) // frame
    if steps == 0:
        raise PictureError("holds no samples")
    return WavHeader(
        rate_hz=rate,
        channels=channels,
        bits=bits,
        floating=kind == _FLOAT,
        offset=offset,
        steps=steps,
        cut_short=_UNKNOWN > length > size - offset,
    )


def read_wav(path: Path) -> tuple[npt.NDArray[np.float32], WavHeader]:
    """Read all samples of a file.

    Args:
        path: The file.

    Returns:
        float32 `(steps, channels)`, full scale 1; and the header.

    Raises:
        PictureError: It is no such file, or holds values that are not finite.
    """
    header = wav_header(path)
    count = header.steps * header.channels
    try:
        with path.open("rb") as file:
            file.seek(header.offset)
            data = file.read(count * header.bits // 8)
    except OSError as error:
        raise PictureError(f"cannot be read ({error.strerror or error})") from None
    samples = _numbers(data, header).reshape(header.steps, header.channels)
    if not np.isfinite(samples).all():
        raise PictureError("holds values that are not finite (NaN, infinite, or beyond 3e38)")
    return samples, header


def _numbers(data: bytes, header: WavHeader) -> npt.NDArray[np.float32]:
    if header.floating:
        with np.errstate(over="ignore"):
            return np.frombuffer(data, f"<f{header.bits // 8}").astype(np.float32)
    if header.bits == 8:  # noqa: PLR2004 - the only width without a sign
        return np.asarray((np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128, np.float32)
    if header.bits == 24:  # noqa: PLR2004 - no type of numpy is so wide
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return np.asarray(wide.view("<i4")[:, 0] / np.float32(2**31), np.float32)
    whole = np.frombuffer(data, f"<i{header.bits // 8}")
    return np.asarray(whole / np.float32(2 ** (header.bits - 1)), np.float32)


def resampled(samples: npt.NDArray[np.float32], before_hz: float, after_hz: float) -> npt.NDArray[np.float32]:
    """Bring a recording to another rate through its spectrum.

    Args:
        samples: `(steps, channels)`.
        before_hz: Its rate.
        after_hz: The rate wanted.

    Returns:
        The same sound with `after / before` as many steps; frequencies that the new rate cannot hold are gone.

    Example:
        >>> wave = np.sin(2 * np.pi * 5 * np.arange(400) / 400)[:, None].astype(np.float32)
        >>> slow = resampled(wave, 400, 100)
        >>> len(slow), bool(np.allclose(slow[:, 0], np.sin(2 * np.pi * 5 * np.arange(100) / 100), atol=1e-4))
        (100, True)
    """
    steps = max(1, round(len(samples) * after_hz / before_hz))
    if steps == len(samples):
        return samples
    spectrum = np.fft.rfft(samples, axis=0)
    kept = spectrum[: steps // 2 + 1]
    return np.asarray(np.fft.irfft(kept, steps, axis=0) * (steps / len(samples)), np.float32)


def window_starts(steps: int, window: int) -> list[int]:
    """Where the windows of a recording begin: each overlaps the next by half, and the last one ends where it ends.

    Args:
        steps: Length of the recording.
        window: Length of a window.

    Returns:
        First steps; only 0 for a recording that is no longer than a window.

    Example:
        >>> window_starts(100, 40), window_starts(30, 40)
        ([0, 20, 40, 60], [0])
    """
    if steps <= window:
        return [0]
    hop = max(1, window // 2)
    starts = list(range(0, steps - window + 1, hop))
    if starts[-1] + window < steps:
        starts.append(steps - window)
    return starts
