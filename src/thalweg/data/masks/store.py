"""Masks read once: small ones at the training size lie mapped in the cache, and how many pixels a class has is known.

    <cache>/masks/<key>.npy    uint8 (masks, height, width), 255 for void
    <cache>/masks/<key>.json   pixels a class and mask at full size, sizes, reasons, what no table knows

The key is a digest of every mask's path, size, times and inode, of the coding and of the size, so that a changed file
gives another key. Masks at their own size are read again where they are needed, which is where scores are made.
"""

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thalweg.core.codec import dumps
from thalweg.core.dataset import Notice
from thalweg.core.errors import PictureError, SourceError
from thalweg.core.files import cache_folder, printable, write_atomically
from thalweg.core.masks import VOID
from thalweg.data.masks.decode import BETWEEN, MOVED, MaskCoding, read_mask, spelled_value

__all__ = ["Masks", "load_masks", "odd_values"]

VERSION = 2
_TOLD = 20
"""Values that are named one by one."""
_MUCH = 0.02
_KEPT = 24
"""Sets of masks that stay in the cache; older ones are removed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Masks:
    """The masks of a list of files.

    Args:
        pixels: Read-only uint8 `(masks, height, width)`, the class of every pixel; rows of unusable masks are void.
        counts: int64 `(masks, classes)`, pixels a class at each mask's own size.
        void: int64 `(masks,)`, pixels without a class.
        sizes: int64 `(masks, 2)`, width and height of each file; 0 where it could not be read.
        left_out: Reason for each mask that cannot be used.
        unknown: Pixels and masks that hold a value that no table knows, by value.
    """

    pixels: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.int64]
    void: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    left_out: dict[str, str]
    unknown: dict[int, tuple[int, int]]


def load_masks(
    root: Path,
    files: Sequence[str],
    coding: MaskCoding,
    *,
    extents: tuple[int, int],
    progress: Callable[[int, int], None] | None = None,
) -> Masks:
    """Read all masks of a list, or find them read.

    Args:
        root: The source's folder; never written.
        files: Paths relative to it.
        coding: What their pixels mean.
        extents: Height and width that they are brought to, in pixels, each pixel taking the nearest one's class.
        progress: Called now and then with the number of masks done and of all.

    Returns:
        The masks, in the order of `files`.

    Raises:
        SourceError: The cache cannot be written.
    """
    folder = cache_folder() / "masks"
    key = _key(root, files, coding, extents)
    found = _found(folder, key)
    if found is not None:
        return found
    masks = _read_all(root, files, coding, extents, progress or (lambda _done, _all: None))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        out = io.BytesIO()
        np.save(out, masks.pixels, allow_pickle=False)
        write_atomically(folder / f"{key}.npy", out.getvalue())
        described = {
            "counts": masks.counts,
            "void": masks.void,
            "sizes": masks.sizes,
            "left_out": masks.left_out,
            "unknown": {str(value): counts for value, counts in masks.unknown.items()},
        }
        write_atomically(folder / f"{key}.json", dumps(described))
    except OSError as error:
        raise SourceError(
            f"{printable(folder)}: the cache cannot be written ({error.strerror}); set THALWEG_CACHE to another folder"
        ) from None
    _tidy(folder)
    return _found(folder, key) or masks


def odd_values(masks: Masks, coding: MaskCoding) -> tuple[Notice, ...]:
    """Say which values no table knows.

    Args:
        masks: The masks.
        coding: How they were read.

    Returns:
        A notice a value, the most frequent first.
    """
    told = []
    lossy = {key: masks.unknown[key] for key in (BETWEEN, MOVED) if key in masks.unknown}
    unknown = {value: counts for value, counts in masks.unknown.items() if value not in lossy}
    for value, (pixels, count) in sorted(unknown.items(), key=lambda item: -item[1][0])[:_TOLD]:
        what = spelled_value(value, coloured=coding.coloured)
        many = f"{count:,} mask{'' if count == 1 else 's'}"
        told.append(Notice("", f"{pixels:,} pixels of {many} hold {what}, which is no class: they count as void"))
    strange = sum(pixels for pixels, _ in unknown.values())
    whole = int(masks.counts.sum() + masks.void.sum())
    if strange > _MUCH * whole:
        told.insert(
            0,
            Notice(
                "",
                f"{strange / whole:.1%} of all mask pixels hold what is no class, {len(unknown):,} values: "
                f"complete the table of classes, or save masks without loss (PNG, not JPEG)",
            ),
        )
    if lossy:
        between, moved = (lossy.get(key, (0, 0))[0] for key in (BETWEEN, MOVED))
        files = max(count for _, count in lossy.values())
        how = "with greys at their borders" if coding.smeared else "saved as JPEG"
        better = "resizing by the nearest pixel" if coding.smeared else "PNG"
        told.insert(
            0,
            Notice(
                "",
                f"{files:,} mask{'' if files == 1 else 's'} {how}: {moved:,} pixels that were not exact are "
                f"taken for the nearest class, {between:,} between two count as void; {better} keeps masks exact",
            ),
        )
    if len(unknown) > _TOLD:
        told.append(Notice("", f"{len(unknown) - _TOLD:,} further values are no class either: void"))
    return tuple(told)


def _key(root: Path, files: Sequence[str], coding: MaskCoding, extents: tuple[int, int]) -> str:
    meaning = sorted(coding.meaning.items())
    facts = (
        VERSION,
        extents,
        coding.classes,
        coding.coloured,
        coding.through_palette,
        coding.reach,
        coding.smeared,
        meaning,
    )
    digest = hashlib.blake2b(repr(facts).encode("utf-8", "surrogateescape"), digest_size=20)
    for file in files:
        path = root / file
        state = ""
        with contextlib.suppress(OSError):
            for each in sorted(path.iterdir()) if path.is_dir() else [path]:  # a folder holds a mask an object
                status = each.stat()
                state += f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
        digest.update(os.fsencode(os.path.abspath(path)) + f"\0{state}\n".encode())  # noqa: PTH100 - links stay links
    return digest.hexdigest()


def _found(folder: Path, key: str) -> Masks | None:
    try:
        described = json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
        pixels = np.load(folder / f"{key}.npy", mmap_mode="r", allow_pickle=False)
        counts = np.asarray(described["counts"], np.int64)
        masks = Masks(
            pixels=pixels,
            counts=counts,
            void=np.asarray(described["void"], np.int64),
            sizes=np.asarray(described["sizes"], np.int64),
            left_out=described["left_out"],
            unknown={int(value): (pixels, count) for value, (pixels, count) in described["unknown"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return masks if pixels.dtype == np.uint8 and len(pixels) == len(counts) else None


def _read_all(
    root: Path,
    files: Sequence[str],
    coding: MaskCoding,
    extents: tuple[int, int],
    progress: Callable[[int, int], None],
) -> Masks:
    from PIL import Image

    height, width = extents
    pixels = np.full((len(files), height, width), VOID, np.uint8)
    counts = np.zeros((len(files), len(coding.classes)), np.int64)
    void, sizes = np.zeros(len(files), np.int64), np.zeros((len(files), 2), np.int64)
    left_out: dict[str, str] = {}
    unknown: dict[int, tuple[int, int]] = {}
    for index, file in enumerate(files):
        try:
            whole, strange = read_mask(root / file, coding)
        except PictureError as error:
            left_out[file] = str(error)
            continue
        sizes[index] = whole.shape[::-1]
        found = np.bincount(whole.ravel(), minlength=VOID + 1)
        counts[index], void[index] = found[: len(coding.classes)], found[VOID]
        for value, number in strange.items():
            before = unknown.get(value, (0, 0))
            unknown[value] = (before[0] + number, before[1] + 1)
        if not counts[index].any():
            held = [spelled_value(value, coloured=coding.coloured) for value in list(strange)[:3] if value >= 0]
            left_out[file] = "no pixel of the mask belongs to a class" + (
                f" (it holds {', '.join(held)})" if held else ""
            )
        small = Image.fromarray(whole).resize((width, height), Image.Resampling.NEAREST)
        pixels[index] = np.asarray(small)
        progress(index + 1, len(files))
    return Masks(pixels=pixels, counts=counts, void=void, sizes=sizes, left_out=left_out, unknown=unknown)


def _tidy(folder: Path) -> None:
    """Remove the oldest sets of masks."""
    with contextlib.suppress(OSError):
        kept = sorted(folder.glob("*.npy"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[_KEPT:]:
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
