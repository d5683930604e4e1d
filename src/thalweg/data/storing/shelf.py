"""The shelf in the user's cache where sources land that cannot be read where they lie: unpacked once, found again.

A source is filled aside and renamed when complete, so that a killed run leaves nothing half-done.
"""

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from thalweg.core.codec import dumps, from_plain
from thalweg.core.dataset import Notice
from thalweg.core.errors import RunError, SourceError
from thalweg.core.files import cache_folder, printable, write_atomically

__all__ = ["Notices", "land", "sweep"]

Notices = tuple[Notice, ...]

_ABANDONED_SECONDS = 24 * 3600
_LEFT_OUT = "left-out.json"
_UNPACKING = ".unpacking-"


def land(key: str, fill: Callable[[Path], Notices]) -> tuple[Path, Notices]:
    """Find the folder in which a source was unpacked, or unpack it.

    Args:
        key: Names the source and its version; a digest.
        fill: Makes the folder it is given and fills it; tells what was left out.

    Returns:
        The folder, complete, and what was left out.

    Raises:
        SourceError: The cache cannot be written or is damaged; or whatever `fill` raises.
    """
    shelf = cache_folder() / "sources"
    place = shelf / key
    if not place.is_dir():
        try:
            shelf.mkdir(parents=True, exist_ok=True)
            sweep(shelf, _UNPACKING)
            aside = Path(tempfile.mkdtemp(prefix=_UNPACKING, dir=shelf))
        except OSError as error:
            reason = error.strerror or str(error)
            raise SourceError(
                f"{printable(shelf)}: cannot be written ({reason}); set THALWEG_CACHE to a folder that can"
            ) from None
        try:
            write_atomically(aside / _LEFT_OUT, dumps(fill(aside / "files")))
            with contextlib.suppress(OSError):  # another run may have been faster: its folder is as good
                aside.rename(place)
        except OSError as error:
            raise SourceError(
                f"{printable(shelf)}: cannot be written ({error.strerror or error}); make room there, or set "
                f"THALWEG_CACHE to another folder"
            ) from None
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    try:
        text = (place / _LEFT_OUT).read_text(encoding="utf-8")
        return place / "files", from_plain(tuple[Notice, ...], json.loads(text))
    except (OSError, ValueError, RunError) as error:
        raise SourceError(
            f"{printable(place)}: this unpacked source is damaged ({error}); delete that folder"
        ) from None


def sweep(folder: Path, prefix: str) -> None:
    """Remove what runs that were killed while they wrote left behind a day ago or earlier.

    Args:
        folder: Where to look.
        prefix: How the names of what is not whole begin.
    """
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):
            if entry.name.startswith(prefix) and time.time() - entry.stat().st_mtime > _ABANDONED_SECONDS:
                if entry.is_dir():
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)  # noqa: PTH108 - a name that was just listed
