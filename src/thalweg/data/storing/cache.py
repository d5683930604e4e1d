"""Every picture decoded once: the second start finds all pixels on disk and reads no picture file again.

`load_pictures` walks a list of files. A file whose size, times and inode are as they were is taken from the index
without being read; one that moved or was copied is recognised by the SHA-256 of its bytes; the rest is decoded by as
many threads as there are cores, or processes where there are thousands, in order, with a bounded number of pictures
in memory. The pixels come back as one memory-mapped array, so that memory stays flat from three thousand to three
hundred thousand pictures.

All pictures are kept at one size, square unless asked for otherwise. If every usable one is grey, rows have one
channel, else three.
"""

import contextlib
import itertools
import math
import os
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thalweg.core.errors import PictureError, PlanError
from thalweg.core.files import cache_folder
from thalweg.core.process import usable_cores
from thalweg.data.decoding.decode import pictures_at
from thalweg.data.decoding.pillow_notes import listening
from thalweg.data.storing.blocks import miniatures
from thalweg.data.storing.disk_errors import disk_full
from thalweg.data.storing.readers import Readers
from thalweg.data.storing.reading import name_of, read_content, read_entry, state_of
from thalweg.data.storing.roomy import roomy
from thalweg.data.storing.store import PictureStore
from thalweg.data.storing.store_values import THUMBNAIL, Channels, Entry, Known, StoreDamagedError

__all__ = ["Pictures", "default_cache_folder", "load_pictures"]

_BATCH_BYTES = 32 * 2**20
_BATCH_FILES = 256
_HANDED = 16
"""Files that a thread gets at a time: of small ones, handing them over would cost as much as a part of the work."""
_MANY = 3_000
"""From so many new files on processes read them: each takes a third of a second of a core to start."""
_ASKED = 20
"""Files, or a few more, that tell whether most are known by another name."""
_AT_ONCE = 4 * 2**20
"""Bytes of pictures whose thumbnails are made together; they stay in the processor's cache."""
_CHECKED_BYTES = 32 * 2**20  # of the rows in use, spread evenly, compared with their checksums at each start


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pictures:
    """The decoded pictures of a list of files.

    Args:
        pixels: Read-only uint8 array (rows, height, width, 1 or 3), memory-mapped; other sources may own rows of it.
        rows: int64 row of each file in `pixels`, in the order of the list; -1 where it was left out.
        left_out: Reason for each file that is no usable picture.
        warnings: What is odd about files that are used.
        content: uint8 array (files, 16), a digest of each file's decoded pixels; zeros where left out.
        thumbnails: uint8 array (files, 16, 16), grey miniatures.
        original_sizes: int32 array (files, 2), width and height of the upright picture in its file, in pixels.
        decoded: How many files were decoded now; 0 on a second start.
    """

    pixels: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.int64]
    left_out: dict[str, str]
    warnings: dict[str, str]
    content: npt.NDArray[np.uint8]
    thumbnails: npt.NDArray[np.uint8]
    original_sizes: npt.NDArray[np.int32]
    decoded: int = 0


def default_cache_folder() -> Path:
    """Tell where pictures are cached: $THALWEG_CACHE, $XDG_CACHE_HOME/thalweg or ~/.cache/thalweg.

    Returns:
        The folder for pictures inside it.
    """
    return cache_folder() / "pictures"


