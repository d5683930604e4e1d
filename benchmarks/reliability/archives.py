"""Twenty hostile archives: nothing outside the target, the caps hold, one clear sentence or the good pictures.

Every archive is unpacked into a folder inside a watched one. A file, link or changed byte anywhere in the watched
folder but in the target breaks the promise, as does a link or device inside it, an error that is no sentence, or 30 s.

    python benchmarks/reliability/archives.py --out benchmarks/results/reliability/archives.json
"""

# Long because every hostile archive is made here, beside its name.

import io
import os
import stat
import struct
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from outcome import Case, report, worked_seconds

SECONDS = 30.0
REFUSED = {"zip, overlap", "zip, 10^6 entries", "zip, bomb", "zip, cut", "tar.gz, bad checksum"}
"""Refused as a whole, in a sentence; the others keep their good picture."""


def picture() -> bytes:
    """A small sound PNG."""
    import numpy as np
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(out, "PNG")
    return out.getvalue()


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], packed: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed) as box:
        for name, data in members:
            box.writestr(name, data)
    return out.getvalue()


def tarred(*members: tuple[str, bytes, dict[str, object]], mode: str = "w") -> bytes:
    """A tar of members with header settings."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as box:  # type: ignore[call-overload]
        for name, data, settings in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in settings.items():
                setattr(info, key, value)
            box.addfile(info, io.BytesIO(data))
    return out.getvalue()


def linked(name: str) -> zipfile.ZipInfo:
    """A symbolic link as zip stores it."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


def overlapping() -> bytes:
    """Two members of the directory that share one body."""
    data = zipped(("a/1.png", picture()), ("a/2.png", picture()))
    start = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", start + 4)
    changed = bytearray(data)
    struct.pack_into("<I", changed, second + 42, struct.unpack_from("<I", data, start + 42)[0])
    return bytes(changed)


def many(count: int) -> bytes:
    """A directory of a million entries over nothing."""
    entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    directory = entry * count
    size = len(directory)
    wide = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, len(local))
    where = struct.pack("<IIQI", 0x07064B50, 0, len(local) + size, 1)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return local + directory + wide + where + end


def lying() -> bytes:
    """A member that unpacks to more than it says."""
    data = bytearray(zipped(("a/1.png", bytes(5 << 20)), packed=zipfile.ZIP_DEFLATED))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(mark) + place, 100)
    return bytes(data)


