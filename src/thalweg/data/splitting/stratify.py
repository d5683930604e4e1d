"""The arithmetic of a stratified split: how many files a class gives to each side, and which units go where.

A unit is what must not be torn apart: one file, or all files that show the same picture or the same patient. Units of
several files are placed first, largest first, where most is still wanted; single files then fill every class to its
quota exactly.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["assign", "bundle", "quotas"]

Whole: TypeAlias = npt.NDArray[np.int64]


def quotas(counts: Sequence[int], share: float, *, keep: int = 1) -> tuple[int, ...]:
    """Share out a held-out part over classes by largest remainders.

        total = floor(share * sum(counts) + 1/2)

    Args:
        counts: Files a class.
        share: Share to hold out, 0 to 1.
        keep: Files that must stay behind in each class.

    Returns:
        Files to hold out a class; at least one of each class that has more than `keep`.

    Example:
        >>> quotas((1803, 821), 0.2)
        (361, 164)
        >>> quotas((97, 3), 0.1)
        (9, 1)
    """
    exact = [count * share for count in counts]
    most = [max(0, count - keep) for count in counts]
    given = [min(limit, math.floor(value)) for value, limit in zip(exact, most, strict=True)]
    missing = math.floor(sum(counts) * share + 0.5) - sum(given)
    for index in sorted(range(len(counts)), key=lambda item: given[item] - exact[item]):
        if missing > 0 and given[index] < most[index]:
            given[index] += 1
            missing -= 1
    for index, limit in enumerate(most):
        if given[index] == 0 and limit > 0:
            given[index] = 1
            richest = max(range(len(counts)), key=lambda item: (given[item] > 1, given[item] - exact[item], -item))
            if given[richest] > 1:
                given[richest] -= 1
    return tuple(given)


def bundle(groups: Iterable[Sequence[int]]) -> list[list[int]]:
    """Join groups that overlap into units.

    Args:
        groups: Indices that belong together; groups that share an index are joined.

    Returns:
        Units of two or more indices, each sorted, in order of their first index; what is in none stands alone.

    Example:
        >>> bundle([(0, 2), (2, 3), (4,)])
        [[0, 2, 3]]
    """
    parent: dict[int, int] = {}

    def root(index: int) -> int:
        while (above := parent.setdefault(index, index)) != index:
            parent[index] = parent[above]
            index = parent[index]
        return index

    for group in groups:
        for index in group[1:]:
            first, second = sorted((root(group[0]), root(index)))
            parent[second] = first
    units: dict[int, list[int]] = {}
    for index in sorted(parent):
        units.setdefault(root(index), []).append(index)
    return [unit for unit in units.values() if len(unit) > 1]


def assign(
    labels: Sequence[int] | Whole,
    units: Sequence[Sequence[int]],
    shares: Sequence[float],
    keys: Sequence[int] | npt.NDArray[np.uint64],
) -> npt.NDArray[np.int8]:
    """Decide the side of every index.

    Args:
        labels: Class of each index.
        units: Indices that stay together, two or more a unit, each index in one at most; all others stand alone.
        shares: Share of each held-out side, 0 to 1.
        keys: A random number for each index; it alone decides between equals.

    Returns:
        The side of each index: 0 for training, 1 and up for the held-out sides in order of `shares`.
    """
    names, classes = np.unique(np.asarray(labels), return_inverse=True)
    drawn = np.asarray(keys, np.uint64)
    whole = np.bincount(classes, minlength=len(names)).tolist()
    wanted = [list(quotas(whole, share, keep=len(shares))) for share in shares]
    wanted.insert(0, [count - sum(side[label] for side in wanted) for label, count in enumerate(whole)])
    rest = [list(side) for side in wanted]
    sides = np.zeros(len(classes), np.int8)
    alone = np.ones(len(classes), np.bool_)
    for unit in sorted(units, key=lambda unit: (-len(unit), int(drawn[list(unit)].min()))):
        alone[list(unit)] = False
        counted = Counter(classes[list(unit)].tolist())
        side = _best_side(counted, rest, wanted)
        sides[list(unit)] = side
        for label, number in counted.items():
            rest[side][label] -= number
    for label, single in enumerate(_drawn(classes, np.flatnonzero(alone), drawn, len(names))):
        first = 0
        for side in range(len(shares), 0, -1):
            last = first + max(0, rest[side][label])
            sides[single[first:last]] = side
            first = last
    _fill_gaps(classes, units, alone, sides, drawn, len(shares) + 1)
    return sides


def _drawn(classes: Whole, alone: Whole, keys: npt.NDArray[np.uint64], number: int) -> list[Whole]:
    """The indices that stand alone of each class, in the order of their keys."""
    order = alone[np.argsort(keys[alone], kind="stable")]
    order = order[np.argsort(classes[order], kind="stable")]
    return np.split(order, np.searchsorted(classes[order], np.arange(1, number)))[:number]


def _best_side(unit: Counter[int], rest: Sequence[Sequence[int]], wanted: Sequence[Sequence[int]]) -> int:
    # The side that a unit overfills least; among equals, the one that still wants the largest share of its quota.

    def cost(side: int) -> tuple[float, float]:
        over = sum(max(0, number - max(0, rest[side][label])) for label, number in unit.items())
        need = sum(number * rest[side][label] / max(1, wanted[side][label]) for label, number in unit.items())
        return over, -need

    return min(range(len(rest)), key=cost)


def _fill_gaps(
    classes: Whole,
    units: Sequence[Sequence[int]],
    alone: npt.NDArray[np.bool_],
    sides: npt.NDArray[np.int8],
    keys: npt.NDArray[np.uint64],
    number: int,
) -> None:
    # Move the smallest possible unit to every side that lacks a class, where another side can spare it.
    many = int(classes.max(initial=-1)) + 1
    present = np.stack([np.bincount(classes[sides == side], minlength=many) for side in range(number)])
    for label in range(many):
        for side in range(number):
            if present[side, label]:
                continue
            single = np.flatnonzero(alone & (classes == label) & (present[sides, label] > 1))
            movable = [(1, int(keys[index]), [int(index)]) for index in single[np.argsort(keys[single])[:1]]]
            for unit in [] if movable else units:
                inside = Counter(classes[list(unit)].tolist())
                donor = present[sides[unit[0]]]
                if inside[label] and all(donor[other] > count for other, count in inside.items()):
                    movable.append((len(unit), int(keys[list(unit)].min()), list(unit)))
            if movable:
                unit = min(movable)[2]
                np.subtract.at(present[sides[unit[0]]], classes[unit], 1)
                np.add.at(present[side], classes[unit], 1)
                sides[unit] = side
