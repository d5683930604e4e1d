"""From arrays of signals or volumes to samples on disk, a piece at a time: axes ordered, broken samples left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Form, FormWish, Notice, Part
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.arrays.axes import Axes, axes_of_samples
from thalweg.data.arrays.part import ArrayPart, refuse_uneven
from thalweg.data.arrays.values import as_labels
from thalweg.data.measured.store import Index, ValuesFile, stored_type

__all__ = ["described_size", "form_of_parts", "labels_of_parts", "not_finite", "reading_note", "write_arrays"]

_PIECE_BYTES = 32 << 20
_NUMBERS = "buif"
NOT_FINITE = "holds values that are not finite (NaN, infinite, or beyond 3e38)"


def form_of_parts(parts: Sequence[ArrayPart], form: FormWish) -> list[Axes]:
    """Decide what the arrays of a source hold.

    Args:
        parts: The parts as they were read.
        form: What the user says, or `auto`.

    Returns:
        What the axes of each part mean; one form for all.

    Raises:
        SourceError: A shape fits nothing, or parts differ.
    """
    found = []
    for part in parts:
        values = part.pictures
        shown = f"{printable(part.file)}: {'x'.join(map(str, values.shape))} of {values.dtype}"
        if values.dtype.kind not in _NUMBERS or values.ndim < 2:  # noqa: PLR2004 - samples and one axis
            raise SourceError(f"{shown} holds no pictures, signals or volumes: numbers are wanted, one sample a row")
        if not values.size:
            raise SourceError(f"{shown} is empty: it holds {len(values)} samples")
        if part.known is not None and form in {"auto", f"{part.known.form}s"}:
            found.append(part.known)
            continue
        try:
            found.append(axes_of_samples(values.shape[1:], form=form, are_bytes=values.dtype == np.uint8))
        except SourceError as error:
            raise SourceError(f"{printable(part.file)}: {error}") from None
    sizes = {(axes.form, _ordered_shape(part, axes)) for part, axes in zip(parts, found, strict=True)}
    if len(sizes) > 1 and any(axes.form != "picture" for axes in found):
        shapes = ", ".join(f"{printable(part.file)} {'x'.join(map(str, part.pictures.shape))}" for part in parts)
        raise SourceError(f"the parts hold samples of different shapes: {shapes}")
    return found


def _ordered_shape(part: ArrayPart, axes: Axes) -> tuple[int, ...]:
    """Extents and channels of a sample."""
    sides = part.pictures.shape[1:]
    if axes.channel is None:
        return (*sides, 1)
    return (*(side for axis, side in enumerate(sides) if axis != axes.channel), sides[axes.channel])


def write_arrays(
    parts: Sequence[ArrayPart],
    axes: Sequence[Axes],
    folder: Path,
    progress: Callable[[str], None] | None = None,
    *,
    most_shown: int | None = 20,
) -> None:
    """Write arrays of signals or volumes as samples.

    Args:
        parts: The parts as they were read; without labels where they are only to be predicted.
        axes: What their axes mean.
        folder: Where to; made here.
        progress: Called with a line of text before the work.
        most_shown: Broken samples that are named one by one; None for all.

    Raises:
        SourceError: Labels are missing, fit no sample, or no sample is usable.
    """
    labels, classes, notes = labels_of_parts(parts)
    shape = _ordered_shape(parts[0], axes[0])
    total = sum(len(part.pictures) for part in parts)
    note = reading_note(axes[0].form, total, shape, axes[0].why, max((part.rate_hz or 0 for part in parts), default=0))
    if progress is not None:
        progress(f"Storing {total:,} {axes[0].form}s ...")
    kept = _Kept()
    with ValuesFile(folder, stored_type([part.pictures.dtype for part in parts])) as file:
        step = max(1, _PIECE_BYTES // max(1, int(np.prod(shape)) * 4))
        for part, numbering, order in zip(parts, labels, axes, strict=True):
            for start in range(0, len(part.pictures), step):
                block = np.asarray(part.pictures[start : start + step])
                block = block[..., None] if order.channel is None else np.moveaxis(block, order.channel + 1, -1)
                with np.errstate(over="ignore"):
                    block = block.astype(file.dtype)
                bad = not_finite(block)
                file.add(block[~bad])
                kept.take(part, start, numbering[start : start + len(block)], bad)
        if not kept.names:
            raise SourceError(f"{printable(parts[0].file)}: none of {total:,} samples holds finite values only")
        notes = (*notes, *dict.fromkeys(f"{part.file}: {part.said}" for part in parts if part.said))
        named = next((part.grouped_by for part in parts if part.groups is not None), "")
        if named:
            notes = (*notes, f"samples of one {named} stay together: there are {len(kept.numbers):,} of them")
        file.finish(
            Index(
                form=axes[0].form,
                dtype=file.dtype.name,
                shape=(file.rows, *shape),
                names=tuple(kept.names),
                labels=tuple(kept.labels),
                classes=classes,
                parts=tuple(kept.parts) if any(kept.parts) else (),
                groups=tuple(kept.groups) if kept.numbers else (),
                grouped_by=named,
                note=note,
                rate_hz=next((part.rate_hz for part in parts if part.rate_hz), None),
                upright=axes[0].form == "signal",
                left_out=kept.told(most_shown),
                warnings=tuple(Notice("", sentence) for sentence in notes),
            )
        )


@dataclass(slots=True)
class _Kept:
    """What is known of the samples that were written, in their order, and of those that were not."""

    names: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    parts: list[Part | None] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    left_out: list[Notice] = field(default_factory=list)

    def take(self, part: ArrayPart, first: int, labels: npt.NDArray[np.int64], bad: npt.NDArray[np.bool_]) -> None:
        """Note the samples of a piece, whose first one is the `first` of its part."""
        for index, (label, broken) in enumerate(zip(labels.tolist(), bad.tolist(), strict=True), first):
            name, group = _name(part, index)
            if broken:
                self.left_out.append(Notice(name, NOT_FINITE))
                continue
            self.names.append(name)
            self.labels.append(label)
            self.parts.append(part.part)
            self.groups.append(-1 if group is None else self.numbers.setdefault(group, len(self.numbers)))

    def told(self, most: int | None) -> tuple[Notice, ...]:
        """Name the first broken samples, and count the others."""
        more = len(self.left_out) - most if most is not None else 0
        rest = (Notice("", f"{more:,} further samples: {NOT_FINITE}"),) if more > 0 else ()
        return (*self.left_out[:most], *rest)


def labels_of_parts(
    parts: Sequence[ArrayPart],
) -> tuple[list[npt.NDArray[np.int64]], tuple[str, ...], tuple[str, ...]]:
    """Turn the labels of all parts into class indices.

    Args:
        parts: The parts as they were read.

    Returns:
        Index of each label (-1 where no part has labels), the classes' names in index order, and what was assumed.

    Raises:
        SourceError: Labels are missing, are no classes, or do not belong to these samples.
    """
    if all(part.labels is None for part in parts):  # to be predicted
        return [np.full(len(part.pictures), -1, np.int64) for part in parts], (), ()
    labelled = []
    for part in parts:
        if part.labels is None:
            raise SourceError(f"{printable(part.file)}: has no labels, which the other parts have")
        labelled.append((part.file, part.labels, part.classes))
    labels, classes, notes = as_labels(labelled)
    for part, numbers in zip(parts, labels, strict=True):
        refuse_uneven(part, len(numbers))
        if part.groups is not None and len(part.groups) != len(numbers):
            raise SourceError(
                f"{printable(part.file)}: {len(numbers):,} samples and {len(part.groups):,} values of "
                f"{printable(part.grouped_by)} do not belong together"
            )
    return labels, classes, notes


def _name(part: ArrayPart, index: int) -> tuple[str, str | None]:
    """A sample's name, which `--group-by` can be searched in, and its group."""
    place = f"{part.file}/{part.part}" if part.part and part.part not in part.file else part.file
    if part.groups is None:
        return f"{place}/{index:06d}", None
    group = str(part.groups[index])
    return f"{place}/{part.grouped_by}={group}/{index:06d}", group


