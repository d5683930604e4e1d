"""Data of an experiment: any source that `train` takes, as two parts of arrays that fit into memory."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.core.plan import TrainingPlan
from thalweg.core.shape import Shape
from thalweg.data.batching.batches import as_tensor
from thalweg.data.finding.scan import Scan
from thalweg.data.measured.values import standardisation
from thalweg.workbench.loading.loading import Loaded, divide, load_scan, look
from thalweg.workbench.telling.telling import Listener

__all__ = ["DEFAULT_SOURCE", "LabData", "LabPart", "lab_data"]

DEFAULT_SOURCE = "elpv"
"""The solar-cell photos that the extra `demo` installs."""
_MOST_BYTES = 2 << 30
_SPARE = 1.4
"""So many times the wanted samples are read: a fifth is held out, and some may be unusable."""


@dataclass(frozen=True, kw_only=True)
class LabPart:
    """Samples to train on, or to judge by.

    Args:
        values: `(N, *extents, channels)`: pixels 0..255, or measured values with mean 0 and deviation 1.
        labels: int64 `(N,)`.
    """

    values: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.labels)

    @cached_property
    def inputs(self) -> torch.Tensor:
        """float32 `(N, channels, *extents)`, as every network of the catalogue takes them."""
        return as_tensor(self.values, ordered=False)

    @cached_property
    def targets(self) -> torch.Tensor:
        """int64 `(N,)`."""
        return torch.from_numpy(self.labels)

    def some(self, count: int, seed: int = 0) -> "LabPart":
        """Take some of the samples, every class with its share.

        Args:
            count: How many, about; all where there are not more.
            seed: Which ones.

        Returns:
            A part of them, at least one sample a class.
        """
        if count >= len(self):
            return self
        random = np.random.default_rng((seed, 17))
        kept = [
            random.permutation(members)[: max(1, round(count * len(members) / len(self)))]
            for members in (np.flatnonzero(self.labels == label) for label in np.unique(self.labels))
        ]
        chosen = np.sort(np.concatenate(kept))
        return LabPart(values=self.values[chosen], labels=self.labels[chosen])


@dataclass(frozen=True, kw_only=True)
class LabData:
    """What an experiment trains on.

    Args:
        source: As the user named it.
        classes: Their names.
        train: Samples to train on.
        test: Samples held out: the source's own test or validation part, else a fifth.
    """

    source: str
    classes: tuple[str, ...]
    train: LabPart
    test: LabPart

    @property
    def shape(self) -> Shape:
        """Channels and size of one sample."""
        *extents, channels = self.train.values.shape[1:]
        return Shape(channels, tuple(extents))

    @property
    def majority(self) -> float:
        """Share of the largest training class among the held-out samples: what knowing nothing else gives."""
        largest = Counter(self.train.labels.tolist()).most_common(1)[0][0]
        return float((self.test.labels == largest).mean())

    def some(self, train: int, test: int | None = None, *, seed: int = 0) -> "LabData":
        """Take some of the samples.

        Args:
            train: How many to train on.
            test: How many to judge by; all by default.
            seed: Which ones.

        Returns:
            Less data.
        """
        held = self.test if test is None else self.test.some(test, seed)
        return replace(self, train=self.train.some(train, seed), test=held)

    def said(self) -> str:
        """Describe the data.

        Returns:
            A line for the set-up.

        Example:
            >>> part = LabPart(values=np.zeros((4, 8, 8, 1), np.uint8), labels=np.array([0, 0, 0, 1]))
            >>> LabData(source="photos", classes=("a", "b"), train=part, test=part).said()
            'photos: 4 samples of 1x8x8 to train on, 4 held out, 2 classes; the largest class alone gives 75.0 %'
        """
        return (
            f"{printable(self.source)}: {len(self.train):,} samples of {self.shape} to train on, {len(self.test):,} "
            f"held out, {len(self.classes)} classes; the largest class alone gives {100 * self.majority:.1f} %"
        )


def lab_data(
    source: str | None,
    *,
    side: int,
    listener: Listener,
    least: int = 100,
    most: int | None = None,
    seed: int = 42,
) -> LabData:
    """Load a source into arrays.

    Args:
        source: In any form that `train` takes; None for the solar-cell photos.
        side: Pictures are brought to this side, in pixels, unless theirs is smaller; of volumes the longest that an
            axis may be, of signals its square.
        listener: Whoever shows progress.
        least: Samples to train on that there must be; the held-out part must have a fifth of that.
        most: Samples that are trained on; a fourth of that is held out. All by default.
        seed: Of the split, and of which samples are taken.

    Returns:
        Both parts; near and exact duplicates are on one side.

    Raises:
        SourceError: There are too few samples, or too many for the memory.
        MissingExtraError: No source was named, and the extra `demo` is not installed.
    """
    name = DEFAULT_SOURCE if source is None else source
    listener.say(f"{printable(name)} ...")
    looked = look(name, listener)
    size = min(side, max(16, looked.side))
    if looked.scan.measured is not None:
        size = side * side if looked.form == "signal" else side  # a signal may have as many values as a picture
    found = looked.scan if most is None or looked.scan.measured is not None else _fewer(looked.scan, most, seed)
    loaded = load_scan(found, image_size=size, listener=listener)
    parts = divide(loaded, TrainingPlan(source=name, seed=seed))
    train, test = np.asarray(parts.train), np.asarray(parts.test or parts.validation)
    if len(train) < least or len(test) < least // 5:
        raise SourceError(
            f"{printable(name)} is too small for this experiment: {len(train):,} samples to train on and {len(test):,} "
            f"held out, at least {least:,} and {least // 5:,} are needed"
        )
    labels = loaded.labels
    missing = [name for number, name in enumerate(loaded.scan.classes) if number not in set(labels[test].tolist())]
    if missing:
        raise SourceError(
            f"{printable(name)}: no sample of class {printable(missing[0])} is held out, so that nothing can be said "
            f"about it: add samples of it"
        )
    whole = LabData(
        source=name,
        classes=loaded.scan.classes,
        train=_lazily(loaded, train, labels, most, seed),
        test=_lazily(loaded, test, labels, None if most is None else max(most // 4, least // 5), seed),
    )
    return whole if loaded.measured is None else _standardised(loaded, train, whole)


def _fewer(found: Scan, most: int, seed: int) -> Scan:
    """Leave most files of a large source unread: enough of every class, in every part it has itself."""
    samples = found.samples
    groups = {group: place for place, group in enumerate(sorted({(each.label, each.part or "") for each in samples}))}
    labels = np.array([groups[each.label, each.part or ""] for each in samples])
    wanted = 2 * most if any(each.part for each in samples) else round(_SPARE * most)
    places = LabPart(values=np.arange(len(samples)), labels=labels).some(wanted, seed).values
    return replace(found, samples=tuple(samples[place] for place in places))


def _lazily(loaded: Loaded, places: np.ndarray, labels: np.ndarray, most: int | None, seed: int) -> LabPart:
    """Choose among positions before any pixel is touched."""
    if most is not None:
        chosen = LabPart(values=places, labels=labels[places]).some(most, seed)
        places = chosen.values
    pixels = loaded.pictures.pixels
    size = len(places) * int(np.prod(pixels.shape[1:]))
    if size * 4 > _MOST_BYTES:
        raise SourceError(
            f"{len(places):,} samples of {'x'.join(map(str, pixels.shape[1:]))} do not fit into the memory of an "
            f"experiment: name a source with fewer or smaller samples"
        )
    return LabPart(values=np.ascontiguousarray(pixels[loaded.rows[places]]), labels=labels[places])


def _standardised(loaded: Loaded, train: np.ndarray, data: LabData) -> LabData:
    mean, deviation = (np.asarray(part, dtype=np.float32) for part in standardisation(loaded.pictures, loaded.rows[train]))  # fmt: skip  # noqa: E501
    scale = np.where(deviation > 0, deviation, np.float32(1))

    def apply(part: LabPart) -> LabPart:
        return LabPart(values=(part.values.astype(np.float32) - mean) / scale, labels=part.labels)

    return replace(data, train=apply(data.train), test=apply(data.test))
