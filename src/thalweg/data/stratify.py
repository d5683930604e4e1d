"""The arithmetic of a stratified split: how many files a class gives to each side, and which units go where.

A unit is what must not be torn apart: one file, or all files that show the same picture or the same patient. Units of
several files are placed first, largest first, where most is still wanted; single files then fill every class to its
quota exactly.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

__all__ = ["assign", "bundle", "quotas"]


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


def bundle(groups: Iterable[Sequence[int]], size: int) -> list[list[int]]:
    """Merge overlapping groups, and add every other index as a unit of its own.

    Args:
        groups: Indices that belong together; groups that share an index are joined.
        size: Number of indices.

    Returns:
        Units that cover every index once, each sorted, in order of their first index.

    Example:
        >>> bundle([(0, 2), (2, 3)], 5)
        [[0, 2, 3], [1], [4]]
    """
    parent = list(range(size))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for group in groups:
        for index in group[1:]:
            first, second = sorted((root(group[0]), root(index)))
            parent[second] = first
    units: dict[int, list[int]] = {}
    for index in range(size):
        units.setdefault(root(index), []).append(index)
    return list(units.values())


def assign(
    labels: Sequence[int], units: Sequence[Sequence[int]], shares: Sequence[float], keys: Sequence[int]
) -> list[int]:
    """Decide the side of every unit.

    Args:
        labels: Class of each index.
        units: Indices that stay together, covering every index once.
        shares: Share of each held-out side, 0 to 1.
        keys: A random number for each index; it alone decides between equals.

    Returns:
        The side of each index: 0 for training, 1 and up for the held-out sides in order of `shares`.
    """
    counts = Counter(labels)
    classes = sorted(counts)
    held = [quotas([counts[label] for label in classes], share, keep=len(shares)) for share in shares]
    wanted = [{label: quota[place] for place, label in enumerate(classes)} for quota in held]
    wanted.insert(0, {label: counts[label] - sum(side[label] for side in wanted) for label in classes})
    rest = [dict(side) for side in wanted]
    sides = [0] * len(labels)

    def place(unit: Sequence[int], side: int) -> None:
        for index in unit:
            sides[index] = side
            rest[side][labels[index]] -= 1

    several = [unit for unit in units if len(unit) > 1]
    for unit in sorted(several, key=lambda unit: (-len(unit), min(keys[index] for index in unit))):
        place(unit, _best_side(Counter(labels[index] for index in unit), rest, wanted))
    single = sorted((unit[0] for unit in units if len(unit) == 1), key=keys.__getitem__)
    for index in single:
        label = labels[index]
        place([index], next((side for side in range(len(shares), 0, -1) if rest[side][label] > 0), 0))
    _fill_gaps(labels, units, sides, keys, len(shares) + 1)
    return sides


def _best_side(unit: Counter[int], rest: Sequence[dict[int, int]], wanted: Sequence[dict[int, int]]) -> int:
    # The side that a unit overfills least; among equals, the one that still wants the largest share of its quota.

    def cost(side: int) -> tuple[float, float]:
        over = sum(max(0, number - max(0, rest[side][label])) for label, number in unit.items())
        need = sum(number * rest[side][label] / max(1, wanted[side][label]) for label, number in unit.items())
        return over, -need

    return min(range(len(rest)), key=cost)


def _fill_gaps(
    labels: Sequence[int], units: Sequence[Sequence[int]], sides: list[int], keys: Sequence[int], number: int
) -> None:
    # Move the smallest possible unit to every side that lacks a class, where another side can spare it.
    present = [Counter(label for label, on in zip(labels, sides, strict=True) if on == side) for side in range(number)]
    for label in sorted(set(labels)):
        for side in range(number):
            if present[side][label]:
                continue
            movable = []
            for unit in units:
                inside = Counter(labels[index] for index in unit)
                donor = present[sides[unit[0]]]
                if inside[label] and all(donor[other] > count for other, count in inside.items()):
                    movable.append((len(unit), min(keys[index] for index in unit), unit))
            if movable:
                unit = min(movable)[2]
                present[sides[unit[0]]].subtract(labels[index] for index in unit)
                present[side].update(labels[index] for index in unit)
                for index in unit:
                    sides[index] = side
