"""Groups of twins found earlier among the same pictures: a search through 70,000 takes seconds, a look here none.

The key is a digest of everything the search looks at, so pictures that changed, came or went are searched anew. What
cannot be kept or read is no fault: then the search is done again.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from thalweg.core.files import cache_folder, write_atomically

__all__ = ["SEARCH_VERSION", "remembered"]

SEARCH_VERSION = 1
"""Raised whenever the search would find other groups among the same pictures."""

Groups: TypeAlias = list[npt.NDArray[np.int64]]
_BLOCK = 8192


def remembered(
    miniatures: npt.NDArray[np.uint8], content: npt.NDArray[np.uint8], search: Callable[[], Groups]
) -> Groups:
    """Find groups of twins, or find them found.

    Args:
        miniatures: One a picture.
        content: A digest of the pixels of each.
        search: Finds the groups, as positions.

    Returns:
        The groups.

    Example:
        >>> import os, tempfile
        >>> pictures, before = np.zeros((2, 16, 16), np.uint8), dict(os.environ)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     os.environ["THALWEG_CACHE"] = folder
        ...     first = remembered(pictures, pictures[:, 0], lambda: [np.array([0, 1])])
        ...     again = remembered(pictures, pictures[:, 0], lambda: [])
        >>> os.environ.clear(), os.environ.update(before)
        (None, None)
        >>> [group.tolist() for group in again]
        [[0, 1]]
    """
    key = hashlib.blake2b(f"twins {SEARCH_VERSION} {miniatures.shape}".encode(), digest_size=20)
    for array in (miniatures, content):
        for start in range(0, len(array), _BLOCK):
            key.update(np.ascontiguousarray(array[start : start + _BLOCK]).data)
    place = cache_folder() / "twins" / f"{key.hexdigest()}.json"
    with contextlib.suppress(OSError, ValueError, TypeError):
        known = [np.asarray(group) for group in json.loads(place.read_bytes())]
        if all(_is_group(group, len(miniatures)) for group in known):
            return [group.astype(np.int64) for group in known]
    groups = search()
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, json.dumps([group.tolist() for group in groups]))
    return groups


def _is_group(group: npt.NDArray[Any], count: int) -> bool:
    """Whether these are two positions or more, which a damaged file need not hold."""
    some = group.dtype.kind == "i" and group.ndim == 1 and len(group) > 1
    return some and bool((group >= 0).all() and (group < count).all())
