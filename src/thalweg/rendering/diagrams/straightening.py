"""Places for what a layered drawing holds: near its neighbours, in straight strands, never too close.

Every level is a row of boxes and lanes in a fixed order. Each wants to stand where its neighbours stand on average; a
row settles by moving as little as possible while keeping its distances (isotonic regression by pooling adjacent
violators, Ayer et al. 1955). Then whole strands - a chain of boxes, or a line that passes by - are pulled straight one
by one.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["ENTRY", "Graph", "Point", "place_points", "push_apart", "spread_ports"]

ENTRY = ""
"""Key of the value that enters the drawing from above; it is on level 0."""

Point: TypeAlias = tuple[str, int]
"""A box or a lane of a box's value, on a level."""

_SWEEPS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Levels in order, their links, and how much room everything takes.

    Args:
        rows: Boxes and lanes of each level, from left to right.
        above: What each reads on the level above.
        below: What reads each on the level below.
        level: Level of each box.
        widths: Width of each box, the entry's too.
        last: The box in which everything ends.
        gap: Free room between neighbours.
        lane: Width of a lane.
    """

    rows: list[list[Point]]
    above: Mapping[Point, list[Point]]
    below: Mapping[Point, list[Point]]
    level: Mapping[str, int]
    widths: Mapping[str, float]
    last: Point
    gap: float
    lane: float

    def is_lane(self, point: Point) -> bool:
        """Tell whether a point is a line passing by.

        Args:
            point: A box or lane.

        Returns:
            False for boxes.
        """
        return point[1] != self.level[point[0]]

    def width(self, point: Point) -> float:
        """Say how wide a point is.

        Args:
            point: A box or lane.

        Returns:
            Its width.
        """
        return self.lane if self.is_lane(point) else self.widths[point[0]]

    def settle(
        self, row: list[Point], wanted: list[float], weights: Mapping[Point, float], x: dict[Point, float]
    ) -> None:
        """Move a row to where its members want to be, as far as their distances allow.

        Args:
            row: The row.
            wanted: Where each would like to be.
            weights: How much each resists.
            x: Places, changed here.
        """
        apart = [(self.width(left) + self.width(right)) / 2 + self.gap for left, right in itertools.pairwise(row)]
        x.update(zip(row, push_apart(wanted, [weights[point] for point in row], apart), strict=True))

    def strands(self) -> list[list[Point]]:
        """List chains that should be straight: the last box's, then long ones of boxes, then lanes from the inside out.

        Returns:
            Each point in one chain, chains from the most urgent to the least.
        """
        follows = {}
        for upper, lowers in self.below.items():
            boxes = [lower for lower in lowers if not self.is_lane(lower)]
            own = [lower for lower in lowers if lower[0] == upper[0]]
            if upper == (ENTRY, 0):
                continue
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
            return self.last not in strand, passing, len(strand) if passing else -len(strand)

        return sorted(unique, key=urgency)


def place_points(graph: Graph) -> dict[Point, float]:
    """Find the centre of everything; the last box stands straight under the entry.

    Args:
        graph: The levels, in order.

    Returns:
        Centres by point.

    Example:
        >>> rows = [[("a", 0)], [("b", 1), ("c", 1)]]
        >>> below = {("a", 0): [("b", 1), ("c", 1)]}
        >>> above = {("b", 1): [("a", 0)], ("c", 1): [("a", 0)]}
        >>> level = {"a": 0, "b": 1, "c": 1}
        >>> widths = {"a": 10.0, "b": 10.0, "c": 10.0}
        >>> graph = Graph(rows=rows, above=above, below=below, level=level, widths=widths, last=("a", 0), gap=5, lane=1)
        >>> {key: round(x, 3) for (key, _), x in place_points(graph).items()}
        {'a': 0.0, 'b': -7.5, 'c': 7.5}
    """
    x = _side_by_side(graph)
    weights = {point: 0.01 if graph.is_lane(point) else 1.0 for point in x}
    for sweep in range(_SWEEPS):
        near = graph.above if sweep % 2 == 0 else graph.below
        for row in graph.rows if sweep % 2 == 0 else reversed(graph.rows):
            wanted = [_centre(point, near.get(point, []), graph, x) for point in row]
            graph.settle(row, wanted, weights, x)
    _straighten(graph, weights, x)
    return x


def _side_by_side(graph: Graph) -> dict[Point, float]:
    x: dict[Point, float] = {}
    for row in graph.rows:
        room = 0.0
        for point in row:
            x[point] = room + graph.width(point) / 2
            room += graph.width(point) + graph.gap
        for point in row:
            x[point] -= (room - graph.gap) / 2
    return x


def _straighten(graph: Graph, weights: dict[Point, float], x: dict[Point, float]) -> None:
    """Pull one strand after the other straight; those that came first give way last."""
    axis = x.get((ENTRY, 0), x[graph.last])
    weights[ENTRY, 0] = 1e21
    for rank, strand in enumerate(graph.strands()):
        middle = sum(x[point] for point in strand) / len(strand)
        if rank == 0:
            middle = axis
        elif graph.is_lane(strand[-1]):
            middle = max((x[point] for point in strand), key=lambda place: abs(place - axis))
        for point in strand:
            weights[point] = 1e18 / 1e3 ** min(rank, 5)
        for row in graph.rows:
            members = set(strand) & set(row)
            if members:
                graph.settle(row, [middle if point in members else x[point] for point in row], weights, x)


def _centre(point: Point, near: list[Point], graph: Graph, x: Mapping[Point, float]) -> float:
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


def spread_ports(starts: Mapping[str, float], x: float, *, reach: float, apart: float) -> dict[str, float]:
    """Choose where along its top each line enters a box: straight from above where it can, none on another.

    Args:
        starts: Where each line comes from, by source.
        x: Centre of the box.
        reach: How far from the centre a line may enter.
        apart: Wanted distance between two entries.

    Returns:
        The place of each line, by source, in the order of `starts`' places.

    Example:
        >>> spread_ports({"a": 0.0, "b": 200.0}, 0.0, reach=100.0, apart=16.0)
        {'a': 0.0, 'b': 48.0}
    """
    order = sorted(starts, key=lambda source: starts[source])
    ports: dict[str, float] = {}
    for index, source in enumerate(order):
        aside = starts[source] - x
        outward = 2.5 * apart + abs(index - (len(order) - 1) / 2) * apart
        ports[source] = x + (math.copysign(min(reach, outward), aside) if abs(aside) > reach else aside)
    values = [ports[source] for source in order]
    if any(late - early < 0.75 * apart for early, late in itertools.pairwise(values)):
        step = min(apart, 2 * reach / max(1, len(order) - 1))
        ports = {source: x + (index - (len(order) - 1) / 2) * step for index, source in enumerate(order)}
    return ports
