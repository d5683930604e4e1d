"""One part of a source of arrays as its reader found it; every reader of arrays gives these."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Part

__all__ = ["ArrayPart"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayPart:
    """One part of a source as it was read.

    Args:
        file: Where it was read, for messages.
        part: `train`, `validation`, `test`, or None where the source is not split.
        pictures: Any numeric array, one picture a row.
        labels: One label a picture: numbers, names or one-hot rows.
        classes: Names of the classes in index order, where the file has them.
    """

    file: str
    part: Part | None
    pictures: npt.NDArray[np.generic]
    labels: npt.NDArray[np.generic]
    classes: tuple[str, ...] = ()
