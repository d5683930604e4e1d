"""Walking through folders that may hold anything: loops, dangling links, pipes, strange names, files that vanish.

Whether a file may be a picture is decided by its name, and by its first bytes where the name says nothing. The kind
of an entry comes with the listing, so 300,000 files need no look at each.
"""

import contextlib
import errno
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from thalweg.core.dataset import Notice
from thalweg.core.files import printable
from thalweg.core.paths import Paths
from thalweg.data.files.unread_kinds import UNREAD_PICTURES, unread_kind

__all__ = ["MOST_WRAPPINGS", "Against", "Listing", "is_of_another_kind", "list_folder", "maybe_picture", "walk_folders"]

Against: TypeAlias = Callable[[str, str], str]
"""Gives the reason why a file is not looked for, from root and file; nothing for one that is."""
MOST_WRAPPINGS = 16
"""Folders inside one another that hold nothing else, as archives of archives of folders have them."""

# fmt: off
_PICTURES = frozenset({
    "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "bmp", "dib", "gif", "webp", "avif", "tif", "tiff",
    "ppm", "pgm", "pbm", "pnm", "pfm", "tga", "ico", "jp2", "j2k", "fli", "flc",
})
_NO_PICTURES = frozenset({
    "txt", "csv", "tsv", "json", "jsonl", "xml", "yaml", "yml", "toml", "md", "html", "htm", "log", "py",
    "npy", "npz",
})
_ARCHIVES = frozenset({"zip", "tar", "gz", "tgz", "bz2", "tbz2", "xz", "txz", "7z", "rar", "zst"})
# fmt: on
_JUNK = frozenset({"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "lost+found"})
_PLAIN = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
_SIGNATURES = (*_PLAIN, b"II*\x00", b"MM\x00*")
_KINDS = {
    stat.S_IFIFO: "a named pipe, no file",
    stat.S_IFSOCK: "a socket, no file",
    stat.S_IFCHR: "a device, no file",
    stat.S_IFBLK: "a device, no file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one folder holds, sorted by name; operating systems' own debris is not listed.

    Args:
        folders: Names of real sub-folders.
        linked: Names of links that lead to folders.
        files: Names of regular files, or of links to such.
        left_out: Everything else, with its reason.
        problem: Why the folder could not be read; empty when it could.
    """

    folders: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    left_out: tuple[Notice, ...] = ()
    problem: str = ""

    @property
    def all_folders(self) -> tuple[str, ...]:
        """Real and linked sub-folders, sorted by name."""
        return tuple(sorted(self.folders + self.linked))


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def list_folder(root: str, folder: str = "") -> Listing:
    """List one folder without following anything; never raises for what it finds.

    Args:
        root: Path of the source.
        folder: Folder below it, with forward slashes; empty for the source itself.

    Returns:
        The entries by kind.
    """
    kinds: dict[str, list[str]] = {"folders": [], "linked": [], "files": []}
    left_out = []
    try:
        with os.scandir(os.path.join(root, folder)) as entries:  # noqa: PTH118 - names may not be valid text for Path
            for entry in entries:
                if entry.name.lower() in _JUNK:
                    continue
                if entry.name.startswith("."):
                    if not entry.name.startswith("._") and _extension(entry.name) in _PICTURES:
                        left_out.append(Notice(_joined(folder, entry.name), "hidden: its name begins with a dot"))
                    continue
                kind = _kind(entry)
                if kind in {"folders", "linked"} and _of_ours(entry):
                    continue
                if kind in kinds:
                    kinds[kind].append(entry.name)
                else:
                    left_out.append(Notice(_joined(folder, entry.name), kind))
    except OSError as error:
        return Listing(problem=f"cannot be read ({error.strerror or error})")
    return Listing(
        folders=tuple(sorted(kinds["folders"])),
        linked=tuple(sorted(kinds["linked"])),
        files=tuple(sorted(kinds["files"])),
        left_out=tuple(sorted(left_out, key=lambda notice: notice.file)),
    )


def _kind(entry: "os.DirEntry[str]") -> str:
    # `folders`, `linked` or `files`, or the reason why the entry is none of them.
    try:
        if entry.is_dir(follow_symlinks=False):
            return "folders"
        if entry.is_file(follow_symlinks=False):
            return "files"
        kind = stat.S_IFMT(entry.stat().st_mode)
    except OSError as error:
        return _unreachable(error, link=entry.is_symlink())
    return {stat.S_IFDIR: "linked", stat.S_IFREG: "files"}.get(kind) or _KINDS.get(kind, "no regular file")


def _of_ours(entry: "os.DirEntry[str]") -> bool:
    # A run that was written into its own source (`cd photos; thalweg train .`), or `runs/` that holds such alone: its
    # figures are no pictures to learn from, and it is no class without pictures.
    if _is_run(entry.path):
        return True
    if entry.name != "runs":
        return False
    with contextlib.suppress(OSError), os.scandir(entry.path) as entries:
        inside = [each for each in entries if not each.name.startswith(".")]
        return bool(inside) and all(_is_run(each.path) for each in inside)
    return False


def _is_run(folder: str) -> bool:
    return all(os.path.isfile(os.path.join(folder, name)) for name in ("plan.toml", "environment.json"))  # noqa: PTH113, PTH118 - names may not be valid text for Path


def _unreachable(error: OSError, *, link: bool) -> str:
    if isinstance(error, FileNotFoundError):
        return "a link that leads nowhere" if link else "vanished while it was being read"
    if error.errno == errno.ELOOP:
        return "a link that leads back to itself"
    return f"cannot be read ({error.strerror or error})"


def _extension(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if stem and dot else ""


def maybe_picture(root: str, file: str) -> str:
    """Decide whether a file is worth decoding, by its name or, where that says nothing, by its first bytes.

    Args:
        root: Path of the source.
        file: The file below it, with forward slashes.

    Returns:
        Empty for a candidate, otherwise the reason why it is none.

    Example:
        >>> maybe_picture("", "cat/1.JPG")
        ''
        >>> maybe_picture("", "notes.txt")
        'no picture by its name: .txt'
    """
    extension = _extension(file.rpartition("/")[2])
    if extension in _PICTURES:
        return ""
    if extension in _ARCHIVES:
        return f"an archive inside the source (.{extension}); unpack it to use what it holds"
    known = unread_kind(file.rpartition("/")[2])
    if known and extension not in UNREAD_PICTURES:
        return known
    if extension in _NO_PICTURES:
        return f"no picture by its name: .{printable(extension)}"
    return _against_first_bytes(root, file, extension, known)


def _against_first_bytes(root: str, file: str, extension: str, known: str) -> str:
    try:
        descriptor = os.open(os.path.join(root, file), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # noqa: PTH118
        with os.fdopen(descriptor, "rb") as opened:
            head = opened.read(132)
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if head[128:] == b"DICM":
        return unread_kind("1.dcm")
    if known:  # telephones and converters call a JPEG .HEIC, too; a camera's raw picture begins as TIFF does
        return "" if head.startswith(_PLAIN) else known
    if _looks_like_picture(head):
        return ""
    return f"no picture by its name: .{printable(extension)}" if extension else "no picture by its first bytes"


def _looks_like_picture(head: bytes) -> bool:
    if head.startswith(_SIGNATURES):
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return True
    return head[4:12] == b"ftypavif" or (head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in b" \t\r\n")


def is_of_another_kind(reason: str) -> bool:
    """Tell whether a file is left out only because it is of another kind, so that nobody need do anything about it.

    Args:
        reason: Why it is left out.

    Returns:
        Whether that is all.

    Example:
        >>> is_of_another_kind("no picture by its name: .txt"), is_of_another_kind("is empty")
        (True, False)
    """
    return reason.startswith(("no picture by its", "none of the", "tables of the kind"))


def walk_folders(
    root: str,
    folders: Sequence[str],
    *,
    linked: Sequence[str] = (),
    against: Against = maybe_picture,
) -> tuple[dict[str, Paths], list[Notice]]:
    """Find the candidate pictures below some folders; every real folder is read once, however many links lead there.

    Args:
        root: Path of the source.
        folders: Folders below it, read first.
        linked: Links to folders, followed after all real folders so that a real place wins over a link.
        against: Gives the reason why a file is not looked for, from root and file; nothing for one that is.

    Returns:
        Files of each starting folder in no particular order, and what was left out with its reason.
    """
    found = {start: Paths() for start in (*folders, *linked)}
    left_out: list[Notice] = []
    seen = _outside(root, {start.rpartition("/")[0] for start in found})
    real = deque((folder, folder) for folder in folders)
    links = deque((folder, folder) for folder in linked)
    while real or links:
        folder, start = real.popleft() if real else links.popleft()
        try:
            status = os.stat(os.path.join(root, folder))  # noqa: PTH116, PTH118 - names may not be valid text for Path
        except OSError as error:
            left_out.append(Notice(folder, f"cannot be read ({error.strerror or error})"))
            continue
        before = seen.setdefault((status.st_dev, status.st_ino), folder)
        if before != folder:
            where = f"that was read already: {printable(before)}" if before else "around this one"
            left_out.append(Notice(folder, f"leads to a folder {where}"))
            continue
        listing = list_folder(root, folder)
        if listing.problem:
            left_out.append(Notice(folder, listing.problem))
        left_out.extend(listing.left_out)
        real.extend((_joined(folder, name), start) for name in listing.folders)
        links.extend((_joined(folder, name), start) for name in listing.linked)
        for name in listing.files:
            file = _joined(folder, name)
            reason = against(root, file)
            if reason:
                left_out.append(Notice(file, reason))
            else:
                found[start].append(file)
        del listing  # of 100,000 files: not two of them at a time
    return found, left_out


def _outside(root: str, inside: Iterable[str]) -> dict[tuple[int, int], str]:
    # The source, the folders in it that hold the class folders, and all around it: a link to one of them would bring
    # in everything once more.
    paths = [os.path.join(root, folder) for folder in inside]  # noqa: PTH118 - names may not be valid text for Path
    path = os.path.realpath(root)
    while path not in paths:
        paths.append(path)
        path = os.path.dirname(path)  # noqa: PTH120 - the same
    folders = {}
    for path in paths:
        with contextlib.suppress(OSError):
            status = os.stat(path)  # noqa: PTH116 - the same
            folders[status.st_dev, status.st_ino] = ""
    return folders
