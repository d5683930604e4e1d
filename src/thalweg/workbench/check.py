"""`thalweg check`: the health of a source before any training."""

import time
from itertools import chain
from pathlib import Path

import numpy as np

from thalweg.core.paths import Paths
from thalweg.core.plan import TrainingPlan
from thalweg.core.results import CheckResult
from thalweg.data.health.health import leakage
from thalweg.data.opening.source import source_name
from thalweg.data.sample_table import PARTS, parts_of
from thalweg.workbench.loading.loading import load_scan, look
from thalweg.workbench.loading.loading_masks import uneven_pixels
from thalweg.workbench.loading.suspects import suspects_of
from thalweg.workbench.starting.recipes import resolved
from thalweg.workbench.telling.telling import Listener, whoever_is_here

__all__ = ["check"]


def check(source: str | Path, *, listener: Listener | None = None) -> CheckResult:
    """Read every file of a source and say what training would meet.

    Args:
        source: As for `train`.
        listener: Whoever shows progress.

    Returns:
        Usable files, classes, what would be left out and why, odd files, duplicates and findings; with masks, the files
        of a class are the pictures that show it.

    Raises:
        SourceError: The source cannot be used at all.

    Example:
        >>> check("no/such/folder")
        Traceback (most recent call last):
        thalweg.core.errors.SourceError: no/such/folder: there is no such folder or file...
    """
    listener = listener or whoever_is_here()
    started = listener.began
    source = source_name(source)
    looked = look(source, listener)
    side = looked.side
    if looked.form == "picture":  # at the size that training would take by itself, so that the work is not done twice
        side = resolved(TrainingPlan(source=source), picture_side=looked.side).image_size or side
    loaded = load_scan(looked.scan, image_size=side, listener=listener)
    classes = loaded.scan.classes
    if loaded.masks is not None:
        counts = [int(count) for count in (loaded.masks.counts > 0).sum(axis=0)]
    else:
        counts = np.bincount(loaded.labels, minlength=len(classes)).tolist()
    own = parts_of(loaded.samples)
    parts = {
        name: loaded.files_at(np.flatnonzero(own == PARTS.index(name))) for name in ("train", "validation", "test")
    }
    findings = list(loaded.health.findings)
    if loaded.masks is not None:
        uneven = uneven_pixels(loaded.masks.counts.sum(axis=0), classes)
        findings += [uneven] if uneven is not None else []
    leak = leakage(loaded.duplicates, parts["train"], Paths(chain(parts["validation"], parts["test"])))
    if leak is not None:
        findings.append(leak)
    return CheckResult(
        files=len(loaded.samples),
        classes=classes,
        left_out=loaded.left_out,
        warnings=loaded.warnings,
        duplicates=loaded.duplicates,
        class_counts=dict(zip(classes, counts, strict=True)),
        findings=tuple(findings),
        suspects=suspects_of(loaded),
        masks="" if loaded.scan.masks is None else f"{loaded.scan.layout}; {loaded.scan.masks.about}",
        seconds=time.perf_counter() - started,
    )
