"""Lines of equal height over a grid of numbers: marching squares, joined into long lines, with a place for a label."""

import itertools
import math
from collections.abc import Iterator, Sequence

__all__ = ["contour_levels", "contour_lines", "finer"]

Point = tuple[float, float]
Grid = Sequence[Sequence[float]]


def contour_levels(values: Sequence[float], count: int = 8) -> tuple[float, ...]:
    """Choose heights that divide the area evenly, rounded as far as that leaves them apart.

    Args:
        values: All numbers of the grid; those that are not finite do not count.
        count: How many are wanted.

    Returns:
        Rising heights strictly inside the range; none where everything is equal.

    Example:
        >>> contour_levels([0.0, 1.0, 2.0, 3.0, 4.0], 3)
        (1.0, 2.0, 3.0)
    """
    known = sorted(value for value in values if math.isfinite(value))
    if not known or not known[-1] > known[0]:
        return ()
    wanted = []
    for number in range(1, count + 1):
        place = number / (count + 1) * (len(known) - 1)
        low = known[math.floor(place)]
        wanted.append(low + (known[math.ceil(place)] - low) * (place % 1))
    for digits in (2, 3, 4, 6, 9):
        rounded = sorted({float(f"{value:.{digits}g}") for value in wanted})
        inside = tuple(value for value in rounded if known[0] < value < known[-1])
        if len(inside) >= min(count, len(set(wanted))) - 1:
            return inside
    return tuple(sorted({value for value in wanted if known[0] < value < known[-1]}))


def finer(grid: Grid, times: int) -> list[list[float]]:
    """Put rows and columns in between, on straight lines from one to the next.

    Args:
        grid: Rows of equal length, at least 2 x 2.
        times: Steps between two neighbours.

    Returns:
        The finer grid; nan wherever a neighbour is nan.

    Example:
        >>> finer([[0.0, 2.0], [2.0, 4.0]], 2)[1]
        [1.0, 2.0, 3.0]
    """
    wide = [_between(row, times) for row in grid]
    columns = [_between(column, times) for column in zip(*wide, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


def _between(row: Sequence[float], times: int) -> list[float]:
    out: list[float] = []
    for early, late in itertools.pairwise(row):
        out += [early + (late - early) * step / times for step in range(times)]
    return [*out, row[-1]]


def contour_lines(grid: Grid, level: float) -> list[list[Point]]:
    """Find where a grid passes through a height.

    Args:
        grid: Rows of equal length.
        level: The height.

    Returns:
        Lines of `(column, row)` places, longest first; a closed one ends where it begins.

    Example:
        >>> contour_lines([[0.0, 1.0], [0.0, 1.0]], 0.25)
        [[(0.25, 0.0), (0.25, 1.0)]]
    """
    following: dict[Point, list[Point]] = {}
    for start, end in _segments(grid, level):
        following.setdefault(start, []).append(end)
        following.setdefault(end, []).append(start)
    lines = []
    ends = [point for point, others in following.items() if len(others) == 1]
    for point in [*ends, *following]:
        while following[point]:
            line = [point]
            while following[line[-1]]:
                here, there = line[-1], following[line[-1]][0]
                following[here].remove(there)
                following[there].remove(here)
                line.append(there)
            lines.append(line)
    return sorted(lines, key=len, reverse=True)


def _segments(grid: Grid, level: float) -> Iterator[tuple[Point, Point]]:
    for row in range(len(grid) - 1):
        for column in range(len(grid[0]) - 1):
            corners = (
                (column, row, grid[row][column]),
                (column + 1, row, grid[row][column + 1]),
                (column + 1, row + 1, grid[row + 1][column + 1]),
                (column, row + 1, grid[row + 1][column]),
            )
            if not all(math.isfinite(corner[2]) for corner in corners):
                continue
            crossed = []
            for one, other in zip(corners, (*corners[1:], corners[0]), strict=True):
                if (one[2] > level) != (other[2] > level):
                    share = (level - one[2]) / (other[2] - one[2])
                    place = one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])
                    crossed.append((round(place[0], 6), round(place[1], 6)))
            if len(crossed) == 4:  # noqa: PLR2004 - a saddle: its middle says which corners belong together
                middle = sum(corner[2] for corner in corners) / 4 > level
                if middle == (corners[0][2] > level):
                    crossed = [crossed[0], crossed[1], crossed[2], crossed[3]]
                else:
                    crossed = [crossed[3], crossed[0], crossed[1], crossed[2]]
            for start, end in zip(crossed[::2], crossed[1::2], strict=False):
                if start != end:
                    yield start, end