def not_finite(block: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Find samples that hold NaN or infinity.

    Args:
        block: `(samples, ...)`.

    Returns:
        True for each that does.

    Example:
        >>> not_finite(np.array([[1.0, np.nan], [1.0, 2.0]])).tolist()
        [True, False]
    """
    if block.dtype.kind != "f":
        return np.zeros(len(block), bool)
    return np.asarray(~np.isfinite(block).reshape(len(block), -1).all(axis=1))


def described_size(form: Form, shape: Sequence[int]) -> str:
    """Say the size of a sample.

    Args:
        form: What it is.
        shape: Extents, then channels.

    Returns:
        Such as `2 channels x 360 steps`.

    Example:
        >>> described_size("signal", (360, 2)), described_size("volume", (64, 64, 64, 1))
        ('2 channels x 360 steps', '1 channel x 64x64x64')
    """
    *extents, channels = shape
    many = f"{channels:,} channel{'' if channels == 1 else 's'}"
    return f"{many} x {extents[0]:,} steps" if form == "signal" else f"{many} x {'x'.join(map(str, extents))}"


def reading_note(form: Form, count: int, shape: Sequence[int], why: str, rate_hz: float = 0) -> str:
    """Say what was read.

    Args:
        form: What the samples are.
        count: How many there are.
        shape: Extents, then channels, of one.
        why: How axes were told apart.
        rate_hz: Samples a second, where known.

    Returns:
        A sentence without its full stop.

    Example:
        >>> reading_note("signal", 4046, (360, 2), "channels first because 2 is smaller than 360", 180.0)
        'read 4,046 signals of 2 channels x 360 steps (2 s at 180 Hz); channels first because 2 is smaller than 360'
    """
    seconds = f" ({shape[0] / rate_hz:g} s at {rate_hz:g} Hz)" if rate_hz and form == "signal" else ""
    many = f"{count:,} {form}{'' if count == 1 else 's'}"
    return f"read {many} of {described_size(form, shape)}{seconds}" + (f"; {why}" if why else "")
