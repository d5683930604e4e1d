"""Finding classes and files in an opened source: folders, tables of labels, names of files, masks, measured values."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from thalweg.core.dataset import FormWish, Notice, Sample
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.files.kinds import FileKind, kind_of_files, reason_against
from thalweg.data.files.part_names import part_within, parts_among
from thalweg.data.files.walk import list_folder
from thalweg.data.finding.class_folders import NO_CLASS_FOLDERS, by_folders, levels
from thalweg.data.finding.held_together import hold_together
from thalweg.data.finding.name_classes import boxes_in
from thalweg.data.finding.part_lists import with_parts_of_lists
from thalweg.data.finding.scanned import Scan
from thalweg.data.finding.unfoldered import by_known_naming, by_names, by_siblings
from thalweg.data.labels.label_tables import Labelled, label_tables, labels_of
from thalweg.data.masks.scan import masks_of
from thalweg.data.measured.store import Measured, open_measured
from thalweg.data.opening.elpv import DEMO_CLASSES, read_labels
from thalweg.data.opening.source import OpenedSource
from thalweg.data.sample_table import Samples

__all__ = ["LEAST_CLASSES", "Scan", "of_measured", "scan"]

LEAST_CLASSES = 2
"""A classifier tells two things apart at least."""

_FORMS: Mapping[FileKind, tuple[FormWish, ...]] = MappingProxyType({
    "picture": ("auto", "pictures"),
    "wav": ("auto", "signals"),
    "table": ("auto", "signals"),
    "npy": ("auto", "signals", "volumes"),
    "nifti": ("auto", "volumes"),
})
"""What files may be in whose place a table says the class, and what the user then may have said that they are."""
_COVERS = 0.9  # of the pictures, where a table is believed rather than folders


def scan(opened: OpenedSource, *, least: int = LEAST_CLASSES) -> Scan:
    """Find the classes and candidate pictures of a source.

    Args:
        opened: What `open_source` gave.
        least: Classes that there must be; a trained network may be tried on one.

    Returns:
        Classes, files, what belongs together, and everything that was left out.

    Raises:
        SourceError: There are no class folders, fewer classes than that, or nothing can be read.
    """
    found = _found(opened, least)
    if opened.kind == "elpv":
        return found
    return hold_together(with_parts_of_lists(found, opened.root), opened.root)


def _found(opened: OpenedSource, least: int) -> Scan:  # noqa: PLR0911 - each kind of source has its answer
    if opened.kind == "elpv":
        samples, missing = read_labels(opened.root, above=0.0 if opened.name.endswith(":any") else 0.5)
        if len({sample.label for sample in samples}) < len(DEMO_CLASSES):
            raise SourceError(f"{opened.name}: {len(samples)} photos found; install elpv-dataset again")
        return Scan(root=opened.root, classes=DEMO_CLASSES, samples=samples, left_out=missing, upright=opened.upright)
    if opened.table:
        return _by_named_table(opened, least)
    masked = _by_masks(opened)
    if masked is not None:
        return masked
    measured = open_measured(opened.root)
    if measured is not None:
        return of_measured(measured, opened.name, least=least)
    if named := by_known_naming(opened, least):
        with contextlib.suppress(SourceError):
            return _by_table(opened, least) or named
        return named
    try:
        found = by_folders(opened, least)
    except SourceError as error:
        if other := _without_folders(opened, least):
            return other
        boxes = boxes_in(opened.root)
        raise (SourceError(f"{printable(opened.name)}: {boxes}") if boxes else error) from None
    return _by_table(opened, least, folders=found) or _tested_by_table(found)


def _by_masks(opened: OpenedSource) -> Scan | None:
    """Pictures with masks; None where there are none."""
    try:
        masked = masks_of(opened)
    except SourceError:
        if boxes := boxes_in(opened.root):
            raise SourceError(f"{printable(opened.name)}: {boxes}") from None
        raise
    if masked is None:
        return None
    pairs, coding = masked
    many = len(pairs.together)
    told = [Notice("", f"pictures of one folder stay on one side of the split ({many:,} of them)")] if many > 1 else []
    return Scan(
        root=pairs.root,
        classes=coding.classes,
        samples=pairs.samples,
        left_out=(*opened.left_out, *pairs.left_out),
        warnings=(*pairs.warnings, *told),
        masks=coding,
        layout=pairs.layout,
        together=pairs.together,
    )


def _by_named_table(opened: OpenedSource, least: int) -> Scan:
    """The table that the user named as the source."""
    found = _by_table(opened, least)
    if found is None:
        raise SourceError(f"{printable(opened.name)}: it names no pictures with their classes that lie beside it")
    return found


def _without_folders(opened: OpenedSource, least: int) -> Scan | None:
    """Classes that stand in a table, or in the names of the files; None where they do not."""
    kind = _kind(opened)
    if opened.wanted.form not in _FORMS[kind]:
        return None
    if beside := by_siblings(opened, kind, least):
        return beside
    try:
        return _by_table(opened, least) or by_names(opened, least)
    except SourceError as error:
        named = by_names(opened, least)
        if named is None:
            raise
        return replace(named, warnings=(*named.warnings, Notice("", str(error))))


def _by_table(opened: OpenedSource, least: int, *, folders: Scan | None = None) -> Scan | None:
    """What tables say; of a source with class folders only where these say nothing and a table names all pictures."""
    kind = folders.kind if folders is not None else _kind(opened)
    if kind not in _FORMS or (folders is not None and opened.wanted.form not in _FORMS[kind]):
        return None
    root = opened.root
    said: Labelled | None = None
    try:
        for root in (opened.root,) if opened.table else levels(opened, reason_against(kind)):
            tables = (opened.table,) if opened.table else label_tables(root)
            said = labels_of(root, tables, kind=kind) if tables else None
            if said is not None:
                break
    except SourceError as error:
        if folders is not None:
            return None
        raise SourceError(f"{printable(opened.name)}: {error}") from None
    if said is None or len(said.classes) < least:
        return None
    if folders is not None:
        alike = {name.casefold() for name in said.classes} & {name.casefold() for name in folders.classes}
        pieces = all(part_within(name) for name in folders.classes)  # training-a, training-b
        if alike or not (said.named or pieces) or said.covered < _COVERS:
            return None
    return Scan(
        root=root,
        classes=said.classes,
        samples=Samples.of(said.samples),
        left_out=(*opened.left_out, *said.left_out),
        upright=opened.upright,
        kind=kind,
        warnings=said.warnings,
        together=said.together,
    )


def _kind(opened: OpenedSource) -> FileKind:
    """What a table is about where no folders are classes."""
    kind = kind_of_files(os.fspath(opened.root), opened.wanted.form)
    return kind if kind in _FORMS else "picture"


def _tested_by_table(found: Scan) -> Scan:
    """Add what a table says of a part without class folders: `test.csv` beside `train/CLASS/` and `test/1.png`."""
    bare = tuple(f"{notice.file}/" for notice in found.left_out if notice.reason == NO_CLASS_FOLDERS)
    tables = label_tables(found.root) if bare and found.kind == "picture" else ()
    try:
        said = labels_of(found.root, tables) if tables else None
    except SourceError:
        said = None
    if said is None:
        return found
    parts = parts_among(list_folder(os.fspath(found.root)).all_folders)
    index = {name: label for label, name in enumerate(found.classes)}
    more = {
        sample.file: Sample(sample.file, index[name], parts.get(sample.file.partition("/")[0]))
        for sample in said.samples
        if sample.file.startswith(bare) and (name := said.classes[sample.label]) in index
    }
    used = {each.rstrip("/"): sum(file.startswith(each) for file in more) for each in bare}
    return replace(
        found,
        samples=Samples.of(sorted((*found.samples, *more.values()), key=lambda sample: sample.file)),
        left_out=tuple(each for each in found.left_out if each.file not in more and not used.get(each.file)),
        warnings=(
            *found.warnings,
            *(
                Notice(folder, f"has no class folders: {count:,} of its pictures have their class from a table")
                for folder, count in used.items()
                if count
            ),
        ),
    )


def of_measured(measured: Measured, source: str, *, least: int = LEAST_CLASSES) -> Scan:
    """Take samples that lie mapped already for a scan.

    Args:
        measured: The samples.
        source: As the user named it, for messages.
        least: Classes that there must be.

    Returns:
        Classes, samples, and everything that was left out.

    Raises:
        SourceError: There are fewer classes than that.
    """
    index = measured.index
    used = sorted(set(index.labels))
    if len(used) < least:
        only = f"only one class, {printable(index.classes[used[0]])!r}," if used else "no class"
        lost = index.left_out
        if lost:
            raise SourceError(
                f"{printable(source)}: {only} has samples; {least} are needed ({len(lost):,} samples are left out, "
                f"such as {printable(lost[0].file)}: {lost[0].reason})"
            )
        raise SourceError(f"{printable(source)}: {only} has samples; {least} are needed")
    new = {label: position for position, label in enumerate(used)}
    parts = index.parts or (None,) * len(index.names)
    samples = Samples.of(
        Sample(name, new[label], part) for name, label, part in zip(index.names, index.labels, parts, strict=True)
    )
    pictures = index.form == "picture"
    return Scan(
        root=measured.folder,
        classes=tuple(index.classes[label] for label in used),
        samples=samples,
        left_out=index.left_out,
        upright=index.upright,
        warnings=index.warnings,
        measured=None if pictures else measured,
        stored=measured if pictures else None,
        together=tuple(tuple(index.names[place] for place in group) for group in measured.groups) if pictures else (),
    )
