"""Opening what the user named: a folder, an archive, a link or the demo photos, always ending in a folder to read.

A folder is read where it lies and never written. Everything else lands once in the user's cache: unpacked aside and
renamed when complete, so that a killed run leaves nothing half-done, and found there by the next run.
"""

import difflib
import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from thalweg.core.dataset import Notice, Wanted
from thalweg.core.errors import SourceError
from thalweg.core.files import at_home, printable
from thalweg.data.files.kinds import kind_of_file, shown_kind
from thalweg.data.files.unread_kinds import unread_kind
from thalweg.data.files.walk import MOST_WRAPPINGS, Listing, list_folder, maybe_picture
from thalweg.data.formats.tables import TABLES
from thalweg.data.labels.label_table import names_pictures
from thalweg.data.labels.label_tables import labels_of
from thalweg.data.measured.arrays import ARRAYS_VERSION, array_files, with_partners, write_samples
from thalweg.data.opening.archive import unpack
from thalweg.data.opening.drive import fetch_from_drive, is_drive_link
from thalweg.data.opening.elpv import demo_folder
from thalweg.data.opening.fetch import fetch
from thalweg.data.opening.sibling_labels import shards_in, unpack_shards
from thalweg.data.storing.shelf import land

__all__ = ["OpenedSource", "SourceKind", "open_archive", "open_source", "source_name"]

SourceKind: TypeAlias = Literal["folder", "archive", "arrays", "url", "drive", "elpv"]

PLAINLY = Wanted()
"""Read as it looks."""

_DEMO_NAMES = ("elpv", "elpv:any")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSource:
    """A source that is ready to be scanned.

    Args:
        name: The source as the user wrote it.
        root: The folder to read.
        kind: Where the folder came from.
        upright: Whether its pictures have an upright direction; solar cells have none.
        left_out: Members of an archive that were not unpacked, each with its reason.
        wanted: How samples that are no pictures shall be read.
        table: The table of labels that the user named, in the root.
    """

    name: str
    root: Path
    kind: SourceKind
    upright: bool = True
    left_out: tuple[Notice, ...] = ()
    wanted: Wanted = PLAINLY
    table: str = ""


def source_name(source: object) -> str:
    """The name of a source that was given in Python.

    Args:
        source: A path, as text or otherwise.

    Returns:
        The path as text.

    Raises:
        SourceError: It is none, but arrays, a data set, or a list of files.

    Example:
        >>> source_name(Path("photos"))
        'photos'
        >>> source_name(5)
        Traceback (most recent call last):
        thalweg.core.errors.SourceError: the source is of type int, and a path is wanted: save arrays by ...
    """
    if isinstance(source, str | bytes | os.PathLike):
        return os.fsdecode(source)
    raise SourceError(
        f"the source is of type {type(source).__name__}, and a path is wanted: save arrays by "
        f"numpy.savez('data.npz', x=x, y=y) and name 'data.npz'; of files, name their folder, or a table of paths and "
        f"classes"
    )


def open_source(  # noqa: PLR0911 - each kind of source has its answer
    source: str | os.PathLike[str],
    *,
    progress: Callable[[str], None] | None = None,
    wanted: Wanted = PLAINLY,
) -> OpenedSource:
    """Find or fetch the folder behind what the user named.

    Args:
        source: A folder, a table of pictures and their classes, an archive (zip, tar, tar.gz, tar.bz2, tar.xz), arrays
            (`.npz`, `.npy`, `.csv`, idx files, CIFAR batches, or a folder of them), an `https://` link to an archive, a
            Google Drive link, `elpv` (defective above probability 0.5) or `elpv:any` (above 0); write `./elpv` for a
            folder of that name.
        progress: Called with a line of text now and then while something is fetched or unpacked.
        wanted: How samples that are no pictures shall be read.

    Returns:
        The folder to read and what is known about it.

    Raises:
        SourceError: There is no such thing, or it cannot be used.
        MissingExtraError: The demo photos or the Drive reader are not installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     open_source(folder).kind
        'folder'
    """
    name = os.fspath(source)
    if name in _DEMO_NAMES:
        return OpenedSource(name=name, root=demo_folder(), kind="elpv", upright=False)
    if "://" in name:
        return _unwrapped(_open_link(name, progress), wanted, progress)
    path = _place_of(name)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SourceError(f"{printable(name)}: there is no such folder or file{_nearest(path)}") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{printable(name)}: cannot be opened ({_reason(error)})") from None
    if stat.S_ISREG(mode) and names_pictures(path):
        return _table(name, path, wanted)
    arrays = _arrays_of(name, path)
    if arrays:
        return _open_arrays(name, arrays, wanted, progress)
    if stat.S_ISDIR(mode) and (shards := shards_in(path)):
        return _open_shards(name, shards, wanted, progress)
    if stat.S_ISDIR(mode):
        return OpenedSource(name=name, root=path, kind="folder", wanted=wanted)
    if not stat.S_ISREG(mode):
        raise SourceError(f"{printable(name)}: is neither a folder nor a file; name a folder of pictures or an archive")
    _refuse_file(name, path)
    return _unwrapped(open_archive(name, path, progress), wanted, progress)


def _refuse_file(name: str, path: Path) -> None:
    # One picture or recording, or a file of a kind that is not read, though it may be an archive inside (.pt, .xlsx).
    if unread := unread_kind(path.name):
        raise SourceError(f"{printable(name)}: {unread}")
    kind = kind_of_file(path.name) or (None if maybe_picture(os.fspath(path.parent), path.name) else "picture")
    if kind is not None:
        what, ending = shown_kind(kind)
        raise SourceError(
            f"{printable(name)}: is a single file; name the folder that holds {what} in one folder a class, "
            f"such as {printable(path.parent)}/cat/1{ending}"
        )


