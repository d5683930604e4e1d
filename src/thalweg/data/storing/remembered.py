"""Answers found earlier to questions about the same samples: what took seconds to find is a look, the next time.

The key is a digest of everything that the answer depends on, so samples that changed, came or went are asked anew. What
cannot be kept or read is no fault: then the answer is found again.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from thalweg.core.files import cache_folder, write_atomically

__all__ = ["remembered"]

Answer = TypeVar("Answer")
_BLOCK = 8192


def remembered(
    question: str,
    version: int,
    about: Sequence[npt.NDArray[Any]],
    answer: Callable[[], Answer],
    *,
    written: Callable[[Answer], object],
    read: Callable[[Any], Answer],
) -> Answer:
    """Answer a question, or find it answered.

    Args:
        question: A word for it, which is a folder in the cache.
        version: Raised whenever the answer about the same samples would be another.
        about: All that the answer depends on.
        answer: Finds it.
        written: The answer as JSON has it.
        read: The answer from that; raises ValueError, TypeError or KeyError where what lies there is none.

    Returns:
        The answer.

    Example:
        >>> import os, tempfile
        >>> samples, before = [np.arange(3)], dict(os.environ)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     os.environ["THALWEG_CACHE"] = folder
        ...     first = remembered("sum", 1, samples, lambda: 3, written=int, read=int)
        ...     again = remembered("sum", 1, samples, lambda: 0, written=int, read=int)
        >>> os.environ.clear(), os.environ.update(before)
        (None, None)
        >>> first, again
        (3, 3)
    """
    key = hashlib.blake2b(f"{question} {version} {about[0].shape}".encode(), digest_size=20)
    for array in about:
        for start in range(0, len(array), _BLOCK):
            key.update(np.ascontiguousarray(array[start : start + _BLOCK]).data)
    place = cache_folder() / question / f"{key.hexdigest()}.json"
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        return read(json.loads(place.read_bytes()))
    found = answer()
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, json.dumps(written(found)))
    return found
