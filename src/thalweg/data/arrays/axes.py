"""Telling what an array of samples is from its shape: signals, pictures or volumes, channels first or last.

Nothing in an array says what its axes mean. What helps is that channels are few and positions many: of the two axes of
a signal the shorter one holds the channels; of the axes of a volume the one of at most four. Whatever is decided is
said with its reason, and `--form` overrides it.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.core.dataset import Form, FormWish
from thalweg.core.errors import SourceError

__all__ = [
    "FEWEST_STEPS",
    "FLATTENED",
    "LONG",
    "Axes",
    "axes_of_samples",
    "flattened_sides",
    "is_pixel",
    "sides_of_pixels",
]

FEWEST_STEPS = 8
"""A signal of fewer steps is a row of a table; a side of fewer pixels is rather a number of channels."""

_PICTURE_CHANNELS = (1, 3)
_ALPHA = 4  # channels of a picture with transparency
_MOST_VOLUME_CHANNELS = 4
LONG = 4
"""An array so many times as long as wide is no picture."""
_LONG_BYTES = 16  # the same of whole numbers up to 255, which rather are pictures
_PIXELS = re.compile(r"(?:pix(?:el)?|px)[ _-]?\d+|\d+x\d+", re.IGNORECASE)
FLATTENED = frozenset({64, 784, 1024, 3072, 4096})
"""Rows of so many numbers are often flattened pictures, of `flattened_sides`."""


def sides_of_pixels(names: Sequence[str]) -> tuple[int, ...]:
    """Tell that the columns of a table are the pixels of a square picture, by their names.

    Args:
        names: Of the columns that hold values.

    Returns:
        Height and width, and 3 of colours; nothing where they are called otherwise, or make up no square.

    Example:
        >>> sides_of_pixels([f"pixel{number}" for number in range(784)])
        (28, 28)
        >>> sides_of_pixels([f"{row}x{column}" for row in range(9) for column in range(9)])
        (9, 9)
        >>> sides_of_pixels([f"t{number}" for number in range(784)])
        ()
    """
    return flattened_sides(len(names)) if all(map(is_pixel, names)) else ()


def is_pixel(name: str) -> bool:
    """Tell whether a column of a table is called as pixels are.

    Args:
        name: Its name.

    Returns:
        Whether it is.

    Example:
        >>> is_pixel("pixel0001"), is_pixel("28x28"), is_pixel("pixels")
        (True, True, False)
    """
    return _PIXELS.fullmatch(name) is not None


def flattened_sides(numbers: int) -> tuple[int, ...]:
    """Sides of the square picture that so many numbers make up.

    Args:
        numbers: How many there are.

    Returns:
        Height and width, and 3 of colours; nothing where there is no such square.

    Example:
        >>> flattened_sides(2304), flattened_sides(3072), flattened_sides(187)
        ((48, 48), (32, 32, 3), ())
    """
    for colours in ((), (3,)):
        side = math.isqrt(numbers // math.prod(colours))
        if side >= FEWEST_STEPS and side * side * math.prod(colours) == numbers:
            return (side, side, *colours)
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """What the axes of one sample mean.

    Args:
        form: What the sample is.
        channel: Which of its axes holds the channels; None where there is one channel without an axis.
        why: The reason, to be said after what was read; empty where nothing had to be decided.
    """

    form: Form
    channel: int | None = None
    why: str = ""


def axes_of_samples(sides: tuple[int, ...], *, form: FormWish = "auto", are_bytes: bool = False) -> Axes:
    """Decide what the axes of a sample mean.

    Args:
        sides: Shape of one sample.
        form: What the user says it is, or `auto`.
        are_bytes: Whether the values are whole numbers from 0 to 255, as those of pictures are.

    Returns:
        The form, the axis of the channels, and the reason.

    Raises:
        SourceError: The shape fits nothing, or two things equally well.

    Example:
        >>> axes_of_samples((2, 360))
        Axes(form='signal', channel=0, why='channels first because 2 is smaller than 360')
        >>> axes_of_samples((32, 32, 3)).form, axes_of_samples((64, 64, 64)).form
        ('picture', 'volume')
    """
    shown = "x".join(map(str, sides))
    if form == "auto":
        form = _seen(sides, are_bytes=are_bytes)
    if form == "pictures" and len(sides) in {2, 3}:
        return Axes(form="picture")
    if form == "signals" and len(sides) in {1, 2}:
        return _signal(sides)
    if form == "volumes" and len(sides) in {3, 4}:
        return _volume(sides)
    if form == "pictures" and len(sides) == 1 and (square := flattened_sides(sides[0])):
        whole = ", ".join(map(str, (-1, *square)))
        raise SourceError(f"samples of {shown} numbers have no sides: save x.reshape({whole}) where they are pictures")
    wanted = {"pictures": "2 or 3", "signals": "1 or 2", "volumes": "3 or 4"}[form]
    raise SourceError(f"samples of {shown} have {len(sides)} axes; {form} have {wanted}, one of them for channels")


def _seen(sides: tuple[int, ...], *, are_bytes: bool) -> FormWish:
    shown = "x".join(map(str, sides))
    if len(sides) == 1:
        return "signals"
    if len(sides) == 2:  # noqa: PLR2004 - two axes
        longest = (_LONG_BYTES if are_bytes else LONG) * min(sides)
        return "pictures" if min(sides) >= FEWEST_STEPS and max(sides) < longest else "signals"
    if len(sides) == 3:  # noqa: PLR2004 - three axes
        for channels, rest in ((sides[2], sides[:2]), (sides[0], sides[1:])):
            if channels in _PICTURE_CHANNELS and min(rest) > max(_PICTURE_CHANNELS):
                return "pictures"
        if min(sides) >= FEWEST_STEPS:
            return "volumes"
        if min(sides) == _ALPHA and sides[1] != _ALPHA:
            colours = "x[..., :3]" if sides[2] == _ALPHA else "x[:, :3]"
            raise SourceError(
                f"samples of {shown} may be pictures of 4 channels, of which save {colours} for their colours alone, "
                f"or volumes of 4 slices: say --form volumes if they are"
            )
        raise SourceError(
            f"samples of {shown} may be pictures of {min(sides)} channels, which are not trained, or volumes of "
            f"{min(sides)} slices: say --form volumes if they are"
        )
    if len(sides) == 4:  # noqa: PLR2004 - three axes and channels
        return "volumes"
    raise SourceError(f"samples of {shown or 'one number'} are neither signals, pictures nor volumes (1 to 4 axes)")


def _signal(sides: tuple[int, ...]) -> Axes:
    if max(sides) < FEWEST_STEPS:
        raise SourceError(
            f"samples of {'x'.join(map(str, sides))} numbers are too short for signals; {FEWEST_STEPS} steps are needed"
        )
    if len(sides) == 1:
        flat = sides[0] in FLATTENED
        guess = f"were these flattened pictures (rows of {sides[0]} often are), reshape them to (n, height, width)"
        return Axes(form="signal", why=guess if flat else "")
    first, second = sides
    if first == second:
        return Axes(form="signal", channel=0, why=f"channels first, though both axes have {first}: say so if not")
    channel, (few, many) = (0, sides) if first < second else (1, sides[::-1])
    order = "last" if channel else "first"
    return Axes(form="signal", channel=channel, why=f"channels {order} because {few} is smaller than {many}")


def _volume(sides: tuple[int, ...]) -> Axes:
    shown = "x".join(map(str, sides))
    channel, why = None, ""
    if len(sides) == 4:  # noqa: PLR2004 - three axes and channels
        ends = [axis for axis in (0, 3) if sides[axis] <= _MOST_VOLUME_CHANNELS]
        if not ends:
            raise SourceError(
                f"samples of {shown} have no axis of channels at either end (at most {_MOST_VOLUME_CHANNELS}); "
                f"volumes are (channels, depth, height, width) or channels last"
            )
        channel = min(ends, key=lambda axis: (sides[axis], axis))
        others = sides[1:] if channel == 0 else sides[:3]
        order = "first" if channel == 0 else "last"
        why = f"channels {order} because {sides[channel]} is smaller than {min(others)}"
    extents = tuple(side for axis, side in enumerate(sides) if axis != channel)
    if min(extents) == 1:
        raise SourceError(f"samples of {shown} have one slice or frame: that is a picture; leave that axis out")
    return Axes(form="volume", channel=channel, why=why)
