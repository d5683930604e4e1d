"""From what the user named to labelled samples in a cache, split and described: the way in that every verb shares."""

import hashlib
from collections.abc import Collection, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from thalweg.core.dataset import AXES, DataSummary, Notice, Sample, Wanted
from thalweg.core.errors import RunError, SourceError
from thalweg.core.files import printable
from thalweg.core.finding import Finding
from thalweg.core.paths import Paths
from thalweg.core.plan import TrainingPlan
from thalweg.core.shape import Shape
from thalweg.data.decoding.sizes import typical_side, typical_size
from thalweg.data.finding.scan import LEAST_CLASSES, Scan, scan
from thalweg.data.health.duplicates import find_duplicates
from thalweg.data.health.health import health, leakage
from thalweg.data.measured.array_pictures import load_stored
from thalweg.data.opening.source import open_source
from thalweg.data.sample_table import Samples
from thalweg.data.splitting.grouping import group_by
from thalweg.data.splitting.split import Split, positions, split
from thalweg.data.storing.cache import Pictures, load_pictures
from thalweg.workbench.loading.loaded import Loaded, Looked
from thalweg.workbench.loading.loading_masks import content_of_masks, load_masked, summarise_masks
from thalweg.workbench.loading.loading_values import load_measured, measure_files, other_form, reading_of
from thalweg.workbench.telling.telling import Listener

__all__ = [
    "Loaded",
    "Looked",
    "divide",
    "load",
    "load_scan",
    "look",
    "same_labels",
    "same_split",
    "summarise",
    "trained_on",
]

CONTENT_BYTES = 4


def look(source: str, listener: Listener, *, least: int = LEAST_CLASSES, wanted: Wanted | None = None) -> Looked:
    """Find the samples of a source; pictures without reading them all.

    Args:
        source: What the user named.
        listener: Whoever shows progress.
        least: Classes that there must be.
        wanted: How samples that are no pictures shall be read.

    Returns:
        What was found, and how large its samples are.
    """
    wanted = wanted or Wanted()
    found = scan(open_source(source, progress=listener.say, wanted=wanted), least=least)
    if found.kind != "picture":
        found = measure_files(found, source, wanted, listener, least=least)
    if found.measured is not None:
        return Looked(scan=found, channels=found.measured.channels, extents=found.measured.extents)
    if found.stored is not None:
        return Looked(scan=found, channels=3, extents=(min(found.stored.extents),) * 2)
    files = found.files
    if found.masks is not None:
        return Looked(scan=found, channels=3, extents=typical_size(found.root, files)[::-1])
    side = typical_side(found.root, files)
    return Looked(scan=found, channels=3, extents=(side, side))


def load_scan(
    found: Scan,
    *,
    image_size: int | tuple[int, int],
    listener: Listener,
    least: int = LEAST_CLASSES,
    like: Shape | None = None,
) -> Loaded:
    """Decode the pictures of a scan into the cache and compare them; or map measured samples at their size.

    Args:
        found: What `look` gave.
        image_size: Side of the cached pictures, or their width and height, in pixels, or the longest that an axis of
            other samples may be.
        listener: Whoever shows progress.
        least: Classes that there must be.
        like: Channels and size that a trained network takes.

    Returns:
        The usable samples.

    Raises:
        SourceError: Too few classes have a usable picture, or the samples are not what the network takes.
    """
    if found.measured is not None:
        longest = image_size if isinstance(image_size, int) else max(image_size)
        return load_measured(found, found.measured, longest, listener, like=like)
    if like is not None and like.axes != AXES["picture"]:
        raise SourceError(other_form("picture", like))
    files, labels = found.files, found.labels

    def progress(done: int, total: int) -> None:
        listener.count("pictures read", done, total)

    if found.stored is not None:
        pictures = load_stored(found.stored, files, size=image_size, progress=progress)
    else:
        pictures = load_pictures(found.root, files, size=image_size, progress=progress)
    if found.masks is not None:
        return load_masked(found, pictures, listener)
    usable = np.flatnonzero(pictures.rows >= 0)
    left = frozenset(np.unique(labels[usable]).tolist())
    if len(left) < least:
        raise SourceError(_unusable(found, left, pictures, least))
    everything = len(usable) == len(files)
    left_out = (*found.left_out, *(Notice(file, reason) for file, reason in sorted(pictures.left_out.items())))
    state = health(pictures, files, labels, found.classes)
    return Loaded(
        scan=found,
        samples=found.samples if everything else _chosen(found.samples, usable),
        rows=pictures.rows if everything else pictures.rows[usable],
        pictures=pictures,
        left_out=left_out,
        warnings=(*found.warnings, *state.warnings),
        duplicates=find_duplicates(pictures, files, labels, found.classes),
        health=state,
    )


