"""A long curve in few numbers, honestly: of every stretch the lowest, the highest and the mean, and what is missing.

Taking every thousandth point would hide the one spike that matters; a mean alone would too.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Stretches", "stretches"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretches:
    """A curve, whole or in stretches.

    Args:
        x: Where each stretch begins; where each point is, for a curve that is whole.
        mean: Its mean over the finite values; nan where there are none.
        low: Its lowest finite value.
        high: Its highest finite value.
        width: How many points a stretch has; 1 where the curve is whole.
        missing: How many values of the curve are not finite.
    """

    x: Floats
    mean: Floats
    low: Floats
    high: Floats
    width: int
    missing: int


def stretches(x: Floats, y: Floats, limit: int) -> Stretches:
    """Bring a curve down to at most so many stretches.

    Args:
        x: Where each value was taken, ascending.
        y: The values.
        limit: How many stretches there may be.

    Returns:
        The stretches; every extreme of the curve is one of theirs.

    Example:
        >>> curve = np.zeros(100_000)
        >>> curve[77_777] = 9.0
        >>> short = stretches(np.arange(100_000.0), curve, 500)
        >>> len(short.x), float(short.high.max()), short.width
        (500, 9.0, 200)
    """
    count = len(y)
    finite = np.isfinite(y)
    missing = count - int(finite.sum())
    if count <= limit:
        bare = np.where(finite, y, np.nan)
        return Stretches(x=x, mean=bare, low=bare, high=bare, width=1, missing=missing)
    width = -(-count // limit)
    starts = np.arange(0, count, width)
    if not missing:
        counts = np.diff(np.append(starts, count))
        with np.errstate(over="ignore"):
            mean = np.add.reduceat(y, starts) / counts
        low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
        return Stretches(x=x[starts], mean=mean, low=low, high=high, width=width, missing=0)
    known = np.add.reduceat(finite, starts, dtype=np.int64)
    with np.errstate(invalid="ignore", over="ignore"):
        total = np.add.reduceat(np.where(finite, y, 0.0), starts)
        mean = np.where(known > 0, total / np.maximum(known, 1), np.nan)
    low = np.minimum.reduceat(np.where(finite, y, np.inf), starts)
    high = np.maximum.reduceat(np.where(finite, y, -np.inf), starts)
    return Stretches(
        x=x[starts],
        mean=mean,
        low=np.where(known > 0, low, np.nan),
        high=np.where(known > 0, high, np.nan),
        width=width,
        missing=missing,
    )
