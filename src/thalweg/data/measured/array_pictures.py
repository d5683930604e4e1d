"""Pictures that come as arrays: stored as they are, and given back at a size just as `load_pictures` gives files.

    values.bin, index.json                as `measured` has them: uint8, in order of name
    pictures-SIZE-vN-pillowN.bin          the same pictures at another size; not there where the size is their own
    looks-SIZE-vN-pillowN.bin             of each picture at that size: digest, miniature, whether it is grey

Pixels, digests and miniatures are to the bit those that `decode` would give for a file of the same picture, so it makes
no difference to a run in which form they came. A picture is called by part, class, array and row, as in
`test/7/t10k-images-idx3-ubyte-000012.png`; that is its name, and no file: runs, split files and tables of earlier
versions name it so.
"""

import contextlib
import hashlib
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Notice, Part, ValueRange
from thalweg.core.errors import SourceError
from thalweg.core.files import WRITING, printable, written_aside
from thalweg.data.arrays.names import folder_names, frames_of_names, picture_name
from thalweg.data.arrays.part import ArrayPart
from thalweg.data.arrays.values import as_pictures
from thalweg.data.decoding.decode import pictures_at
from thalweg.data.health.odd_classes import odd_classes
from thalweg.data.measured.measuring import labels_of_parts, reading_note
from thalweg.data.measured.store import Index, Measured, ValuesFile
from thalweg.data.storing.blocks import Block, are_grey, miniatures, resized
from thalweg.data.storing.cache import Pictures
from thalweg.data.storing.disk_errors import FULL, disk_full, not_written
from thalweg.data.storing.shelf import sweep
from thalweg.data.storing.store_values import THUMBNAIL

__all__ = ["NOT_FINITE", "load_stored", "write_pictures"]

NOT_FINITE = "holds values that are not finite"

_Kind = TypeVar("_Kind", bound=np.generic)
_KindGiven_co = TypeVar("_KindGiven_co", bound=np.generic, covariant=True)

_MOST_SHOWN = 20
_PIECE_BYTES = 8 << 20
_CHECKED_BYTES, _MOST_CHECKED = 32 << 20, 8192  # in use, spread evenly: compared with their digests at each start
_LOOK = np.dtype([("content", np.uint8, 16), ("miniature", np.uint8, (THUMBNAIL, THUMBNAIL)), ("grey", np.bool_)])