def _chosen(samples: Sequence[Sample], usable: np.ndarray) -> Sequence[Sample]:
    return samples.take(usable) if isinstance(samples, Samples) else tuple(samples[index] for index in usable)


def _unusable(found: Scan, left: Collection[int], pictures: Pictures, least: int) -> str:
    """Say which classes lost all their pictures, why, and what to do."""
    left_out = sorted(pictures.left_out.items())
    lost = sorted(set(found.labels.tolist()) - set(left))
    names = ", ".join(repr(printable(found.classes[label])) for label in lost[:3])
    more = f" and {len(lost) - 3:,} more" if len(lost) > 3 else ""  # noqa: PLR2004 - as many as are named
    first, reason = left_out[0]
    return (
        f"no picture of {names}{more} can be read ({len(left_out):,} "
        f"{'file is' if len(left_out) == 1 else 'files are'} left out, such as {printable(first)}: {reason}); "
        f"{least} classes with readable pictures are needed: mend or replace the files"
    )


def load(
    source: str,
    *,
    image_size: int | tuple[int, int],
    listener: Listener,
    least: int = LEAST_CLASSES,
    wanted: Wanted | None = None,
    like: Shape | None = None,
) -> Loaded:
    """Find, decode and compare the samples of a source.

    Args:
        source: What the user named.
        image_size: Side of the cached pictures, in pixels.
        listener: Whoever shows progress.
        least: Classes that there must be.
        wanted: How samples that are no pictures shall be read.
        like: Channels and size that a trained network takes.

    Returns:
        The usable samples.
    """
    looked = look(source, listener, least=least, wanted=wanted)
    return load_scan(looked.scan, image_size=image_size, listener=listener, least=least, like=like)


def divide(loaded: Loaded, plan: TrainingPlan) -> Split:
    """Split the samples as the plan says, duplicates and groups kept on one side.

    Args:
        loaded: The usable pictures.
        plan: With the options of the split.

    Returns:
        Positions of the samples in each part.
    """
    asked = {file for files in (*(group.files for group in loaded.duplicates), *loaded.scan.together) for file in files}
    position = {file: index for index, file in enumerate(loaded.files) if file in asked} if asked else {}
    groups: list[Sequence[int]] = [[position[file] for file in group.files] for group in loaded.duplicates]
    if loaded.measured is not None:
        groups.extend(loaded.measured.groups)
    groups.extend([position[file] for file in files if file in position] for files in loaded.scan.together)
    if plan.group_by:
        groups.extend(group_by(loaded.samples, plan.group_by))
    return split(
        loaded.samples,
        classes=loaded.scan.classes if loaded.masks is None else ("pictures",),
        test=plan.test,
        validation=plan.validation,
        seed=plan.seed,
        groups=groups,
        split_file=Path(plan.split_file) if plan.split_file else None,
    )


def summarise(loaded: Loaded, parts: Split, source: str) -> tuple[DataSummary, tuple[Finding, ...]]:
    """Describe the data of a run for `data.json`, and what is noteworthy about it.

    Args:
        loaded: The usable pictures.
        parts: Their split.
        source: As the user named it.

    Returns:
        The description and the findings.
    """
    labels, classes = loaded.labels, loaded.scan.classes
    named = {"train": parts.train, "validation": parts.validation, "test": parts.test}
    if loaded.masks is not None:
        return summarise_masks(
            loaded, loaded.masks, parts, source, _content(loaded, (*parts.train, *parts.validation, *parts.test))
        )
    counts = {
        name: tuple(int(count) for count in np.bincount(labels[np.asarray(indices)], minlength=len(classes)))
        for name, indices in named.items()
        if len(indices)
    }
    summary = DataSummary(
        source=source,
        classes=classes,
        class_counts=tuple(int(count) for count in np.bincount(labels, minlength=len(classes))),
        files=sum(len(indices) for indices in named.values()),
        left_out=(*loaded.left_out, *parts.left_out),
        warnings=(*loaded.warnings, *parts.warnings),
        duplicates=loaded.duplicates,
        upright=loaded.scan.upright,
        counts=counts,
        reading=reading_of(loaded, parts.train),
        shown=loaded.scan.stored.index.shown if loaded.scan.stored is not None else None,
        grey=loaded.scan.form == "picture" and loaded.pictures.pixels.shape[-1] == 1,
        content=_content(loaded, np.concatenate([np.asarray(indices, np.int64) for indices in named.values()])),
        labels=_labels(loaded, parts),
        train=loaded.files_at(parts.train),
        validation=loaded.files_at(parts.validation),
        test=loaded.files_at(parts.test),
    )
    findings = list(loaded.health.findings)
    held = leakage(loaded.duplicates, summary.train, Paths(chain(summary.validation, summary.test)))
    if held is not None:
        findings.append(held)
    return summary, tuple(findings)


