"""From arrays of any numeric type and order of axes to 8-bit pictures, and from labels in any form to class indices.

The range of values is found over the whole source, never a part at a time: train and test must be scaled alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import ValueRange
from thalweg.core.errors import SourceError
from thalweg.core.files import printable

__all__ = ["ScaledPictures", "as_labels", "as_pictures"]

_CHANNELS = (1, 3)
_ALPHA = 4  # channels, with transparency
_FEWEST_PIXELS = 8  # a side of fewer is a number of channels rather than of pixels
_BYTE = 255
_MOST_CLASSES = 10_000
_PIECE = 4 << 20  # values looked at, or brought to 8 bits, at a time
_USUAL = frozenset({(0.0, 1.0), (0.0, 255.0)})

Named = tuple[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScaledPictures:
    """The pictures of an array in 8 bits, brought there as they are asked for: it may be larger than memory.

    Args:
        values: (n, height, width, 1 or 3), of any numbers.
        shown: What is black and white.
    """

    values: npt.NDArray[np.generic]
    shown: ValueRange

    dtype = np.dtype(np.uint8)

    @property
    def shape(self) -> tuple[int, ...]:
        """Pictures, height, width; and 3 where they have colours."""
        return self.values.shape[: 3 if self.values.shape[3] == 1 else 4]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice | npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        block = _scaled(self.values[rows], self.shown.low, self.shown.high)
        return block.reshape(len(block), *self.shape[1:])


def as_pictures(
    parts: Sequence[Named], *, trained: ValueRange | None = None
) -> tuple[list[ScaledPictures], tuple[str, ...], list[frozenset[int]]]:
    """Turn arrays into pictures.

    Args:
        parts: Name and array of each part: (n, height, width), (n, height, width, 1 or 3) or (n, 1 or 3, height,
            width), of any integers, booleans or floating-point numbers.
        trained: What was black and white to the network that is to see them; numbers of the same kind keep it.

    Returns:
        Pictures (n, height, width) or (n, height, width, 3) of each part; what was assumed, in sentences; the rows of
        each part that hold values which are not finite.

    Raises:
        SourceError: The arrays are of another shape; the message says what they seem to be.

    Example:
        >>> pictures, notes, _ = as_pictures([("x", np.zeros((5, 3, 8, 9), np.float32))])
        >>> pictures[0].shape, notes
        ((5, 8, 9, 3), ('x: 3x8x9 is read as channels first',))
    """
    notes: list[str] = []
    ordered = [_channels_last(name, values, notes) for name, values in parts]
    if len({values.shape[1:] for values in ordered}) > 1:
        shapes = ", ".join(f"{printable(name)} {_shape(values)}" for name, values in parts)
        raise SourceError(f"the parts hold pictures of different shapes: {shapes}")
    broken = [_not_finite(values) for values in ordered]
    low, high = _extremes(ordered, broken)
    own = _range(low, high, ordered)
    shown = own if trained is None or not _holds(trained, own) else trained
    if shown is trained:
        if low < shown.low or high > shown.high:
            notes.append(
                f"values from {low:g} to {high:g} go beyond {shown.low:g} to {shown.high:g}, which are shown as 0 to "
                f"255 as in training; those beyond become black or white"
            )
    elif (own.low, own.high) not in _USUAL:
        notes.append(f"values from {own.low:g} to {own.high:g} are shown as 0 to 255, over the whole source alike")
    if trained is None and low < 0 and any(values.ndim == 3 for _, values in parts):  # noqa: PLR2004 - no channels
        notes.append("read as pictures; where one axis of a sample is time, say --form signals")
    scaled = [ScaledPictures(values=values, shown=shown) for values in ordered]
    return scaled, tuple(dict.fromkeys(notes)), broken


def _shape(values: npt.NDArray[np.generic]) -> str:
    return "x".join(map(str, values.shape))


def _channels_last(name: str, values: npt.NDArray[np.generic], notes: list[str]) -> npt.NDArray[np.generic]:
    shown = f"{printable(name)}: {_shape(values)}"
    if values.dtype.kind not in "buif" or not values.size:
        raise SourceError(f"{shown} of {values.dtype} holds no pictures")
    sides = values.shape[1:]
    if len(sides) == 2 and min(sides) >= _FEWEST_PIXELS:  # noqa: PLR2004 - height and width
        return values[..., None]
    if len(sides) == 3:  # noqa: PLR2004 - and channels
        if sides[2] in _CHANNELS and min(sides[:2]) > max(_CHANNELS):
            return values
        if sides[0] in _CHANNELS and min(sides[1:]) > max(_CHANNELS):
            notes.append(f"{printable(name)}: {'x'.join(map(str, sides))} is read as channels first")
            return np.moveaxis(values, 1, -1)
        if _ALPHA in {sides[0], sides[2]} and sorted(sides)[1] >= _FEWEST_PIXELS:
            colours = "x[..., :3]" if sides[2] == _ALPHA else "x[:, :3]"
            raise SourceError(f"{shown} is pictures of 4 channels: save {colours}, their colours alone")
        raise SourceError(f"{shown} is no pictures of 1 or 3 channels; say --form volumes where they are slices")
    raise SourceError(f"{shown} has {values.ndim} axes; pictures have 3 or 4: (n, height, width, channels)")


def _pieces(values: npt.NDArray[np.generic]) -> Iterator[tuple[int, npt.NDArray[np.generic]]]:
    step = max(1, _PIECE // (values[0].size or 1))
    for start in range(0, len(values), step):
        yield start, values[start : start + step]


def _not_finite(values: npt.NDArray[np.generic]) -> frozenset[int]:
    if values.dtype.kind != "f":
        return frozenset()
    found: list[int] = []
    for start, piece in _pieces(values):
        bad = ~np.isfinite(piece).reshape(len(piece), -1).all(axis=1)
        found += (start + np.flatnonzero(bad)).tolist()
    return frozenset(found)


def _extremes(parts: Sequence[npt.NDArray[np.generic]], broken: Sequence[frozenset[int]]) -> tuple[float, float]:
    """The smallest and largest value of all pictures that hold finite ones only."""
    low, high = np.inf, -np.inf
    for values, bad in zip(parts, broken, strict=True):
        sound = np.ones(len(values), bool)
        sound[list(bad)] = False
        for start, piece in _pieces(values):
            used = piece[sound[start : start + len(piece)]] if bad else piece
            if used.size:
                low, high = min(low, float(used.min())), max(high, float(used.max()))
    if not np.isfinite(low):
        raise SourceError("no picture of the source holds finite values only")
    return low, high


def _range(low: float, high: float, parts: Sequence[npt.NDArray[np.generic]]) -> ValueRange:
    """The values that become black and white: 0 and 1, 0 and 255, or the smallest and largest there are."""
    kinds = dict.fromkeys("float" if part.dtype.kind == "f" else part.dtype.name for part in parts)
    kind = "float" if "float" in kinds else next(iter(kinds))
    if low >= 0 and high <= 1:
        return ValueRange(0, 1, kind)
    if low >= 0 and high <= _BYTE:
        return ValueRange(0, _BYTE, kind)
    if low >= 0 and kind != "float":
        return ValueRange(0, float(2 ** int(high).bit_length() - 1), kind)
    return ValueRange(low, high, kind)


def _holds(trained: ValueRange, own: ValueRange) -> bool:
    """Whether a network's range is that of other arrays, too: few pictures may not show how far their numbers reach."""
    # Numbers of another kind are read as they look, since they were made otherwise; so are floating-point ones that
    # look like 0 to 1 where training had 0 to 255, or the other way round.
    usual = {(trained.low, trained.high), (own.low, own.high)} <= _USUAL
    return trained.kind == own.kind and not (usual and own.kind == "float")


