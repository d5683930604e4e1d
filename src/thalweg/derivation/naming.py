"""Whom a name in an answer means: f_1 is f1, cf1 is c times f1, f12 may be the second of the first row, f0 the first.

Places are counted in four ways on paper. Each is a convention here, and an answer is read by the first one that knows
all its names; where that finds it wrong and another one right, it is right: both are ways of writing.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from thalweg.derivation.expression import ONE, Expression

__all__ = ["CONVENTIONS", "Names"]

CONVENTIONS = ((False, 1), (True, 1), (False, 0), (True, 0))
"""Whether a place has a number for each axis, and what the first is counted as."""

_INDEXED = re.compile(r"([A-Za-z]+(?:_[A-Za-z]+)*)_?(\d+(?:_\d+)*)$")
_OTHER_RESULT = re.compile(r"d[A-Za-z]+_d(?=y)")
_LARGEST_DIGIT = 9


class Names(dict[str, Expression]):
    """What names stand for, in one convention.

    Args:
        symbols: The case's own names.
        tensors: Tensors whose names are numbered, by their stem: sizes, and the names row by row.
        convention: One of `CONVENTIONS`.

    Example:
        >>> from thalweg.derivation.expression import symbol
        >>> case = {name: symbol(name) for name in ("c", "f1", "f2", "f3", "f4")}
        >>> names = Names(case, {"f": ((2, 2), ("f1", "f2", "f3", "f4"))}, (True, 1))
        >>> str(names["f_21"]), str(names["F_2_1"]), str(names["cf12"]), "f9" in names
        ('f3', 'f3', 'c*f2', False)
    """

    def __init__(
        self,
        symbols: Mapping[str, Expression],
        tensors: Mapping[str, tuple[Sequence[int], Sequence[str]]],
        convention: tuple[bool, int],
    ) -> None:
        super().__init__(symbols)
        self.convention = convention
        self.own = tuple(symbols)
        self._zero = False  # whether a 0 was met
        self._by_rows, self._first = convention
        self._places: dict[str, tuple[Expression, bool]] = {}  # with whether a 0 is in its place
        for stem, (shape, entries) in tensors.items():
            self._number(stem, shape, [symbols[name] for name in entries])

    def _number(self, stem: str, shape: Sequence[int], entries: Sequence[Expression]) -> None:
        sizes = [size for size in shape if size != 1] or [1]
        layouts = [sizes, list(shape)] if self._by_rows else [[len(entries)]]
        for layout in layouts:
            for place, entry in zip(itertools.product(*map(range, layout)), entries, strict=True):
                numbers = [str(at + self._first) for at in place]
                found = entry, "0" in numbers
                self._places.setdefault(f"{stem}_{'_'.join(numbers)}", found)
                if all(at + self._first <= _LARGEST_DIGIT for at in place):
                    self._places.setdefault(f"{stem}_{''.join(numbers)}", found)

    @property
    def fits(self) -> bool:
        """Whether what was read counts as this convention does: from 0 only where a 0 was met."""
        return bool(self._first) or self._zero

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._meant(name) is not None

    def __missing__(self, name: str) -> Expression:
        found = self._meant(name)
        if found is None:
            raise KeyError(name)
        return found

    def __getitem__(self, name: str) -> Expression:
        found = self._meant(name)
        return self.__missing__(name) if found is None else found

    def _meant(self, name: str) -> Expression | None:
        """The convention's places first where they are not the case's own, then its names, then products of them."""
        found = self._one(name)
        return self._joined(name) if found is None else found

    def _one(self, name: str) -> Expression | None:
        name = _OTHER_RESULT.sub("dO_d", name)
        match = _INDEXED.match(name)
        plain = f"{match[1]}_{match[2]}" if match else name
        placed, zero = self._places.get(plain, self._places.get(plain.lower(), (None, False)))
        if self.convention != CONVENTIONS[0]:
            if placed is not None and match:
                self._zero = self._zero or zero
                return placed
            if match and not self._first and any(key.startswith(f"{match[1]}_") for key in self._places):
                return None  # numbers that count from 0 are not mixed with others
        joined = f"{match[1]}{match[2]}" if match else name
        spellings = (each for key in (name, joined) for each in (key, key.lower(), key.upper()))
        return next((super(Names, self).__getitem__(each) for each in spellings if each in self.own), placed)

    def _joined(self, name: str) -> Expression | None:
        """`cf1` and `x1f1`: a product whose factors stand side by side, where there is one way to read it."""
        found = list(itertools.islice(self._splits(name), 2))
        if len(found) != 1:
            return None
        product = ONE
        for factor in found[0]:
            product = product * factor
        return product

    def _splits(self, name: str, depth: int = 0) -> Iterator[list[Expression]]:
        if not name:
            if depth > 1:
                yield []
            return
        for end in range(len(name), 0, -1):
            if name[end : end + 1].isdigit() or (depth == 0 and end == len(name)):
                continue  # a number is not cut in two
            first = self._one(name[:end])
            if first is not None:
                for rest in self._splits(name[end:].lstrip("_"), depth + 1):
                    yield [first, *rest]
