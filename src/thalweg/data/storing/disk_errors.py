"""What is said where the cache's disk is full or cannot be written, and the ways out."""

import errno
import shutil
from pathlib import Path

from thalweg.core.errors import SourceError
from thalweg.core.files import printable

__all__ = ["FULL", "disk_full", "not_written"]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says where a file cannot grow."""


def disk_full(folder: Path, needed: int | None) -> SourceError:
    """Say that the disk is too small for the cache, and the ways out.

    Args:
        folder: Where the store lies.
        needed: Bytes still to be written, where known.

    Returns:
        The error to raise.
    """
    free = shutil.disk_usage(folder).free
    wanted = f"needs {needed:,} more bytes" if needed else "cannot grow"
    return SourceError(
        f"the disk is too full: the picture cache in {printable(folder)} {wanted}, {free:,} are free; "
        "choose a smaller --image-size, or set THALWEG_CACHE to a folder on a larger disk"
    )


def not_written(folder: Path, error: OSError) -> SourceError:
    """Say that the cache cannot be written, and the way out.

    Args:
        folder: Where it lies.
        error: What the system said.

    Returns:
        The error to raise.
    """
    return SourceError(
        f"{printable(folder)}: the picture cache cannot be written ({error.strerror}); "
        "set THALWEG_CACHE to a folder that can"
    )
