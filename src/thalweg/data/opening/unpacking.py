"""One archive on its way into one folder: where its members may go, how large they may be, and what was left out."""

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from thalweg.core.dataset import Notice
from thalweg.core.errors import SourceError
from thalweg.core.files import printable

__all__ = ["Damaged", "Limits", "Readable", "Unpacking"]

_CHUNK_BYTES = 1 << 20
_SPARE_BYTES = 256 << 20  # what stays free on the disk
_BAD_NAME = {errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}


class Damaged(Exception):  # noqa: N818 - a state of a member, not an error of ours
    """The contents of one member cannot be read; the message says why."""


class Readable(Protocol):
    """Anything that gives bytes."""

    def read(self, size: int, /) -> bytes:
        """Give at most that many bytes, none at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much an archive may hold.

    Args:
        entries: Members, of all kinds.
        total_bytes: Unpacked size of everything.
        member_bytes: Unpacked size of one member; larger ones are left out.
        ratio: Unpacked size for each packed byte, where more than `ratio_from_bytes` come out.
        ratio_from_bytes: Below this unpacked size no ratio is suspicious.
    """

    entries: int = 500_000
    total_bytes: int = 50 << 30
    member_bytes: int = 1 << 30
    ratio: int = 200
    ratio_from_bytes: int = 1 << 30


@dataclass(slots=True, kw_only=True)
class Unpacking:
    """One archive on its way into one folder: the counts so far, and the rules for every member.

    Args:
        archive: The archive.
        target: The folder that everything goes into.
        limits: How much is allowed.
        left_out: Members that were not unpacked, each with its reason.
        entries: Members seen.
        written_bytes: Bytes written.
    """

    archive: Path
    target: Path
    limits: Limits
    left_out: list[Notice] = field(default_factory=list)
    entries: int = 0
    written_bytes: int = 0

    def refuse(self, reason: str) -> SourceError:
        """Make the error that ends the unpacking.

        Args:
            reason: What is wrong, and the way out.

        Returns:
            The error to raise.
        """
        return SourceError(f"{printable(self.archive.name)}: {reason}")

    def count_entry(self) -> None:
        """Count one more member.

        Raises:
            SourceError: There are more than allowed.
        """
        self.entries += 1
        if self.entries > self.limits.entries:
            most = f"{self.limits.entries:,}"
            raise self.refuse(f"holds more than {most} entries; unpack it yourself and give the folder")

    def check_size(self, unpacked_bytes: int) -> None:
        """Refuse an archive whose contents are larger than allowed, or than it could honestly be.

        Args:
            unpacked_bytes: Size of what comes out of it, so far or promised.

        Raises:
            SourceError: It is too large.
        """
        packed = max(1, self.archive.stat().st_size)
        if unpacked_bytes > self.limits.total_bytes:
            most = f"{self.limits.total_bytes / 2**30:,.1f} GiB"
            raise self.refuse(f"unpacks to more than {most}; unpack it yourself and give the folder")
        if unpacked_bytes > self.limits.ratio_from_bytes and unpacked_bytes > self.limits.ratio * packed:
            times = f"{unpacked_bytes / packed:,.0f} times"
            raise self.refuse(
                f"unpacks to {times} its size, as decompression bombs do; unpack it yourself if you trust it"
            )

    def check_room(self, promised_bytes: int) -> None:
        """Refuse what the disk cannot take.

        Args:
            promised_bytes: Bytes that will be written.

        Raises:
            SourceError: The disk has less.
        """
        free = shutil.disk_usage(self.target).free
        if promised_bytes + _SPARE_BYTES > free:
            numbers = f"{promised_bytes / 2**20:,.0f} MiB are needed, {free / 2**20:,.0f} MiB are free"
            raise self.refuse(f"the disk is too full to unpack it: {numbers} in {printable(self.target)}")

    def leave_out(self, name: str, reason: str) -> None:
        """Note a member that is not unpacked.

        Args:
            name: Its name in the archive.
            reason: Why.
        """
        self.left_out.append(Notice(name, reason))

    def write(self, name: str, size: int, open_member: Callable[[], Readable]) -> None:
        """Unpack one regular file, or leave it out.

        Args:
            name: Its name in the archive.
            size: Its size as the archive promises, in bytes.
            open_member: Opens its contents; may raise `Damaged`, as reading them may.

        Raises:
            SourceError: A limit is passed, or the disk is full.
        """
        parts = _safe_parts(name)
        if parts is None:
            return self.leave_out(name, "leads outside the archive's folder")
        if size > self.limits.member_bytes:
            most = f"{self.limits.member_bytes / 2**20:,.0f} MiB"
            return self.leave_out(name, f"is {size / 2**20:,.0f} MiB large; more than {most} is no photo")
        path = self.target.joinpath(*parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        except (OSError, ValueError) as error:
            return self._unwritable(name, error)
        try:
            with os.fdopen(descriptor, "wb") as file:
                self._copy(open_member(), file.write)
        except Damaged as error:
            path.unlink()
            self.leave_out(name, str(error))
        except OSError as error:
            raise self.refuse(f"cannot be unpacked into {printable(self.target)} ({error.strerror or error})") from None
        return None

    def _unwritable(self, name: str, error: OSError | ValueError) -> None:
        if isinstance(error, FileExistsError):
            return self.leave_out(name, "another member has the same name")
        if isinstance(error, ValueError) or error.errno in _BAD_NAME:
            return self.leave_out(name, f"its name cannot be used here ({error})")
        raise self.refuse(f"cannot be unpacked into {printable(self.target)} ({error.strerror or error})") from None

    def _copy(self, source: Readable, write: Callable[[bytes], object]) -> None:
        size = 0
        while chunk := source.read(_CHUNK_BYTES):
            size += len(chunk)
            self.written_bytes += len(chunk)
            if size > self.limits.member_bytes:
                raise Damaged("is larger than the archive says")
            self.check_size(self.written_bytes)
            write(chunk)


def _safe_parts(name: str) -> list[str] | None:
    # The steps of a member's path below the target, or None when it leads anywhere else.
    plain = name.replace("\\", "/")
    if plain.startswith("/") or plain[1:2] == ":" or "\x00" in plain:
        return None
    parts = [part for part in plain.split("/") if part not in {"", "."}]
    return parts if parts and ".." not in parts else None
