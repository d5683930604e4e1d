"""Labelled files in a table of a few bytes a row, in place of an object for each: 300,000 of them are no load."""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Part, Sample
from thalweg.core.paths import Paths

__all__ = ["PARTS", "Samples", "files_of", "labels_of", "parts_of"]

PARTS: tuple[Part | None, ...] = (None, "test", "validation", "train")
"""The part that each number of `parts_of` stands for."""

_NUMBER = {part: number for number, part in enumerate(PARTS)}


class Samples(Sequence[Sample]):
    """Labelled files without masks; each is made into a `Sample` when it is asked for.

    Args:
        files: Their paths.
        labels: Index of the class of each.
        parts: The part of each as a number, which `PARTS` explains; None where the source assigns none.

    Example:
        >>> table = Samples.of([Sample("cat/1.png", 0), Sample("dog/2.png", 1, "test")])
        >>> table[1], len(table), table == (Sample("cat/1.png", 0), Sample("dog/2.png", 1, "test"))
        (Sample(file='dog/2.png', label=1, part='test', mask=''), 2, True)
    """

    __slots__ = ("files", "labels", "parts")

    def __init__(self, files: Paths, labels: npt.NDArray[np.int32], parts: npt.NDArray[np.int8] | None = None) -> None:
        self.files, self.labels, self.parts = files, labels, parts

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> "Samples":
        """Put samples into a table.

        Args:
            samples: Labelled files without masks.

        Returns:
            The table.
        """
        files, labels, parts = Paths(), [], bytearray()
        for sample in samples:
            files.append(sample.file)
            labels.append(sample.label)
            parts.append(_NUMBER[sample.part])
        numbers = np.frombuffer(parts, dtype=np.int8) if any(parts) else None
        return cls(files, np.asarray(labels, np.int32), numbers)

    def take(self, indices: npt.NDArray[np.int64]) -> "Samples":
        """Choose some samples.

        Args:
            indices: Their positions, in rising order and each once.

        Returns:
            The samples; this table itself where all are chosen.
        """
        if len(indices) == len(self):
            return self
        parts = None if self.parts is None else self.parts[indices]
        return Samples(self.files.take(indices.tolist()), self.labels[indices], parts)

    def __len__(self) -> int:
        return len(self.files)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Sample, ...]: ...

    def __getitem__(self, index: int | slice) -> Sample | tuple[Sample, ...]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        part = None if self.parts is None else PARTS[self.parts[index]]
        return Sample(self.files[index], int(self.labels[index]), part)

    def __iter__(self) -> Iterator[Sample]:
        for index, file in enumerate(self.files):
            part = None if self.parts is None else PARTS[self.parts[index]]
            yield Sample(file, int(self.labels[index]), part)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Samples | tuple | list):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))


def files_of(samples: Sequence[Sample]) -> Sequence[str]:
    """The paths of samples, without a copy where there is a table.

    Args:
        samples: The samples.

    Returns:
        The path of each.
    """
    return samples.files if isinstance(samples, Samples) else tuple(sample.file for sample in samples)


def labels_of(samples: Sequence[Sample]) -> npt.NDArray[np.int64]:
    """The classes of samples.

    Args:
        samples: The samples.

    Returns:
        Index of the class of each.

    Example:
        >>> labels_of([Sample("cat/1.png", 0), Sample("dog/2.png", 1)]).tolist()
        [0, 1]
    """
    if isinstance(samples, Samples):
        return samples.labels.astype(np.int64)
    return np.fromiter((sample.label for sample in samples), np.int64, len(samples))


def parts_of(samples: Sequence[Sample]) -> npt.NDArray[np.int8]:
    """The parts that a source itself assigns.

    Args:
        samples: The samples.

    Returns:
        The part of each, as a number that `PARTS` explains; all 0 where none is assigned.

    Example:
        >>> [PARTS[part] for part in parts_of([Sample("cat/1.png", 0), Sample("dog/2.png", 1, "test")])]
        [None, 'test']
    """
    if isinstance(samples, Samples):
        return np.zeros(len(samples), np.int8) if samples.parts is None else samples.parts
    return np.fromiter((_NUMBER[sample.part] for sample in samples), np.int8, len(samples))
