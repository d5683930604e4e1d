"""Layered layout after Sugiyama, Tagawa and Toda (1981): a level for each box, lanes for lines that pass by.

A value that is read further down travels in a lane of its own through the levels between, so no line ever crosses a box;
all readers of a value share its lane. Boxes and lanes of a level are ordered by the mean place of their neighbours, then
pushed apart with as little movement as possible (isotonic regression by pooling adjacent violators, Ayer et al. 1955).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["ENTRY", "Placement", "place_boxes"]

ENTRY = ""
"""Key of the value that enters the stage from above."""

_SWEEPS = 8

Point = tuple[str, int]
"""A box or a lane of a box's value, on a level."""


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
    last = list(widths)[-1]
    x = _coordinates(
        _Graph(
            rows=rows, above=above, below=below, level=level, widths={**widths, ENTRY: lane}, exit=(last, level[last]),
            gap=gap, lane=lane,
        )
    )
    middle = x.get((ENTRY, 0), x[rows[-1][0]] if rows[-1] else 0.0)
    return Placement(
        level={key: at for key, at in level.items() if key != ENTRY},
        levels=len(rows) - 1,
        x={point: value - middle for point, value in x.items()},
        lanes=lanes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Graph:
    """Levels in order, their links, and how much room everything takes."""

    rows: list[list[Point]]
    above: Mapping[Point, list[Point]]
    below: Mapping[Point, list[Point]]
    level: Mapping[str, int]
    widths: Mapping[str, float]
    exit: Point
    gap: float
    lane: float

    def is_lane(self, point: Point) -> bool:
        return point[1] != self.level[point[0]]

    def width(self, point: Point) -> float:
        return self.lane if self.is_lane(point) else self.widths[point[0]]

    def settle(
        self, row: list[Point], wanted: list[float], weights: Mapping[Point, float], x: dict[Point, float]
    ) -> None:
        apart = [
            (self.width(left) + self.width(right)) / 2 + self.gap for left, right in zip(row, row[1:], strict=False)
        ]
        x.update(zip(row, push_apart(wanted, [weights[point] for point in row], apart), strict=True))

    def strands(self) -> list[list[Point]]:
        """Chains that should be straight: the exit's first, then long ones of boxes, then lanes from the inside out."""
        follows = {}
        for upper, lowers in self.below.items():
            boxes = [lower for lower in lowers if not self.is_lane(lower)]
            own = [lower for lower in lowers if lower[0] == upper[0]]
            if self.is_lane(upper) or not boxes:
                follows.update(dict.fromkeys(own, upper))
            elif len(boxes) == 1:
                lower = boxes[0]
                rivals = [other for other in self.above[lower] if not self.is_lane(other)]
                if len(rivals) == 1:
                    follows[lower] = upper
        strands: dict[Point, list[Point]] = {}
        for row in self.rows:
            for point in row:
                strand = strands[follows[point]] if point in follows else []
                strand.append(point)
                strands[point] = strand
        unique = list({id(strand): strand for strand in strands.values()}.values())

        def urgency(strand: list[Point]) -> tuple[bool, bool, int]:
            passing = self.is_lane(strand[-1])
            return self.exit not in strand, passing, len(strand) if passing else -len(strand)

        return sorted(unique, key=urgency)


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


def _links(reads: Mapping[str, list[str]], level: Mapping[str, int], lanes: Mapping[str, int]) -> list[tuple[Point, Point]]:
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
    """Order each level by the mean place of its neighbours, down and up, and keep the order with the fewest crossings."""
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
    for upper, lower in zip(rows, rows[1:], strict=False):
        place = {point: index for index, point in enumerate(lower)}
        ends = [place[target] for point in upper for target in sorted(below.get(point, []), key=lambda p: place.get(p, 0))]
        total += sum(late < early for index, early in enumerate(ends) for late in ends[index + 1 :])
    return total


def _coordinates(graph: _Graph) -> dict[Point, float]:
    """Find the centre of everything: near its neighbours first, then in straight strands, the exit's under the entry."""
    x: dict[Point, float] = {}
    for row in graph.rows:
        room = 0.0
        for point in row:
            x[point] = room + graph.width(point) / 2
            room += graph.width(point) + graph.gap
        for point in row:
            x[point] -= (room - graph.gap) / 2
    weights = {point: 0.01 if graph.is_lane(point) else 1.0 for point in x}
    for sweep in range(2 * _SWEEPS):
        near = graph.above if sweep % 2 == 0 else graph.below
        for row in graph.rows if sweep % 2 == 0 else reversed(graph.rows):
            wanted = [_centre(point, near.get(point, []), graph, x) for point in row]
            graph.settle(row, wanted, weights, x)
    axis = 0.0
    for rank, strand in enumerate(graph.strands()):
        middle = sum(x[point] for point in strand) / len(strand)
        if rank == 0:
            middle = axis = x.get((ENTRY, 0), middle)
        elif graph.is_lane(strand[-1]):
            middle = max((x[point] for point in strand), key=lambda place: abs(place - axis))
        firm = 1e18 / 1e3 ** min(rank, 5)  # earlier strands stay where they are
        for point in strand:
            weights[point] = firm
        for row in graph.rows:
            members = set(strand) & set(row)
            if members:
                graph.settle(row, [middle if point in members else x[point] for point in row], weights, x)
    return x


def _centre(point: Point, near: list[Point], graph: _Graph, x: Mapping[Point, float]) -> float:
    """Mean place of the neighbours; lines that pass by do not pull a box that has box neighbours."""
    boxes = [other for other in near if not graph.is_lane(other)]
    chosen = near if graph.is_lane(point) or not boxes else boxes
    return sum(x[other] for other in chosen) / len(chosen) if chosen else x[point]


def push_apart(wanted: Sequence[float], weights: Sequence[float], apart: Sequence[float]) -> list[float]:
    """Find the places nearest to the wanted ones (weighted least squares) that keep order and distances.

    Args:
        wanted: Where each would like to be, in order.
        weights: How much each resists being moved.
        apart: Least distance between each and the next.

    Returns:
        The places.

    Example:
        >>> push_apart([0.0, 0.0], [1.0, 1.0], [10.0])
        [-5.0, 5.0]
    """
    offsets = [0.0]
    for distance in apart:
        offsets.append(offsets[-1] + distance)
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for value, weight, offset in zip(wanted, weights, offsets, strict=False):
        mean, total, members = value - offset, weight, 1
        while pools and pools[-1][0] > mean:
            other, its_weight, its_members = pools.pop()
            mean = (mean * total + other * its_weight) / (total + its_weight)
            total += its_weight
            members += its_members
        pools.append((mean, total, members))
    means = [mean for mean, _, members in pools for _ in range(members)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]
