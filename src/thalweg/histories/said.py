"""What the lines of a text say, one after another: each is read once, and each shape of a line is understood once."""

import re
from collections.abc import Iterable, Iterator, Sequence

from thalweg.histories.printed import MANY, Printed, pieces, read_line
from thalweg.histories.shapes import Said, Shapes

__all__ = ["Lines", "said_in"]

_QUOTED = " \t#>|*"
_MAY_SAY = re.compile(r"\d|nan|inf|train|val|test|dev|eval|cv batch|saving dict|cur metric|metrics:", re.IGNORECASE)
"""Without any of these a line has neither a number nor a split."""
_Form = tuple[tuple[bool, ...], str, tuple[str, ...], tuple[str, ...]] | None
"""What a line says without its numbers: which counts there are, the split, the names, and those that have a mean."""


class Lines:
    """Lines that are read when they are first asked for, and kept.

    Args:
        source: The number of each line, and what it says.

    Example:
        >>> lines = Lines(said_in("epoch 1: loss 0.9"))
        >>> [said.values for _, said in lines], [said.epoch for _, said in lines]
        ([{'loss': 0.9}], [1])
    """

    def __init__(self, source: Iterable[tuple[int, Printed]]) -> None:
        self._source = iter(source)
        self._kept: list[tuple[int, Printed]] = []

    def __iter__(self) -> Iterator[tuple[int, Printed]]:
        """Go through them."""
        place = 0
        while True:
            if place == len(self._kept):
                following = next(self._source, None)
                if following is None:
                    return
                self._kept.append(following)
            yield self._kept[place]
            place += 1


def said_in(text: str) -> Iterator[tuple[int, Printed]]:
    """Read the lines of a text.

    Args:
        text: All of it.

    Yields:
        The number of a line, and what it says of training.
    """
    shapes = Shapes(_taken_apart, _kind)
    for line, row in enumerate(text.split("\n")):
        if not _MAY_SAY.search(row):
            continue
        for piece in pieces(row.lstrip(_QUOTED)):
            if (said := _put_together(shapes(piece))) is not None:
                yield line, said


def _kind(line: str, numbers: Sequence[str]) -> bool:
    """Whether a line in brackets counts to more than epochs do."""
    return line[:1] in "[ \t" and len(numbers) > 1 and numbers[1].isdecimal() and int(numbers[1]) > MANY


def _taken_apart(line: str) -> Said[_Form]:
    """What a line says, its numbers apart."""
    said = read_line(line)
    if said is None:
        return None, ()
    counts = (said.epoch, said.step, *(said.part or (None, None)), *(said.pair or (None, None)))
    there = tuple(count is not None for count in counts)
    numbers = (*(count for count in counts if count is not None), *said.values.values(), *said.means.values())
    return (there, said.split, tuple(said.values), tuple(said.means)), numbers


def _put_together(found: Said[_Form]) -> Printed | None:
    """What a line says, with its numbers."""
    form, numbers = found
    if form is None:
        return None
    (epoch, step, part, _, pair, _), split, names, means = form
    said = Printed(split=split)
    place = 0
    if epoch:
        said.epoch, place = int(numbers[0]), 1
    if step:
        said.step, place = int(numbers[place]), place + 1
    if part:
        said.part, place = (int(numbers[place]), int(numbers[place + 1])), place + 2
    if pair:
        said.pair, place = (int(numbers[place]), int(numbers[place + 1])), place + 2
    if names:
        said.values = dict(zip(names, numbers[place:], strict=False))
    if means:
        said.means = dict(zip(means, numbers[place + len(names) :], strict=True))
    return said