def write_pictures(
    parts: Sequence[ArrayPart],
    folder: Path,
    progress: Callable[[str], None] | None = None,
    *,
    trained: ValueRange | None = None,
) -> None:
    """Store the pictures of an array source.

    Args:
        parts: The parts as they were read.
        folder: Where to; made here.
        progress: Called with a line of text before the work.
        trained: What was black and white to the network that is to see them.

    Raises:
        SourceError: The arrays are no labelled pictures.
    """
    if progress is not None:
        count, files = sum(len(part.pictures) for part in parts), dict.fromkeys(part.file for part in parts)
        progress(f"Storing {count:,} pictures out of {', '.join(map(printable, list(files)[:4]))} ...")
    labels, classes, notes = labels_of_parts(parts)
    told = dict.fromkeys(f"{part.file}: {part.said}" for part in parts if part.said)
    pictures, said, broken = as_pictures([(part.file, part.pictures) for part in parts], trained=trained)
    folders = folder_names(classes)
    names, places = _named(parts, labels, folders, broken)
    high, wide, *channels = pictures[0].shape[1:]
    shape = (high, wide, *(channels or [1]))
    with ValuesFile(folder, np.uint8) as file:
        step = max(1, _PIECE_BYTES // math.prod(shape))
        for start in range(0, len(places), step):
            file.add(_gathered(pictures, places[start : start + step]).reshape(-1, *shape))
        groups, grouped_by = _groups(parts, places)
        if grouped_by:
            notes = (*notes, f"samples of one {grouped_by} stay together: there are {len(set(groups)):,} of them")
        split = (
            [parts[number].part for number in places[:, 0].tolist()] if len({each.part for each in parts}) > 1 else []
        )
        sorting = sorted(range(len(folders)), key=folders.__getitem__)  # as folders are sorted, whatever the labels
        numbers = np.argsort(sorting)[_gathered(labels, places)].tolist()
        found: dict[str, set[Part | None]] = {}
        for label, part in dict.fromkeys(zip(numbers, split or [None] * len(numbers), strict=True)):
            found.setdefault(folders[sorting[label]], set()).add(part)
        file.finish(
            Index(
                form="picture",
                dtype=file.dtype.name,
                shape=(file.rows, *shape),
                names=tuple(names),
                labels=tuple(numbers),
                classes=tuple(folders[label] for label in sorting),
                parts=tuple(split),
                groups=tuple(groups),
                grouped_by=grouped_by,
                note=reading_note("picture", file.rows, shape, ""),
                shown=pictures[0].shown,
                left_out=tuple(_left_out(parts, broken)),
                warnings=(*(Notice("", note) for note in (*said, *told, *notes)), *odd_classes(found)),
            )
        )


def _named(
    parts: Sequence[ArrayPart],
    labels: Sequence[npt.NDArray[np.int64]],
    folders: Sequence[str],
    broken: Sequence[frozenset[int]],
) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Names of the usable pictures, sorted, and the part and row of each."""
    names: list[str] = []
    places: list[tuple[int, int]] = []
    for number, (frame, numbers) in enumerate(zip(frames_of_names(parts), labels, strict=True)):
        for index, label in enumerate(numbers.tolist()):
            if index not in broken[number]:
                names.append(picture_name(frame, index, folders[label]))
                places.append((number, index))
    order = sorted(range(len(names)), key=names.__getitem__)
    return [names[place] for place in order], np.array(places, np.int64)[order]


class _Rows(Protocol[_KindGiven_co]):
    """An array, or what gives rows as one does."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> "np.dtype[_KindGiven_co]": ...

    def __getitem__(self, rows: npt.NDArray[np.int64], /) -> npt.NDArray[_KindGiven_co]: ...


def _gathered(arrays: Sequence[_Rows[_Kind]], places: npt.NDArray[np.int64]) -> npt.NDArray[_Kind]:
    """Rows of several parts, each given as part and row."""
    block = np.empty((len(places), *arrays[0].shape[1:]), arrays[0].dtype)
    for number in np.unique(places[:, 0]):
        here = places[:, 0] == number
        block[here] = arrays[number][places[here, 1]]
    return block


def _groups(parts: Sequence[ArrayPart], places: npt.NDArray[np.int64]) -> tuple[list[int], str]:
    """What each picture belongs to, numbered, and what such groups are called; nothing where no part says it."""
    grouped_by = next((part.grouped_by for part in parts if part.groups is not None), "")
    numbers: dict[str, int] = {}
    groups = []
    for number, index in places.tolist() if grouped_by else ():
        own = parts[number].groups
        groups.append(-1 if own is None else numbers.setdefault(str(own[index]), len(numbers)))
    return groups, grouped_by


def _left_out(parts: Sequence[ArrayPart], broken: Sequence[frozenset[int]]) -> Iterator[Notice]:
    """Name the first broken pictures, and count the others."""
    places = [f"{part.file}[{index}]" for part, bad in zip(parts, broken, strict=True) for index in sorted(bad)]
    yield from (Notice(place, NOT_FINITE) for place in places[:_MOST_SHOWN])
    if len(places) > _MOST_SHOWN:
        yield Notice("", f"{len(places) - _MOST_SHOWN:,} further pictures hold values that are not finite")


def load_stored(
    stored: Measured,
    files: Sequence[str],
    *,
    size: int | tuple[int, int],
    progress: Callable[[int, int], None] | None = None,
) -> Pictures:
    """Give stored pictures at a size, made once and kept beside them.

    Args:
        stored: What `write_pictures` stored.
        files: Names of pictures in it.
        size: Side of the square the pictures are brought to, or width and height, in pixels.
        progress: Called now and then with the number of pictures done and of all.

    Returns:
        What `load_pictures` gives for files of these pictures, in the order of `files`.

    Raises:
        PlanError: The size is not positive.
        SourceError: The stored pictures are damaged, or the cache cannot be written.
    """
    wanted, name = pictures_at(size)
    rows = _rows(stored, files)
    pixels, looks, fresh = _sound(stored, wanted, name, rows, progress or (lambda _done, _all: None))
    whole = np.array_equal(rows, np.arange(len(looks)))  # as they lie, mapped; else copies of some
    return Pictures(
        pixels=pixels[..., :1] if looks["grey"][rows].all() else pixels,
        rows=rows,
        left_out={},
        warnings={},
        content=looks["content"] if whole else looks["content"][rows],
        thumbnails=looks["miniature"] if whole else looks["miniature"][rows],
        original_sizes=np.tile(np.array(_own_size(stored), np.int64), (len(rows), 1)),
        decoded=len(looks) if fresh else 0,
    )


def _sound(
    stored: Measured,
    wanted: tuple[int, int],
    name: str,
    rows: npt.NDArray[np.int64],
    progress: Callable[[int, int], None],
) -> tuple[Block, npt.NDArray[np.void], bool]:
    """Pictures and looks, made where they are not there or damaged; tells whether they were."""
    for fresh in (False, True):
        if fresh:
            _make(stored, wanted, name, progress)
        found = _opened(stored, wanted, name)
        bad = None if found is None else _damaged(*found, rows)
        # Damaged pictures of their own size are not looked at anew: that would take the damage for their look.
        if found is not None and (bad is None or wanted == _own_size(stored)):
            break
    if found is None:  # written and not there: the disk took less than it said
        raise disk_full(stored.folder, None)
    if bad is not None:
        wrong = f"row {bad:,}: {printable(stored.index.names[bad])}"
        raise SourceError(f"{printable(stored.folder)}: these samples are damaged ({wrong}); delete that folder")
    return *found, fresh


def _own_size(stored: Measured) -> tuple[int, int]:
    high, wide = stored.extents
    return wide, high


def _rows(stored: Measured, files: Sequence[str]) -> npt.NDArray[np.int64]:
    names = stored.index.names
    if len(files) == len(names) and all(map(str.__eq__, files, names)):
        return np.arange(len(names))
    row = {name: number for number, name in enumerate(names)}
    return np.fromiter((row[file] for file in files), np.int64, len(files))


def _files(stored: Measured, size: tuple[int, int], name: str) -> tuple[Path, Path | None]:
    """Where looks lie, and pictures, unless their size is their own."""
    pictures = None if size == _own_size(stored) else stored.folder / f"pictures-{name}.bin"
    return stored.folder / f"looks-{name}.bin", pictures


def _opened(stored: Measured, size: tuple[int, int], name: str) -> tuple[Block, npt.NDArray[np.void]] | None:
    """Map pictures and looks; None where they are not there, or not whole."""
    looks_file, pictures_file = _files(stored, size, name)
    shape = (len(stored.values), *size[::-1], stored.channels)
    try:
        looks = np.memmap(looks_file, _LOOK, mode="r")
        pictures = stored.values if pictures_file is None else np.memmap(pictures_file, np.uint8, mode="r")
    except (FileNotFoundError, ValueError):  # a length that holds no whole number of them, or nothing
        return None
    if len(looks) != shape[0] or pictures.size != math.prod(shape):
        return None
    return np.asarray(pictures).reshape(shape), np.asarray(looks)


def _damaged(pixels: Block, looks: npt.NDArray[np.void], rows: npt.NDArray[np.int64]) -> int | None:
    """Compare some pictures with their digests; gives the first row that differs."""
    most = min(len(rows), _MOST_CHECKED, max(16, _CHECKED_BYTES // pixels[0].size))
    for row in rows[np.linspace(0, len(rows) - 1, most).astype(int)].tolist():
        if _digest(pixels[row], grey=looks["grey"][row]) != looks["content"][row].tobytes():
            return int(row)
    return None


def _digest(picture: Block, *, grey: bool) -> bytes:
    shown = picture[..., :1] if grey else picture
    return hashlib.blake2b(shown.tobytes(), digest_size=16).digest()


def _make(stored: Measured, size: tuple[int, int], name: str, progress: Callable[[int, int], None]) -> None:
    """Resize all pictures, and look at each."""
    looks_file, pictures_file = _files(stored, size, name)
    count, each = len(stored.values), math.prod(size) * stored.channels
    needed = count * (_LOOK.itemsize + (each if pictures_file else 0))
    if needed > shutil.disk_usage(stored.folder).free:
        raise disk_full(stored.folder, needed)
    step = max(1, _PIECE_BYTES // max(each, stored.values[0].size))
    sweep(stored.folder, WRITING)
    try:
        with written_aside(looks_file) as looks_to, contextlib.ExitStack() as stack:
            pictures_to = stack.enter_context(written_aside(pictures_file)) if pictures_file else None
            for start in range(0, count, step):
                block = resized(np.asarray(stored.values[start : start + step]), size)
                looks = np.zeros(len(block), _LOOK)
                looks["grey"] = are_grey(block)
                looks["miniature"] = miniatures(block)
                for number, (picture, grey) in enumerate(zip(block, looks["grey"].tolist(), strict=True)):
                    looks["content"][number] = np.frombuffer(_digest(picture, grey=grey), np.uint8)
                looks_to.write(looks.tobytes())
                if pictures_to is not None:
                    pictures_to.write(np.ascontiguousarray(block).data)
                progress(min(start + step, count), count)
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(stored.folder, None) from None
        raise not_written(stored.folder, error) from None
