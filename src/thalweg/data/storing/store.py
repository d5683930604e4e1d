"""Decoded pictures on disk: two flat uint8 files (grey, colour) and an SQLite index that says which row is what.

    <cache>/pictures/<size>-v<decoder>-pillow<version>/current          name of the generation in use
                                                       <name>.sqlite    index, keyed by the SHA-256 of a file's bytes
                                                       <name>.grey      rows of size * size bytes
                                                       <name>.colour    rows of size * size * 3 bytes

Pixels are flushed to the disk before the index that names them is committed, so a power cut loses the last batch and
nothing else: rows that no index names are written over. SQLite's write lock orders several processes. A store found
damaged is not mended but left: a new generation gets a new name, and whoever still maps the old one keeps it.
"""

import contextlib
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import RLock
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.storing.disk_errors import FULL, disk_full, not_written
from thalweg.data.storing.store_values import Channels, Entry, Known, StoreDamagedError, renew

__all__ = ["PictureStore"]

_DEPTH: dict[Channels, int] = {"grey": 1, "colour": 3}
_SCHEMA = """
create table if not exists meta (name text primary key, value integer not null) without rowid;
create table if not exists content (
  digest blob primary key, grey_row integer, colour_row integer, width integer, height integer,
  pixels blob, thumbnail blob, checksum integer, warning text not null, refused text not null) without rowid;
create table if not exists file (path blob primary key, state text not null, digest blob not null) without rowid;
insert or ignore into meta values ('schema', 1), ('grey', 0), ('colour', 0);
"""
_COLUMNS = "digest, grey_row, colour_row, width, height, pixels, thumbnail, warning, refused"


