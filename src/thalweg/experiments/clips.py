"""Short clips in which one knows what decides: what single frames show, or only how something moves.

    shape    a square or a cross, drifting: one frame is enough
    motion   a dot that goes left or right by one pixel a frame, round the edge, from a place drawn uniformly: every
             frame by itself, and every set of frames without its order, is drawn alike for both classes
    moment   the dot jumps about by chance, and goes left or right for four frames in a row at a time drawn by chance

So for `motion` and `moment` no rule that looks at frames singly can beat chance, whatever its size.
"""

from typing import Literal

import numpy as np

__all__ = ["FRAMES", "SIDE", "TASKS", "ClipTask", "clips"]

ClipTask = Literal["shape", "motion", "moment"]
TASKS: tuple[ClipTask, ...] = ("shape", "motion", "moment")
FRAMES, SIDE = 8, 16
_RUN = 4
"""Frames in a row that move in `moment`."""
_NOISE = 0.35


def clips(task: ClipTask, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw clips.

    Args:
        task: What decides the class.
        number: How many clips.
        seed: Of everything random.

    Returns:
        float32 `(number, frames, side, side, 1)` with mean 0 and deviation 1, and int64 labels 0 or 1, half of each.

    Example:
        >>> values, labels = clips("motion", 6, seed=0)
        >>> values.shape, sorted(labels.tolist())
        ((6, 8, 16, 16, 1), [0, 0, 0, 1, 1, 1])
    """
    random = np.random.default_rng((seed, TASKS.index(task), 5))
    labels = random.permutation(np.arange(number) % 2).astype(np.int64)
    direction = 2 * labels - 1
    rows = np.repeat(random.integers(SIDE, size=(number, 1)), FRAMES, axis=1)
    steps = np.arange(FRAMES)
    columns = random.integers(SIDE, size=(number, 1)) + direction[:, None] * steps
    if task == "shape":
        drift = random.choice((-1, 1), size=(number, 1))
        columns = random.integers(SIDE, size=(number, 1)) + drift * steps
    elif task == "moment":
        rows = random.integers(SIDE, size=(number, FRAMES))
        jumping = random.integers(SIDE, size=(number, FRAMES))
        begin = random.integers(FRAMES - _RUN + 1, size=(number, 1))
        inside = (steps >= begin) & (steps < begin + _RUN)
        rows = np.where(inside, np.take_along_axis(rows, begin, axis=1), rows)
        columns = np.where(inside, columns, jumping)
    frames = np.zeros((number, FRAMES, SIDE, SIDE), dtype=np.float32)
    cross = labels if task == "shape" else np.zeros(number, dtype=np.int64)
    clip, time = np.indices((number, FRAMES))
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            drawn = (cross == 0) | (down == 0) | (across == 0)
            frames[clip, time, (rows + down) % SIDE, (columns + across) % SIDE] = drawn[:, None]
    frames += _NOISE * random.standard_normal(frames.shape, dtype=np.float32)
    frames -= frames.mean()
    return (frames / frames.std())[..., None], labels
