"""From what the user named to labelled pictures in a cache, split and described: the way in that every verb shares."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thalweg.core.dataset import DataSummary, Duplicate, Notice, Sample
from thalweg.core.errors import RunError, SourceError
from thalweg.core.files import printable
from thalweg.core.finding import Finding
from thalweg.core.plan import TrainingPlan
from thalweg.data.cache import Pictures, load_pictures
from thalweg.data.duplicates import find_duplicates
from thalweg.data.health import Health, health, leakage
from thalweg.data.scan import LEAST_CLASSES, Scan, scan
from thalweg.data.sizes import typical_side
from thalweg.data.source import open_source
from thalweg.data.split import Split, group_by, split
from thalweg.workbench.telling import Listener

__all__ = ["Loaded", "divide", "load", "load_scan", "look", "same_split", "summarise"]

CONTENT_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The usable pictures of a source.

    Args:
        scan: What was found, before any file was read.
        samples: Usable files with their labels.
        rows: Row of each sample in the cache.
        pictures: The cache.
        left_out: Files that are not used, with the reason.
        warnings: Files that are odd but used.
        duplicates: Groups of files that show the same picture.
        health: Sizes, remarks and findings about the pictures.
    """

    scan: Scan
    samples: tuple[Sample, ...]
    rows: np.ndarray
    pictures: Pictures
    left_out: tuple[Notice, ...]
    warnings: tuple[Notice, ...]
    duplicates: tuple[Duplicate, ...]
    health: Health

    @property
    def labels(self) -> np.ndarray:
        """Class index of every sample."""
        return np.fromiter((sample.label for sample in self.samples), dtype=np.int64, count=len(self.samples))

    @property
    def files(self) -> tuple[str, ...]:
        """Path of every sample."""
        return tuple(sample.file for sample in self.samples)


def look(source: str, listener: Listener, *, least: int = LEAST_CLASSES) -> tuple[Scan, int]:
    """Find the files of a source, without reading them all.

    Args:
        source: What the user named.
        listener: Whoever shows progress.
        least: Classes that there must be.

    Returns:
        What was found, and the typical side of its pictures in pixels.
    """
    found = scan(open_source(source, progress=listener.say), least=least)
    return found, typical_side(found.root, [sample.file for sample in found.samples])


def load_scan(found: Scan, *, image_size: int, listener: Listener, least: int = LEAST_CLASSES) -> Loaded:
    """Decode the pictures of a scan into the cache and compare them.

    Args:
        found: What `look` gave.
        image_size: Side of the cached pictures, in pixels.
        listener: Whoever shows progress.
        least: Classes that there must be.

    Returns:
        The usable pictures.

    Raises:
        SourceError: Too few classes have a usable picture.
    """
    files = [sample.file for sample in found.samples]
    pictures = load_pictures(
        found.root, files, size=image_size, progress=lambda done, total: listener.count("pictures read", done, total)
    )
    usable = [index for index, row in enumerate(pictures.rows) if row >= 0]
    samples = tuple(found.samples[index] for index in usable)
    counts = Counter(sample.label for sample in samples)
    if len(counts) < least:
        broken = len(pictures.left_out)
        names = ", ".join(printable(found.classes[label]) for label in counts) or "none"
        raise SourceError(
            f"only {len(counts)} classes have usable pictures ({names}; {broken} files could not be read): "
            f"at least {least} needed"
        )
    left_out = (*found.left_out, *(Notice(file, reason) for file, reason in sorted(pictures.left_out.items())))
    labels = [sample.label for sample in found.samples]
    state = health(pictures, files, labels, found.classes)
    return Loaded(
        scan=found,
        samples=samples,
        rows=np.asarray(pictures.rows)[usable],
        pictures=pictures,
        left_out=left_out,
        warnings=(*found.warnings, *state.warnings),
        duplicates=find_duplicates(pictures, files, labels),
        health=state,
    )


def load(source: str, *, image_size: int, listener: Listener, least: int = LEAST_CLASSES) -> Loaded:
    """Find, decode and compare the pictures of a source.

    Args:
        source: What the user named.
        image_size: Side of the cached pictures, in pixels.
        listener: Whoever shows progress.
        least: Classes that there must be.

    Returns:
        The usable pictures.
    """
    found, _ = look(source, listener, least=least)
    return load_scan(found, image_size=image_size, listener=listener, least=least)


def divide(loaded: Loaded, plan: TrainingPlan) -> Split:
    """Split the samples as the plan says, duplicates and groups kept on one side.

    Args:
        loaded: The usable pictures.
        plan: With the options of the split.

    Returns:
        Positions of the samples in each part.
    """
    position = {file: index for index, file in enumerate(loaded.files)}
    groups: list[Sequence[int]] = [[position[file] for file in group.files] for group in loaded.duplicates]
    if plan.group_by:
        groups.extend(group_by(loaded.samples, plan.group_by))
    return split(
        loaded.samples,
        classes=loaded.scan.classes,
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
    files, labels = loaded.files, loaded.labels
    classes = loaded.scan.classes
    named = {"train": parts.train, "validation": parts.validation, "test": parts.test}
    counts = {
        name: tuple(int(count) for count in np.bincount(labels[list(indices)], minlength=len(classes)))
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
        content=_content(loaded, [index for indices in named.values() for index in indices]),
        **{name: tuple(files[index] for index in indices) for name, indices in named.items()},
    )
    findings = list(loaded.health.findings)
    held = leakage(loaded.duplicates, summary.train, (*summary.validation, *summary.test))
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
    files = (*summary.train, *summary.validation, *summary.test)
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
        train=tuple(position[file] for file in summary.train),
        validation=tuple(position[file] for file in summary.validation),
        test=tuple(position[file] for file in summary.test),
    )


def _content(loaded: Loaded, indices: Sequence[int]) -> bytes:
    digests = loaded.pictures.content[np.asarray(loaded.pictures.rows) >= 0, :CONTENT_BYTES]
    return bytes(digests[np.asarray(indices, dtype=np.int64)].tobytes())
