"""Classes that stand in no folders and in no table: in the names of files, or in a file of its own beside each."""

import os
from collections.abc import Mapping
from pathlib import Path

from thalweg.core.dataset import Notice, Sample
from thalweg.core.files import printable
from thalweg.data.files.kinds import FileKind, kind_of_files, reason_against, shown_kind
from thalweg.data.files.known_namings import known_naming
from thalweg.data.files.part_names import is_split, part_of
from thalweg.data.files.walk import Against, list_folder, maybe_picture, walk_folders
from thalweg.data.finding.class_folders import real_root, wanted_files
from thalweg.data.finding.name_classes import classes_of_names
from thalweg.data.finding.scanned import Scan
from thalweg.data.opening.sibling_labels import classes_beside
from thalweg.data.opening.source import OpenedSource
from thalweg.data.sample_table import Samples

__all__ = ["by_known_naming", "by_names", "by_siblings"]


def by_known_naming(opened: OpenedSource, least: int) -> Scan | None:
    """Find recordings that are called as a published set calls them, whose folders are persons.

    Args:
        opened: What `open_source` gave.
        least: Classes that there must be.

    Returns:
        Classes and files; None where there are no such.
    """
    if (
        opened.wanted.form not in {"auto", "signals"}
        or kind_of_files(os.fspath(opened.root), opened.wanted.form) != "wav"
    ):
        return None
    root, files = _all_files(opened, reason_against("wav"))
    known = known_naming(files)
    if known is None:
        return None
    what, named, together, speakers = known
    classes = tuple(sorted(set(named.values())))
    if len(classes) < least:
        return None
    index = {name: label for label, name in enumerate(classes)}
    return Scan(
        root=root,
        classes=classes,
        samples=Samples.of(Sample(file, index[name]) for file, name in sorted(named.items())),
        left_out=(
            *opened.left_out,
            *(Notice(file, "its name says no class as those of the others do") for file in files if file not in named),
        ),
        kind="wav",
        warnings=(
            Notice("", f"the classes stand in the names of files, as {what} has them ({', '.join(classes[:3])} ...)"),
            Notice(
                "", f"recordings of one speaker, by their names, stay on one side of the split ({speakers:,} of them)"
            ),
        ),
        together=together,
    )


def by_siblings(opened: OpenedSource, kind: FileKind, least: int) -> Scan | None:
    """Find classes in a file of its own beside each, as shards of WebDataset have them.

    Args:
        opened: What `open_source` gave.
        kind: What the files are.
        least: Classes that there must be.

    Returns:
        Classes and files; None where there are no such.
    """
    root, files = _all_files(opened, reason_against(kind))
    named = classes_beside(root, files)
    classes = tuple(sorted(set(named.values()), key=lambda name: (not name.isdecimal(), name.zfill(9))))
    if len(classes) < least:
        return None
    index = {name: label for label, name in enumerate(classes)}
    parts = {folder: part_of(folder) for folder in list_folder(os.fspath(root)).all_folders}
    split = is_split([part for part in parts.values() if part])
    return Scan(
        root=root,
        classes=classes,
        samples=Samples.of(
            Sample(file, index[name], parts.get(file.partition("/")[0]) if split else None)
            for file, name in sorted(named.items())
        ),
        left_out=(
            *opened.left_out,
            *(Notice(file, "no file beside it says its class") for file in files if file not in named),
        ),
        upright=opened.upright,
        kind=kind,
        warnings=(
            Notice("", f"{len(named):,} {shown_kind(kind)[0]} have their class from a file beside each of them"),
        ),
    )


def by_names(opened: OpenedSource, least: int) -> Scan | None:
    """Find classes in the names of files that lie in one folder: `cat.0.jpg`, `dog.0.jpg`, or `Abyssinian_1.jpg`.

    Args:
        opened: What `open_source` gave.
        least: Classes that there must be.

    Returns:
        Classes and files; None where there are no such.
    """
    root, listing = real_root(opened, maybe_picture)
    top = os.fspath(root)
    for folder in ("", *(name for name in listing.all_folders if part_of(name) == "train"), *listing.all_folders):
        inside = list_folder(top, folder)
        files = wanted_files(top, folder, inside, maybe_picture)
        named = classes_of_names(files)
        if len(set(named.values())) < least:
            continue
        classes = tuple(sorted(set(named.values())))
        index = {name: label for label, name in enumerate(classes)}
        examples = " and ".join(printable(file.rpartition("/")[2]) for file in _one_each(named)[:2])
        others = [name for name in listing.all_folders if name != folder]
        return Scan(
            root=root,
            classes=classes,
            samples=Samples.of(Sample(file, index[name]) for file, name in sorted(named.items())),
            left_out=(
                *opened.left_out,
                *(
                    Notice(file, "its name says no class as those of the others do")
                    for file in files
                    if file not in named
                ),
                *(Notice(name, "its pictures have no class: it is part of no split") for name in others),
            ),
            upright=opened.upright,
            warnings=(
                Notice(
                    folder, f"there are no class folders: the names of files were read as classes, such as {examples}"
                ),
            ),
        )
    return None


def _one_each(named: Mapping[str, str]) -> list[str]:
    return list({name: file for file, name in sorted(named.items(), reverse=True)}.values())[::-1]


def _all_files(opened: OpenedSource, against: Against) -> tuple[Path, list[str]]:
    """All files of a source that are looked for, and the folder that they are relative to."""
    root, listing = real_root(opened, against)
    top = os.fspath(root)
    found, _ = walk_folders(top, listing.folders, linked=listing.linked, against=against)
    return root, sorted([*wanted_files(top, "", listing, against), *(file for each in found.values() for file in each)])