def load_pictures(
    root: Path,
    files: Sequence[str],
    *,
    size: int | tuple[int, int],
    cache_folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Pictures:
    """Decode all pictures of a list, or find them decoded.

    Args:
        root: The source's folder; never written.
        files: Paths relative to it.
        size: Side of the square the pictures are brought to, or width and height, in pixels.
        cache_folder: Where the cache lies; None for `default_cache_folder()`.
        progress: Called now and then with the number of files done and of all.

    Returns:
        Pixels, rows, reasons and miniatures, in the order of `files`.

    Raises:
        PlanError: The size is not positive.
        SourceError: The cache folder cannot be written or its disk is too full.
    """
    size, name = pictures_at(size)
    folder = (cache_folder or default_cache_folder()) / name
    damaged = None
    for _ in range(3):
        try:
            store = PictureStore(folder, size, damaged=damaged)
        except StoreDamagedError as error:
            damaged = error.generation
            continue
        with contextlib.closing(store):
            try:
                return _Loading(store, root, files, progress).run()
            except StoreDamagedError:
                damaged = store.name
    raise PlanError(f"the picture cache is damaged each time it is made: is the disk failing? (in {folder})")


class _Loading:
    """One pass over the files: what is known so far about each, in arrays."""

    def __init__(
        self, store: PictureStore, root: Path, files: Sequence[str], progress: Callable[[int, int], None] | None
    ) -> None:
        self.store, self.root, self.files = store, root, files
        self.progress = progress or (lambda _done, _all: None)
        count = len(files)
        self.rows: dict[Channels, npt.NDArray[np.int64]] = {
            "grey": np.full(count, -1, np.int64),
            "colour": np.full(count, -1, np.int64),
        }
        self.digests = np.zeros((count, 32), np.uint8)
        self.content = np.zeros((count, 16), np.uint8)
        self.thumbnails = roomy(store.folder, (count, THUMBNAIL, THUMBNAIL), np.uint8)
        self.sizes = np.zeros((count, 2), np.int32)
        self.left_out: dict[int, str] = {}
        self.warnings: dict[int, str] = {}
        self.decoded = 0
        self.readers: Readers | None = None

    def run(self) -> Pictures:
        known = np.zeros(len(self.files), np.bool_)
        if not self.store.began_empty:
            with self.store.reading():
                known = np.fromiter(map(self._recognise, range(len(self.files))), np.bool_, len(self.files))
        fresh = np.flatnonzero(~known)
        self.progress(len(self.files) - len(fresh), len(self.files))
        if len(fresh):
            self._decode_all(fresh)
        kind = self._settle_channels()
        rows = self.rows[kind]
        pixels = self.store.rows_of(kind)
        if rows.size and int(rows.max()) >= len(pixels):
            raise StoreDamagedError(self.store.name, f"row {rows.max()} of {len(pixels)}")
        self._check_some(rows)
        return Pictures(
            pixels=pixels,
            rows=rows,
            left_out={self.files[index]: reason for index, reason in sorted(self.left_out.items())},
            warnings={self.files[index]: reason for index, reason in sorted(self.warnings.items())},
            content=self.content,
            thumbnails=self.thumbnails,
            original_sizes=self.sizes,
            decoded=self.decoded,
        )

    def _recognise(self, index: int) -> bool:
        path = self._path(index)
        try:
            known = self.store.find_file(name_of(path), state_of(path))
        except (OSError, ValueError):  # gone or unreadable: reading it gives the reason
            return False
        if known is None:
            return False
        self._take(index, known)
        return True

    def _path(self, index: int) -> str:
        return os.path.join(self.root, self.files[index])  # noqa: PTH118 - a Path keeps its words in memory

    def _take(self, index: int, known: Known) -> None:
        if known.refused:
            self.left_out[index] = known.refused
            return
        if known.warning:
            self.warnings[index] = known.warning
        self.rows["grey"][index] = -1 if known.grey_row is None else known.grey_row
        self.rows["colour"][index] = -1 if known.colour_row is None else known.colour_row
        self.digests[index] = np.frombuffer(known.digest, np.uint8)
        self.content[index] = np.frombuffer(known.pixels, np.uint8)
        self.thumbnails[index] = np.frombuffer(known.thumbnail, np.uint8).reshape(THUMBNAIL, THUMBNAIL)
        self.sizes[index] = known.original_size

    def _decode_all(self, fresh: npt.NDArray[np.int64]) -> None:
        """Decode in order, at most a few files a core ahead of what is written."""
        workers = usable_cores()
        if len(fresh) >= _MANY and workers > 1 and not self._moved(fresh):
            self.readers = Readers(self.store.size)
        self._check_space(len(fresh), self.store.area)
        handed = max(1, min(_HANDED if self.readers is None else 4 * _HANDED, len(fresh) // (4 * workers)))
        waiting: deque[Future[list[tuple[int, Entry | str]]]] = deque()
        batch: list[tuple[int, Entry]] = []
        weight = 0
        todo = iter([fresh[start : start + handed].tolist() for start in range(0, len(fresh), handed)])
        done = len(self.files) - len(fresh)
        with (
            listening(),
            self.readers or contextlib.nullcontext(),
            ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool,
        ):
            try:
                for some in itertools.islice(todo, 2 * workers):
                    waiting.append(pool.submit(self._read_some, some))
                while waiting:
                    found = waiting.popleft().result()
                    for some in itertools.islice(todo, 1):
                        waiting.append(pool.submit(self._read_some, some))
                    for index, entry in found:
                        if isinstance(entry, str):
                            self.left_out[index] = entry
                        else:
                            batch.append((index, entry))
                            weight += _weight([(index, entry)])
                        done += 1
                        self.progress(done, len(self.files))
                        if len(batch) >= _BATCH_FILES or weight >= _BATCH_BYTES:
                            self._record(batch, len(self.files) - done)
                            batch.clear()
                            weight = 0
                self._record(batch, 0)
            finally:
                for future in waiting:
                    future.cancel()

    def _read_some(self, indexes: Sequence[int]) -> list[tuple[int, Entry | str]]:
        paths = [self._path(index) for index in indexes]
        if self.readers is not None:
            return list(zip(indexes, self.readers.read(paths), strict=True))
        known = None if self.store.began_empty else self._is_known
        return [(index, read_entry(path, self.store.size, known)) for index, path in zip(indexes, paths, strict=True)]

    def _is_known(self, digest: bytes) -> bool:
        return self.store.find_content(digest) is not None

    def _moved(self, fresh: npt.NDArray[np.int64]) -> bool:
        """Whether most files are known by another name, as some of them tell: then there is nothing to decode."""
        if self.store.began_empty:
            return False
        known, some = 0, fresh[:: max(1, len(fresh) // _ASKED)].tolist()
        for index in some:
            with contextlib.suppress(PictureError):  # reading it gives the reason
                known += self._is_known(read_content(self._path(index))[1])
        return 2 * known > len(some)

    def _record(self, batch: Sequence[tuple[int, Entry]], remaining: int) -> None:
        if not batch:
            return
        self._check_space(len(batch) + remaining, _weight(batch) // len(batch))
        complete = _with_thumbnails([entry for _, entry in batch])
        for (index, entry), known in zip(batch, self.store.add(complete), strict=True):
            self.decoded += entry.fresh
            self._take(index, known)

    def _check_space(self, files: int, each: int) -> None:
        if self.store.is_gone():
            raise StoreDamagedError(self.store.name, "removed")
        if files * each > shutil.disk_usage(self.store.folder).free:
            raise disk_full(self.store.folder, files * each)

    def _settle_channels(self) -> Channels:
        """Choose one channel or three; where a source has both kinds, copy its grey pictures into the colour file."""
        grey, colour = self.rows["grey"], self.rows["colour"]
        if not ((grey < 0) & (colour >= 0)).any() and (grey >= 0).any():
            return "grey"
        missing = np.flatnonzero((grey >= 0) & (colour < 0))
        step = max(1, _BATCH_BYTES // (3 * self.store.area))
        for start in range(0, len(missing), step):
            some = missing[start : start + step]
            self._check_space(len(missing) - start, 3 * self.store.area)
            self.store.add_colour([self.digests[index].tobytes() for index in some])
        for index in missing:
            known = self.store.find_content(self.digests[index].tobytes())
            if known is not None:
                self._take(int(index), known)
        return "colour"

    def _check_some(self, rows: npt.NDArray[np.int64]) -> None:
        usable = np.flatnonzero(rows >= 0)
        most = max(16, _CHECKED_BYTES // (3 * self.store.area))
        some = usable[np.linspace(0, len(usable) - 1, min(most, len(usable))).astype(int)] if len(usable) else usable
        self.store.check([self.digests[index].tobytes() for index in some])


def _weight(batch: Sequence[tuple[int, Entry]]) -> int:
    return sum(entry.picture.nbytes for _, entry in batch if entry.picture is not None)


def _with_thumbnails(entries: Sequence[Entry]) -> list[Entry]:
    """Add the thumbnails, of many pictures of one shape at once."""
    made = list(entries)
    shapes: dict[tuple[int, ...], list[tuple[int, npt.NDArray[np.uint8]]]] = {}
    for place, entry in enumerate(entries):
        if entry.picture is not None:
            shapes.setdefault(entry.picture.shape, []).append((place, entry.picture))
    for shape, pictures in shapes.items():
        most = max(1, _AT_ONCE // math.prod(shape))
        for start in range(0, len(pictures), most):
            places, some = zip(*pictures[start : start + most], strict=True)
            for place, each in zip(places, miniatures(np.stack(some)), strict=True):
                made[place] = replace(entries[place], thumbnail=each.tobytes())
    return made
