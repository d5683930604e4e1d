"""Scenes in which two classes can be told apart by something far away only, made here so that the truth is known.

On grey ground lie green boxes and yellow discs. A beacon at the left edge is red or blue. Under a red beacon every disc
is a lamp, under a blue one a sign; discs lie in the right half and all look alike. So ground, boxes and the beacon can
be told from what is near, lamps and signs by the beacon alone. A street does the same with lane and
pavement, in its way.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from thalweg.core.shape import Shape
from thalweg.experiments.data import LabPart

__all__ = ["FAR", "NAMES", "SceneData", "scenes", "shortest_distance"]

NAMES = ("ground", "box", "beacon", "lamp", "sign")
FAR = ("lamp", "sign")
"""Classes that only far context tells apart."""

_GREEN, _YELLOW, _RED, _BLUE = (40, 160, 60), (220, 200, 60), (210, 50, 50), (50, 70, 210)
_BEACON = 14  # pixels on a side
_DISC = (6, 8)


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
            row, column = chance.integers(0, height - 8), chance.integers(_BEACON + 2, width - 8)
            deep, wide = chance.integers(5, 9, 2)
            box = (rows >= row) & (rows < row + deep) & (columns >= column) & (columns < column + wide)
            _paint(colours, mask, box, _GREEN, 1)
        for _ in range(2):
            radius = chance.integers(_DISC[0], _DISC[1] + 1)
            row = chance.integers(radius, height - radius)
            column = chance.integers(width // 2 + _DISC[1], width - radius)
            disc = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
            _paint(colours, mask, disc, _YELLOW, 3 if red else 4)
        noise = chance.normal(0, 18, (height, width, 3))
        picture[:] = np.clip(colours * chance.uniform(0.8, 1.15) + noise, 0, 255).astype(np.uint8)
    return LabPart(values=values, labels=labels)


def _paint(colours: np.ndarray, mask: np.ndarray, where: np.ndarray, colour: tuple[int, int, int], number: int) -> None:
    colours[where] = colour
    mask[where] = number
