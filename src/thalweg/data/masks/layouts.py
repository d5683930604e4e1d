"""Where pictures and their masks lie: the ways people arrange them, found by the names of folders and files.

    two folders    images/A.jpg and masks/A.png, also below train/ and test/, or with train/ and test/ inside each
    one folder     A.jpg and A_mask.png (or _L, _gt, _label, ...) side by side
    CamVid         train/A.jpg and trainannot/A.png, with or without lists (train.txt: a picture and its mask a line);
                   701_StillsRaw_full/A.png and LabeledApproved_full/A_L.png with label_colors.txt, as it was published
    Cityscapes     leftImg8bit/train/aachen/A_leftImg8bit.png and gtFine/train/aachen/A_gtFine_labelIds.png
    Pascal VOC     JPEGImages/A.jpg and SegmentationClass/A.png, split by ImageSets/Segmentation/train.txt

A picture and its mask have the same path below their folders, apart from the ending, words such as `_mask`, and, where
only one fits, the case of letters.
"""
# Long because the ways to arrange files are tried in order, and each must leave what it does not know to the next.

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from thalweg.core.dataset import Notice, Part, Sample
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.files.belonging import together
from thalweg.data.files.beside import lines_of
from thalweg.data.files.part_names import PART_NAMES, part_of
from thalweg.data.files.walk import Listing, list_folder, maybe_picture, walk_folders
from thalweg.data.masks.classes import TABLES
from thalweg.data.masks.guess import called_as_masks, guess_masks
from thalweg.data.masks.pairs import (
    MASKS,
    PICTURES,
    Pair,
    in_subjects,
    is_mask,
    matched,
    pairs_in,
    side_by_side,
    stem_of,
    twin_masks,
)
from thalweg.data.masks.table import pairs_in_table

__all__ = ["LAYOUTS", "Arrangement", "find_masks"]

LAYOUTS = (
    "images/ and masks/ with files of the same names, train/ and trainannot/ as CamVid, leftImg8bit/ and gtFine/ as "
    "Cityscapes, or JPEGImages/ and SegmentationClass/ as Pascal VOC"
)

_PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
_NOT_CLASSES = re.compile(r"(?:_color|_instanceIds|_instanceTrainIds|_polygons)\.[a-z]+$", re.IGNORECASE)
_TRAIN_IDS, _IDS = "_labeltrainids.", "_labelids."
_MOST_NAMED = 6  # pairs of folders
_MOST = 500  # files left out for one reason that are named one by one
_DEPTH = 3  # wrapping folders that hold nothing else
_LISTS = ("", "ImageSets/Segmentation", "lists")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """Pictures paired with masks.

    Args:
        root: The folder that files are relative to.
        samples: Pictures with their masks and parts, in order of file.
        left_out: Pictures without a mask, masks without a picture, and the like.
        warnings: What is odd about the source as a whole.
        layout: The arrangement in words.
        kind: `folders`, `cityscapes`, `cityscapes-train` (training ids) or `voc`; decides the usual class names.
        together: Pictures of one folder of a patient or tile, which belong together.
    """

    root: Path
    samples: tuple[Sample, ...]
    left_out: tuple[Notice, ...]
    warnings: tuple[Notice, ...]
    layout: str
    kind: str
    together: tuple[tuple[str, ...], ...] = ()


