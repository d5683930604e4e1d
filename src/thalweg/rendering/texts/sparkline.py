"""A curve in one line of text: eight heights of a block, or of ASCII characters where the terminal knows no others."""

import math
from collections.abc import Sequence

__all__ = ["sparkline"]

_BLOCKS = "▁▂▃▄▅▆▇█"
_PLAIN = "_.-=+*#@"
_DECADES = 20.0  # a curve that spans more is drawn on a logarithmic scale, or all but its peak would look flat


def sparkline(values: Sequence[float], width: int = 40, *, plain: bool = False) -> str:
    """Draw a curve in characters.

    Args:
        values: In order; what is not finite shows as `!`.
        width: How many characters there may be; longer curves show the mean of each stretch.
        plain: Whether to use ASCII only.

    Returns:
        As many characters as values, or `width`.

    Example:
        >>> sparkline([3, 2, 1, 1, 1]), sparkline([1.0, math.nan, 2.0], plain=True)
        ('█▅▁▁▁', '_!@')
    """
    if not values or width < 1:
        return ""
    stretches = [values[len(values) * k // width : len(values) * (k + 1) // width] for k in range(width)]
    cells = [_level(stretch) for stretch in stretches] if len(values) > width else [_level([value]) for value in values]
    known = [cell for cell in cells if math.isfinite(cell)]
    if not known:
        return "!" * len(cells)
    if min(known) > 0 and max(known) / min(known) > _DECADES:
        cells = [math.log(cell) if math.isfinite(cell) else cell for cell in cells]
        known = [cell for cell in cells if math.isfinite(cell)]
    low, span = min(known), max(known) - min(known)
    heights = _PLAIN if plain else _BLOCKS
    return "".join(
        heights[round((cell - low) / span * (len(heights) - 1)) if span > 0 else 0] if math.isfinite(cell) else "!"
        for cell in cells
    )


def _level(stretch: Sequence[float]) -> float:
    """The mean of a stretch; not finite where one of its values is not."""
    return math.fsum(stretch) / len(stretch) if all(map(math.isfinite, stretch)) else math.nan
