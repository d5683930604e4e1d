"""One part of a source of arrays as its reader found it; every reader of arrays gives these."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Part
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.arrays.axes import Axes, flattened_sides

__all__ = ["ArrayPart", "refuse_uneven", "unflattened"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayPart:
    """One part of a source as it was read.

    Args:
        file: Where it was read, for messages.
        part: `train`, `validation`, `test`, or None where the source is not split.
        pictures: Any numeric array, one picture, signal or volume a row.
        labels: One label a picture: numbers, names or one-hot rows; None where there are none.
        classes: Names of the classes in index order, where the file has them.
        groups: What each sample belongs to, such as a patient, where the file has it.
        grouped_by: What groups are called there.
        rate_hz: Samples a second of signals, where the file says it.
        said: How the reader told labels from values, in a sentence, where it had to.
        known: What the axes of a sample mean, where the kind of file says it; else their sizes do.
    """

    file: str
    part: Part | None
    pictures: npt.NDArray[np.generic]
    labels: npt.NDArray[np.generic] | None
    classes: tuple[str, ...] = ()
    groups: npt.NDArray[np.generic] | None = None
    grouped_by: str = ""
    rate_hz: float | None = None
    said: str = ""
    known: Axes | None = None


def refuse_uneven(part: ArrayPart, labels: int) -> None:
    """Refuse samples and labels of different numbers; where another axis has the labels' number, say so.

    Args:
        part: The samples.
        labels: How many labels there are.

    Raises:
        SourceError: There are more or fewer samples than labels.

    Example:
        >>> refuse_uneven(ArrayPart(file="x.npz", part=None, pictures=np.zeros((3, 80)), labels=None), 80)
        Traceback (most recent call last):
        thalweg.core.errors.SourceError: x.npz: 80 labels belong to axis 1 of 3x80, and samples come first: ...
    """
    sizes = part.pictures.shape
    if sizes[0] == labels:
        return
    shown, place = "x".join(map(str, sizes)), printable(part.file)
    if labels in sizes[1:]:
        axis = sizes.index(labels, 1)
        raise SourceError(
            f"{place}: {labels:,} labels belong to axis {axis} of {shown}, and samples come first: save "
            f"numpy.moveaxis(x, {axis}, 0)"
        )
    raise SourceError(f"{place}: {sizes[0]:,} samples and {labels:,} labels do not belong together")


def unflattened(part: ArrayPart) -> ArrayPart:
    """Give rows of numbers that are asked for as pictures their sides back, where they make up a square.

    Args:
        part: The samples.

    Returns:
        The same, or with pictures `(n, side, side)` or `(n, side, side, 3)`.

    Example:
        >>> unflattened(ArrayPart(file="x.npz", part=None, pictures=np.zeros((5, 784)), labels=None)).pictures.shape
        (5, 28, 28)
    """
    rows, *sides = part.pictures.shape
    shape = flattened_sides(sides[0]) if len(sides) == 1 else ()
    return replace(part, pictures=part.pictures.reshape(rows, *shape)) if shape else part
