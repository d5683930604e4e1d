"""Columns of a terminal: how many a text takes, and how cells of two scripts keep their order on a line."""

import unicodedata
from collections.abc import Sequence

from thalweg.core.languages import said

__all__ = ["Head", "columns", "fenced", "heading", "to_left", "to_right"]

Head = tuple[str, int]
"""What a column is called, and how wide it is in English, the space before it included."""

_UNSEEN = {"Cf", "Mn", "Me"}
"""Joiners, marks of direction and marks above letters take no column of their own."""
_FENCE = "\u200e"


def columns(text: str) -> int:
    """Count the columns that a text takes.

    Args:
        text: One line.

    Returns:
        Its letters without those that join, turn or sit on others.

    Example:
        >>> columns("layer"), columns("لایه‌ها")
        (5, 6)
    """
    return len(text) if text.isascii() else sum(unicodedata.category(letter) not in _UNSEEN for letter in text)


def to_left(text: str, size: int) -> str:
    """Fill a text up with spaces after it, as `str.ljust` would if every letter took a column.

    Args:
        text: One line.
        size: Columns it shall take at least.

    Returns:
        The text and spaces.

    Example:
        >>> to_left("نیم‌فاصله", 10).count(" ")
        2
    """
    return text + " " * (size - columns(text))


def to_right(text: str, size: int) -> str:
    """Fill a text up with spaces before it.

    Args:
        text: One line.
        size: Columns it shall take at least.

    Returns:
        Spaces and the text.

    Example:
        >>> to_right("دو", 4)
        '  دو'
    """
    return " " * (size - columns(text)) + text


def fenced(cell: str) -> str:
    """Put marks around a cell that is read from the right, so that a terminal leaves it where it stands.

    Terminals that turn such text around do so with all that stands between left-to-right letters: a heading of
    several cells would change their order, and a line that begins with one would begin at the right.

    Args:
        cell: What stands in a column.

    Returns:
        The cell; one of left-to-right letters as it is.

    Example:
        >>> fenced("layer"), len(fenced("لایه"))
        ('layer', 6)
    """
    turned = not cell.isascii() and any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in cell)
    return f"{_FENCE}{cell}{_FENCE}" if turned else cell


def heading(heads: Sequence[Head]) -> tuple[str, tuple[int, ...]]:
    """Write the heading of a table of numbers in the language of the moment; a longer word widens its column.

    Args:
        heads: Its columns.

    Returns:
        The line, and how wide each column is.

    Example:
        >>> heading((("epoch", 5), ("val loss", 10)))
        ('epoch  val loss', (5, 10))
    """
    names = [said(name, "epochs") for name, _ in heads]
    sizes = tuple(
        max(size, columns(name) + (place > 0)) for place, (name, (_, size)) in enumerate(zip(names, heads, strict=True))
    )
    return "".join(fenced(to_right(name, size)) for name, size in zip(names, sizes, strict=True)), sizes
