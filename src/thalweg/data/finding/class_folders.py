"""One folder a class, with or without the source's own split; what lies elsewhere in the source is named.

Classes are indexed once over the whole source, never a part at a time: a class that is missing from `test/` must not
shift the labels of those behind it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from thalweg.core.dataset import Notice, Part
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.core.paths import Paths
from thalweg.data.files.kinds import FileKind, are_frames, kind_of_files, reason_against, shown_kind
from thalweg.data.files.part_names import is_split, parts_among
from thalweg.data.files.unread_kinds import unread_kind
from thalweg.data.files.walk import MOST_WRAPPINGS, Against, Listing, is_of_another_kind, list_folder, walk_folders
from thalweg.data.finding.folder_levels import (
    inner_part,
    masks_among,
    nested_note,
    only_with_samples,
    parts_inside,
    repeats,
)
from thalweg.data.finding.scanned import Scan
from thalweg.data.finding.telling_names import are_folds, person_note, set_apart, volumes_with_masks
from thalweg.data.health.odd_classes import odd_classes
from thalweg.data.opening.source import OpenedSource
from thalweg.data.sample_table import PARTS, Samples

__all__ = ["NO_CLASS_FOLDERS", "by_folders", "levels", "real_root", "wanted_files"]

NO_CLASS_FOLDERS = "holds no class folders; its files are left out"
"""What is said of a part whose pictures lie in no folders of classes."""

_MOST_SIBLINGS = 64
_MOST_BESIDE = 8
_CLIPS = Notice("", "folders inside class folders were read as clips of frames; --form pictures takes each for itself")


def by_folders(opened: OpenedSource, least: int) -> Scan:
    """Find the classes of a source that has one folder a class.

    Args:
        opened: What `open_source` gave.
        least: Classes that there must be.

    Returns:
        Classes, files, and everything that was left out.

    Raises:
        SourceError: There are no class folders, fewer classes than that, or nothing can be read.
    """
    kind = kind_of_files(os.fspath(opened.root), opened.wanted.form)
    against = reason_against(kind)
    root, listing = real_root(opened, against)
    top = os.fspath(root)
    parts = _own_parts(opened.name, top, listing, against)
    again = frozenset() if parts else repeats(top, listing.all_folders)
    apart = set_apart(listing.all_folders)
    names = [name for name in listing.all_folders if name not in again and name not in apart]
    places = dict(_class_folders(top, names, parts, against))
    linked = {folder for folder in places if os.path.islink(os.path.join(top, folder))}  # noqa: PTH114, PTH118
    real = [folder for folder in places if folder not in linked]
    found, left_out = walk_folders(top, real, linked=sorted(linked), against=against)
    left_out += [Notice(name, "its name stands between underscores: it is no class") for name in apart]
    left_out += [Notice(name, "holds the folders beside it once more: it is no class") for name in sorted(again)]
    if kind == "picture":
        for folder, files in found.items():
            masks, said = masks_among(folder, files)
            found[folder] = Paths(file for file in files if file not in masks) if masks else files
            left_out += said
    if refused := volumes_with_masks(kind, found):
        raise SourceError(f"{printable(opened.name)}: {refused}")
    stray = _stray(top, listing, parts, against)
    classes = tuple(sorted({name for folder, (name, _) in places.items() if found[folder]}))
    if len(classes) < least:
        bare = [folder for folder in places if not found[folder]]
        loose = [notice for notice in stray if notice.reason.startswith("lies beside the class folders")]
        if loose and not classes and (around := _around(root, against)):
            raise SourceError(
                f"{printable(opened.name)}: {len(loose):,} {shown_kind(kind)[0]} lie directly in the folder, without "
                f"classes; if they are one class of several, name the folder around them: {printable(around)}"
            )
        raise SourceError(_too_few(opened.name, classes, stray, (*opened.left_out, *left_out), bare, len(places), kind))
    index = {name: label for label, name in enumerate(classes)}
    samples = _in_order(places, found, index)
    insisted = opened.wanted.form == "volumes"
    may_be_clips = kind == "picture" and (insisted or opened.wanted.form == "auto")
    clips = may_be_clips and are_frames(samples, places, wanted=insisted)
    if kind == "picture" and insisted and not clips:
        raise SourceError(
            f"{opened.name} holds single pictures and no clips, which are folders of at least two numbered pictures "
            f"inside each class folder: leave --form volumes out to train on the pictures"
        )
    return Scan(
        root=root,
        classes=classes,
        samples=samples,
        kind="clip" if clips else kind,
        left_out=(*opened.left_out, *sorted((*stray, *left_out), key=lambda notice: notice.file)),
        upright=opened.upright,
        warnings=(
            *_warnings(listing, parts, places, found, left_out),
            *([_CLIPS] if clips else nested_note(found)),
            *person_note(classes),
            *_beside(opened, root, kind),
        ),
    )


def _in_order(
    places: Mapping[str, tuple[str, Part | None]], found: Mapping[str, Paths], index: Mapping[str, int]
) -> Samples:
    """The files of all class folders in order of path; no class folder lies in another one."""
    files, labels, parts = Paths(), [np.zeros(0, np.int32)], [np.zeros(0, np.int8)]
    for folder in sorted((folder for folder in places if found[folder]), key=lambda folder: f"{folder}/"):
        name, part = places[folder]
        inside = found[folder]
        files.extend(inside if inside.in_order() else sorted(inside))
        labels.append(np.full(len(inside), index[name], np.int32))
        parts.append(np.full(len(inside), PARTS.index(part), np.int8))
    number = np.concatenate(parts)
    return Samples(files, np.concatenate(labels), number if number.any() else None)


def real_root(opened: OpenedSource, against: Against) -> tuple[Path, Listing]:
    """Step through wrapping folders: archives often hold one folder that holds everything.

    Args:
        opened: The source.
        against: Gives the reason why a file is not looked for.

    Returns:
        The folder that holds the classes, and what lies in it.

    Raises:
        SourceError: It cannot be read.
    """
    *_, root = levels(opened, against)
    return root, list_folder(os.fspath(root))


def levels(opened: OpenedSource, against: Against) -> Iterator[Path]:
    """Step through wrapping folders.

    Args:
        opened: The source.
        against: Gives the reason why a file is not looked for.

    Yields:
        The source's folder, and each further in, down to the one that holds the classes.

    Raises:
        SourceError: It cannot be read.
    """
    root, listing = opened.root, list_folder(os.fspath(opened.root))
    if listing.problem:
        raise SourceError(f"{printable(opened.name)}: {listing.problem}")
    yield root
    for _ in range(MOST_WRAPPINGS):
        top, names = os.fspath(root), listing.all_folders
        if not names or wanted_files(top, "", listing, against):
            break
        only = names[0] if len(names) == 1 else only_with_samples(top, names, against)
        if not only:
            break
        inner = root / only
        inside = list_folder(os.fspath(inner))
        if not inside.all_folders or wanted_files(os.fspath(inner), "", inside, against):
            break
        root, listing = inner, inside
        yield root


def wanted_files(top: str, folder: str, listing: Listing, against: Against) -> list[str]:
    """List the files that are looked for in one folder.

    Args:
        top: Path of the source.
        folder: The folder below it.
        listing: What lies in it.
        against: Gives the reason why a file is not looked for.

    Returns:
        Paths below the source.
    """
    paths = [f"{folder}/{name}" if folder else name for name in listing.files]
    return [path for path in paths if not against(top, path)]


def _own_parts(source: str, top: str, listing: Listing, against: Against) -> dict[str, Part]:
    # The source's own train, validation and test folders; empty when its folders are classes.
    named = parts_among(listing.all_folders)
    if not is_split(list(named.values())):
        return {}
    named = {inner_part(top, name, against): part for name, part in named.items()}
    inside = {name: list_folder(top, name) for name in named}
    trained = {child for name in named if named[name] == "train" for child in inside[name].all_folders}
    tested = {child for name in named if named[name] != "train" for child in inside[name].all_folders}
    bare = not any(wanted_files(top, name, inside[name], against) for name in named if named[name] == "train")
    if trained and (bare or trained & tested):
        return named
    if not trained:
        names = " and ".join(f"{printable(name)}/" for name in sorted(named))
        raise SourceError(
            f"{printable(source)}: {names} hold no class folders; arrange the pictures as "
            f"train/CLASS/picture.jpg and test/CLASS/picture.jpg"
        )
    return {}


def _class_folders(
    top: str, names: Sequence[str], parts: Mapping[str, Part], against: Against
) -> Iterator[tuple[str, tuple[str, Part | None]]]:
    # Every folder of a class, with the class and the part it belongs to.
    if not parts and are_folds(names):
        inside = {name: list_folder(top, name) for name in names}
        if any(wanted_files(top, name, listing, against) for name, listing in inside.items()):
            listed = ", ".join(printable(name) for name in names[:3])
            raise SourceError(
                f"the folders {listed} are pieces of the source, no classes, and no table says the class of each file: "
                f"give one as the source"
            )
        yield from ((f"{name}/{child}", (child, None)) for name in names for child in inside[name].all_folders)
        return
    if not parts:
        yield from parts_inside(top, names, against).items() or ((name, (name, None)) for name in names)
    for part_folder, part in parts.items():
        for name in list_folder(top, part_folder).all_folders:
            yield f"{part_folder}/{name}", (name, part)


def _stray(top: str, listing: Listing, parts: Mapping[str, Part], against: Against) -> list[Notice]:
    # Files and folders that lie where class folders are expected.
    notices = list(listing.left_out)
    levels = [("", listing), *((folder, list_folder(top, folder)) for folder in parts)]
    for folder, inside in levels:
        if folder:
            notices.extend(inside.left_out)
            if inside.problem or not inside.all_folders:
                notices.append(Notice(folder, inside.problem or NO_CLASS_FOLDERS))
        for name in inside.files:
            file = f"{folder}/{name}" if folder else name
            notices.append(Notice(file, against(top, file) or "lies beside the class folders: it has no class"))
    if parts:
        others = (name for name in listing.all_folders if not any(f"{part}/".startswith(f"{name}/") for part in parts))
        notices.extend(
            Notice(name, f"lies beside {', '.join(sorted(parts))}: it is part of no split") for name in others
        )
    return notices


def _around(root: Path, against: Against) -> str:
    # The folder around a class, where most folders in it hold such files.
    above = os.fspath(root.absolute().parent)
    names = [name for name in list_folder(above).all_folders if name != root.name][:_MOST_SIBLINGS]
    filled = sum(bool(wanted_files(above, name, list_folder(above, name), against)) for name in names)
    return above if 2 * filled > len(names) else ""


def _too_few(
    source: str,
    classes: Sequence[str],
    stray: Sequence[Notice],
    left_out: Sequence[Notice],
    bare: Sequence[str],
    folders: int,
    kind: FileKind,
) -> str:
    # Say why there are not two classes, and what to do.
    shown = printable(source)
    loose = [notice for notice in stray if notice.reason.startswith("lies beside the class folders")]
    what, ending = shown_kind(kind)
    example = f"one folder a class, such as {shown}/cat/1{ending} and {shown}/dog/1{ending}"
    if classes:
        within = [notice for notice in left_out if notice.file.startswith(tuple(f"{name}/" for name in bare))]
        lost = [*(notice for notice in left_out if notice.file in bare), *within]
        if unread := [notice for notice in (*stray, *left_out) if _is_unread(notice)]:
            empty = f" ({printable(unread[0].file)}: {unread[0].reason})"  # which may say the classes
        elif lost:  # a folder that may not be opened, or pictures of a kind that is not read
            empty = f" ({printable(lost[0].file)}: {lost[0].reason})"
        else:
            empty = f" ({', '.join(map(printable, bare[:3]))}: no {what} in it)" if bare else ""
        return f"{shown}: only one class, {printable(classes[0])!r}, has {what}{empty}; two are needed: {example}"
    if loose:
        return f"{shown}: {len(loose):,} {what} lie directly in the folder, without classes; arrange them as {example}"
    everything = sorted((*stray, *left_out), key=lambda notice: is_of_another_kind(notice.reason))
    why = (
        f" ({len(everything):,} left out, such as {printable(everything[0].file)}: {everything[0].reason})"
        if everything
        else ""
    )
    return f"{shown}: no {what} found in {folders:,} class folders{why}; {example} is wanted"


def _is_unread(notice: Notice) -> bool:
    """Whether a file is of a kind that is not read, and may say the classes or be the samples."""
    return " are not read; " in notice.reason and bool(unread_kind(notice.file))


def _beside(opened: OpenedSource, root: Path, kind: FileKind) -> Iterator[Notice]:
    """Folders with samples of another kind beside the one that was stepped into."""
    if root == opened.root:
        return
    for name in list_folder(os.fspath(root.parent)).folders[:_MOST_BESIDE]:
        other = kind_of_files(os.fspath(root.parent / name)) if name != root.name else "picture"
        if other not in {kind, "picture", "table"}:
            yield Notice(name, f"holds {shown_kind(other)[0]}, which are left out: name that folder to train on them")


def _warnings(
    listing: Listing,
    parts: Mapping[str, Part],
    places: Mapping[str, tuple[str, Part | None]],
    found: Mapping[str, Sequence[str]],
    left_out: Sequence[Notice],
) -> Iterator[Notice]:
    # What is odd about a source that can be used.
    told = {notice.file for notice in left_out}  # a folder that could not be read is no empty one
    where: dict[str, set[Part | None]] = {}
    for folder, (name, part) in places.items():
        if found[folder]:
            where.setdefault(name, set()).add(part)
        elif folder not in told:
            yield Notice(folder, "this class folder holds no picture; it does not count as a class")
    yield from odd_classes(where)
    if not parts:
        for name in listing.all_folders:
            if name.lower() in {"train", "training"} and name in where:
                yield Notice(name, "read as a class, since no test/ or val/ of the same form lies beside it")