def _scaled(values: npt.NDArray[np.generic], low: float, high: float) -> npt.NDArray[np.uint8]:
    if (values.dtype == np.uint8 and (low, high) == (0, _BYTE)) or not len(values):
        return values.astype(np.uint8, copy=False)
    scale = _BYTE / (high - low) if high > low else 0.0
    shown = np.empty(values.shape, np.uint8)
    for start, piece in _pieces(values):  # float64 takes eight times the room
        with np.errstate(invalid="ignore"):
            exact = np.rint((piece.astype(np.float64) - low) * scale)
        shown[start : start + len(piece)] = np.nan_to_num(exact, nan=0.0, posinf=0.0, neginf=0.0).clip(0, _BYTE)
    return shown


def as_labels(
    parts: Sequence[tuple[str, npt.NDArray[np.generic], tuple[str, ...]]],
) -> tuple[list[npt.NDArray[np.int64]], tuple[str, ...], tuple[str, ...]]:
    """Turn labels into class indices.

    Args:
        parts: Name, labels and names of classes (empty where unknown) of each part; labels are whole numbers, names, or
            one-hot rows.

    Returns:
        Index of each label, the classes' names in index order, and what was assumed, in sentences.

    Raises:
        SourceError: The labels are of another form, the parts contradict each other, or the classes are too many.

    Example:
        >>> as_labels([("y", np.array([[2], [5], [2]]), ())])
        ([array([0, 1, 0])], ('2', '5'), ())
    """
    flat = [_flat(name, values) for name, values, _ in parts]
    named = next((classes for *_, classes in parts if classes), ())
    if any(classes and classes != named for *_, classes in parts):
        raise SourceError(f"{printable(parts[-1][0])} names the classes otherwise than {printable(parts[0][0])} does")
    if len({values.dtype.kind in "US" for values in flat}) > 1:
        raise SourceError("some parts have labels in words and some in numbers")
    known = np.unique(np.concatenate(flat))
    if len(known) > _MOST_CLASSES:
        raise SourceError(f"{len(known):,} different labels: these are values to predict rather than classes")
    if named and known.dtype.kind not in "US" and known.min() >= 0 and known.max() < len(named):
        return [values.astype(np.int64) for values in flat], named, ()
    if named and known.dtype.kind not in "US":
        raise SourceError(f"labels run from {known.min()} to {known.max()}, and {len(named)} classes have names")
    names = tuple(item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in known.tolist())
    return [np.searchsorted(known, values).astype(np.int64) for values in flat], names, ()