def bomb() -> bytes:
    """A gigabyte and a half of zeros in a megabyte and a half."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    size = 3 << 29
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, 0, len(body), size, 5, 0) + b"a.png"
    entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 0, 0, len(body), size, 5, 0, 0, 0, 0, 0, 0)
    entry += b"a.png"
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(entry), len(local) + len(body), 0)
    return local + body + entry + end


def flipped(data: bytes, place: int) -> bytes:
    """One byte changed."""
    changed = bytearray(data)
    changed[place] ^= 0x55
    return bytes(changed)


def archives(outside: Path) -> dict[str, Callable[[], bytes]]:
    """All twenty, by name."""
    good, link = ("a/good.png", picture()), str(outside / "kept.txt")
    tar_good = ("a/good.png", picture(), {})
    symlink = {"type": tarfile.SYMTYPE, "linkname": link}
    return {
        "zip, ../": lambda: zipped(good, ("../escaped.png", picture())),
        "zip, ..\\": lambda: zipped(good, ("..\\escaped.png", picture())),
        "zip, absolute": lambda: zipped(good, (str(outside / "escaped.png"), picture())),
        "zip, drive letter": lambda: zipped(good, ("C:/escaped.png", picture())),
        "zip, symlink": lambda: zipped(good, (linked("a/link.png"), link.encode())),
        "zip, through a symlink": lambda: zipped((linked("a"), str(outside).encode()), ("a/escaped.png", picture())),
        "zip, overlap": overlapping,
        "zip, nested": lambda: zipped(good, ("a/inner.zip", zipped(("../escaped.png", picture())))),
        "zip, 10^6 entries": lambda: many(1_000_000),
        "zip, bad CRC": lambda: flipped(zipped(("a/2.png", picture()), good), 60),
        "zip, lies about its size": lying,
        "zip, bomb": bomb,
        "zip, cut": lambda: zipped(good, ("a/2.png", picture()))[:-30],
        "tar, ../": lambda: tarred(tar_good, ("../escaped.png", picture(), {})),
        "tar, absolute": lambda: tarred(tar_good, (str(outside / "escaped.png"), picture(), {})),
        "tar, through a symlink": lambda: tarred(
            ("a", b"", {"type": tarfile.SYMTYPE, "linkname": str(outside)}), ("a/escaped.png", picture(), {})
        ),
        "tar, hardlink": lambda: tarred(tar_good, ("a/hard.png", b"", {"type": tarfile.LNKTYPE, "linkname": link})),
        "tar, symlink then file": lambda: tarred(("a/l.png", b"", symlink), ("a/l.png", b"over", {}), tar_good),
        "tar, device and pipe": lambda: tarred(
            tar_good,
            ("a/d.png", b"", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5}),
            ("a/p.png", b"", {"type": tarfile.FIFOTYPE}),
        ),
        "tar.gz, bad checksum": lambda: flipped(tarred(tar_good, mode="w:gz"), -6),
    }


def try_one(what: str, make: Callable[[Path], bytes]) -> Case:
    """Unpack one into a folder inside a watched one."""
    from thalweg.core.errors import ThalwegError
    from thalweg.data.opening.archive import Limits, unpack

    with tempfile.TemporaryDirectory() as name:
        outside = Path(name)
        (outside / "kept.txt").write_text("as it was", encoding="utf-8")
        target, archive = outside / "target", outside / f"box.{'zip' if what.startswith('zip') else 'tar'}"
        archive.write_bytes(make(outside))
        before = _state(outside, target)
        started, said, left_out = worked_seconds(), "", 0
        try:
            left_out = len(unpack(archive, target, limits=Limits()))
        except ThalwegError as error:
            said = str(error).replace(name, "")
        seconds = worked_seconds() - started
        escaped = _state(outside, target) != before
        strange = [
            path.name for path in target.rglob("*") if path.is_symlink() or not (path.is_file() or path.is_dir())
        ]
        linked_twice = [path.name for path in target.rglob("*") if path.is_file() and path.stat().st_nlink > 1]
        good = (target / "a" / "good.png").is_file()
    # What is harmful in one member leaves the others; what is wrong with the whole archive refuses it.
    noticed = bool(said) == (what in REFUSED) and (bool(said) or left_out > 0 or what == "zip, nested")
    held = not escaped and not strange and not linked_twice and seconds < SECONDS and "\n" not in said and noticed
    held = held and (good or what in REFUSED or "through a symlink" in what or what.startswith("zip, lies"))
    return {
        "archive": what, "said": said, "left_out": left_out, "good_picture_kept": good, "escaped": escaped,
        "seconds": round(seconds, 2), "held": held,
    }  # fmt: skip


def _state(folder: Path, but: Path) -> list[tuple[str, int, bytes]]:
    others = (path for path in folder.rglob("*") if path != but and not path.is_relative_to(but))
    return sorted((str(path), os.lstat(path).st_mode, path.read_bytes() if path.is_file() else b"") for path in others)


def work(quick: bool) -> dict[str, object]:
    """All of them; the short form leaves out the two that take seconds to make."""
    names = [name for name in archives(Path()) if not quick or name not in {"zip, bomb", "zip, 10^6 entries"}]
    details = [try_one(name, lambda outside, name=name: archives(outside)[name]()) for name in names]  # type: ignore[misc]
    return {"row": 17, "cases": len(details), "held": sum(case["held"] for case in details), "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