def find_masks(root: Path) -> Arrangement | None:  # noqa: PLR0911 - each way of arranging files has its answer
    """Pair the pictures of a source with masks.

    Args:
        root: Its folder.

    Returns:
        The pairs, or None where no folders look like pictures and masks.

    Raises:
        SourceError: They look so, and no picture has a mask.
    """
    listing = list_folder(os.fspath(root))
    for _ in range(_DEPTH):
        if listed := pairs_in_table(root, listing):
            return listed_pairs(root, *listed)
        pairs = list(pairs_in(root, listing))
        if pairs:
            try:
                return _arranged(root, listing, pairs)
            except SourceError:
                if guessed := guess_masks(root, insist=False):
                    return _arranged(root, listing, guessed)
                raise
        if not listing.all_folders and side_by_side(listing.files):
            return _arranged(root, listing, [Pair("", "", None)])
        if not listing.all_folders:
            guessed = guess_masks(root)
            return _arranged(root, listing, guessed) if guessed else None
        if subjects := in_subjects(root, listing):
            return _arranged(root, listing, subjects, subjects=True)
        _refuse_packed(root, listing)
        if len(listing.all_folders) != 1:
            guessed = guess_masks(root)
            return _arranged(root, listing, guessed) if guessed else None
        root = root / listing.all_folders[0]
        listing = list_folder(os.fspath(root))
    return None


def listed_pairs(root: Path, table: str, samples: Sequence[Sample], missing: Sequence[Notice]) -> Arrangement:
    """Take pictures and masks as a table names them.

    Args:
        root: The source's folder.
        table: The table's name.
        samples: Pictures with their masks.
        missing: Rows that name what is not there.

    Returns:
        The pairs.
    """
    return Arrangement(
        root=root,
        samples=tuple(sorted(samples, key=lambda sample: sample.file)),
        left_out=_told(missing),
        warnings=(),
        layout=f"pictures with masks as {printable(table)} names them",
        kind="folders",
    )


def _refuse_packed(root: Path, listing: Listing) -> None:
    """Say it where masks lie packed beside the folder of pictures, before pictures are taken for classes."""
    packed = [file for file in listing.files if file.lower().partition(".")[0] in MASKS and "." in file]
    archives = [file for file in packed if file.lower().endswith(_PACKED)]
    if archives and any(name.lower() in PICTURES for name in listing.all_folders):
        raise SourceError(f"{printable(root)}: the masks lie packed in {printable(archives[0])}: unpack it there first")


def _arranged(root: Path, listing: Listing, pairs: Sequence[Pair], *, subjects: bool = False) -> Arrangement | None:
    top = os.fspath(root)
    samples: list[Sample] = []
    left_out: list[Notice] = list(listing.left_out)
    kinds: set[str] = set()
    may_be_masks = objects = 0
    for pair in pairs:
        pictures, candidates, odd = _files_of(top, listing, pair)
        may_be_masks += len(candidates)
        left_out += odd
        masks, kind, others = _masks_by_stem(pair.masks, candidates)
        if (
            subjects
            and len(pictures) == 1
            and pair.masks != pair.pictures
            and stem_of(pictures[0], pair.pictures) not in masks
        ):
            samples += [Sample(pictures[0], 0, pair.part, pair.masks)] if masks else []  # one file an object
            objects += bool(masks)
            continue
        kinds.add(kind)
        left_out += others
        for file, stem, mask in _paired(pictures, masks, pair):
            if mask is None:
                apart = pair.masks != pair.pictures
                left_out.append(
                    Notice(file, f"has no mask in {printable(pair.masks)}/" if apart else "has no mask beside it")
                )
            else:
                samples.append(Sample(file, 0, pair.part or _part_of(stem), mask))
        left_out += [
            Notice(
                mask,
                f"a mask without a picture in {printable(pair.pictures)}/"
                if pair.pictures != pair.masks
                else "a mask without a picture beside it",
            )
            for mask in masks.values()
        ]
    if not may_be_masks:  # notes and tables about the pictures
        return None
    if not samples and (several := _several_each(left_out)):
        raise SourceError(
            f"{printable(root)}: each picture has several masks ({several}): put them into one file a picture, with a "
            f"number for each class"
        )
    if not samples:
        where = " and ".join(f"{printable(each.pictures)}/ and {printable(each.masks)}/" for each in pairs)
        raise SourceError(
            f"{printable(root)}: no picture has a mask of its name in {where} ({len(left_out):,} files, such as "
            f"{printable(left_out[0].file) if left_out else 'none'}); a picture A.jpg wants a mask A.png"
        )
    samples, missed, warnings, listed = _by_lists(root, samples)
    voc = any(pair.masks == "SegmentationClass" for pair in pairs)
    kind = "voc" if voc else next((each for each in sorted(kinds) if each != "folders"), "folders")
    named = (
        " and ".join(
            dict.fromkeys(
                f"{printable(each.pictures)}/ with {printable(each.masks)}/"
                if each.pictures != each.masks
                else "masks beside their pictures, such as A_mask.png"
                for each in pairs
            )
        )
        if len(pairs) <= _MOST_NAMED
        else f"pictures with masks in each of {len(pairs):,} folders"
    )
    if objects:
        named += "; the masks of single objects put together"
    if not any(called_as_masks(pair.masks) or pair.masks == pair.pictures for pair in pairs):
        named += "; told by what is in the files (where the folders are classes, say --task classification)"
    used = {each.partition("/")[0] for pair in pairs for each in (pair.pictures, pair.masks)}
    left_out += [
        Notice(name, "its pictures have no masks: it is part of no split")
        for name in listing.all_folders
        if part_of(name) and name not in used and "" not in used
    ]
    return Arrangement(
        root=root,
        samples=tuple(sorted(samples, key=lambda sample: sample.file)),
        left_out=_told(sorted((*left_out, *missed), key=lambda notice: notice.file)),
        warnings=tuple(warnings),
        layout=f"{named}{listed}",
        kind=kind,
        together=_subjects_of(samples) if subjects else (),
    )