def _flat(name: str, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    shown = f"{printable(name)}: labels of {_shape(values)}"
    if values.ndim == 2 and values.shape[1] == 1:  # noqa: PLR2004 - a column
        values = values[:, 0]
    if values.ndim == 2 and values.dtype.kind in "buif":  # noqa: PLR2004 - rows of 0 and 1
        if not (np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all()):
            raise SourceError(
                f"{shown} are neither classes nor one-hot rows: a picture with several labels is not trained"
            )
        return np.asarray(values.argmax(axis=1), np.int64)
    if values.ndim > 2 and min(values.shape[1:3]) > _ALPHA:  # noqa: PLR2004 - height and width
        raise SourceError(
            f"{shown} say a class for every pixel, and masks are read from files: save the pictures as images/1.png "
            f"and so on, and their masks as masks/1.png"
        )
    if values.ndim != 1 or values.dtype.kind not in "buifUS":
        raise SourceError(f"{shown} and {values.dtype} are no classes: one number or name a picture is wanted")
    if values.dtype.kind == "f":
        if not (np.isfinite(values).all() and (values == np.rint(values)).all()):
            raise SourceError(f"{shown} are not whole numbers: these are values to predict rather than classes")
        return values.astype(np.int64)
    return values.astype(np.int64) if values.dtype.kind in "bui" else values
