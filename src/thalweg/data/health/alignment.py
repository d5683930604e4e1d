"""How much of what a shift changes in samples is the same in all of them.

Photos of parts that a machine holds in one place, cells cut along their frames, beats cut around their peaks: these
show the same thing at the same place, and only small differences decide the class. Moving such a sample changes mostly
what they have in common, and no sample of the test will be moved.
"""

import itertools

import numpy as np

from thalweg.data.batching.augment import copy_shifted

__all__ = ["ALIGNED", "SHIFT", "common_motion"]

ALIGNED = 0.75
"""Common motion from which on shifting costs more than it teaches."""
SHIFT = 0.05
"""By so much of each axis they are moved to see it."""
SAMPLES = 200
"""So many tell it."""
STEPS = (-1.0, -1 / 3, 1 / 3, 1.0)
"""Parts of the largest shift at which the mean is compared with itself."""


def common_motion(samples: np.ndarray, rows: np.ndarray) -> float:
    """Measure what a shift changes in the mean of all samples, beside what tells a sample from that mean.

    Args:
        samples: All cached samples, `(rows, extents, channels)`.
        rows: Which of them count; of many, some that lie evenly are looked at.

    Returns:
        Mean square of the mean sample's change, over shifts of up to 5 % along every axis, divided by the mean
        square that samples differ from their mean by. 0 where nothing is shared; 0.3 for X-rays of chests, 1.0 for
        solar cells that are cut along their frames. Brightness of each sample does not count.

    Example:
        >>> random = np.random.default_rng(0)
        >>> printed = random.random((1, 32, 32, 1)) + 0.1 * random.random((50, 32, 32, 1))
        >>> common_motion(printed, np.arange(50)) > 10
        True
        >>> common_motion(random.random((50, 32, 32, 1)), np.arange(50)) < 0.1
        True
    """
    chosen = rows[np.linspace(0, len(rows) - 1, min(len(rows), SAMPLES)).astype(np.int64)]
    if len(chosen) < 2:  # noqa: PLR2004 - there is no other to share anything with
        return 0.0
    halves, squares = np.zeros((2, *samples.shape[1:]), np.float32), 0.0
    for number, row in enumerate(chosen):  # one after the other: volumes are large
        sample = samples[row].astype(np.float32)
        sample -= sample.mean()
        halves[number % 2] += sample
        squares += float(np.square(sample).mean())
    mean = halves.sum(axis=0) / len(chosen)
    apart = squares / len(chosen) - float(np.square(mean).mean())
    if apart <= 0:
        return 0.0
    # What a few samples have in their mean by chance moves, too; two halves do not have it in common.
    halves[0] /= -(-len(chosen) // 2)
    halves[1] /= len(chosen) // 2
    reach = [SHIFT * extent for extent in samples.shape[1:-1]]
    shared, moved = 0.0, np.empty_like(halves)
    for parts in itertools.product(STEPS, repeat=len(reach)):
        offsets = tuple(round(part * far) for part, far in zip(parts, reach, strict=True))
        for half, place in zip(halves, moved, strict=True):
            copy_shifted(place, half, offsets)
        shared += float(np.prod(moved - halves, axis=0).mean())
    return max(0.0, shared) / float(len(STEPS) ** len(reach)) / apart
