"""Many names in little memory: all characters behind one another, and where each name ends.

A tuple of 300,000 paths takes some 70 bytes a path beside its letters; this takes four. Names come out as they went in,
bytes that are no valid UTF-8 included, and text of bytes keeps the order of code points.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import overload

import numpy as np

__all__ = ["Paths"]

_BLOCK = 4096
_KEPT = "surrogatepass"  # of file names that are no valid UTF-8


class Paths(Sequence[str]):
    """A list of names that only grows; equal to any list or tuple of the same names.

    Args:
        names: What it begins with.

    Example:
        >>> names = Paths(["cat/1.png", "dog/2.png"])
        >>> names.append("elk/3.png")
        >>> names[-1], names[:2], len(names), "dog/2.png" in names
        ('elk/3.png', Paths(['cat/1.png', 'dog/2.png']), 3, True)
    """

    __slots__ = ("_ends", "_text")

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._text = bytearray()
        self._ends = array("I", (0,))
        self.extend(names)

    def append(self, name: str) -> None:
        """Add a name.

        Args:
            name: The name.
        """
        self._text += name.encode("utf-8", _KEPT)
        try:
            self._ends.append(len(self._text))
        except OverflowError:  # more than four gigabytes of names
            self._ends = array("Q", self._ends)
            self._ends.append(len(self._text))

    def extend(self, names: Iterable[str]) -> None:
        """Add names.

        Args:
            names: Some names.
        """
        if isinstance(names, Paths) and self._ends.itemsize == names._ends.itemsize == array("I").itemsize:  # noqa: SLF001
            base, ends = len(self._text), np.frombuffer(names._ends, dtype=np.uint32)[1:]  # noqa: SLF001
            if base + len(names._text) < np.iinfo(np.uint32).max:  # noqa: SLF001
                self._text += names._text  # noqa: SLF001
                self._ends.frombytes((ends + np.uint32(base)).tobytes())
                return
        for name in names:
            self.append(name)

    def take(self, indices: Iterable[int]) -> "Paths":
        """Choose some names.

        Args:
            indices: Their positions, from 0.

        Returns:
            The names, in that order.
        """
        return Paths(self[index] for index in indices)

    def in_order(self) -> bool:
        """Tell whether each name is greater than the one before.

        Returns:
            Whether they are sorted, and no two are alike.
        """
        return all(before < after for before, after in pairwise(self))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> "Paths": ...

    def __getitem__(self, index: int | slice) -> "str | Paths":
        if isinstance(index, slice):
            return self.take(range(*index.indices(len(self))))
        if index < 0:
            index += len(self)
            if index < 0:
                raise IndexError("no such name")
        return self._text[self._ends[index] : self._ends[index + 1]].decode("utf-8", _KEPT)

    def __iter__(self) -> Iterator[str]:
        start, text = 0, self._text
        for first in range(1, len(self._ends), _BLOCK):
            for end in self._ends[first : first + _BLOCK]:
                yield text[start:end].decode("utf-8", _KEPT)
                start = end

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Paths):
            return self._text == other._text and self._ends == other._ends
        if isinstance(other, list | tuple):
            return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Paths({list(self)!r})"
