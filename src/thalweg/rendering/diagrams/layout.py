"""Layered layout after Sugiyama, Tagawa and Toda (1981): a level for each box, lanes for lines that pass by.

A value that is read further down travels in a lane of its own through the levels between, so no line ever crosses a
box; all readers of a value share its lane. Boxes and lanes of a level are ordered by the mean place of their
neighbours.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thalweg.rendering.diagrams.straightening import ENTRY, Graph, Point, place_points

__all__ = ["Placement", "place_boxes"]

_SWEEPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where everything of a stage lies.

    Args:
        level: Level of each box, counted from 1; the entry is on level 0.
        levels: Number of levels, without the entry's.
        x: Centre of each box and lane, by key and level.
        lanes: Last level on which a value still travels in its lane, by key; absent when it needs none.
    """

    level: Mapping[str, int]
    levels: int
    x: Mapping[Point, float]
    lanes: Mapping[str, int]


def place_boxes(
    widths: Mapping[str, float], sources: Mapping[str, Sequence[str]], *, gap: float = 24.0, lane: float = 14.0
) -> Placement:
    """Place the boxes of a stage.

    Args:
        widths: Width of each box, by key, in topological order; the last one is where the stage ends.
        sources: What each box reads; keys that are not boxes of the stage enter from above.
        gap: Free room between two neighbours on a level.
        lane: Width of a lane.

    Returns:
        Levels, and centres relative to the entry's.

    Example:
        >>> placement = place_boxes({"a": 80.0, "b": 80.0, "sum": 80.0}, {"a": ["x"], "b": ["x"], "sum": ["a", "b"]})
        >>> placement.level["sum"], placement.x["a", 1] < placement.x["sum", 2] < placement.x["b", 1]
        (2, True)
    """
    reads = {key: list(dict.fromkeys(s if s in widths else ENTRY for s in sources[key])) for key in widths}
    level = _levels(reads)
    lanes: dict[str, int] = {}
    for key, read in reads.items():
        for source in read:
            if level[key] - 1 > level[source]:
                lanes[source] = max(lanes.get(source, 0), level[key] - 1)
    links = _links(reads, level, lanes)
    rows: list[list[Point]] = [[] for _ in range(max(level.values()) + 1)]
    for key, at in sorted(level.items(), key=lambda item: item[1]):
        rows[at].append((key, at))
    for source, last in lanes.items():
        for at in range(level[source] + 1, last + 1):
            rows[at].append((source, at))
    _order(rows, links)
    above, below = _neighbours(links)
    end = list(widths)[-1]
    x = place_points(
        Graph(
            rows=rows,
            above=above,
            below=below,
            level=level,
            widths={**widths, ENTRY: lane},
            last=(end, level[end]),
            gap=gap,
            lane=lane,
        )
    )
    middle = x.get((ENTRY, 0), x[end, level[end]])
    return Placement(
        level={key: at for key, at in level.items() if key != ENTRY},
        levels=len(rows) - 1,
        x={point: value - middle for point, value in x.items()},
        lanes=lanes,
    )


def _levels(reads: Mapping[str, list[str]]) -> dict[str, int]:
    level = {ENTRY: 0}
    for key, read in reads.items():
        level[key] = max((level[source] for source in read), default=0) + 1
    for key, read in reads.items():  # what reads nothing moves down to its first reader
        if not read:
            readers = [level[other] for other, theirs in reads.items() if key in theirs]
            level[key] = min(readers, default=2) - 1
    level[list(reads)[-1]] = max(level.values())
    if not any(ENTRY in read for read in reads.values()):
        del level[ENTRY]
    return level


def _links(
    reads: Mapping[str, list[str]], level: Mapping[str, int], lanes: Mapping[str, int]
) -> list[tuple[Point, Point]]:
    links: list[tuple[Point, Point]] = []
    for source, last in lanes.items():
        links += [((source, at), (source, at + 1)) for at in range(level[source], last)]
    for key, read in reads.items():
        links += [((source, level[key] - 1), (key, level[key])) for source in read]
    return links


def _neighbours(links: list[tuple[Point, Point]]) -> tuple[dict[Point, list[Point]], dict[Point, list[Point]]]:
    above: dict[Point, list[Point]] = {}
    below: dict[Point, list[Point]] = {}
    for upper, lower in links:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    return above, below


def _order(rows: list[list[Point]], links: list[tuple[Point, Point]]) -> None:
    """Order each level by the mean place of its neighbours, down and up; keep the order with the fewest crossings."""
    above, below = _neighbours(links)
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for at in range(len(rows)) if down else reversed(range(len(rows))):
            _sort_level(rows, at, at - 1 if down else at + 1, above if down else below)
        count = _crossings(rows, below)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
        if not fewest:
            break
    for at, row in enumerate(best):
        rows[at] = row


def _sort_level(rows: list[list[Point]], at: int, other: int, near: Mapping[Point, list[Point]]) -> None:
    if not 0 <= other < len(rows):
        return
    place = {point: index for index, point in enumerate(rows[other])}
    own = {point: index for index, point in enumerate(rows[at])}
    mean = {point: _mean([place[n] for n in near.get(point, []) if n in place], own[point]) for point in rows[at]}
    rows[at].sort(key=lambda point: (mean[point], own[point]))


def _mean(values: list[int], otherwise: int) -> float:
    return sum(values) / len(values) if values else float(otherwise)


def _crossings(rows: list[list[Point]], below: Mapping[Point, list[Point]]) -> int:
    total = 0
    for upper, lower in itertools.pairwise(rows):
        place = {point: index for index, point in enumerate(lower)}
        ends = [
            place[target] for point in upper for target in sorted(below.get(point, []), key=lambda p: place.get(p, 0))
        ]
        total += sum(late < early for index, early in enumerate(ends) for late in ends[index + 1 :])
    return total
