"""Which folders of a source hold pictures and which their masks, by what these are called.

Side by side (`images/`, `masks/`), so in each part, a part and its annotations (`train/`, `trainannot/`), both in one
folder (`A.jpg`, `A_mask.png`), or all of that in folders of patients, tiles or pictures that are called alike but for a
number.
"""

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from thalweg.core.dataset import Part
from thalweg.data.files.part_names import PART_NAMES, part_of
from thalweg.data.files.walk import Listing, list_folder, maybe_picture

__all__ = [
    "MASKS",
    "PICTURES",
    "Pair",
    "in_subjects",
    "is_mask",
    "matched",
    "pairs_in",
    "side_by_side",
    "stem_of",
    "twin_masks",
]

# fmt: off
PICTURES = frozenset({
    "images", "image", "imgs", "img", "pictures", "picture", "photos", "rgb", "frames", "jpegimages", "leftimg8bit",
    "input", "inputs", "701_stillsraw_full", "original_images", "images_png", "original", "img_dir", "image_2",
    "تصویر", "تصویرها", "تصاویر", "عکس", "عکس‌ها",
})
MASKS = frozenset({
    "masks", "mask", "labels", "label", "annotations", "annotation", "annot", "annots", "gt", "groundtruth",
    "ground_truth", "segmentation", "segmentations", "segmentationclass", "gtfine", "gtcoarse", "targets",
    "labeledapproved_full", "label_images_semantic", "masks_png", "ann_dir", "semantic",
    "1st_manual", "manual", "manual1", "ماسک", "ماسک‌ها", "ماسک_ها", "برچسب", "برچسب‌ها",
})
_BY_HAND = ("1st_manual", "manual", "manual1")  # beside them, mask/ says what the camera saw (DRIVE)

# fmt: on
_SUFFIXES = ("annot", "_annot", "_labels", "_label", "_masks", "_mask", "labels", "masks", "_gt")
_WORDS = re.compile(
    r"[._-](?:leftimg8bit|gtfine|gtcoarse|labelids|labeltrainids|mask|masks|label|labels|gt|seg|segmentation|annot|"
    r"groundtruth|l|rgb|image|img|sat|1stho|2ndho|anno|annotation)$",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"[._-](?:mask|masks|label|labels|gt|seg|segmentation|annot|groundtruth|l|1stho|2ndho|anno|annotation)$",
    re.IGNORECASE,
)
_LAST_WORD = re.compile(r"[ ._-][^ ._\-/]*$")
_EXACT = (".png", ".bmp", ".gif")
_HASH = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_ALIKE = 0.25  # of folders of subjects so many kinds of names, at most


@dataclass(frozen=True, slots=True)
class Pair:
    """A folder of pictures, its folder of masks, and the part they belong to; one folder may hold both."""

    pictures: str
    masks: str
    part: Part | None


def pairs_in(root: Path, listing: Listing) -> Iterator[Pair]:
    """Find folders that belong together.

    Args:
        root: Where to look.
        listing: What lies there.

    Yields:
        Pairs side by side, side by side in each part, a part and its annotations, or a part that holds both.
    """
    names = {_plain(name): name for name in listing.all_folders}
    two = _two(names)
    if two:
        yield Pair(*two, None)
        return
    for lower, name in sorted(names.items()):
        if lower not in PART_NAMES:
            continue
        beside = next((names[lower + suffix] for suffix in _SUFFIXES if lower + suffix in names), None)
        if beside is not None:
            yield Pair(name, beside, PART_NAMES[lower])
            continue
        inside = list_folder(os.fspath(root), name)
        two = _two({_plain(each): each for each in inside.all_folders})
        if two:
            yield Pair(f"{name}/{two[0]}", f"{name}/{two[1]}", PART_NAMES[lower])
        elif not inside.all_folders and side_by_side(inside.files):
            yield Pair(name, name, PART_NAMES[lower])


def in_subjects(root: Path, listing: Listing) -> list[Pair]:
    """Find pictures and masks in folders of patients, tiles or single pictures, called alike but for a number.

    Args:
        root: Where to look.
        listing: What lies there.

    Returns:
        A pair for each of them; none unless nearly all hold pictures and masks.
    """
    parts = [(name, part) for name in listing.all_folders if (part := part_of(name))]
    levels: list[tuple[str, Part | None]] = list(parts) or [("", None)]
    found: list[Pair] = []
    for level, part in levels:
        inside = list_folder(os.fspath(root), level) if level else listing
        names = inside.all_folders
        if len(names) < 2 or not _alike_but_for_numbers(names):  # noqa: PLR2004 - of one nothing can be said
            continue
        places = [f"{level}/{name}" if level else name for name in names]
        pairs = [pair for place in places if (pair := _in_one(root, place, part))]
        found += pairs if 2 * len(pairs) > len(places) else []
    return found


