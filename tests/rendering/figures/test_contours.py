import math

import pytest

from thalweg.rendering.figures.contours import contour_levels, contour_lines, finer


def bowl(size=21):
    middle = size // 2
    return [[(x - middle) ** 2 + (y - middle) ** 2 for x in range(size)] for y in range(size)]


def test_a_bowl_has_round_closed_contours():
    (line,) = contour_lines(bowl(), 36.5)
    assert line[0] == line[-1]
    assert len(line) > 30
    for x, y in line:
        assert math.hypot(x - 10, y - 10) == pytest.approx(math.sqrt(36.5), abs=0.05)


def test_a_saddle_has_two_lines_that_never_cross():
    grid = [[float((x - 10) * (y - 10)) for x in range(21)] for y in range(21)]
    lines = contour_lines(grid, 6.5)
    assert len(lines) == 2
    for line in lines:
        assert all((x - 10) * (y - 10) == pytest.approx(6.5, abs=0.6) for x, y in line)
        assert len({(x > 10, y > 10) for x, y in line}) == 1


def test_levels_lie_inside_and_rise():
    values = [value for row in bowl() for value in row]
    levels = contour_levels(values)
    assert len(levels) == 8
    assert list(levels) == sorted(set(levels))
    assert min(values) < levels[0]
    assert levels[-1] < max(values)
    assert contour_levels([1.0, 1.0, math.nan]) == ()
    assert len(contour_levels([1000 + index * 1e-4 for index in range(50)])) >= 7


def test_no_number_no_line():
    grid = bowl(5)
    grid[2][2] = math.nan
    assert contour_lines(grid, 0.5) == []
    assert math.isnan(finer(grid, 2)[4][4])
    assert finer(grid, 2)[0][::2] == grid[0]
