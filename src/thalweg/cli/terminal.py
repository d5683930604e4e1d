"""What commands put out, whatever letters the terminal has, what they say beside it, and what a terminal can show."""

import os
import sys
from pathlib import Path

from thalweg.cli.settings import Settings
from thalweg.core.languages import said

__all__ = ["can_show", "emit_text", "has_colour", "tell", "tell_page", "write_missing_letters_as_escapes"]


def emit_text(text: str) -> None:
    """Write the answer to standard output.

    Args:
        text: The answer, with its line ends.
    """
    sys.stdout.write(text)
    sys.stdout.flush()


def write_missing_letters_as_escapes() -> None:
    """Let standard output write letters that its encoding lacks as escapes, as standard error does anyway.

    A name in Persian, or a help page, must not fail on a Windows code page.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def tell(settings: Settings, sentence: str) -> None:
    """Say something beside the answer, on standard error, so that the answer can go into a file.

    Args:
        settings: Whether to be quiet.
        sentence: What; nothing is said where it is empty.
    """
    if sentence and not settings.quiet:
        sys.stderr.write(f"{said(sentence)}\n")


def tell_page(settings: Settings, page: Path | str | None) -> None:
    """Say where a page was written.

    Args:
        settings: Whether to be quiet.
        page: The page, or None where none was.
    """
    from thalweg.core.files import printable

    if page is not None:
        tell(settings, f"Page: {printable(page)}")


def can_show(letters: str) -> bool:
    """Whether standard output's encoding has letters.

    Args:
        letters: Such as the blocks of a small curve.

    Returns:
        True where all can be written.
    """
    try:
        letters.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def has_colour() -> bool:
    """Whether standard output is a terminal that shows colours, and nobody asked for none (`NO_COLOR`).

    Returns:
        False for files and pipes.
    """
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
