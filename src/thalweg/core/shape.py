"""The size of what flows between two layers: channels, and nought to three spatial axes."""

import math
import re
from dataclasses import dataclass

from thalweg.core.errors import ShapeError

__all__ = ["Shape"]


@dataclass(frozen=True, slots=True)
class Shape:
    """Channels and spatial extents of one sample, without the batch axis.

    Args:
        channels: Number of channels, or of features where there is no spatial axis.
        extents: Size of each spatial axis, in positions; empty after `flatten` or global pooling.

    Raises:
        ShapeError: A size is not a positive whole number, or there are more than three spatial axes.

    Example:
        >>> Shape(3, (224, 224)).size
        150528
        >>> str(Shape(64, (8, 8)))
        '64x8x8'
    """

    channels: int
    extents: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.extents) > 3:  # noqa: PLR2004 - the definition
            raise ShapeError(f"shape {self} has {len(self.extents)} spatial axes; 0 to 3 are possible")
        for size in (self.channels, *self.extents):
            if isinstance(size, bool) or not isinstance(size, int) or size < 1:
                raise ShapeError(f"shape {self} has a size of {size!r}; sizes are whole numbers from 1")

    @property
    def axes(self) -> int:
        """Number of spatial axes, 0 to 3."""
        return len(self.extents)

    @property
    def size(self) -> int:
        """Number of values in one sample."""
        return self.channels * math.prod(self.extents)

    def as_tuple(self) -> tuple[int, ...]:
        """Channels first, as torch orders them.

        Returns:
            `(channels, *extents)`.
        """
        return (self.channels, *self.extents)

    def __str__(self) -> str:
        return "x".join(map(str, (self.channels, *self.extents)))

    @classmethod
    def parse(cls, text: str) -> "Shape":
        """Read `3,224,224`, `3x224x224` or `(3, 224, 224)`.

        Args:
            text: Channels, then extents, separated by commas, blanks or the letter x, perhaps in brackets.

        Returns:
            The shape.

        Raises:
            ShapeError: The text is not a list of positive whole numbers.

        Example:
            >>> Shape.parse("3,32,32")
            Shape(channels=3, extents=(32, 32))
        """
        try:
            bare = text.strip().removeprefix("(").removeprefix("[").removesuffix(")").removesuffix("]")
            channels, *extents = (int(part) for part in re.split(r"\s*[x×*,]\s*|\s+", bare.strip()))
        except ValueError:
            raise ShapeError(f"input shape {text!r} is not of the form 3,224,224 (channels, then each axis)") from None
        return cls(channels, tuple(extents))