def _several_each(left_out: Sequence[Notice]) -> str:
    """Masks of one picture that are called as it is, and longer by a word: `A_car.png` and `A_road.png`."""
    pictures = {stem_of(each.file, each.file.rpartition("/")[0]) for each in left_out if "has no mask" in each.reason}
    masks: dict[str, list[str]] = {}
    for each in left_out:
        stem = stem_of(each.file, each.file.rpartition("/")[0])
        for end in (at for at, mark in enumerate(stem) if mark in "_-. "):
            if each.reason.startswith("a mask without") and stem[:end] in pictures:
                masks.setdefault(stem[:end], []).append(each.file.rpartition("/")[2])
    most = max(masks.values(), key=len, default=[])
    return ", ".join(map(printable, most[:3])) if len(most) > 1 and 2 * len(masks) > len(pictures) else ""


def _subjects_of(samples: Sequence[Sample]) -> tuple[tuple[str, ...], ...]:
    """The pictures of each folder of a patient or tile; `images/` in it is not another level."""

    def folder(file: str) -> str:
        above, _, last = file.rpartition("/")[0].rpartition("/")
        return above if last.lower() in PICTURES else f"{above}/{last}"

    groups, _ = together((sample.file, folder(sample.file)) for sample in samples)
    return groups


def _files_of(top: str, listing: Listing, pair: Pair) -> tuple[list[str], list[str], list[Notice]]:
    """Pictures, masks, and what is neither, of a pair of folders or of one folder that holds both."""
    if pair.pictures != pair.masks:
        found, odd = walk_folders(top, [pair.pictures, pair.masks])
        return sorted(found[pair.pictures]), list(found[pair.masks]), list(odd)
    inside = list_folder(top, pair.pictures) if pair.pictures else listing
    files = [f"{pair.pictures}/{name}" if pair.pictures else name for name in inside.files]
    reasons = {file: maybe_picture(top, file) for file in files}
    usable = [file for file, reason in reasons.items() if not reason]
    tables = {name.lower() for name in TABLES}
    odd = [Notice(file, why) for file, why in reasons.items() if why and file.rpartition("/")[2].lower() not in tables]
    masks = {file for file in usable if is_mask(file)} or twin_masks(usable)
    return [file for file in usable if file not in masks], [file for file in usable if file in masks], odd


