"""Finding classes and files in an opened source: one sub-folder a class, with or without the source's own split.

Classes are indexed once over the whole source, never a part at a time: a class that is missing from `test/` must not
shift the labels of those behind it.
"""

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thalweg.core.dataset import Notice, Part, Sample
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.elpv import DEMO_CLASSES, read_labels
from thalweg.data.part_names import PART_NAMES
from thalweg.data.source import OpenedSource
from thalweg.data.walk import Listing, list_folder, maybe_picture, walk_folders

__all__ = ["LEAST_CLASSES", "Scan", "scan"]

LEAST_CLASSES = 2
"""A classifier tells two things apart at least."""

_WRAPPINGS = 16  # folders inside one another that hold nothing else, as archives of archives of folders have them
_SAME_LETTERS = str.maketrans({"\u064a": "\u06cc", "\u0643": "\u06a9"})  # Arabic yeh and kaf look like Persian ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a source holds, before any picture is opened.

    Args:
        root: The folder that the files' names are relative to.
        classes: Class names in index order, sorted.
        samples: Labelled candidate pictures, sorted by file.
        left_out: Files and folders that are not used, each with its reason.
        upright: Whether the pictures have an upright direction.
        warnings: What is odd about the source although it is used.
    """

    root: Path
    classes: tuple[str, ...]
    samples: tuple[Sample, ...]
    left_out: tuple[Notice, ...] = ()
    upright: bool = True
    warnings: tuple[Notice, ...] = ()


def scan(opened: OpenedSource, *, least: int = LEAST_CLASSES) -> Scan:
    """Find the classes and candidate pictures of a source.

    Args:
        opened: What `open_source` gave.
        least: Classes that there must be; a trained network may be tried on one.

    Returns:
        Classes, files, and everything that was left out.

    Raises:
        SourceError: There are no class folders, fewer classes than that, or nothing can be read.
    """
    if opened.kind == "elpv":
        samples, missing = read_labels(opened.root, above=0.0 if opened.name.endswith(":any") else 0.5)
        if len({sample.label for sample in samples}) < len(DEMO_CLASSES):
            raise SourceError(f"{opened.name}: {len(samples)} photos found; install elpv-dataset again")
        return Scan(root=opened.root, classes=DEMO_CLASSES, samples=samples, left_out=missing, upright=opened.upright)
    root, listing = _real_root(opened)
    top = os.fspath(root)
    parts = _own_parts(opened.name, top, listing)
    places = dict(_class_folders(top, listing, parts))
    linked = {folder for folder in places if os.path.islink(os.path.join(top, folder))}  # noqa: PTH114, PTH118
    found, left_out = walk_folders(top, [folder for folder in places if folder not in linked], linked=sorted(linked))
    stray = _stray(top, listing, parts)
    classes = tuple(sorted({name for folder, (name, _) in places.items() if found[folder]}))
    if len(classes) < least:
        raise SourceError(_too_few(opened.name, classes, stray, (*opened.left_out, *left_out), places))
    index = {name: label for label, name in enumerate(classes)}
    samples = tuple(
        Sample(file, index[name], part)
        for file, name, part in sorted(
            (file, name, part) for folder, (name, part) in places.items() for file in found[folder]
        )
    )
    return Scan(
        root=root,
        classes=classes,
        samples=samples,
        left_out=(*opened.left_out, *sorted((*stray, *left_out), key=lambda notice: notice.file)),
        upright=opened.upright,
        warnings=(*opened.warnings, *_warnings(listing, parts, places, found)),
    )


def _real_root(opened: OpenedSource) -> tuple[Path, Listing]:
    # Step through wrapping folders: archives often hold one folder that holds everything.
    root, listing = opened.root, list_folder(os.fspath(opened.root))
    if listing.problem:
        raise SourceError(f"{printable(opened.name)}: {listing.problem}")
    for _ in range(_WRAPPINGS):
        if len(listing.all_folders) != 1 or _pictures(os.fspath(root), "", listing):
            break
        inner = root / listing.all_folders[0]
        inside = list_folder(os.fspath(inner))
        if not inside.all_folders or _pictures(os.fspath(inner), "", inside):
            break
        root, listing = inner, inside
    return root, listing


def _pictures(top: str, folder: str, listing: Listing) -> list[str]:
    paths = [f"{folder}/{name}" if folder else name for name in listing.files]
    return [path for path in paths if not maybe_picture(top, path)]


def _own_parts(source: str, top: str, listing: Listing) -> dict[str, Part]:
    # The source's own train, validation and test folders; empty when its folders are classes.
    named = {name: PART_NAMES[name.lower()] for name in listing.all_folders if name.lower() in PART_NAMES}
    if len(set(named.values())) < 2 or "train" not in named.values():  # noqa: PLR2004 - a split has two sides
        return {}
    inside = {name: list_folder(top, name) for name in named}
    trained = {child for name in named if named[name] == "train" for child in inside[name].all_folders}
    tested = {child for name in named if named[name] != "train" for child in inside[name].all_folders}
    bare = not any(_pictures(top, name, inside[name]) for name in named if named[name] == "train")
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
    top: str, listing: Listing, parts: Mapping[str, Part]
) -> Iterator[tuple[str, tuple[str, Part | None]]]:
    # Every folder of a class, with the class and the part it belongs to.
    if not parts:
        yield from ((name, (name, None)) for name in listing.all_folders)
    for part_folder, part in parts.items():
        for name in list_folder(top, part_folder).all_folders:
            yield f"{part_folder}/{name}", (name, part)


def _stray(top: str, listing: Listing, parts: Mapping[str, Part]) -> list[Notice]:
    # Files and folders that lie where class folders are expected.
    notices = list(listing.left_out)
    levels = [("", listing), *((folder, list_folder(top, folder)) for folder in parts)]
    for folder, inside in levels:
        if folder:
            notices.extend(inside.left_out)
            if inside.problem or not inside.all_folders:
                notices.append(Notice(folder, inside.problem or "holds no class folders; its files are left out"))
        for name in inside.files:
            file = f"{folder}/{name}" if folder else name
            notices.append(Notice(file, maybe_picture(top, file) or "lies beside the class folders: it has no class"))
    if parts:
        others = (name for name in listing.all_folders if name not in parts)
        notices.extend(
            Notice(name, f"lies beside {', '.join(sorted(parts))}: it is part of no split") for name in others
        )
    return notices


def _too_few(
    source: str,
    classes: Sequence[str],
    stray: Sequence[Notice],
    left_out: Sequence[Notice],
    places: Mapping[str, tuple[str, Part | None]],
) -> str:
    # Say why there are not two classes, and what to do.
    shown = printable(source)
    loose = [notice for notice in stray if notice.reason.startswith("lies beside the class folders")]
    example = f"one folder a class, such as {shown}/cat/1.jpg and {shown}/dog/1.jpg"
    if classes:
        return f"{shown}: only one class, {printable(classes[0])!r}, has pictures; two are needed: {example}"
    if loose:
        return (
            f"{shown}: {len(loose):,} pictures lie directly in the folder, without classes; arrange them as {example}"
        )
    everything = [*stray, *left_out]
    why = (
        f" ({len(everything):,} left out, such as {printable(everything[0].file)}: {everything[0].reason})"
        if everything
        else ""
    )
    return f"{shown}: no pictures found in {len(places):,} class folders{why}; {example} is wanted"


def _warnings(
    listing: Listing,
    parts: Mapping[str, Part],
    places: Mapping[str, tuple[str, Part | None]],
    found: Mapping[str, Sequence[str]],
) -> Iterator[Notice]:
    # What is odd about a source that can be used.
    where: dict[str, set[Part | None]] = {}
    for folder, (name, part) in places.items():
        if found[folder]:
            where.setdefault(name, set()).add(part)
        else:
            yield Notice(folder, "this class folder holds no picture; it does not count as a class")
    present = set().union(*where.values())
    for name in sorted(where):
        if len(where[name]) == 1 and len(present) > 1:
            (only,) = where[name]
            yield Notice(name, f"this class occurs in {only} only")
    yield from _twins(sorted(where))
    if not parts:
        for name in listing.all_folders:
            if name.lower() in {"train", "training"} and name in where:
                yield Notice(name, "read as a class, since no test/ or val/ of the same form lies beside it")


def _twins(classes: Sequence[str]) -> Iterator[Notice]:
    # Classes that a person would take for one: they differ in case, in invisible characters or in look-alike letters.
    twins: dict[str, list[str]] = {}
    for name in classes:
        plain = unicodedata.normalize("NFKC", name).casefold().translate(_SAME_LETTERS)
        twins.setdefault("".join(filter(str.isprintable, plain)).strip(), []).append(name)
    for names in twins.values():
        if len(names) > 1:
            both = " and ".join(repr(printable(name)) for name in names)
            yield Notice(
                names[1], f"the classes {both} look the same but are {len(names)} classes; join them if they are one"
            )
