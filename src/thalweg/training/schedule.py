"""Warm-up and decay over a known horizon, and picture sizes over the same horizon, as functions of progress 0 to 1."""

import math
from collections.abc import Sequence

__all__ = ["rate_factor", "stage_side"]

STAGE_STEP = 16
"""Picture sizes on the way are multiples of this many pixels, so that strides divide them evenly."""


def rate_factor(progress: float, warmup: float) -> float:
    """Share of the peak learning rate at a point of the run.

        linear from 0.01 to 1 while progress < warmup, then (1 + cos(pi t)) / 2 with t from 0 to 1

    Args:
        progress: Share of the run done, 0 to 1.
        warmup: Share of the run in which the rate rises.

    Returns:
        Factor on the peak rate, 0 to 1 (cosine decay: Loshchilov and Hutter 2016).

    Example:
        >>> rate_factor(0.05, 0.05), round(rate_factor(0.525, 0.05), 3), rate_factor(1.0, 0.05)
        (1.0, 0.5, 0.0)
    """
    progress = min(1.0, max(0.0, progress))
    if progress < warmup:
        return 0.01 + 0.99 * progress / warmup
    return (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))) / 2


def stage_side(progress: float, stages: Sequence[float], side: int) -> int:
    """Side of the training pictures at a point of the run.

    Args:
        progress: Share of the run done, 0 to 1.
        stages: Sizes as fractions of the full side, each for an equal share of the run.
        side: Full side, in pixels.

    Returns:
        Side in pixels: the full side, or a multiple of 16 below it.

    Example:
        >>> [stage_side(p, (0.5, 1.0), 224) for p in (0.0, 0.49, 0.5, 1.0)]
        [112, 112, 224, 224]
    """
    fraction = stages[min(len(stages) - 1, int(progress * len(stages)))]
    if fraction >= 1:
        return side
    return min(side, max(STAGE_STEP, round(fraction * side / STAGE_STEP) * STAGE_STEP))