def _paired(pictures: Sequence[str], masks: dict[str, str], pair: Pair) -> Iterator[tuple[str, str, str | None]]:
    """Pictures with their masks, which are taken out of `masks`: of the same name, or of one in other letter case."""
    stems = {file: stem_of(file, pair.pictures) for file in pictures}
    own = {file: masks.pop(stem) for file, stem in stems.items() if stem in masks}
    lowered: dict[str, list[str]] = {}
    for stem in masks:
        lowered.setdefault(stem.lower(), []).append(stem)
    for file, stem in stems.items():
        alike = lowered.get(stem.lower(), []) if file not in own else []
        if len(alike) == 1 and alike[0] in masks:
            own[file] = masks.pop(alike[0])
    if not own:  # 21_training.tif and 21_manual1.gif
        meant = matched(set(stems.values()), masks)
        own = {file: masks.pop(meant[stem]) for file, stem in stems.items() if meant.get(stem) in masks}
    for file, stem in stems.items():
        yield file, stem, own.get(file)


def _told(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    """Name each file, or of thousands that share a reason the first ones: VOC has masks for a sixth of its pictures."""
    counts = Counter(notice.reason for notice in notices)
    seen: Counter[str] = Counter()
    told = []
    for notice in notices:
        seen[notice.reason] += 1
        if seen[notice.reason] <= _MOST:
            told.append(notice)
    rest = [
        Notice("", f"{count - _MOST:,} further files: {reason}") for reason, count in counts.items() if count > _MOST
    ]
    return (*told, *rest)


def _masks_by_stem(folder: str, files: Sequence[str]) -> tuple[dict[str, str], str, list[Notice]]:
    """Masks by what they have in common with their pictures; of Cityscapes' four files a picture, the ids."""
    kept = [file for file in files if not _NOT_CLASSES.search(file)]
    for wanted, kind in ((_TRAIN_IDS, "cityscapes-train"), (_IDS, "cityscapes")):
        some = [file for file in kept if wanted in file.lower()]
        if some:
            return {stem_of(file, folder): file for file in some}, kind, []
    masks: dict[str, str] = {}
    twice = [
        Notice(file, f"a second mask beside {printable(masks[stem_of(file, folder)])}")
        for file in sorted(kept)
        if masks.setdefault(stem_of(file, folder), file) != file
    ]
    return masks, "folders", twice


def _part_of(stem: str) -> Part | None:
    return PART_NAMES.get(stem.partition("/")[0].lower()) if "/" in stem else None


def _by_lists(root: Path, samples: list[Sample]) -> tuple[list[Sample], list[Notice], list[Notice], str]:
    """Parts as the source's lists say: one name a line, or a picture and its mask."""
    parts: dict[str, Part] = {}
    warnings: list[Notice] = []
    known = {_last(sample.file): index for index, sample in enumerate(samples)}
    used = ""
    for folder in _LISTS:
        for word, part in PART_NAMES.items():
            path = root / folder / f"{word}.txt"
            if not path.is_file():
                continue
            missing = []
            for line in lines_of(path):
                name = _last(line.split()[0])
                if name in known:
                    parts.setdefault(name, part)
                else:
                    missing.append(line.split()[0])
            if missing:
                first = printable(missing[0])
                warnings.append(
                    Notice(
                        f"{folder}/{path.name}".lstrip("/"),
                        f"names {len(missing):,} pictures that are not there or have no mask, first {first}",
                    )
                )
            used = f", split by {printable(folder)}/*.txt".replace("by /", "by ")
    if not parts:
        return samples, [], warnings, ""
    kept, missed = [], []
    for sample in samples:
        name = _last(sample.file)
        if name in parts:
            kept.append(Sample(sample.file, sample.label, parts[name], sample.mask))
        else:
            missed.append(Notice(sample.file, "named in none of the source's lists"))
    return kept, missed, warnings, used


def _last(file: str) -> str:
    return file.replace("\\", "/").rpartition("/")[2].partition(".")[0]