def _in_one(root: Path, place: str, part: Part | None) -> Pair | None:
    inside = list_folder(os.fspath(root), place)
    two = _two({_plain(name): name for name in inside.all_folders})
    if two:
        return Pair(f"{place}/{two[0]}", f"{place}/{two[1]}", part)
    if inside.all_folders or not any(map(is_mask, inside.files)):
        return None
    return Pair(place, place, part) if side_by_side(inside.files) else None


def _alike_but_for_numbers(names: Sequence[str]) -> bool:
    """Whether names are numbers and codes, as of patients, and no words, as of classes."""
    if all(_HASH.search(name) for name in names):
        return True
    kinds = {_NUMBER.sub("#", name) for name in names}
    numbered = all(_NUMBER.search(name) for name in names)
    return numbered and (len(kinds) == 1 or len(kinds) <= _ALIKE * len(names))


def _plain(name: str) -> str:
    """A folder's name in small letters, its words joined by underscores."""
    return re.sub(r"[ -]", "_", name.lower())


def _two(names: dict[str, str]) -> tuple[str, str] | None:
    pictures = [name for lower, name in sorted(names.items()) if lower in PICTURES]
    masks = [name for lower, name in sorted(names.items()) if lower in MASKS]
    if "SegmentationClass" in masks:  # VOC: SegmentationObject and Annotations lie beside it
        masks = ["SegmentationClass"]
    if "gtFine" in masks:
        masks = ["gtFine"]
    masks = [name for name in masks if name.lower() in _BY_HAND] or masks
    return (pictures[0], masks[0]) if len(pictures) == 1 and len(masks) == 1 else None


def is_mask(file: str) -> bool:
    """Tell whether a file is called as a mask beside its picture is.

    Args:
        file: Its path.

    Returns:
        Whether its name ends in `_mask` or the like.

    Example:
        >>> is_mask("a/1_mask.png"), is_mask("a/1.png")
        (True, False)
    """
    return _BESIDE.search(file.rpartition("/")[2].rpartition(".")[0]) is not None


def side_by_side(files: Sequence[str]) -> bool:
    """Tell whether most pictures of a folder have a mask of their name beside them.

    Args:
        files: Names of its files.

    Returns:
        Whether they do.

    Example:
        >>> side_by_side(["A.jpg", "A_mask.png"]), side_by_side(["A.jpg", "B_mask.png"])
        (True, False)
    """
    pictures = {stem_of(file, "").lower() for file in files if not is_mask(file) and not maybe_picture("", file)}
    masks = {stem_of(file, "").lower() for file in files if is_mask(file)}
    return len(pictures & masks) > len(pictures) / 2


def twin_masks(files: Sequence[str]) -> frozenset[str]:
    """Files that may be masks of those of the same name that end as photos do: `A.png` beside `A.jpg`.

    Args:
        files: Paths of the files of one folder.

    Returns:
        Those of them.

    Example:
        >>> sorted(twin_masks(["A.jpg", "A.png", "B.jpg", "C.png"]))
        ['A.png']
    """
    photos = {file.rpartition(".")[0] for file in files if file.lower().endswith((".jpg", ".jpeg"))}
    return frozenset(file for file in files if file.lower().endswith(_EXACT) and file.rpartition(".")[0] in photos)


def stem_of(file: str, folder: str) -> str:
    """A file's path below its folder, without ending and words such as `_mask`.

    Args:
        file: Its path.
        folder: The folder.

    Returns:
        What it has in common with its mask, or its picture.

    Example:
        >>> stem_of("masks/val/1_mask.png", "masks"), stem_of("1_sat.jpg", "")
        ('val/1', '1')
    """
    stem = (file.removeprefix(f"{folder}/") if folder else file).rpartition(".")[0] or file
    while (shorter := _WORDS.sub("", stem)) != stem:
        stem = shorter
    return stem


def matched(pictures: Collection[str], masks: Collection[str]) -> dict[str, str]:
    """Pair names that are equal, or equal but for the last word of one or both: `21_training` and `21_manual1`.

    Args:
        pictures: Names of pictures, as `stem_of` gives them.
        masks: Names of masks.

    Returns:
        Mask by picture, the most that one way of comparing gives; where names would no longer be told apart, none.

    Example:
        >>> matched(["1", "2"], ["1", "2"]), matched(["21_training"], ["21_manual1"]), matched(["1_a", "1_b"], ["1_c"])
        ({'1': '1', '2': '2'}, {'21_training': '21_manual1'}, {})
    """
    best: dict[str, str] = {}
    for shorten, shorten_mask in ((_whole, _whole), (_whole, _loose), (_loose, _whole), (_loose, _loose)):
        ours = {shorten_mask(mask): mask for mask in masks}
        theirs = {picture: shorten(picture) for picture in pictures}
        if len(ours) == len(masks) and len(set(theirs.values())) == len(theirs):
            found = {picture: ours[short] for picture, short in theirs.items() if short in ours}
            best = max(best, found, key=len)
    return best


def _whole(stem: str) -> str:
    return stem


def _loose(stem: str) -> str:
    return _LAST_WORD.sub("", stem) or stem
