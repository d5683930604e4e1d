"""Folders of pictures and of masks called as nobody could foresee: told by names that agree, and by what is in them.

Where the files of one folder are called as those of another, and hold a few values each while those of the other hold
many, the one are masks of the other. Class folders may number their files alike (`cat/1.png`, `dog/1.png`), and then
neither is flat; drawings in a few colours are, and then both are.
"""

import itertools
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from thalweg.core.dataset import Part
from thalweg.core.errors import PictureError, SourceError
from thalweg.core.files import printable
from thalweg.data.files.part_names import part_within
from thalweg.data.files.walk import Listing, list_folder, maybe_picture
from thalweg.data.masks.decode import read_held
from thalweg.data.masks.pairs import Pair, matched, stem_of, twin_masks

__all__ = ["called_as_masks", "guess_masks"]

_MOST_FOLDERS = 64
_DEEPEST = 6
_LOOKED_AT = 3  # files a folder
_FLAT = 64  # values in a mask, at most
_SMALLEST = 24 * 24  # pixels, below which few values say nothing
_AGREE = 0.8
_RUN_TOGETHER = re.compile(r"^(train|val|valid|test)(?:crop|data|set|imgs?|images)$", re.IGNORECASE)
_FEWEST = 3
_LOSSLESS = (".png", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
_PHOTO = (".jpg", ".jpeg", ".webp")
_STRONG = re.compile(r"masks?|segment|ground.?truth|annot|labels?", re.IGNORECASE)
_NO_CLASSES = re.compile(r"instance|object|depth|edge|disparity|colormap|_rgb|rgb_|weight|confidence", re.IGNORECASE)
_CLASSES = re.compile(r"mask|label|semantic|seg|annot|truth|gt|manual", re.IGNORECASE)
_PHOTOS = re.compile(r"rgb|image|img|photo|picture|original|input|color|colour|left|raw", re.IGNORECASE)


@dataclass(slots=True)
class _Folder:
    """A folder that holds pictures directly."""

    path: str
    files: Sequence[str]
    stems: frozenset[str]
    mixed: bool = False  # photos beside pictures without loss
    looks: tuple[bool, bool, bool] | None = field(default=None)  # flat, coloured, of 16 bits


def _folders(root: Path) -> list[_Folder]:
    """Folders that hold pictures directly, with a few of these; none where there are too many, or one is unreadable."""
    found: list[_Folder] = []
    left = [""]
    while left:
        folder = left.pop(0)
        listing = list_folder(os.fspath(root), folder)
        if listing.problem or len(found) > _MOST_FOLDERS:
            return []
        few = _few(root, folder, listing)
        found += [few] if few.files else []
        if folder.count("/") < _DEEPEST:
            left += [f"{folder}/{name}" if folder else name for name in listing.folders]
        if len(left) > 4 * _MOST_FOLDERS:
            return []
    return found


def _few(root: Path, place: str, listing: Listing) -> _Folder:
    """A few pictures of a folder, those without loss first, since only such may be masks."""
    names = listing.files
    endings = {name.rpartition(".")[2].lower() for name in names}
    mixed = bool(endings & {"jpg", "jpeg"}) and bool(endings & {"png", "bmp", "gif"})
    exact = [name for name in names if name.lower().endswith(_LOSSLESS)]
    chosen = exact or [name for name in names if name.lower().endswith(_PHOTO)] or list(names)
    few = chosen[:: max(1, len(chosen) // _LOOKED_AT)][:_LOOKED_AT]
    files = [f"{place}/{name}" if place else name for name in few]
    return _Folder(place, [file for file in files if not maybe_picture(os.fspath(root), file)], frozenset(), mixed)


def called_as_masks(place: str) -> bool:
    """Whether the name of a folder says that there are masks in it.

    Args:
        place: The folder.

    Returns:
        Whether a word of masks, labels or annotations is in it.

    Example:
        >>> called_as_masks("train/GT_manual"), called_as_masks("sketches")
        (True, False)
    """
    return bool(_CLASSES.search(place) or _STRONG.search(place))


def guess_masks(root: Path, *, insist: bool = True) -> list[Pair]:
    """Pair folders of pictures with folders of masks by the names of their files and by their contents.

    Args:
        root: The source's folder.
        insist: Whether masks whose names agree with none are refused.

    Returns:
        The pairs; none where nothing looks so.

    Raises:
        SourceError: Pictures have masks in several folders that may be meant.
    """
    few = _folders(root)
    looked = [each for each in few if each.path] or few
    if twins := [each for each in looked if (len(looked) == 1 or _part(each.path)) and _hold_twins(root, each)]:
        return [Pair(each.path, each.path, _part(each.path)) for each in twins]
    flat = sum(_looks(root, each)[0] for each in looked) if 1 < len(looked) <= _MOST_FOLDERS else 0
    if not 0 < flat < len(looked):
        return []  # before the names of 100,000 photos are taken apart
    folders = [_looked(root, each.path) for each in looked]
    folders = [each for each in folders if len(each.files) >= _FEWEST]
    masks: dict[str, list[_Folder]] = {}
    for one in folders:
        partners = [other for other in folders if other is not one and _agree(one, other)]
        if partners and _looks(root, one)[0]:
            for other in partners:
                if not _looks(root, other)[0]:
                    masks.setdefault(other.path, []).append(one)
    if not masks:
        if insist and len({each.path.partition("/")[0] for each in folders}) == 2:  # noqa: PLR2004 - they would be classes
            _refuse_unpaired(root, folders)
        return []
    return list(_chosen(root, masks))


def _hold_twins(root: Path, folder: _Folder) -> bool:
    """Whether most pictures lie beside a file of the same name and another ending that looks as masks do."""
    if not folder.mixed:
        return False
    whole = _looked(root, folder.path)
    masks = twin_masks(whole.files)
    if not masks or 4 * len(masks) < len(whole.files):
        return False
    return _looks(root, _Folder("", sorted(masks), frozenset()))[0]


def _looked(root: Path, place: str) -> _Folder:
    """A folder's pictures and what they are called."""
    listing = list_folder(os.fspath(root), place)
    files = [f"{place}/{name}" if place else name for name in listing.files]
    pictures = [file for file in files if not maybe_picture(os.fspath(root), file)]
    return _Folder(place, pictures, frozenset(stem_of(file, place).lower() for file in pictures))


def _agree(masks: _Folder, pictures: _Folder) -> bool:
    """Whether most masks are called as pictures are, but for a last word perhaps; and both are of one part."""
    if _part(masks.path) != _part(pictures.path):
        return False
    return len(matched(pictures.stems, masks.stems)) >= _AGREE * min(len(masks.stems), len(pictures.stems))


def _part(path: str) -> Part | None:
    names = (_RUN_TOGETHER.sub(r"\1", name) for name in path.split("/"))
    return next((part for name in names if (part := part_within(name))), None)


def _looks(root: Path, folder: _Folder) -> tuple[bool, bool, bool]:
    """Whether the files of a folder hold few values each, whether these are colours, and whether they have 16 bits."""
    if folder.looks is not None:
        return folder.looks
    flat, coloured, wide = bool(folder.files), False, False
    step = max(1, len(folder.files) // _LOOKED_AT)
    for file in folder.files[::step][:_LOOKED_AT] if flat else ():
        if not file.lower().endswith(_LOSSLESS):
            flat = False
            break
        try:
            held = read_held(root / file, through_palette=False)
        except PictureError:
            flat = False
            break
        values = np.unique(held.values)
        flat = len(values) <= _FLAT and held.values.size >= _SMALLEST
        coloured, wide = coloured or held.coloured, wide or (not held.coloured and int(values[-1]) > 255)  # noqa: PLR2004 - a byte
        if not flat:
            break
    folder.looks = (flat, coloured, wide)
    return folder.looks


def _common(one: str, other: str) -> int:
    """How many folders around two are the same."""
    return sum(
        1
        for _ in itertools.takewhile(
            lambda pair: pair[0] == pair[1], zip(one.split("/"), other.split("/"), strict=False)
        )
    )


def _refuse_unpaired(root: Path, folders: Sequence[_Folder]) -> None:
    """Say it where a folder is called and looks as masks do, and the others do not, and no names agree."""
    called = [each for each in folders if _STRONG.search(each.path)]
    others = [each for each in folders if each not in called]
    flat = [each for each in called if _looks(root, each)[0]]
    if flat and len(flat) == len(called) and others and not any(_looks(root, each)[0] for each in others):
        masks, pictures, one = printable(flat[0].path), printable(others[0].path), printable(flat[0].files[0])
        raise SourceError(
            f"{printable(root)}: {masks}/ looks like masks of the pictures in {pictures}/, but no names agree, such as "
            f"{one}; a picture A.jpg wants one mask A.png"
        )


def _chosen(root: Path, masks: Mapping[str, Sequence[_Folder]]) -> Iterator[Pair]:
    """One folder of masks for each folder of pictures, and one of pictures for each of masks."""
    taken: dict[str, str] = {}
    for pictures, candidates in masks.items():
        several = list(candidates)
        nearest = max(_common(pictures, each.path) for each in several)
        several = [each for each in several if _common(pictures, each.path) == nearest]
        tests: tuple[Callable[[_Folder], bool], ...] = (
            lambda each: not _NO_CLASSES.search(each.path),
            lambda each: _CLASSES.search(each.path) is not None,
            lambda each: not _looks(root, each)[1],
            lambda each: not _looks(root, each)[2],
        )
        for better in tests:
            several = [each for each in several if better(each)] or several
        if len(several) > 1:
            names = ", ".join(f"{printable(each.path)}/" for each in several[:4])
            raise SourceError(
                f"{printable(root)}: the pictures in {printable(pictures)}/ have masks in several folders ({names}): "
                f"keep the one that is meant beside them, called masks/"
            )
        taken[pictures] = several[0].path
    owners: dict[str, list[str]] = {}
    for pictures, mask in taken.items():
        owners.setdefault(mask, []).append(pictures)
    for mask, several_pictures in owners.items():
        named = [each for each in several_pictures if _PHOTOS.search(each.rpartition("/")[2])] or several_pictures
        near = [each for each in named if each.rpartition("/")[2].lower() in {"rgb", "image", "images", "img"}] or named
        if len(near) > 1 and not _CLASSES.search(mask):
            continue  # a class of drawings beside classes of photos
        if len(near) > 1:
            names = ", ".join(f"{printable(each)}/" for each in near[:4])
            raise SourceError(
                f"{printable(root)}: the masks in {printable(mask)}/ may belong to the pictures in several folders "
                f"({names}): keep one of them, called images/"
            )
        yield Pair(near[0], mask, _part(near[0]))
