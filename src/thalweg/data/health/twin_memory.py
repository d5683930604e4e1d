"""Groups of twins found earlier among the same pictures: a search through 70,000 takes seconds, a look here none."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from thalweg.data.storing.remembered import remembered

__all__ = ["SEARCH_VERSION", "remembered_groups"]

SEARCH_VERSION = 1
"""Raised whenever the search would find other groups among the same pictures."""

Groups: TypeAlias = list[npt.NDArray[np.int64]]


def remembered_groups(
    miniatures: npt.NDArray[np.uint8], content: npt.NDArray[np.uint8], search: Callable[[], Groups]
) -> Groups:
    """Find groups of twins, or find them found.

    Args:
        miniatures: One a picture.
        content: A digest of the pixels of each.
        search: Finds the groups, as positions.

    Returns:
        The groups.
    """

    def read(known: list[list[int]]) -> Groups:
        groups = [np.asarray(group) for group in known]
        if not all(_is_group(group, len(miniatures)) for group in groups):
            raise ValueError
        return [group.astype(np.int64) for group in groups]

    return remembered(
        "twins",
        SEARCH_VERSION,
        (miniatures, content),
        search,
        written=lambda groups: [group.tolist() for group in groups],
        read=read,
    )


def _is_group(group: npt.NDArray[Any], count: int) -> bool:
    """Whether these are two positions or more, which a damaged file need not hold."""
    some = group.dtype.kind == "i" and group.ndim == 1 and len(group) > 1
    return some and bool((group >= 0).all() and (group < count).all())
