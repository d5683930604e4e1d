"""Folders that would be classes by where they lie, and are none by their names: noise, folds, persons, masks."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from thalweg.core.dataset import Notice
from thalweg.core.files import printable
from thalweg.data.files.belonging import GROUP_COLUMNS
from thalweg.data.files.kinds import FileKind
from thalweg.data.masks.pairs import MASKS, PICTURES

__all__ = ["are_folds", "person_note", "set_apart", "volumes_with_masks"]

_FOLD = re.compile(r"(?:fold|split|chunk|shard|batch)[ _-]?\d+", re.IGNORECASE)
_PERSON = re.compile(rf"(?P<word>{'|'.join((*GROUP_COLUMNS[:9], 'subj', 'sub', 'pat'))})s?[ _-]?\d+", re.IGNORECASE)
_PART_ENDING = re.compile(r"[ _-]?(?:tr|ts|va|train|test|val)$", re.IGNORECASE)
_MASK = re.compile(r"[_-](?:seg|segmentation|mask)\.")
_SHOWN = 3


def set_apart(names: Sequence[str]) -> list[str]:
    """Folders whose names stand between underscores, as Speech Commands' `_background_noise_`: no classes.

    Args:
        names: Folders that would be classes.

    Returns:
        Those that are none.

    Example:
        >>> set_apart(["_background_noise_", "yes", "_no"])
        ['_background_noise_']
    """
    return [name for name in names if len(name) > 2 and name[0] == name[-1] == "_"]  # noqa: PLR2004 - something between


def are_folds(names: Collection[str]) -> bool:
    """Tell whether folders are the folds of a cross-validation, or pieces of a source.

    Args:
        names: Folders that would be classes.

    Returns:
        Whether all are called so.

    Example:
        >>> are_folds(["fold1", "fold10"]), are_folds(["fold1", "cat"]), are_folds(["split"])
        (True, False, False)
    """
    return len(names) > 1 and all(_FOLD.fullmatch(name) for name in names)


def person_note(names: Collection[str]) -> Iterator[Notice]:
    """Doubt classes that are called as persons are.

    Args:
        names: The classes.

    Yields:
        A note where all are called so but for their number.

    Example:
        >>> [notice.reason[:51] for notice in person_note(["Actor_01", "Actor_02"])]
        ['the classes are called Actor_01, Actor_02: if these']
        >>> list(person_note(["cat", "dog"]))
        []
    """
    if len(names) > 1 and all(_PERSON.fullmatch(name) for name in names):
        some = ", ".join(printable(name) for name in sorted(names)[:_SHOWN])
        more = ", ..." if len(names) > _SHOWN else ""
        yield Notice(
            "",
            f"the classes are called {some}{more}: if these are whom samples are of, and not what is to be told, give "
            f"a table with the path and the class of each file as the source",
        )


def volumes_with_masks(kind: FileKind, found: Mapping[str, Sequence[str]]) -> str:
    """Tell that volumes or signals lie beside their masks, in folders that would be two classes.

    Args:
        kind: What the files are.
        found: Files of each class folder.

    Returns:
        The sentence that refuses them; empty for classes.

    Example:
        >>> volumes_with_masks("nifti", {"imagesTr": ["imagesTr/1.nii"], "labelsTr": ["labelsTr/1.nii"]})[:26]
        'imagesTr/ and labelsTr/ ho'
        >>> volumes_with_masks("nifti", {"ad": ["ad/1.nii"], "cn": ["cn/1.nii"]})
        ''
    """
    filled = [folder for folder, files in found.items() if files]
    plain = {folder: _PART_ENDING.sub("", folder.rpartition("/")[2].lower()) for folder in filled}
    masks = [folder for folder, name in plain.items() if name in MASKS]
    if kind != "picture" and masks and all(name in MASKS or name in PICTURES for name in plain.values()):
        names = " and ".join(f"{printable(folder)}/" for folder in filled[:_SHOWN])
        return (
            f"{names} hold samples and their masks, and a class for every voxel or step is not trained on: masks are "
            f"read for pictures, such as slices saved as images/1.png and masks/1.png"
        )
    labelled = sum(any(map(_MASK.search, files)) for files in found.values())
    if kind == "nifti" and 2 * labelled > len(filled):
        one = next(file for files in found.values() for file in files if _MASK.search(file))
        return (
            f"most folders hold a mask, such as {printable(one)}, and a class for every voxel is not trained on: masks "
            f"are read for pictures, such as slices saved as images/1.png and masks/1.png"
        )
    return ""
