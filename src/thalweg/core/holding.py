"""One process at a time: a folder that is being worked on is held, and whoever comes second is told so.

The operating system lets go of the hold when its process ends, however it ends; nothing is left to clean up by hand.
"""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thalweg.core.errors import RunError
from thalweg.core.files import printable

__all__ = ["held", "is_held"]

_TAKEN = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})
_TRIES, _PAUSE = 5, 0.02  # whoever only looks holds a folder for some microseconds


@contextmanager
def held(folder: Path, name: str = ".lock") -> Iterator[None]:
    """Hold a folder while the block runs.

    Args:
        folder: The folder.
        name: The empty file in it that carries the hold; it stays behind, its presence alone means nothing.

    Yields:
        Nothing; the folder is held.

    Raises:
        RunError: Another process holds it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place, held(Path(place)):
        ...     sorted(item.name for item in Path(place).iterdir())
        ['.lock']
    """
    file = os.open(folder / name, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    try:
        if _is_taken(file, _TRIES):
            raise RunError(f"{printable(folder)} is in use by another thalweg: wait for it or stop it, then try again")
        yield
    finally:
        os.close(file)


def is_held(folder: Path, name: str = ".lock") -> bool:
    """Look whether a process holds a folder.

    Args:
        folder: The folder; nothing in it is made or changed.
        name: The file that carries the hold.

    Returns:
        True while another process, or another `held` of this one, works on it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place:
        ...     with held(Path(place)):
        ...         during = is_held(Path(place))
        ...     during, is_held(Path(place))
        (True, False)
    """
    try:
        file = os.open(folder / name, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return False
    try:
        return _is_taken(file, 1)
    finally:
        os.close(file)


def _is_taken(file: int, tries: int) -> bool:
    """Try to lock; a file system without locks (some network mounts) must not keep anybody from training."""
    for attempt in range(tries):
        if attempt:
            time.sleep(_PAUSE)
        try:
            _lock(file)
        except OSError as error:
            if error.errno in _TAKEN:
                continue
        return False
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
