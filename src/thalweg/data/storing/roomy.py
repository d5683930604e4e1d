"""Room for something about each of very many pictures: in a nameless file, which the system may drop from memory."""

import contextlib
import math
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MANY", "roomy"]

MANY = 20_000
"""Pictures from which on it is worth a file."""


def roomy(folder: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Make an array of zeros, one row a picture.

    Args:
        folder: Where a file may lie; of few pictures, or where none can be, the array is in memory.
        shape: Pictures, and what there is of each.
        dtype: Type of the numbers.

    Returns:
        The array; its file has no name, and ends with it.

    Example:
        >>> roomy(Path("no/such/folder"), (2 * MANY, 3), np.uint8).shape
        (40000, 3)
    """
    if shape[0] >= MANY and hasattr(os, "posix_fallocate"):
        # Reserved beforehand: a mapped file that finds the disk full would end the process without a word.
        with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, math.prod(shape) * np.dtype(dtype).itemsize)
            return np.memmap(file, dtype=dtype, mode="r+", shape=shape)
    return np.zeros(shape, dtype)