class PictureStore:
    """Decoded pictures of one size. Not to be shared among processes; each opens its own.

    Args:
        folder: Where the store lies; made if missing.
        size: Side of a square picture, or width and height, in pixels.
        damaged: The generation to leave, where one was found damaged or gone.

    Raises:
        SourceError: The folder cannot be written.
        StoreDamagedError: What lies there is no sound store.
    """

    def __init__(self, folder: Path, size: int | tuple[int, int], *, damaged: str | None = None) -> None:
        self.folder, self.size = folder, (size, size) if isinstance(size, int) else size
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.name = renew(folder, damaged)
            self._files = {kind: self._open(kind) for kind in _DEPTH}
        except OSError as error:
            raise not_written(folder, error) from error
        self._next: dict[Channels, int] = {}
        self._lock = RLock()
        # Any thread may ask, one at a time; only the thread that opened the store writes.
        self._index = sqlite3.connect(
            folder / f"{self.name}.sqlite", timeout=60, isolation_level=None, check_same_thread=False
        )
        self.began_empty = False
        """Whether nothing was known when it was opened: then there is little to look up."""
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @property
    def area(self) -> int:
        """Pixels of a picture."""
        return self.size[0] * self.size[1]

    def is_gone(self) -> bool:
        """Whether somebody removed the store meanwhile, as one may with a cache."""
        return not os.path.exists(self.folder / f"{self.name}.sqlite")  # noqa: PTH110 - a Path says more errors

    def close(self) -> None:
        """Close the index and the pixel files; arrays from `rows_of` stay valid."""
        self._index.close()
        for file in self._files.values():
            with contextlib.suppress(OSError):  # what is not flushed yet is of a batch that failed, as has been said
                file.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Hold one read lock over many look-ups, instead of taking it for each.

        Yields:
            Nothing; other processes cannot write meanwhile, so it shall not be long.
        """
        self._index.execute("begin")
        try:
            yield
        finally:
            self._index.execute("commit")

    def find_file(self, path: bytes, state: str) -> Known | None:
        """Look a file up by name and state, without reading it.

        Args:
            path: Its absolute path.
            state: Size, times and inode as written when it was read.

        Returns:
            What is known, or None if the file is new or changed.
        """
        return self._one(
            f"select {_COLUMNS} from content join file using (digest) where path = ? and state = ?",  # noqa: S608
            (path, state),
        )

    def find_content(self, digest: bytes) -> Known | None:
        """Look a content up.

        Args:
            digest: SHA-256 of the file's bytes.

        Returns:
            What is known, or None.
        """
        return self._one(f"select {_COLUMNS} from content where digest = ?", (digest,))  # noqa: S608

    def add(self, entries: Iterable[Entry]) -> list[Known]:
        """Record a batch: all of it, or after a failure nothing.

        Args:
            entries: Files and, where fresh, their pictures of shape (size, size, 1 or 3).

        Returns:
            What is known of each now.

        Raises:
            SourceError: The disk is full.
            StoreDamagedError: What was known a moment ago is known no more.
        """
        found = []
        with self._writing():
            files = []
            for entry in entries:
                found.append(self._add_content(entry))
                files.append((entry.path, entry.state, entry.digest))
            self._index.executemany("replace into file values (?, ?, ?)", files)
        return found

    def add_colour(self, digests: Sequence[bytes]) -> None:
        """Copy grey rows into the colour file, for a source that has both.

        Args:
            digests: Contents that have a grey row only.

        Raises:
            SourceError: The disk is full.
        """
        grey = self.rows_of("grey")
        with self._writing():
            for digest in digests:
                known = self.find_content(digest)
                if known is None or known.grey_row is None or known.colour_row is not None:
                    continue
                row = self._write("colour", np.repeat(grey[known.grey_row], 3, axis=2))
                self._index.execute("update content set colour_row = ? where digest = ?", (row, digest))

    def rows_of(self, kind: Channels) -> npt.NDArray[np.uint8]:
        """Map all rows of one file, read-only.

        Args:
            kind: `grey` or `colour`.

        Returns:
            uint8 array of shape (rows, height, width, 1 or 3).
        """
        count = self._count(kind)
        shape = (count, *self.size[::-1], _DEPTH[kind])
        if count == 0:
            return np.zeros(shape, np.uint8)
        return np.memmap(self._files[kind], dtype=np.uint8, mode="r", shape=shape)

    def check(self, digests: Sequence[bytes]) -> None:
        """Compare the pixels of some contents with the checksums taken when they were written.

        Args:
            digests: Contents to look at.

        Raises:
            StoreDamagedError: One differs.
        """
        rows = {kind: self.rows_of(kind) for kind in _DEPTH}
        for digest in digests:
            grey, colour, checksum = self._index.execute(
                "select grey_row, colour_row, checksum from content where digest = ?", (digest,)
            ).fetchone()
            kind: Channels = "colour" if grey is None else "grey"
            row = colour if grey is None else grey
            if row is not None and zlib.crc32(rows[kind][row].tobytes()) != checksum:
                raise StoreDamagedError(self.name, f"{kind} row {row}")

    def _open(self, kind: Channels) -> BinaryIO:
        path = self.folder / f"{self.name}.{kind}"
        path.touch()
        return path.open("r+b")

    def _prepare(self) -> None:
        try:
            if self._index.execute("pragma quick_check(1)").fetchone() != ("ok",):
                raise StoreDamagedError(self.name, "index")
            self._index.executescript(f"begin immediate; {_SCHEMA} commit;")
            if self._index.execute("select value from meta where name = 'schema'").fetchone() != (1,):
                raise StoreDamagedError(self.name, "foreign index")
            self._index.execute(f"select {_COLUMNS}, checksum from content limit 0")  # noqa: S608 - a constant
            self._index.execute("select path, state, digest from file limit 0")
            self.began_empty = self._index.execute("select 1 from content limit 1").fetchone() is None
            for kind, depth in _DEPTH.items():
                if os.fstat(self._files[kind].fileno()).st_size < self._count(kind) * self.area * depth:
                    raise StoreDamagedError(self.name, f"{kind} file is too short")
        except sqlite3.DatabaseError as error:
            raise _from_sqlite(error, self) from error

    def _count(self, kind: Channels) -> int:
        return int(self._index.execute("select value from meta where name = ?", (kind,)).fetchone()[0])

    def _one(self, query: str, values: tuple[object, ...]) -> Known | None:
        try:
            with self._lock:
                row = self._index.execute(query, values).fetchone()
        except sqlite3.DatabaseError as error:
            raise _from_sqlite(error, self) from error
        if row is None:
            return None
        digest, grey, colour, width, height, pixels, thumbnail, warning, refused = row
        return Known(
            digest=digest,
            grey_row=grey,
            colour_row=colour,
            original_size=(width, height),
            pixels=pixels,
            thumbnail=thumbnail,
            warning=warning,
            refused=refused,
        )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold SQLite's write lock, flush the pixels, then commit; undo the index on any failure."""
        with self._lock:
            try:
                self._index.execute("begin immediate")
                self._next = {kind: self._count(kind) for kind in _DEPTH}
                yield
                rows = [(row, kind) for kind, row in self._next.items()]
                self._index.executemany("update meta set value = ? where name = ?", rows)
                for file in self._files.values():
                    file.flush()
                    os.fsync(file.fileno())
                self._index.execute("commit")
            except BaseException as error:
                with contextlib.suppress(sqlite3.Error):
                    self._index.execute("rollback")
                if isinstance(error, OSError) and error.errno in FULL:
                    raise disk_full(self.folder, None) from error
                if isinstance(error, sqlite3.DatabaseError):
                    raise _from_sqlite(error, self) from error
                raise

    def _add_content(self, entry: Entry) -> Known:
        known = self.find_content(entry.digest)
        if known is not None:  # another file, or another process, was first
            return known
        if not entry.fresh:
            raise StoreDamagedError(self.name, "a row is missing that was there")
        rows: dict[Channels, int] = {}
        checksum = None
        if entry.picture is not None:
            kind: Channels = "grey" if entry.picture.shape[2] == 1 else "colour"
            rows[kind] = self._write(kind, entry.picture)
            checksum = zlib.crc32(entry.picture.tobytes())
        self._index.execute(
            "insert into content values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.digest,
                rows.get("grey"),
                rows.get("colour"),
                *entry.original_size,
                entry.pixels,
                entry.thumbnail,
                checksum,
                entry.warning,
                entry.refused,
            ),
        )
        return Known(
            digest=entry.digest,
            grey_row=rows.get("grey"),
            colour_row=rows.get("colour"),
            original_size=entry.original_size,
            pixels=entry.pixels,
            thumbnail=entry.thumbnail,
            warning=entry.warning,
            refused=entry.refused,
        )

    def _write(self, kind: Channels, picture: npt.NDArray[np.uint8]) -> int:
        row = self._next[kind]
        self._files[kind].seek(row * self.area * _DEPTH[kind])
        self._files[kind].write(picture.tobytes())
        self._next[kind] = row + 1
        return row


def _from_sqlite(error: sqlite3.DatabaseError, store: PictureStore) -> Exception:
    said = str(error)
    if "full" in said:
        return disk_full(store.folder, None)
    if isinstance(error, sqlite3.OperationalError) and "no such" not in said and not store.is_gone():
        return SourceError(
            f"{printable(store.folder)}: the index of the picture cache cannot be used ({said}); "
            "wait for the other thalweg to end, or set THALWEG_CACHE to another folder"
        )
    return StoreDamagedError(store.name, said)
