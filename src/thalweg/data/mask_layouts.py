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
from thalweg.data.mask_classes import TABLES
from thalweg.data.part_names import PART_NAMES
from thalweg.data.walk import Listing, list_folder, maybe_picture, walk_folders

__all__ = ["LAYOUTS", "Arrangement", "find_masks"]

LAYOUTS = (
    "images/ and masks/ with files of the same names, train/ and trainannot/ as CamVid, leftImg8bit/ and gtFine/ as "
    "Cityscapes, or JPEGImages/ and SegmentationClass/ as Pascal VOC"
)

# fmt: off
_PICTURES = frozenset({
    "images", "image", "imgs", "img", "pictures", "picture", "photos", "rgb", "frames", "jpegimages", "leftimg8bit",
    "input", "inputs", "701_stillsraw_full", "original_images", "images_png",
})
_MASKS = frozenset({
    "masks", "mask", "labels", "label", "annotations", "annotation", "annot", "annots", "gt", "groundtruth",
    "ground_truth", "segmentation", "segmentations", "segmentationclass", "gtfine", "gtcoarse", "targets",
    "labeledapproved_full", "label_images_semantic", "masks_png",
})
# fmt: on
_SUFFIXES = ("annot", "_annot", "_labels", "_label", "_masks", "_mask", "labels", "masks", "_gt", "-masks", "-labels")
_WORDS = re.compile(
    r"[_-](?:leftimg8bit|gtfine|gtcoarse|labelids|labeltrainids|mask|masks|label|labels|gt|seg|segmentation|annot|"
    r"groundtruth|l|rgb|image|img)$",
    re.IGNORECASE,
)
_BESIDE = re.compile(r"[_-](?:mask|masks|label|labels|gt|seg|segmentation|annot|groundtruth|l)$", re.IGNORECASE)
_PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
_NOT_CLASSES = re.compile(r"(?:_color|_instanceIds|_instanceTrainIds|_polygons)\.[a-z]+$", re.IGNORECASE)
_TRAIN_IDS, _IDS = "_labeltrainids.", "_labelids."
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
    """

    root: Path
    samples: tuple[Sample, ...]
    left_out: tuple[Notice, ...]
    warnings: tuple[Notice, ...]
    layout: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Pair:
    """A folder of pictures, its folder of masks, and the part they belong to."""

    pictures: str
    masks: str
    part: Part | None


def find_masks(root: Path) -> Arrangement | None:
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
        pairs = list(_pairs(root, listing))
        if pairs:
            return _arranged(root, listing, pairs)
        if not listing.all_folders and _side_by_side(listing.files):
            return _arranged(root, listing, [_Pair("", "", None)])
        _refuse_packed(root, listing)
        if len(listing.all_folders) != 1:
            return None
        root = root / listing.all_folders[0]
        listing = list_folder(os.fspath(root))
    return None


def _pairs(root: Path, listing: Listing) -> Iterator[_Pair]:
    """Folders that belong together: side by side, side by side in each part, or a part and its annotations."""
    names = {name.lower(): name for name in listing.all_folders}
    two = _two(names)
    if two:
        yield _Pair(*two, None)
        return
    for lower, name in sorted(names.items()):
        if lower not in PART_NAMES:
            continue
        beside = next((names[lower + suffix] for suffix in _SUFFIXES if lower + suffix in names), None)
        if beside is not None:
            yield _Pair(name, beside, PART_NAMES[lower])
            continue
        inside = {each.lower(): each for each in list_folder(os.fspath(root), name).all_folders}
        two = _two(inside)
        if two:
            yield _Pair(f"{name}/{two[0]}", f"{name}/{two[1]}", PART_NAMES[lower])


def _two(names: dict[str, str]) -> tuple[str, str] | None:
    pictures = [name for lower, name in sorted(names.items()) if lower in _PICTURES]
    masks = [name for lower, name in sorted(names.items()) if lower in _MASKS]
    if "SegmentationClass" in masks:  # VOC: SegmentationObject and Annotations lie beside it
        masks = ["SegmentationClass"]
    if "gtFine" in masks:
        masks = ["gtFine"]
    return (pictures[0], masks[0]) if len(pictures) == 1 and len(masks) == 1 else None


def _is_mask(file: str) -> bool:
    return _BESIDE.search(file.rpartition("/")[2].rpartition(".")[0]) is not None


def _side_by_side(files: Sequence[str]) -> bool:
    """Whether most pictures of a folder have a mask of their name beside them, such as A.jpg and A_mask.png."""
    pictures = {file.rpartition(".")[0].lower() for file in files if not _is_mask(file) and not maybe_picture("", file)}
    masks = {_stem(file, "").lower() for file in files if _is_mask(file)}
    return len(pictures & masks) > len(pictures) / 2


def _refuse_packed(root: Path, listing: Listing) -> None:
    """Say it where masks lie packed beside the folder of pictures, before pictures are taken for classes."""
    packed = [file for file in listing.files if file.lower().partition(".")[0] in _MASKS and "." in file]
    archives = [file for file in packed if file.lower().endswith(_PACKED)]
    if archives and any(name.lower() in _PICTURES for name in listing.all_folders):
        raise SourceError(f"{printable(root)}: the masks lie packed in {printable(archives[0])}: unpack it there first")


def _arranged(root: Path, listing: Listing, pairs: Sequence[_Pair]) -> Arrangement | None:
    top = os.fspath(root)
    samples: list[Sample] = []
    left_out: list[Notice] = list(listing.left_out)
    kinds: set[str] = set()
    may_be_masks = 0
    for pair in pairs:
        pictures, candidates, odd = _files_of(top, listing, pair)
        may_be_masks += len(candidates)
        left_out += odd
        masks, kind, others = _masks_by_stem(pair.masks, candidates)
        kinds.add(kind)
        left_out += others
        for file, stem, mask in _paired(pictures, masks, pair):
            if mask is None:
                left_out.append(
                    Notice(file, f"has no mask in {printable(pair.masks)}/" if pair.masks else "has no mask beside it")
                )
            else:
                samples.append(Sample(file, 0, pair.part or _part_of(stem), mask))
        left_out += [
            Notice(
                mask,
                f"a mask without a picture in {printable(pair.pictures)}/"
                if pair.pictures
                else "a mask without a picture beside it",
            )
            for mask in masks.values()
        ]
    if not may_be_masks:  # notes and tables about the pictures
        return None
    if not samples:
        where = " and ".join(f"{printable(each.pictures)}/ and {printable(each.masks)}/" for each in pairs)
        raise SourceError(
            f"{printable(root)}: no picture has a mask of its name in {where} ({len(left_out):,} files, such as "
            f"{printable(left_out[0].file) if left_out else 'none'}); a picture A.jpg wants a mask A.png"
        )
    samples, missed, warnings, listed = _by_lists(root, samples)
    voc = any(pair.masks == "SegmentationClass" for pair in pairs)
    kind = "voc" if voc else next((each for each in sorted(kinds) if each != "folders"), "folders")
    named = " and ".join(
        dict.fromkeys(
            f"{printable(each.pictures)}/ with {printable(each.masks)}/"
            if each.pictures
            else "masks beside their pictures, such as A_mask.png"
            for each in pairs
        )
    )
    return Arrangement(
        root=root,
        samples=tuple(sorted(samples, key=lambda sample: sample.file)),
        left_out=_told(sorted((*left_out, *missed), key=lambda notice: notice.file)),
        warnings=tuple(warnings),
        layout=f"{named}{listed}",
        kind=kind,
    )


def _files_of(top: str, listing: Listing, pair: _Pair) -> tuple[list[str], list[str], list[Notice]]:
    """Pictures, masks, and what is neither, of a pair of folders or of one folder that holds both."""
    if pair.pictures:
        found, odd = walk_folders(top, [pair.pictures, pair.masks])
        return sorted(found[pair.pictures]), list(found[pair.masks]), list(odd)
    reasons = {file: maybe_picture(top, file) for file in listing.files}
    usable = [file for file, reason in reasons.items() if not reason]
    tables = {name.lower() for name in TABLES}
    odd = [Notice(file, why) for file, why in reasons.items() if why and file.lower() not in tables]
    return [file for file in usable if not _is_mask(file)], [file for file in usable if _is_mask(file)], odd


def _paired(pictures: Sequence[str], masks: dict[str, str], pair: _Pair) -> Iterator[tuple[str, str, str | None]]:
    """Pictures with their masks, which are taken out of `masks`: of the same name, or of one in other letter case."""
    stems = {file: _stem(file, pair.pictures) for file in pictures}
    own = {file: masks.pop(stem) for file, stem in stems.items() if stem in masks}
    lowered: dict[str, list[str]] = {}
    for stem in masks:
        lowered.setdefault(stem.lower(), []).append(stem)
    for file, stem in stems.items():
        alike = lowered.get(stem.lower(), []) if file not in own else []
        if len(alike) == 1 and alike[0] in masks:
            own[file] = masks.pop(alike[0])
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
            return {_stem(file, folder): file for file in some}, kind, []
    masks: dict[str, str] = {}
    twice = [
        Notice(file, f"a second mask beside {printable(masks[_stem(file, folder)])}")
        for file in sorted(kept)
        if masks.setdefault(_stem(file, folder), file) != file
    ]
    return masks, "folders", twice


def _stem(file: str, folder: str) -> str:
    """A file's path below its folder, without ending and words such as `_mask`."""
    stem = (file.removeprefix(f"{folder}/") if folder else file).rpartition(".")[0] or file
    while (shorter := _WORDS.sub("", stem)) != stem:
        stem = shorter
    return stem


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
            for line in _lines(path):
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


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]