def same_split(loaded: Loaded, summary: DataSummary) -> Split:
    """Find the files of a run's split again, and notice what is gone or changed.

    Args:
        loaded: The source as it is now.
        summary: The run's `data.json`.

    Returns:
        Positions of the samples in each part.

    Raises:
        RunError: A file is gone, or shows another picture than it did.
    """
    position = {file: index for index, file in enumerate(loaded.files)}
    files = Paths(chain(summary.train, summary.validation, summary.test))
    place = printable(summary.source)
    gone = [file for file in files if file not in position]
    if gone:
        raise RunError(
            f"{len(gone)} of the {len(files)} files of the run are not in {place} any more, "
            f"first {printable(gone[0])}: put them back, or train anew"
        )
    now = _content(loaded, [position[file] for file in files])
    changed = [
        file
        for file, start in zip(files, range(0, len(summary.content), CONTENT_BYTES), strict=False)
        if now[start : start + CONTENT_BYTES] != summary.content[start : start + CONTENT_BYTES]
    ]
    if changed:
        raise RunError(
            f"{len(changed)} of the {len(files)} files of the run show other pictures in {place} than when it began, "
            f"first {printable(changed[0])}: put the old ones back, or train anew"
        )
    return Split(
        train=positions(position[file] for file in summary.train),
        validation=positions(position[file] for file in summary.validation),
        test=positions(position[file] for file in summary.test),
    )


def same_labels(loaded: Loaded, summary: DataSummary, parts: Split) -> None:
    """Notice that a table says other classes of the same files than when a run began.

    Args:
        loaded: The source as it is now.
        summary: The run's `data.json`.
        parts: The files of the run's split, found again.

    Raises:
        RunError: A label is another one.
    """
    if summary.labels and summary.labels != _labels(loaded, parts):  # older runs have none
        raise RunError(
            f"files of the run have other labels in {printable(summary.source)} than when it began: put the old ones "
            f"back, or train anew"
        )


def _labels(loaded: Loaded, parts: Split) -> str:
    order = np.concatenate([np.asarray(part, np.int64) for part in (parts.train, parts.validation, parts.test)])
    return hashlib.blake2b(loaded.labels[order].astype("<i8").tobytes(), digest_size=8).hexdigest()


def trained_on(loaded: Loaded, summary: DataSummary) -> list[str]:
    """Find samples of a source that a run was trained on, by what they show, however they are called.

    Args:
        loaded: The source.
        summary: The run's `data.json`.

    Returns:
        Their files; none where so few agree that four bytes of a digest do so by chance.
    """
    known = np.frombuffer(summary.content, dtype=f"u{CONTENT_BYTES}")[: len(summary.train)]
    here = np.frombuffer(_content(loaded, range(len(loaded.samples))), dtype=f"u{CONTENT_BYTES}")
    same = np.flatnonzero(np.isin(here, known))
    by_chance = len(known) * len(here) / 2 ** (8 * CONTENT_BYTES)
    return list(loaded.files_at(same)) if len(same) > 10 * by_chance else []


def _content(loaded: Loaded, indices: Sequence[int] | np.ndarray) -> bytes:
    if loaded.masks is not None:
        return content_of_masks(loaded, loaded.masks, indices, CONTENT_BYTES)
    usable = np.flatnonzero(loaded.pictures.rows >= 0)
    digests = loaded.pictures.content[:, :CONTENT_BYTES]
    return bytes(digests[usable[np.asarray(indices, dtype=np.int64)]].tobytes())
