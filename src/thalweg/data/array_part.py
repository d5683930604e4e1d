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
        pictures: Any numeric array, one picture, signal or volume a row.
        labels: One label a picture: numbers, names or one-hot rows; None where there are none.
        classes: Names of the classes in index order, where the file has them.
        groups: What each sample belongs to, such as a patient, where the file has it.
        grouped_by: What groups are called there.
        rate_hz: Samples a second of signals, where the file says it.
        said: How the reader told labels from values, in a sentence, where it had to.
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
