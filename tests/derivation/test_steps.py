"""Every equation of every step holds: all its sides have the same value at a random point."""

from fractions import Fraction

import pytest

from thalweg.core.formula import Equation, parse_formula
from thalweg.derivation.case import build_case, names_of
from thalweg.derivation.expression import number
from thalweg.derivation.gradients import work_out
from thalweg.derivation.meaning import expressed
from thalweg.derivation.number import is_equal
from thalweg.derivation.self_check import check_itself, random_values
from thalweg.derivation.stages import stage_symbol
from thalweg.derivation.substitution import Point
from thalweg.derivation.writing import write_derivation


def _symbols(case, found):
    """All the names a step may speak of."""
    names = {name: stage_symbol(name) for name in names_of(case)} | {"O": found.O}
    for stem, entries in (("y", found.y), ("dO_dy", found.dO_dy), ("dO_dx", found.dO_dx), ("dO_df", found.dO_df)):
        names |= {f"{stem}{place + 1}": entry for place, entry in enumerate(entries)}
    names |= {f"dO_db{place + 1}": entry for place, entry in enumerate(found.dO_db)}
    for row, pairs in enumerate(found.meetings):
        for column in range(len(found.x)):
            names[f"dy{row + 1}_dx{column + 1}"] = number(0)
        names |= {f"dy{row + 1}_dx{i + 1}": found.f[k] for i, k in pairs}
        names |= {f"dy{row + 1}_df{k + 1}": found.x[i] for i, k in pairs}
    return names


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "conv2d", "x": "3x3", "f": "2x2", "head": "c*sum"},
        {
            "kind": "conv2d",
            "x": [[1, -2, 3], [4, 5, "1/2"], [7, 8, 10]],
            "f": [[1, 0], ["-1/3", -1]],
            "head": "relu mean",
        },
        {"kind": "conv1d", "x": "2x5", "f": "2x1x2", "groups": 2, "stride": 2, "bias": True, "head": "sigmoid mse"},
        {"kind": "conv1d", "x": [1, 2, 3], "f": ["a", -1], "padding": 1, "head": "maxpool(2) cross-entropy(1)"},
        {"kind": "conv3d", "x": "2x2x2", "f": "2x1x2", "dilation": (1, 1, 1), "head": "dense", "padding": "same"},
    ],
    ids=lambda options: options["head"],
)
def test_all_sides_are_equal(options):
    case, notes = build_case(**options)
    found = work_out(case)
    answer = write_derivation(case, found, notes, check_itself(case, found))
    symbols, point = _symbols(case, found), Point(random_values(case, 3))
    lines = [*answer.forward, *(formula for step in answer.steps for formula in step.formulas)]
    assert len(lines) > 4 * len(found.y)
    for line in lines:
        tree = parse_formula(line)
        assert isinstance(tree, Equation), line
        values = [point.value(expressed(side, symbols)) for side in tree.sides]
        assert all(is_equal(value, values[0]) for value in values), line


def test_the_matrix_times_x_is_y():
    case, notes = build_case("conv2d", x=[[1, 2, 3], [4, 5, 6], [7, 8, 9]], f=[[1, "1/2"], [0, -1]], head="mean")
    found = work_out(case)
    answer = write_derivation(case, found, notes, check_itself(case, found))
    x = [Fraction(entry) for entry in case.x]
    products = [sum(Fraction(m) * v for m, v in zip(row, x, strict=True)) for row in answer.matrix]
    assert products == [entry.value for entry in found.y]
    assert answer.matrix[1] == ("0", "1", "1/2", "0", "0", "-1", "0", "0", "0")
