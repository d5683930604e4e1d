"""Which of the folders inside one another hold the classes, and which of the files in them are pictures of a class.

Archives hold the same folders twice, parts lie inside classes, pictures beside their masks: what would be taken for a
class and is none is told by what lies beside it.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence

from thalweg.core.dataset import Notice, Part
from thalweg.core.files import printable
from thalweg.data.files.part_names import is_split, part_of, says_nothing_else
from thalweg.data.files.walk import Against, is_of_another_kind, list_folder

__all__ = ["inner_part", "masks_among", "nested_note", "only_with_samples", "parts_inside", "repeats"]

_MOST_FOLDERS = 4096
_MASK_FOLDERS = frozenset({"mask", "masks", "lung masks", "infection masks", "ground_truth", "groundtruth", "gt"})
_MASK_WORDS = ("mask", "masks", "seg", "segmentation", "gt", "groundtruth")
_MASK_NAME = re.compile(rf"(?P<picture>.+)[_-](?:{'|'.join(_MASK_WORDS)})(?:_\d+)?")
_MOST_NAMES = 3


def inner_part(top: str, name: str, against: Against) -> str:
    """A part's folder, or the one folder in it that says no more, as in `seg_train/seg_train/` and `train/images/`.

    Args:
        top: Path of the source.
        name: The part's folder.
        against: Gives the reason why a file is not looked for.

    Returns:
        The folder below the source that holds the part's classes.
    """
    inside = list_folder(top, name)
    if len(inside.all_folders) != 1 or not all(against(top, f"{name}/{file}") for file in inside.files):
        return name
    inner = inside.all_folders[0]
    return f"{name}/{inner}" if part_of(inner) == part_of(name) or says_nothing_else(inner) else name


def repeats(top: str, names: Sequence[str]) -> frozenset[str]:
    """Folders that hold all others beside them once more, as archives that were packed twice have it.

    Args:
        top: Path of the source.
        names: Folders that would be classes.

    Returns:
        Those that are none.
    """
    if len(names) < 3:  # noqa: PLR2004 - two classes, and a folder of both
        return frozenset()
    return frozenset(  # without listing what may be 100,000 pictures
        name
        for name in names
        if all(os.path.isdir(os.path.join(top, name, other)) for other in names if other != name)  # noqa: PTH112, PTH118 - names may not be valid text for Path
    )


def parts_inside(top: str, names: Sequence[str], against: Against) -> Mapping[str, tuple[str, Part]]:
    """Parts that lie inside the classes, as `cat/train/` and `cat/test/`.

    Args:
        top: Path of the source.
        names: Folders of classes.
        against: Gives the reason why a file is not looked for.

    Returns:
        Folder below the source to class and part; nothing unless all that lies in the classes is such folders.
    """
    places: dict[str, tuple[str, Part]] = {}
    for name in names:
        inside = list_folder(top, name)
        if any(not against(top, f"{name}/{file}") for file in inside.files):
            return {}
        for inner in inside.all_folders:
            part = part_of(inner)
            if part is None:
                return {}
            places[f"{name}/{inner}"] = (name, part)
    return places if is_split([part for _, part in places.values()]) else {}


def only_with_samples(top: str, names: Sequence[str], against: Against) -> str:
    """The one folder that holds what is looked for, where all beside it hold files of other kinds.

    Args:
        top: Path of the source.
        names: Folders in it.
        against: Gives the reason why a file is not looked for.

    Returns:
        The folder; empty where there are several, or where one is empty or cannot be read.
    """
    if any(part_of(name) for name in names):
        return ""
    found = ""
    for name in names:
        holds = _holds(top, name, against)
        if holds is None or (holds and found):
            return ""
        found = name if holds else found
    return found


def _holds(top: str, folder: str, against: Against) -> bool | None:
    """Whether a folder holds what is looked for; None where that cannot be said for sure."""
    left, looked, others = [folder], 0, False
    while left:
        looked += 1
        inside = list_folder(top, here := left.pop())
        if inside.problem or inside.left_out or looked > _MOST_FOLDERS:
            return None
        for name in inside.files:
            reason = against(top, f"{here}/{name}")
            if not reason:
                return True
            if not is_of_another_kind(reason):  # a picture that cannot be read
                return None
            others = True
        left += [f"{here}/{name}" for name in inside.all_folders]
    return False if others else None


def masks_among(folder: str, files: Sequence[str]) -> tuple[frozenset[str], tuple[Notice, ...]]:
    """Masks among the files of a class: in `masks/` beside `images/`, or beside their pictures as `A_mask.png`.

    Args:
        folder: The class's folder.
        files: Its files.

    Returns:
        The masks, and what is said about them.
    """
    together = "\n".join(files).lower()
    if not any(word in together for word in (*_MASK_WORDS, *_MASK_FOLDERS)):  # of 100,000 files in milliseconds
        return frozenset(), ()
    notices = []
    masks: set[str] = set()
    inside: dict[str, list[str]] = {}
    for file in files:
        inside.setdefault(file.rpartition("/")[0], []).append(file)
    for here, own in inside.items():
        above, _, last = here.rpartition("/")
        if last.lower() in _MASK_FOLDERS and here != folder:
            around = (each for each in inside if each != here and each.rpartition("/")[0] == above)
            pictures = {_stem(file) for each in around for file in inside[each]}
            if 2 * sum(_picture_of(file) in pictures for file in own) > len(own):
                masks |= set(own)
                notices.append(Notice(here, f"{len(own):,} masks of the pictures beside them: left out"))
            continue
        called = [file for file in own if _stem(file).rstrip("_0123456789").endswith(_MASK_WORDS)]
        stems = {_stem(file) for file in own} if called else set()
        beside = [file for file in called if _picture_of(file) != _stem(file) and _picture_of(file) in stems]
        if 2 * len({_picture_of(file) for file in beside}) > len(own) - len(beside):
            masks |= set(beside)
            notices.append(Notice(min(beside), f"{len(beside):,} masks of the pictures beside them: left out"))
    return frozenset(masks), tuple(notices)


def _stem(file: str) -> str:
    return file.rpartition("/")[2].rpartition(".")[0].lower()


def _picture_of(mask: str) -> str:
    """What the picture is called that a mask is of."""
    stem = _stem(mask)
    found = _MASK_NAME.fullmatch(stem)
    return found["picture"] if found else stem


def nested_note(found: Mapping[str, Sequence[str]]) -> Iterator[Notice]:
    """Say which level was read as the classes, where folders lie in folders and either could be.

    Args:
        found: Files of each class folder.

    Yields:
        A note where all files of most class folders lie in several folders within them.
    """
    inner = {
        folder: [_levels_of(each) for each in {file.removeprefix(f"{folder}/").rpartition("/")[0] for file in files}]
        for folder, files in found.items()
    }
    filled = [folder for folder, levels in inner.items() if levels]
    deep = {folder: {first for first, *_ in levels} for folder, levels in inner.items() if levels and all(levels)}
    deep = {folder: names for folder, names in deep.items() if len(names) > 1}
    if 2 * len(deep) > len(filled) > 1:
        outer = _some([folder.rpartition("/")[2] for folder in deep])
        within = _some(sorted(set().union(*deep.values())))
        yield Notice(
            "",
            f"the outer folders are the classes ({outer}), not those inside them ({within}); if those are, give a "
            f"table with the path and the class of each picture as the source",
        )


def _levels_of(folder: str) -> list[str]:
    """The folders in a path that say something, from the outermost."""
    return [name for name in folder.split("/") if name and not says_nothing_else(name)]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown}, ..."
