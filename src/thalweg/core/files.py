"""The one place that writes files: aside, flushed to the disk, renamed, and the folder flushed too; logs line by line.

After a power cut a reader finds the old file or the new one, never a half. Names shown to people go through
`printable`, so that a newline, a right-to-left mark or a byte that is not UTF-8 cannot disturb a terminal or a page.
"""

import contextlib
import os
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from thalweg.core.errors import PlanError

__all__ = [
    "OUR_PAGE",
    "WRITING",
    "append_durably",
    "at_home",
    "cache_folder",
    "page_to_write",
    "printable",
    "refuse_foreign",
    "spelled_home",
    "write_atomically",
    "written_aside",
]

WRITING = ".writing-"
"""How the names of files begin that are not whole yet."""

OUR_PAGE = b'<meta name="generator" content="thalweg">'
"""What every page of this package holds near its beginning."""

_LOOKED_AT = 1 << 18
"""Bytes of a file that are looked at for a mark."""

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_ALLOWED_FORMAT = {"\u200c", "\u200d"}  # the joiners that Persian and emoji are spelled with


def at_home(path: str | os.PathLike[str]) -> Path:
    """A path with a leading `~` spelled out; one of nobody's, such as `~draft`, stays as it is.

    Args:
        path: What somebody wrote.

    Returns:
        The path.

    Example:
        >>> at_home("~/runs").is_absolute(), at_home("runs/~").as_posix()
        (True, 'runs/~')
    """
    return Path(spelled_home(os.fspath(path)))


def spelled_home(text: str) -> str:
    """A word of a command line with a leading `~` spelled out, and nothing else changed.

    Args:
        text: The word.

    Returns:
        The word; one of nobody's, such as `~draft`, stays as it is.

    Example:
        >>> spelled_home("./runs/"), spelled_home("~/runs/").endswith("/runs/")
        ('./runs/', True)
    """
    return os.path.expanduser(text)  # noqa: PTH111 - Path.expanduser raises for names that are no user's


def cache_folder() -> Path:
    """The folder for what can be made or fetched again: THALWEG_CACHE, or thalweg in the user's cache.

    Returns:
        The folder, which need not exist.

    Example:
        >>> cache_folder().is_absolute()
        True
    """
    own = os.environ.get("THALWEG_CACHE")
    if own:
        return at_home(own).absolute()
    return at_home(os.environ.get("XDG_CACHE_HOME") or "~/.cache").absolute() / "thalweg"


def page_to_write(html: str | os.PathLike[str] | None) -> Path | None:
    """The page that a verb was asked for, checked before any work is done for it.

    Args:
        html: What `--html` named, or None.

    Returns:
        The page, or None.

    Raises:
        PlanError: It is no file, or in a folder that is not there, or somebody's own file that would be lost.

    Example:
        >>> page_to_write("page.html").name, page_to_write(None)
        ('page.html', None)
    """
    if html is None:
        return None
    page = Path(html)
    if (page.exists() and not page.is_file()) or not page.parent.is_dir():
        raise PlanError(f"--html {printable(page)}: name a file in a folder that exists")
    refuse_foreign(page, "--html", OUR_PAGE)
    return page


def refuse_foreign(path: Path, option: str, mark: bytes, *, at_end: bool = False, marked: bool = True) -> None:
    """Refuse to replace a file that thalweg did not write; its own of an earlier call may be replaced.

    Args:
        path: Where a file shall be written because the user named the place.
        option: The option that named it.
        mark: What every file of this kind that thalweg writes holds near its beginning.
        at_end: Whether it stands near its end instead.
        marked: Whether it is a mark indeed; otherwise what a file must hold to be another version of the same.

    Raises:
        PlanError: There is a file that is not empty and lacks the mark.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     notes = Path(folder, "notes.txt")
        ...     _ = notes.write_text("mine")
        ...     refuse_foreign(notes, "--html", b"thalweg")
        Traceback (most recent call last):
        thalweg.core.errors.PlanError: --html ...notes.txt is there already and was not written by thalweg: ...
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _LOOKED_AT) if at_end else 0)
            known = size == 0 or mark in file.read(_LOOKED_AT)
    except FileNotFoundError:
        return
    except OSError as error:
        raise PlanError(f"{option} {printable(path)} cannot be written: {error.strerror}; name another place") from None
    if known:
        return
    if not marked:
        raise PlanError(
            f"{option} {printable(path)} is there already and holds something else: name another place, or move it away"
        )
    raise PlanError(
        f"{option} {printable(path)} is there already and was not written by thalweg: name another place, or move "
        "it away"
    )


def write_atomically(path: Path, content: bytes | str) -> None:
    """Replace a file as a whole or not at all.

    Args:
        path: Where the file shall be; its folder must exist.
        content: The bytes, or text to be written as UTF-8.

    Raises:
        OSError: The disk is full or the folder cannot be written; the old file is untouched and nothing is left behind.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(Path(folder, "a.txt"), "whole")
        ...     Path(folder, "a.txt").read_text()
        'whole'
    """
    with written_aside(path) as file:
        file.write(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)


@contextlib.contextmanager
def written_aside(path: Path) -> Iterator[IO[bytes]]:
    """Replace a file, written a piece at a time, as a whole or not at all.

    Args:
        path: Where the file shall be; its folder must exist.

    Yields:
        The file to write, which lies beside it until all is there.

    Raises:
        OSError: As for `write_atomically`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with written_aside(Path(folder, "a.bin")) as file:
        ...         _ = file.write(b"wh"), file.write(b"ole")
        ...     Path(folder, "a.bin").read_bytes()
        b'whole'
    """
    try:
        handle, name = tempfile.mkstemp(prefix=WRITING, dir=path.parent)
    except OSError as error:  # by the place that was asked for: the name of a file being written is nobody's
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)  # noqa: PTH101 - mkstemp's 0600 would hide reports from a web server
        os.replace(name, path)  # noqa: PTH105 - the atomic rename itself
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108 - may be gone already
        if isinstance(error, OSError) and error.filename in {None, name}:
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None
        raise
    flush_folder(path.parent)


def append_durably(path: Path, lines: str) -> None:
    r"""Add lines to a log and wait until the disk has them; a power cut may leave half of the last one.

    Args:
        path: A log that is there already.
        lines: Whole lines with their line ends.

    Raises:
        OSError: The disk is full or the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(Path(folder, "a.csv"), "step\n")
        ...     append_durably(Path(folder, "a.csv"), "1\n")
        ...     Path(folder, "a.csv").read_text()
        'step\n1\n'
    """
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Make a rename inside a folder survive a power cut, where the system allows it.

    Args:
        folder: The folder whose entries changed.
    """
    with contextlib.suppress(OSError):  # Windows cannot open folders; some network disks refuse
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def printable(name: str | os.PathLike[str]) -> str:
    r"""Show a file name on one line, whatever it is made of.

    Args:
        name: A path or name, possibly with bytes that are not UTF-8 (as surrogates).

    Returns:
        The same name with control, surrogate and direction characters escaped; Persian, emoji and spaces stay.

    Example:
        >>> printable("cat\n\udcff گربه.png")
        'cat\\n\\xff گربه.png'
    """
    return "".join(map(_shown, os.fspath(name)))


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _INVISIBLE or character in _ALLOWED_FORMAT:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 - how Python spells a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\u{code:04x}")
