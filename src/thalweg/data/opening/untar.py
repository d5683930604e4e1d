"""Reading tar archives as a stream, plain or packed with gzip, bzip2 or xz.

Python's tarfile takes a damaged header for the end of the archive and would drop the rest without a word; here it is
an error. It also reads names of any length into memory; here they have a limit, and so has the memory of xz.
"""

import bz2
import contextlib
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, Self, cast

from thalweg.data.opening.unpacking import Readable, Unpacking

__all__ = ["untar"]

_BLOCK_BYTES = 512
_LONGEST_NAME_BYTES = 1 << 20
_XZ_MEMORY_BYTES = 256 << 20  # four times what the strongest usual setting needs
_NAME_KINDS = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME}
_NAME_KINDS |= {tarfile.GNUTYPE_LONGLINK}


class _BrokenError(Exception):
    """A header that cannot be read, though the archive goes on."""


_FAULTS = (tarfile.TarError, _BrokenError, EOFError, zlib.error, lzma.LZMAError, OSError, ValueError, OverflowError)


def untar(job: Unpacking) -> None:
    """Unpack a tar archive.

    Args:
        job: The archive, its target and its limits.

    Raises:
        SourceError: It is no tar archive, is damaged anywhere, or too large.
    """
    with job.archive.open("rb") as file:
        packed = _unpacked(file)
        stream = _Metered(job, packed)
        first = stream.peek(_BLOCK_BYTES)
        try:
            tarfile.TarInfo.frombuf(first, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            if _kind(error) == "EOFHeaderError":
                raise job.refuse("is an archive without contents") from None
            if packed is not file:
                raise job.refuse("is a single file that was packed: unpack it, and name what comes out") from None
            raise job.refuse("is no zip or tar archive by its contents; give a folder, a zip or a tar") from None
        with _faults_named(job):
            _unpack_members(job, stream)
            while stream.read(1 << 20):  # the checksum stands at the end
                pass


@contextlib.contextmanager
def _faults_named(job: Unpacking) -> Iterator[None]:
    try:
        yield
    except _FAULTS as error:
        after = f"after {job.entries:,} entries" if job.entries else "at its beginning"
        raise job.refuse(f"is cut short or damaged {after} ({error}); fetch it again") from None


def _unpacked(file: IO[bytes]) -> Readable:
    mark = file.read(6)
    file.seek(0)
    if mark.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file, mode="rb")
    if mark.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if mark == b"\xfd7zXZ\x00":
        return _Xz(file)
    return file


def _unpack_members(job: Unpacking, stream: "_Metered") -> None:
    with tarfile.open(
        fileobj=cast("IO[bytes]", stream),
        mode="r|",
        tarinfo=_StrictInfo,
        encoding="utf-8",
        errors="surrogateescape",
    ) as opened:
        for member in opened:
            job.count_entry()
            _unpack_member(job, opened, member)
            cast("Any", opened).members.clear()  # a list of everything seen, which would grow without end
        if getattr(opened, "unmarked_end", False):
            job.leave_out("", "the archive has no end mark: it may have been cut short")


def _unpack_member(job: Unpacking, opened: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    if member.size < 0:
        raise _BrokenError(f"a size of {member.size}")
    if member.isdir():
        return
    if member.issym() or member.islnk():
        job.leave_out(member.name, "a link inside an archive, which is not followed")
    elif member.issparse():
        job.leave_out(member.name, "a file with holes, which no photo has")
    elif not member.isreg():
        job.leave_out(member.name, "a device or pipe, no file")
    else:
        job.write(member.name, member.size, lambda: _Member(job, opened.extractfile(member)))


class _Member:
    """The contents of one member; a fault here spoils everything behind it, so it ends the unpacking."""

    def __init__(self, job: Unpacking, stream: IO[bytes] | None) -> None:
        self._job = job
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        # Give the next bytes.
        with _faults_named(self._job):
            return self._stream.read(size) if self._stream else b""


class _Metered:
    """Counts what comes out of the packed stream, since members that are skipped are unpacked as well."""

    def __init__(self, job: Unpacking, stream: Readable) -> None:
        self._job = job
        self._stream = stream
        self._head = b""
        self._count = 0

    def peek(self, size: int) -> bytes:
        # Give the first bytes without moving on.
        with _faults_named(self._job):
            while len(self._head) < size and (more := self._stream.read(size - len(self._head))):
                self._head += more
        return self._head

    def read(self, size: int, /) -> bytes:
        # Give the next bytes.
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        data = self._stream.read(size)
        self._count += len(data)
        self._job.check_size(self._count)
        return data


class _Xz:
    """An xz stream whose dictionary may not take all memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decoder = lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES)

    def read(self, size: int, /) -> bytes:
        # Give the next bytes.
        packed = b""
        while True:
            if self._decoder.eof:  # several streams one after another are one archive
                packed = self._decoder.unused_data.lstrip(b"\x00") or self._file.read(1 << 16).lstrip(b"\x00")
                if not packed:
                    return b""
                self._decoder = lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES)
            elif self._decoder.needs_input:
                packed = self._file.read(1 << 16)
                if not packed:
                    raise EOFError("the xz stream ends early")
            data = self._decoder.decompress(packed, max_length=size)
            packed = b""
            if data:
                return data


class _StrictInfo(tarfile.TarInfo):
    """A header whose damage is an error, not the end."""

    @classmethod
    def frombuf(cls, *arguments: Any, **options: Any) -> Self:  # noqa: ANN401 - Python's own, varies by version
        # Read a header block, and refuse endless names before they are read.
        info = super().frombuf(*arguments, **options)
        if info.type in _NAME_KINDS and info.size > _LONGEST_NAME_BYTES:
            raise _BrokenError(f"a name of {info.size:,} bytes")
        return info

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        # Read the next header.
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.HeaderError as error:
            if _kind(error) not in {"EOFHeaderError", "EmptyHeaderError"}:
                raise _BrokenError(str(error)) from None
            cast("Any", tarfile_).unmarked_end = _kind(error) == "EmptyHeaderError"
            raise


def _kind(error: tarfile.HeaderError) -> str:
    # The kinds of header errors have names, but tarfile documents only their common base.
    return type(error).__name__
