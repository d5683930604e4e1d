"""One process at a time: a folder that is being worked on is held, and whoever comes second is told so.

The operating system lets go of the hold when its process ends, however it ends; nothing is left to clean up by hand.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thalweg.core.errors import RunError
from thalweg.core.files import printable

__all__ = ["held"]

_TAKEN = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})


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
        try:
            _lock(file)
        except OSError as error:
            # A file system without locks (some network mounts) must not keep anybody from training.
            if error.errno in _TAKEN:
                raise RunError(
                    f"{printable(folder)} is in use by another thalweg: wait for it or stop it, then try again"
                ) from None
        yield
    finally:
        os.close(file)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
