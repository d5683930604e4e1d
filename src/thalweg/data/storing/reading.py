"""One file on its way into the store: read, told apart by its bytes, decoded to the store's size."""

import hashlib
import os
import time
from collections.abc import Callable

from thalweg.core.errors import PictureError
from thalweg.data.decoding.decode import decode_planes, read_picture_file
from thalweg.data.storing.store_values import Entry

__all__ = ["name_of", "read_content", "read_entry", "state_of"]

_SETTLED_NS = 50_000_000  # a file changed less than this before it was read may change again within the same clock tick


def name_of(path: str) -> bytes:
    """Name a file as the store does.

    Args:
        path: The file.

    Returns:
        Its absolute path, links unfollowed.
    """
    return os.fsencode(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links, one system call a part


def state_of(path: str) -> str:
    """Tell what changes when a file does.

    Args:
        path: The file.

    Returns:
        Size, times and inode.

    Raises:
        OSError: There is no such file.
    """
    state = os.stat(path)  # noqa: PTH116 - the same
    return f"{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}"


def read_content(path: str) -> tuple[bytes, bytes]:
    """Read a file, and tell it apart from all others.

    Args:
        path: The file.

    Returns:
        Its bytes and their SHA-256.

    Raises:
        PictureError: It cannot be read, or is no plain file of bearable size.
    """
    data = read_picture_file(path)
    return data, hashlib.sha256(data).digest()


def read_entry(path: str, size: tuple[int, int], is_known: Callable[[bytes], bool] | None = None) -> Entry | str:
    """Read and decode one file.

    Args:
        path: The file.
        size: Width and height to bring it to, in pixels.
        is_known: Asked with the SHA-256 of its bytes whether that content is in the store; then it is not decoded.

    Returns:
        What to record, or the reason why the file could not be read this time.
    """
    try:
        before = time.time_ns()
        state = state_of(path)
        if before - max(map(int, state.split()[1:3])) < _SETTLED_NS:
            state = "changing"
        data, digest = read_content(path)
        if is_known is not None and is_known(digest):
            return Entry(path=name_of(path), state=state, digest=digest, fresh=False)
    except PictureError as error:
        return str(error)
    except (OSError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or error})"
    try:
        return _decoded(name_of(path), state, digest, data, size)
    except PictureError as error:
        if isinstance(error.__cause__, MemoryError):  # the machine's fault this time, not the file's
            return str(error)
        return Entry(path=name_of(path), state=state, digest=digest, refused=str(error))


def _decoded(path: bytes, state: str, digest: bytes, data: bytes, size: tuple[int, int]) -> Entry:
    picture = decode_planes(data, size=size)
    kept = picture.pixels
    return Entry(
        path=path,
        state=state,
        digest=digest,
        picture=kept,
        original_size=picture.original_size,
        pixels=hashlib.blake2b(kept.tobytes(), digest_size=16).digest(),
        warning="; ".join(picture.warnings),
    )
