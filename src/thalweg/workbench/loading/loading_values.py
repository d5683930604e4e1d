"""Loading signals and volumes: files into samples, samples to size, and the numbers that standardise them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from thalweg.core.dataset import AXES, Form, Notice, Reading, Wanted
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.core.shape import Shape
from thalweg.data.finding.scan import Scan, of_measured
from thalweg.data.health.duplicates import find_duplicates
from thalweg.data.measured.measuring_files import files_key, write_files
from thalweg.data.measured.store import Measured, open_measured
from thalweg.data.measured.values import extents_at, load_values, standardisation, values_health
from thalweg.data.storing.shelf import land
from thalweg.workbench.loading.loaded import Loaded
from thalweg.workbench.telling.telling import Listener

__all__ = ["load_measured", "measure_files", "other_form", "reading_of"]


def measure_files(found: Scan, source: str, wanted: Wanted, listener: Listener, *, least: int) -> Scan:
    """Read the files of class folders that are no pictures, once, into samples that are mapped.

    Args:
        found: The files.
        source: As the user named it.
        wanted: How they shall be read.
        listener: Whoever shows progress.
        least: Classes that there must be.

    Returns:
        The samples in place of the files.

    Raises:
        SourceError: No file is usable, or too few classes are left.
    """

    def fill(folder: Path) -> tuple[Notice, ...]:
        write_files(
            found.kind,
            found.root,
            found.samples,
            folder,
            wanted,
            classes=found.classes,
            progress=lambda done, total: listener.count("files read", done, total),
        )
        return ()

    root, _ = land(files_key(found.kind, found.root, found.samples, wanted), fill)
    measured = open_measured(root)
    if measured is None:
        raise SourceError(f"{printable(root)}: these samples are damaged; delete that folder")
    read = of_measured(measured, source, least=least)
    return replace(
        read,
        kind=found.kind,
        left_out=(*found.left_out, *read.left_out),
        warnings=(*found.warnings, *read.warnings),
        together=_of_files(found.together, read.files),
    )


def _of_files(together: Sequence[Sequence[str]], names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """What files belong together as samples: a recording is its windows, `a.wav@1.500s`."""
    if not together:
        return ()
    windows: dict[str, list[str]] = {}
    for name in names:
        windows.setdefault(name.rpartition("@")[0] or name, []).append(name)
        windows.setdefault(name, []).append(name)
    return tuple(tuple(dict.fromkeys(each for file in files for each in windows.get(file, ()))) for files in together)


def load_measured(
    found: Scan, measured: Measured, side: int | None, listener: Listener, *, like: Shape | None = None
) -> Loaded:
    """Map samples at their size; only exact twins are looked for, since signals are alike by nature.

    Args:
        found: The samples.
        measured: Their values.
        side: The longest that an axis may be.
        listener: Whoever shows progress.
        like: Channels and size that a trained network takes.

    Returns:
        The samples; each is usable.

    Raises:
        SourceError: They are not what the network takes.
    """
    form, extents = measured.index.form, extents_at(measured.extents, side)
    if like is not None:
        if like.axes != len(extents):
            raise SourceError(other_form(form, like))
        if (form == "signal" and extents != like.extents) or measured.channels != like.channels:
            had = Shape(measured.channels, extents)
            raise SourceError(f"the source's {form}s are {had} (channels x size), the network takes {like}")
        extents = like.extents
    values = load_values(
        measured, extents=extents, progress=lambda done, total: listener.count("samples resized", done, total)
    )
    files, labels = found.files, found.labels
    state = values_health(values, files, labels, found.classes)
    return Loaded(
        scan=found,
        samples=found.samples,
        rows=values.rows,
        pictures=values,
        left_out=found.left_out,
        warnings=(*found.warnings, *state.warnings),
        duplicates=find_duplicates(values, files, labels),
        health=state,
    )


def other_form(form: Form, like: Shape) -> str:
    """Say that samples are of another form than a network takes.

    Args:
        form: What they are.
        like: What it takes.

    Returns:
        The sentence.

    Example:
        >>> other_form("signal", Shape(3, (96, 96)))
        'the source holds signals, and the network was trained on pictures'
    """
    names = {axes: name for name, axes in AXES.items()}
    return f"the source holds {form}s, and the network was trained on {names[like.axes]}s"


def reading_of(loaded: Loaded, train: Sequence[int]) -> Reading | None:
    """How measured values were read, with the numbers that standardise them, which the training part alone decides.

    Args:
        loaded: The samples.
        train: Positions of the training part.

    Returns:
        What goes into `data.json`; None for pictures.
    """
    measured = loaded.measured
    if measured is None:
        return None
    mean, deviation = standardisation(loaded.pictures, loaded.rows[np.asarray(train, dtype=np.int64)])
    return Reading(
        form=measured.index.form,
        channels=measured.channels,
        extents=tuple(loaded.pictures.pixels.shape[1:-1]),
        note=measured.index.note,
        mean=tuple(mean),
        deviation=tuple(deviation),
        rate_hz=measured.index.rate_hz,
        raw_extents=measured.extents,
        kind=measured.index.kind,
    )
