"""Unpacking zip and tar archives that may be damaged or malicious.

Nothing is ever written outside the target: members are plain files made by us under names that we checked, links and
devices are never made, and an existing file is never opened. One damaged picture is left out and named; an archive
that is damaged as a whole, locked, or larger than it has any right to be is refused with a sentence.
"""

from pathlib import Path

from thalweg.core.dataset import Notice
from thalweg.data.opening.unpacking import Limits, Unpacking
from thalweg.data.opening.untar import untar
from thalweg.data.opening.unzip import unzip

__all__ = ["Limits", "unpack"]

_REFUSED = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
}


def unpack(archive: Path, target: Path, *, limits: Limits | None = None) -> tuple[Notice, ...]:
    """Unpack an archive into a new folder.

    Args:
        archive: A zip or tar archive, the latter plain or packed with gzip, bzip2 or xz; its contents decide, not its
            name.
        target: A folder that does not exist yet; its parent does.
        limits: How much the archive may hold.

    Returns:
        Members that were left out, each with its reason.

    Raises:
        SourceError: It is no such archive, is locked, cut short, damaged as a whole, or too large.

    Example:
        >>> import tempfile, zipfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with zipfile.ZipFile(Path(folder, "a.zip"), "w") as file:
        ...         file.writestr("cat/1.png", b"...")
        ...     _ = unpack(Path(folder, "a.zip"), Path(folder, "a"))
        ...     Path(folder, "a", "cat", "1.png").read_bytes()
        b'...'
    """
    job = Unpacking(archive=archive, target=target, limits=limits or Limits())
    try:
        with archive.open("rb") as file:
            head = file.read(512)
        target.mkdir()
    except OSError as error:
        raise job.refuse(f"cannot be unpacked ({error.strerror or error})") from None
    for mark, kind in _REFUSED.items():
        if head.startswith(mark):
            raise job.refuse(f"is {kind}, which is not read; unpack it yourself and give the folder")
    if not head:
        raise job.refuse("is empty (0 bytes); fetch it again")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        unzip(job)
    else:
        untar(job)
    return tuple(job.left_out)
