"""What is known of a source at two moments: after a look at it, and when its samples can be read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from thalweg.core.dataset import Duplicate, Form, Notice, Sample
from thalweg.core.paths import Paths
from thalweg.core.shape import Shape
from thalweg.data.finding.scan import Scan
from thalweg.data.health.health import Health
from thalweg.data.masks.store import Masks
from thalweg.data.measured.store import Measured
from thalweg.data.measured.values import extents_at
from thalweg.data.sample_table import files_of, labels_of
from thalweg.data.storing.cache import Pictures

__all__ = ["Loaded", "Looked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look at a source tells, before all of it is read.

    Args:
        scan: What was found.
        channels: Channels of a sample.
        extents: Size of a sample; of pictures, the typical side twice, or their typical height and width with masks.
    """

    scan: Scan
    channels: int
    extents: tuple[int, ...]

    @property
    def form(self) -> Form:
        """What the samples are."""
        return self.scan.form

    @property
    def side(self) -> int:
        """The longest axis of a sample, in pixels or steps."""
        return max(self.extents)

    def shape(self, side: int | tuple[int, int] | None) -> Shape:
        """What a network is given at a size.

        Args:
            side: Side of pictures, or their width and height, or the longest that an axis of other samples may be.

        Returns:
            Channels and size of one sample.
        """
        if isinstance(side, tuple):
            return Shape(3, side[::-1])
        if self.scan.measured is None:
            return Shape(3, ((side or self.side),) * 2)
        return Shape(self.channels, extents_at(self.extents, side))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The usable samples of a source.

    Args:
        scan: What was found, before any file was read.
        samples: Usable files with their labels.
        rows: Row of each sample in the cache.
        pictures: The cache.
        left_out: Files that are not used, with the reason.
        warnings: Files that are odd but used.
        duplicates: Groups of files that show the same picture.
        health: Sizes, remarks and findings about the pictures.
        masks: The samples' masks, in their order, where every pixel has a class.
    """

    scan: Scan
    samples: Sequence[Sample]
    rows: np.ndarray
    pictures: Pictures
    left_out: tuple[Notice, ...]
    warnings: tuple[Notice, ...]
    duplicates: tuple[Duplicate, ...]
    health: Health
    masks: Masks | None = None

    @property
    def measured(self) -> Measured | None:
        """The samples as they were measured; None for pictures."""
        return self.scan.measured

    @property
    def form(self) -> Form:
        """What the samples are."""
        return self.scan.form

    @property
    def labels(self) -> np.ndarray:
        """Class index of every sample."""
        return labels_of(self.samples)

    @property
    def files(self) -> Sequence[str]:
        """Path of every sample."""
        return files_of(self.samples)

    def files_at(self, indices: Iterable[int]) -> Paths:
        """The paths of some samples.

        Args:
            indices: Positions of the samples.

        Returns:
            Their paths, in that order.
        """
        files = self.files
        return Paths(files[index] for index in indices)
