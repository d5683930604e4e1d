"""Masks as values: the class of every pixel, the colours they are shown in, and what was read of a source of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["VOID", "Colour", "MaskReading", "voc_palette", "void_colour"]

VOID = 255
"""Index of pixels that belong to no class: neither trained on nor scored."""

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskReading:
    """How the masks of a source were read.

    Args:
        layout: Where pictures and masks lie, in words.
        coding: What a mask's pixels hold, in words, and where the classes' names are from.
        extents: Height and width that pictures and masks are trained at, in pixels.
        palette: Colour of each class, red, green, blue, in which predicted masks are written.
        values: Number of each class in the masks, where they hold numbers; predicted masks hold the same.
        masks: Mask of each picture, in the order of the training files, then validation, then test.
        pixels: Pixels a class in each part at the masks' own size, such as `{"train": (812, 90)}`.
        void: Pixels in each part that belong to no class.
    """

    layout: str
    coding: str
    extents: tuple[int, int]
    palette: tuple[Colour, ...]
    values: tuple[int, ...] = ()
    masks: tuple[str, ...] = ()
    pixels: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    void: Mapping[str, int] = field(default_factory=dict)


def voc_palette(count: int) -> tuple[Colour, ...]:
    """Colours for classes that have none: those of Pascal VOC, whose bits spread over red, green and blue.

    Args:
        count: How many.

    Returns:
        Red, green, blue of each, the first one black.

    Example:
        >>> voc_palette(3)
        ((0, 0, 0), (128, 0, 0), (0, 128, 0))
    """
    colours = []
    for index in range(count):
        left, colour = index, [0, 0, 0]
        for shift in range(7, -1, -1):
            for channel in range(3):
                colour[channel] |= (left >> channel & 1) << shift
            left >>= 3
        colours.append((colour[0], colour[1], colour[2]))
    return tuple(colours)


def void_colour(palette: tuple[Colour, ...]) -> Colour:
    """A colour for pixels without a class that no class has.

    Args:
        palette: The classes' colours.

    Returns:
        Black, or the first of some others that is free.

    Example:
        >>> void_colour(((0, 0, 0),))
        (255, 255, 255)
    """
    free = [colour for colour in ((0, 0, 0), (255, 255, 255), (224, 224, 192), (255, 0, 255)) if colour not in palette]
    return free[0] if free else (1, 1, 1)
