"""Reading zip archives: what their directory promises is checked before anything is unpacked."""

import os
import stat
import struct
import zipfile
import zlib

from thalweg.data.opening.unpacking import Damaged, Readable, Unpacking

__all__ = ["unzip"]

_LOCKED = 0x1
_UTF8 = 0x800
_END = b"PK\x05\x06"
_END_BYTES = 22
_ENTRY_BYTES = 46  # smallest possible entry of the directory
_LONGEST_COMMENT = 65_535
_DIRECTORY_BYTES = 512  # a generous mean entry; a directory larger than this times the allowed entries is not read
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError, NotImplementedError)


def unzip(job: Unpacking) -> None:
    """Unpack a zip archive.

    Args:
        job: The archive, its target and its limits.

    Raises:
        SourceError: It is damaged as a whole, locked, or too large.
    """
    _check_directory(job)
    try:
        with zipfile.ZipFile(job.archive) as opened:
            members = opened.infolist()
            _check_members(job, opened, members)
            for member in members:
                _unpack_member(job, opened, member)
    except (zipfile.BadZipFile, struct.error, EOFError, ValueError, NotImplementedError) as error:
        raise job.refuse(f"is cut short or damaged ({error}); fetch it again") from None


def _check_directory(job: Unpacking) -> None:
    # zipfile reads the whole directory at once, so its size is looked at before.
    size = job.archive.stat().st_size
    with job.archive.open("rb") as file:
        file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT - 76))
        tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_BYTES:
        raise job.refuse("is cut short: the end of the zip archive is missing; fetch it again")
    entries, directory = struct.unpack_from("<HI", tail, place + 10)
    wide = tail.rfind(b"PK\x06\x06", 0, place)
    if wide >= 0 and len(tail) - wide >= 56:  # noqa: PLR2004 - the zip64 record, which counts with 64 bits
        entries, directory = struct.unpack_from("<QQ", tail, wide + 32)
    most = job.limits.entries
    if entries > most or (directory // _ENTRY_BYTES > most and directory > most * _DIRECTORY_BYTES):
        raise job.refuse(f"holds {entries:,} entries, more than {most:,}; unpack it yourself and give the folder")


def _check_members(job: Unpacking, opened: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    # Refuse locked archives, overlapping members (how small bombs grow) and promises beyond the limits.
    if any(member.flag_bits & _LOCKED for member in members):
        raise job.refuse("is locked with a password; unpack it yourself and give the folder")
    promised = sum(member.file_size for member in members)
    job.check_size(promised)
    job.check_room(promised)
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise job.refuse("holds members that overlap, as decompression bombs do; it is not unpacked")
        end = member.header_offset + 30 + len(member.orig_filename) + member.compress_size
    if opened.start_dir < end and members:
        raise job.refuse("holds members that overlap its directory, as decompression bombs do; it is not unpacked")


def _unpack_member(job: Unpacking, opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    job.count_entry()
    name = _true_name(member)
    mode = member.external_attr >> 16
    if name.endswith("/") or stat.S_ISDIR(mode):
        return
    if stat.S_ISLNK(mode):
        job.leave_out(name, "a link inside an archive, which is not followed")
    elif stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        job.leave_out(name, "a device or pipe, no file")
    else:
        job.write(name, member.file_size, lambda: _Member(opened, member))


def _true_name(member: zipfile.ZipInfo) -> str:
    # Many programs store UTF-8 names without saying so; zipfile then reads them as code page 437.
    if member.flag_bits & _UTF8:
        name = member.orig_filename
    else:
        try:
            name = os.fsdecode(member.orig_filename.encode("cp437"))
        except UnicodeEncodeError:
            name = member.orig_filename
    return name.replace("\\", "/")


class _Member:
    """The contents of one member; every way in which they can be unreadable becomes `Damaged`."""

    def __init__(self, opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        try:
            self._stream: Readable = opened.open(member)
        except NotImplementedError as error:
            raise Damaged(f"packed in a way that is not read ({error})") from None
        except _FAULTS as error:
            raise Damaged(f"damaged in the archive ({error})") from None

    def read(self, size: int, /) -> bytes:
        # Give the next bytes.
        try:
            return self._stream.read(size)
        except _FAULTS as error:
            raise Damaged(f"damaged in the archive ({error})") from None
