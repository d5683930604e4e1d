"""Lines that are alike but for their numbers, understood once.

A program prints the same line again and again with other numbers. What such a line says is found with many patterns,
and of the next one like it only the numbers are new: so each shape of a line is read as a specimen with numbers made up
for the purpose, four times with other digits, and where each of them comes out again is remembered. What that does not
settle (`1,234`, a name that holds the number) is read as any line. A shape is the text between the numbers, and of the
numbers how many digits they have before and after the point, so that nothing that counts letters sees a difference.
"""

import itertools
import re
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Generic, TypeVar

__all__ = ["Said", "Shapes"]

_Form = TypeVar("_Form")
Said = tuple[_Form, tuple[float, ...]]
"""What a line says without its numbers, and these."""

_Recipe = Callable[[Sequence[str]], float]
_NUMBER = re.compile(r"(?<![\w.@#])(?<!\w-)(?<![^\W\d]/)((?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)")
_ALIKE = str.maketrans("123456789", "000000000")
_SPECIMENS = 4
_LEARNED_AT = 2
"""A shape is learned when it comes once more after so many times."""
_MOST_SHAPES = 4_096
_PATIENCE, _REST = 1_000, 4_000
"""Where so many more lines are new than known, so many are read without a look at their shape."""
_LEADING = 4
_SHUFFLED = 1_009


def _all(line: str, numbers: Sequence[str]) -> Hashable:
    del line, numbers
    return 0


class Shapes(Generic[_Form]):
    """A reader of lines that remembers shapes.

    Args:
        read: Reads one line.
        kind: What else parts lines of one shape, told from their numbers: a count beyond a bound.

    Example:
        >>> shapes = Shapes(lambda line: (line.split()[0], (float(line.split()[1]),)))
        >>> [shapes(f"loss 0.{digit}") for digit in (9, 7, 5, 3)][-1]
        ('loss', (0.3,))
    """

    def __init__(
        self, read: Callable[[str], Said[_Form]], kind: Callable[[str, Sequence[str]], Hashable] = _all
    ) -> None:
        self._read = read
        self._kind = kind
        self._known: dict[Hashable, int | tuple[_Form, tuple[_Recipe, ...]]] = {}
        self._ahead = 0  # how many more lines were known than new
        self._rest = 0

    def __call__(self, line: str) -> Said[_Form]:
        """Read a line.

        Args:
            line: Its text.

        Returns:
            What it says.
        """
        if self._rest:
            self._rest -= 1
            return self._read(line)
        parts = _NUMBER.split(line)
        numbers = parts[1::2]
        shape = (*parts[::2], " ".join(numbers).translate(_ALIKE), self._kind(line, numbers))
        known = self._known.get(shape, 0)
        if not isinstance(known, int):
            self._ahead += self._ahead < _PATIENCE
            try:
                return known[0], tuple([recipe(numbers) for recipe in known[1]])
            except (ValueError, ArithmeticError):  # a zero, whose sign or quotient is not that of other numbers
                return self._read(line)
        said = self._read(line)
        self._ahead -= 1
        if self._ahead < -_PATIENCE:
            self._ahead, self._rest = 0, _REST
        if len(self._known) >= _MOST_SHAPES:
            self._known.clear()
        if known == _LEARNED_AT and (learned := self._learned(parts, said)):
            self._known[shape] = learned
        else:
            self._known[shape] = known + 1
        return said

    def _learned(self, parts: Sequence[str], said: Said[_Form]) -> tuple[_Form, tuple[_Recipe, ...]] | None:
        """Where the numbers of a shape come out again; None where that is not plain."""
        specimens = _specimens(parts[1::2])
        results: list[Said[_Form]] = []
        for numbers in specimens:
            line = list(parts)
            line[1::2] = numbers
            results.append(self._read("".join(line)))
        if any(each[0] != said[0] for each in results):
            return None
        found = [_recipe(values, specimens) for values in zip(*(each[1] for each in results), strict=True)]
        recipes = tuple(recipe for recipe in found if recipe is not None)
        if len(recipes) < len(found):
            return None
        try:
            again = [recipe(parts[1::2]) for recipe in recipes]
        except (ValueError, ArithmeticError):
            return None
        return (said[0], recipes) if list(map(repr, again)) == list(map(repr, said[1])) else None


@lru_cache(maxsize=1)
def _digits() -> list[tuple[str, ...]]:
    """Digits for the specimens: of no place the same twice, and of no two places the same in all."""
    found = list(itertools.permutations("123456789", _SPECIMENS))
    return [found[place * _SHUFFLED % len(found)] for place in range(len(found))]


def _specimens(numbers: Sequence[str]) -> list[list[str]]:
    """Other numbers of the same shape, several times; long ones keep their size."""
    made: list[list[str]] = [[] for _ in range(_SPECIMENS)]
    digits = itertools.cycle(_digits())
    for text in numbers:
        kept = 1 if len(text) >= _LEADING and text.isdecimal() else 0
        drawn = [next(digits) if each.isdecimal() else (each,) * _SPECIMENS for each in text[kept:]]
        for place, specimen in enumerate(made):
            specimen.append(text[:kept] + "".join(each[place] for each in drawn))
    return made


def _recipe(values: Sequence[float], specimens: Sequence[Sequence[str]]) -> _Recipe | None:
    """How a number of what is said comes from those of the line; None where it does not, or in two ways."""
    first = values[0]
    if len(set(map(repr, values))) == 1:
        return lambda _: first
    found: list[_Recipe] = []
    for place in range(len(specimens[0])):
        found += [
            recipe
            for recipe in (_whole(place) if isinstance(first, int) else _decimal(place), *_further(place))
            if all(_gives(recipe, numbers, value) for numbers, value in zip(specimens, values, strict=True))
        ]
    return found[0] if len(found) == 1 else None


def _gives(recipe: _Recipe, numbers: Sequence[str], value: float) -> bool:
    try:
        made = recipe(numbers)
    except (ValueError, ArithmeticError, IndexError):
        return False
    return made == value and type(made) is type(value)


def _whole(place: int) -> _Recipe:
    return lambda numbers: int(numbers[place])


def _decimal(place: int) -> _Recipe:
    return lambda numbers: float(numbers[place])


def _further(place: int) -> tuple[_Recipe, ...]:
    """Behind a minus, before a percent sign, and as a part of the number that follows."""

    def below_zero(numbers: Sequence[str]) -> float:
        if value := float(numbers[place]):
            return -value
        raise ZeroDivisionError

    return (
        below_zero,
        lambda numbers: float(numbers[place]) / 100,
        lambda numbers: below_zero(numbers) / 100,
        lambda numbers: float(numbers[place]) / int(numbers[place + 1]),
    )
