"""What a scan found, before any file is opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Form, Notice, Sample
from thalweg.data.files.kinds import FileKind
from thalweg.data.masks.decode import MaskCoding
from thalweg.data.measured.store import Measured
from thalweg.data.sample_table import files_of, labels_of

__all__ = ["Scan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a source holds, before any file is opened.

    Args:
        root: The folder that the files' names are relative to.
        classes: Class names in index order, sorted.
        samples: Labelled candidate pictures, sorted by file.
        left_out: Files and folders that are not used, each with its reason.
        upright: Whether the pictures have an upright direction.
        warnings: What is odd about the source although it is used.
        kind: What the files are; pictures, unless the source holds something else.
        measured: The samples themselves, where they are signals or volumes that lie mapped already.
        stored: The pictures themselves, where they came in arrays and lie mapped already; no files have these names.
        masks: What the pixels of the samples' masks mean, where every pixel has a class of its own; labels then are 0.
        layout: How pictures and masks lie, in words.
        together: Files that a table of labels says belong together, such as those of a patient.
    """

    root: Path
    classes: tuple[str, ...]
    samples: Sequence[Sample]
    left_out: tuple[Notice, ...] = ()
    upright: bool = True
    warnings: tuple[Notice, ...] = ()
    kind: FileKind = "picture"
    measured: Measured | None = None
    stored: Measured | None = None
    masks: MaskCoding | None = None
    layout: str = ""
    together: tuple[tuple[str, ...], ...] = ()

    @property
    def files(self) -> Sequence[str]:
        """Path of every sample."""
        return files_of(self.samples)

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Class index of every sample."""
        return labels_of(self.samples)

    @property
    def form(self) -> Form:
        """What the samples are: pictures, signals or volumes."""
        return self.measured.index.form if self.measured else "picture"
