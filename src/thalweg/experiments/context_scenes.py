"""Scenes in which two classes can be told apart by something far away only, made here so that the truth is known.

On grey ground lie green boxes and yellow discs. A beacon at the left edge is red or blue. Under a red beacon every disc
is a lamp, under a blue one a sign; discs lie in the right half and all look alike. So ground, boxes and the beacon can
be told from what is near, lamps and signs by the beacon alone. A street does the same with lane and
pavement, in its way.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.core.plan import TrainingPlan
from thalweg.core.shape import Shape
from thalweg.experiments.data import LabPart
from thalweg.workbench.loading.loading import divide, load_scan, look
from thalweg.workbench.telling.telling import Listener

__all__ = ["FAR", "NAMES", "SceneData", "masked_pictures", "scenes", "shortest_distance"]

NAMES = ("ground", "box", "beacon", "lamp", "sign")
FAR = ("lamp", "sign")
"""Classes that only far context tells apart."""

_GREEN, _YELLOW, _RED, _BLUE = (40, 160, 60), (220, 200, 60), (210, 50, 50), (50, 70, 210)
_BEACON = 14  # pixels on a side
_DISC = (6, 8)
_FEWEST = 8
_SPARE = 2.4  # so many times the wanted pictures are read: a third more is held out, and parts may be uneven


@dataclass(frozen=True, kw_only=True)
class SceneData:
    """Pictures with a class for every pixel, to train on and to judge by; 255 is left out.

    Args:
        source: What they are called.
        classes: Names of the classes.
        train: Pictures `(N, height, width, channels)` and masks `(N, height, width)` to train on.
        test: The same, held out.
        far: Classes of which it is known that only far context tells them apart.
    """

    source: str
    classes: tuple[str, ...]
    train: LabPart
    test: LabPart
    far: tuple[str, ...] = ()

    @cached_property
    def shape(self) -> Shape:
        """Channels and size of one picture."""
        height, width, channels = self.train.values.shape[1:]
        return Shape(channels, (height, width))

    def said(self) -> str:
        """Describe the data.

        Returns:
            A line for the set-up.
        """
        return (
            f"{self.source}: {len(self.train):,} pictures of {self.shape} to train on, {len(self.test):,} held out; "
            f"classes {', '.join(self.classes)}"
        )

    def pixels(self, most: int) -> tuple[torch.Tensor, np.ndarray]:
        """Take the first held-out pictures.

        Args:
            most: How many at most.

        Returns:
            Pictures as the network takes them, and their masks.
        """
        return self.test.inputs[:most], self.test.labels[:most]


def shortest_distance(width: int) -> int:
    """How far the centre of a disc is from the beacon at least, along a row.

    Args:
        width: Of the pictures.

    Returns:
        Pixels.

    Example:
        >>> shortest_distance(72)
        30
    """
    return width // 2 + _DISC[1] - _BEACON


def scenes(train: int, test: int, size: tuple[int, int], *, seed: int = 0) -> SceneData:
    """Draw scenes.

    Args:
        train: Pictures to train on.
        test: Pictures held out.
        size: Height and width, from 32 and 56 pixels.
        seed: Of everything random.

    Returns:
        The scenes.

    Example:
        >>> data = scenes(4, 2, (48, 72))
        >>> str(data.shape), len(data.test)
        ('3x48x72', 2)
    """
    chance = np.random.default_rng((seed, 23))
    parts = [_part(number, size, chance) for number in (train, test)]
    return SceneData(source="scenes made here", classes=NAMES, train=parts[0], test=parts[1], far=FAR)


def _part(number: int, size: tuple[int, int], chance: np.random.Generator) -> LabPart:
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    values = np.empty((number, height, width, 3), dtype=np.uint8)
    labels = np.zeros((number, height, width), dtype=np.int64)
    for picture, mask in zip(values, labels, strict=True):
        red = bool(chance.integers(2))
        colours = np.full((height, width, 3), 115.0)
        top = chance.integers(0, height - _BEACON)
        _paint(colours, mask, (rows >= top) & (rows < top + _BEACON) & (columns < _BEACON), _RED if red else _BLUE, 2)
        for _ in range(2):
            row, column = int(chance.integers(0, height - 8)), int(chance.integers(_BEACON + 2, width - 8))
            deep, wide = (int(each) for each in chance.integers(5, 9, 2))
            box = (rows >= row) & (rows < row + deep) & (columns >= column) & (columns < column + wide)
            _paint(colours, mask, box, _GREEN, 1)
        for _ in range(2):
            radius = int(chance.integers(_DISC[0], _DISC[1] + 1))
            row = int(chance.integers(radius, height - radius))
            column = int(chance.integers(width // 2 + _DISC[1], width - radius))
            disc = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
            _paint(colours, mask, disc, _YELLOW, 3 if red else 4)
        noise = chance.normal(0, 18, (height, width, 3))
        picture[:] = np.clip(colours * chance.uniform(0.8, 1.15) + noise, 0, 255).astype(np.uint8)
    return LabPart(values=values, labels=labels)


def _paint(colours: np.ndarray, mask: np.ndarray, where: np.ndarray, colour: tuple[int, int, int], number: int) -> None:
    colours[where] = colour
    mask[where] = number


def masked_pictures(source: str, *, side: int, most: int, listener: Listener, seed: int = 42) -> SceneData:
    """Load a source with masks.

    Args:
        source: In any form that `train` takes.
        side: Longest side that pictures are brought to, in pixels.
        most: Pictures that are trained on; a third of that is held out.
        listener: Whoever shows progress.
        seed: Of the split, and of which pictures are taken.

    Returns:
        Both parts.

    Raises:
        SourceError: The source has no masks, or too few pictures.
    """
    listener.say(f"{printable(source)} ...")
    looked = look(source, listener)
    if looked.scan.masks is None:
        raise SourceError(
            f"{printable(source)} has no masks: this experiment wants a class for every pixel; name pictures with "
            f"masks, or no source for scenes made here"
        )
    height, width = looked.extents
    scale = min(1.0, side / max(height, width))
    size = (round(width * scale), round(height * scale))
    chance = np.random.default_rng((seed, 31))
    samples = looked.scan.samples
    read = np.sort(chance.permutation(len(samples))[: round(_SPARE * most)])  # most of a large source stays unread
    loaded = load_scan(
        replace(looked.scan, samples=tuple(samples[place] for place in read)), image_size=size, listener=listener
    )
    masks = loaded.masks
    parts = divide(loaded, TrainingPlan(source=source, seed=seed))
    chosen = []
    for indices, number in ((parts.train, most), (parts.test or parts.validation, max(8, most // 3))):
        places = np.asarray(indices)
        chosen.append(np.sort(chance.permutation(places)[:number]))
    if masks is None or min(map(len, chosen)) < _FEWEST:
        raise SourceError(
            f"{printable(source)} is too small for this experiment: {len(chosen[0])} pictures to train on and "
            f"{len(chosen[1])} held out, at least {_FEWEST} each are needed"
        )
    made = [
        LabPart(
            values=np.ascontiguousarray(loaded.pictures.pixels[loaded.rows[places]]),
            labels=masks.pixels[places].astype(np.int64),
        )
        for places in chosen
    ]
    return SceneData(source=printable(source), classes=loaded.scan.classes, train=made[0], test=made[1])
