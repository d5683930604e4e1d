"""What commands put out, whatever letters the terminal has, what they say beside it, and what a terminal can show."""

import codecs
import contextlib
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, cast

from thalweg.cli.settings import Settings, lead_nowhere
from thalweg.core.languages import said, speaker

__all__ = [
    "can_show",
    "columns",
    "emit_text",
    "folded",
    "has_colour",
    "open_what_is_closed",
    "outlive_standard_error",
    "tell",
    "tell_of_missing_letters",
    "tell_page",
    "write_missing_letters_as_escapes",
]

_NARROWEST = 30
_STANDARD_ERROR = 2
_PLAIN = {
    **dict.fromkeys("─━═╌╴╶–—−‐‑", "-"),
    **dict.fromkeys("│┃║╎╵╷", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╠╣╦╩╬", "+"),
    **dict.fromkeys("▼↓", "v"),
    **dict.fromkeys("▲↑", "^"),
    **dict.fromkeys("▶►→", ">"),
    **dict.fromkeys("◀◄←", "<"),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”", '"'),
    **dict.fromkeys("•·∙●", "*"),
    **dict.fromkeys("\u200c\u200d\u2066\u2067\u2068\u2069", ""),
    "×": "x",
    "…": "~",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "±": "+-",
    "✓": "v",
    "✗": "x",
    "√": "sqrt",
}
"""Signs that drawings and sentences use, in ASCII and as wide where columns hang on it."""


def emit_text(text: str) -> None:
    """Write the answer to standard output.

    Args:
        text: The answer, with its line ends.
    """
    sys.stdout.write(text)
    sys.stdout.flush()


def columns() -> int:
    """Say how wide what is put out may be.

    Returns:
        Columns of the terminal; 80 for files and pipes.
    """
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80


def folded(text: str, *, hang: int) -> str:
    """Break lines that are longer than the terminal between words; files and pipes get them whole.

    Args:
        text: Lines.
        hang: Columns that what goes on below is set in.

    Returns:
        Lines, each of which fits unless a word does not.
    """
    if not sys.stdout.isatty():
        return text
    wide = max(_NARROWEST, columns())
    indent = " " * (hang if hang < wide // 2 else 2)
    lines = (
        textwrap.wrap(line, wide, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]
        for line in text.splitlines()
    )
    return "".join(f"{line}\n" for each in lines for line in each)


def open_what_is_closed() -> None:
    """Give a process that was started without inputs or outputs (`>&-`) some that lead nowhere.

    A file that is opened later would else take the number of an output, and what libraries print would land in it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        pass
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - as long as the process


@contextlib.contextmanager
def outlive_standard_error() -> Iterator[None]:
    """Let work go on where standard error ends: a terminal is closed, `2>&1 | head` has read enough, a disk is full.

    What is written there is about the work and never the work itself: hours of training must not end with it.

    Yields:
        Nothing; what cannot be written any more is written nowhere.
    """
    with contextlib.redirect_stderr(cast("TextIO", _Lasting(sys.stderr))):
        yield


class _Lasting:
    """A stream that takes everything, also after what is behind it has ended."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with self._outliving():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._outliving():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _outliving(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            lead_nowhere(self._stream)


def write_missing_letters_as_escapes() -> None:
    """Let both outputs write what their encoding lacks: lines and signs as plain ones, other letters as escapes.

    A name in Persian, a help page or a drawing must not fail on a Windows code page, and a drawing stays one.
    """
    codecs.register_error("thalweg-plain", _plainly)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="thalweg-plain")


def _plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    """What is written for letters that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    if (plain := _PLAIN.get(letter)) is not None:
        return plain, error.start + 1
    return codecs.backslashreplace_errors(
        UnicodeEncodeError(error.encoding, error.object, error.start, error.start + 1, error.reason)
    )


def tell_of_missing_letters(settings: Settings) -> None:
    """Say once, in English, that standard output has no letters of the language that was asked for, and the way out.

    Args:
        settings: The language, and whether somebody reads the answer.
    """
    if settings.json or settings.quiet or settings.lang == "en":
        return
    if not can_show(speaker(settings.lang).say("The answer", "frame")):
        sys.stderr.write(
            f"Note: standard output is {sys.stdout.encoding}, which has no letters of --lang {settings.lang}: they are "
            "written as escapes such as \\u0634. Set PYTHONUTF8=1, or leave --lang away.\n"
        )


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
