"""One file a sample: reading tables, arrays, NIfTI scans and clips of frames into values, channels last."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import FormWish
from thalweg.core.errors import MissingExtraError, PictureError, SourceError
from thalweg.data.arrays.axes import axes_of_samples
from thalweg.data.arrays.fitting import pick_frames
from thalweg.data.files.kinds import FileKind
from thalweg.data.formats.npz import DAMAGE, is_sample_name, names_objects
from thalweg.data.formats.tables import open_rows, reads_as_number

__all__ = ["CLIP_SIDE", "MOST_FRAMES", "only_array", "read_sample"]

CLIP_SIDE = 96
"""Frames are decoded to squares of this side, in pixels, or smaller ones if they are smaller."""
MOST_FRAMES = 32
"""Of longer clips so many frames are taken, evenly spread."""
_TIMES = ("t", "time", "timestamp", "seconds", "ms", "frame", "sample", "index", "")
_FEWEST_STEPS = 8

Values = npt.NDArray[Any]

if TYPE_CHECKING:
    from numpy.lib.npyio import NpzFile


def read_sample(
    kind: FileKind, root: Path, file: str, *, frames: Sequence[str] = (), side: int = CLIP_SIDE, form: FormWish = "auto"
) -> Values:
    """Read one sample.

    Args:
        kind: What its file is.
        root: The source's folder.
        file: The file, or the folder of a clip.
        frames: The frames of a clip, in order.
        side: Side that frames are brought to, in pixels.
        form: What the user says it is.

    Returns:
        `(*extents, channels)`: one extent for a signal, three for a volume.

    Raises:
        PictureError: It cannot be used; the message says why.
        MissingExtraError: NIfTI scans need the extra `nifti`.
    """
    try:
        if kind == "table":
            values = _signal_table(root / file)
        elif kind == "npy":
            values = _array(root / file, form)
        elif kind == "nifti":
            values = _scan(root / file)
        else:
            return _clip(root, frames, side)
    except SourceError as error:
        raise PictureError(str(error).partition(": ")[2] or str(error)) from None
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise PictureError("holds values that are not finite (NaN, infinite, or beyond 3e38)")
    return values


def _signal_table(path: Path) -> Values:
    """Rows are steps and columns channels, or the other way round where that is the only way to have enough steps."""
    rows = list(open_rows(path))
    if not rows:
        raise PictureError("is empty")
    header = [cell.lower() for cell in rows[0]] if not all(map(reads_as_number, rows[0])) else None
    body = rows[1:] if header else rows
    widths = {len(row) for row in body}
    if len(widths) != 1:
        least, most = min(widths, default=0), max(widths, default=0)
        raise PictureError(f"its rows have {least} to {most} cells; one number of cells is wanted")
    try:
        values = np.asarray(body, np.float64)
    except ValueError:
        bad = next(cell for row in body for cell in row if not reads_as_number(cell))
        raise PictureError(f"holds {bad[:40]!r}, which is no number") from None
    timed = header is not None and len(header) == values.shape[1] and header[0] in _TIMES
    if values.shape[1] > 1 and (timed or _is_clock(values[:, 0])):
        values = values[:, 1:]  # the time of each row is no measurement
    if len(values) < _FEWEST_STEPS <= values.shape[1]:
        values = values.T
    if len(values) < _FEWEST_STEPS:
        raise PictureError(f"has {len(values)} steps; {_FEWEST_STEPS} are needed")
    return values


def _is_clock(column: npt.NDArray[np.float64]) -> bool:
    """Whether a column climbs in equal steps, as times and row numbers do."""
    if len(column) < _FEWEST_STEPS:
        return False
    steps = np.diff(column)
    return bool(steps[0] > 0 and np.allclose(steps, steps.mean(), rtol=1e-3))


def _array(path: Path, form: FormWish) -> Values:
    try:
        values = np.load(path, allow_pickle=False)
        if path.suffix.lower() == ".npz":
            values = only_array(values)
    except DAMAGE as error:
        if names_objects(error):
            raise PictureError("holds Python objects, which are not loaded since that could run code") from None
        raise PictureError(f"is no readable .npy file ({error})") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "buif" or not values.size:
        raise PictureError("holds no numbers")
    axes = axes_of_samples(values.shape, form=form, are_bytes=values.dtype == np.uint8)
    if axes.form == "picture":
        raise PictureError(f"of {'x'.join(map(str, values.shape))} is a picture: save it as PNG, or say --form signals")
    return values[..., None] if axes.channel is None else np.moveaxis(values, axes.channel, -1)


def only_array(box: "NpzFile") -> Values | None:
    """The sample in an archive of arrays.

    Args:
        box: The archive, open.

    Returns:
        The array that is called as samples are, or the largest; None where there is none.
    """
    held = {name: box[name] for name in box.files}
    return next(
        (held[name] for name in held if is_sample_name(name)),
        max(held.values(), key=lambda each: each.size, default=None),
    )


def _scan(path: Path) -> Values:
    try:
        nibabel: Any = importlib.import_module("nibabel")
    except ImportError as error:
        raise MissingExtraError("nibabel", "nifti", "to read NIfTI scans") from error
    try:
        image = nibabel.as_closest_canonical(nibabel.load(path))  # patients lie in scanners in different ways
        values: Values = np.asarray(image.dataobj)
    except Exception as error:  # noqa: BLE001 - nibabel raises whatever a damaged header leads to
        why = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise PictureError(f"is no readable NIfTI scan ({why})") from None
    while values.ndim > 4 and values.shape[3] == 1:  # noqa: PLR2004 - three axes, time, and more
        values = values[:, :, :, 0]
    if values.ndim == 4 and values.shape[3] == 1:  # noqa: PLR2004 - a single time
        values = values[..., 0]
    if values.ndim == 3:  # noqa: PLR2004 - three axes
        values = values[..., None]
    if values.ndim != 4 or values.shape[3] > 8 or values.dtype.kind not in "buif":  # noqa: PLR2004 - and channels
        raise PictureError(f"of {'x'.join(map(str, values.shape))} is no volume of at most 8 channels")
    if min(values.shape[:3]) < 2:  # noqa: PLR2004 - one slice is a picture
        raise PictureError("has one slice: that is a picture")
    return values


def _clip(root: Path, frames: Sequence[str], side: int) -> Values:
    from thalweg.data.decoding.decode import decode_planes

    if len(frames) < 2:  # noqa: PLR2004 - one frame is a picture
        raise PictureError(f"has {len(frames)} frame: that is a picture, not a clip")
    chosen = [frames[index] for index in pick_frames(len(frames), min(len(frames), MOST_FRAMES))]
    read = []
    for frame in chosen:
        try:
            read.append(decode_planes(root / frame, size=(side, side)).pixels)
        except PictureError as error:
            raise PictureError(f"its frame {frame.rpartition('/')[2]}: {error}") from None
    deepest = max(pixels.shape[2] for pixels in read)
    return np.stack([np.repeat(pixels, deepest // pixels.shape[2], axis=2) for pixels in read])
