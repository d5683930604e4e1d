"""What is odd about the classes of a source of pictures, wherever they came from: in one part only, or look-alikes."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence

from thalweg.core.dataset import Notice, Part
from thalweg.core.files import printable

__all__ = ["odd_classes"]

_SAME_LETTERS = str.maketrans({"\u064a": "\u06cc", "\u0643": "\u06a9"})  # Arabic yeh and kaf look like Persian ones


def odd_classes(where: Mapping[str, Collection[Part | None]]) -> Iterator[Notice]:
    """Say what is odd about classes.

    Args:
        where: The parts that each class occurs in.

    Yields:
        A class that one part alone has; classes that look the same.

    Example:
        >>> [notice.reason for notice in odd_classes({"cat": {"train"}, "dog": {"train", "test"}})]
        ['this class occurs in train only']
    """
    present = set().union(*where.values())
    for name in sorted(where):
        if len(where[name]) == 1 and len(present) > 1:
            (only,) = where[name]
            yield Notice(name, f"this class occurs in {only} only")
    yield from _twins(sorted(where))


def _twins(classes: Sequence[str]) -> Iterator[Notice]:
    # Classes that a person would take for one: they differ in case, in invisible characters or in look-alike letters.
    twins: dict[str, list[str]] = {}
    for name in classes:
        plain = unicodedata.normalize("NFKC", name).casefold().translate(_SAME_LETTERS)
        # bytes that are no text in this locale (lone surrogates) do not show either, and tell names apart all the same
        shown = (character for character in plain if character.isprintable() or "\ud800" <= character <= "\udfff")
        twins.setdefault("".join(shown).strip(), []).append(name)
    for names in twins.values():
        if len(names) > 1:
            both = " and ".join(repr(printable(name)) for name in names)
            yield Notice(
                names[1], f"the classes {both} look the same but are {len(names)} classes; join them if they are one"
            )
