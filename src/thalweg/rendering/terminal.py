"""Colours of the terminal, by what a text is."""

from collections.abc import Callable

__all__ = ["Paint", "painter"]

_COLOURS = {
    "error": "1;31",
    "warning": "1;33",
    "info": "2",
    "dim": "2",
    "good": "32",
    "name": "1",
    "verdict": "1",
}
"""Each kind of text as a terminal is told it (ECMA-48, select graphic rendition)."""

Paint = Callable[[str, str], str]
"""Gives a text the colour of its kind."""


def painter(colour: bool) -> Paint:
    r"""What colours a text by its kind.

    Args:
        colour: Whether the terminal shows colours.

    Returns:
        A function of a text and `error`, `warning`, `info`, `dim`, `good`, `name` or `verdict`.

    Example:
        >>> painter(True)("too high", "error"), painter(False)("too high", "error")
        ('\x1b[1;31mtoo high\x1b[0m', 'too high')
    """

    def paint(text: str, kind: str) -> str:
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if colour else text

    return paint