def _unwrapped(opened: OpenedSource, wanted: Wanted, progress: Callable[[str], None] | None) -> OpenedSource:
    # What came out of an archive: arrays, such as cifar-10-python.tar.gz has them, or a folder.
    arrays = _arrays_of(opened.name, opened.root)
    if not arrays:
        return replace(opened, wanted=wanted)
    return replace(_open_arrays(opened.name, arrays, wanted, progress), left_out=opened.left_out)


def _place_of(name: str) -> Path:
    if not name:  # an empty variable of a shell would else be the working folder
        raise SourceError("the source has no name (''): name a folder of pictures, an archive or a link")
    return at_home(name)


def _arrays_of(name: str, path: Path) -> tuple[Path, ...]:
    try:
        return array_files(path) or _wrapped_arrays(path)
    except OSError as error:
        raise SourceError(f"{printable(name)}: cannot be opened ({_reason(error)})") from None


def _wrapped_arrays(path: Path) -> tuple[Path, ...]:
    # Arrays in a folder that holds nothing else, as torchvision keeps them (MNIST/raw/) and archives have them.
    for _ in range(MOST_WRAPPINGS):
        inside = list_folder(os.fspath(path)) if path.is_dir() else Listing()
        if len(inside.all_folders) != 1 or inside.files:
            return ()
        path = path / inside.all_folders[0]
        if files := array_files(path):
            return files
    return ()


def _table(name: str, path: Path, wanted: Wanted) -> OpenedSource:
    # A table that says the classes of the pictures beside it.
    return OpenedSource(name=name, root=path.parent, kind="folder", wanted=wanted, table=path.name)


def _open_arrays(
    name: str, files: tuple[Path, ...], wanted: Wanted, progress: Callable[[str], None] | None
) -> OpenedSource:
    try:
        key = hashlib.sha256(f"arrays {ARRAYS_VERSION} {wanted.form} {wanted.shown or ''}".encode())
        for path in with_partners(files):
            with path.open("rb") as file:
                key.update(path.name.encode("utf-8", "surrogateescape") + hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise SourceError(f"{printable(name)}: cannot be read ({_reason(error)})") from None

    def fill(folder: Path) -> tuple[Notice, ...]:
        write_samples(files, folder, wanted, progress)
        return ()  # the index of the samples says it

    try:
        root, _ = land(key.hexdigest(), fill)
    except SourceError:
        (path, *others) = files
        if others or path.suffix.lower() not in TABLES or labels_of(path.parent, (path.name,)) is None:
            raise
        return _table(name, path, wanted)
    return OpenedSource(name=name, root=root, kind="arrays", wanted=wanted)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _nearest(path: Path) -> str:
    # Suggest the existing name that looks most like a missing one.
    folder = path.parent
    try:
        names = [entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except OSError:
        return f"; its folder {printable(folder)} does not exist either"
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {printable(folder / near[0])}?" if near else ""


def _open_link(link: str, progress: Callable[[str], None] | None) -> OpenedSource:
    if is_drive_link(link):
        archive, kind = fetch_from_drive(link, progress=progress), "drive"
    else:
        archive, kind = fetch(link, progress=progress), "url"
    # The folder a download lies in is named by its link and version: no need to read the archive again for a key.
    root, left_out = _unpacked(archive, archive.parent.name, progress, shown=urlsplit(link).path.rpartition("/")[2])
    return OpenedSource(name=link, root=root, kind="drive" if kind == "drive" else "url", left_out=left_out)


def open_archive(name: str, path: Path, progress: Callable[[str], None] | None) -> OpenedSource:
    """Unpack an archive into the cache, or find it there.

    Args:
        name: As the user wrote it.
        path: The file.
        progress: Called with a line of text while it is unpacked.

    Returns:
        The folder it was unpacked into.

    Raises:
        SourceError: It cannot be read or unpacked.
    """
    try:
        with path.open("rb") as file:
            key = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{printable(name)}: cannot be read ({_reason(error)})") from None
    root, left_out = _unpacked(path, key, progress, shown=path.name)
    return OpenedSource(name=name, root=root, kind="archive", left_out=left_out)


def _open_shards(
    name: str, shards: tuple[Path, ...], wanted: Wanted, progress: Callable[[str], None] | None
) -> OpenedSource:
    # Shards of WebDataset: known by name, size and time, since there may be hundreds of gigabytes of them.
    key = hashlib.sha256(f"shards {wanted.form}".encode())
    for path in shards:
        state = path.stat()
        key.update(os.fsencode(os.path.abspath(path)) + f"\0{state.st_size} {state.st_mtime_ns}\n".encode())  # noqa: PTH100 - links stay links

    def fill(folder: Path) -> tuple[Notice, ...]:
        if progress is not None:
            progress(f"Unpacking {len(shards):,} shards ...")
        return unpack_shards(shards, folder)

    root, left_out = land(key.hexdigest(), fill)
    return OpenedSource(name=name, root=root, kind="archive", left_out=left_out, wanted=wanted)


def _unpacked(
    archive: Path, key: str, progress: Callable[[str], None] | None, *, shown: str
) -> tuple[Path, tuple[Notice, ...]]:
    def fill(folder: Path) -> tuple[Notice, ...]:
        if progress is not None:
            progress(f"Unpacking {printable(shown)} ...")
        return unpack(archive, folder)

    return land(key, fill)
