"""The slow twin agrees with every random case, exactly, and notices every kind of wrong gradient."""

from dataclasses import replace

import pytest

from thalweg.derivation.case import build_case
from thalweg.derivation.gradients import work_out
from thalweg.derivation.self_check import check_itself


def test_random_cases_agree_exactly(random_cases):
    for options in random_cases[:8]:
        case, _ = build_case(**options)
        checked = check_itself(case, work_out(case))
        assert checked.passed, options
        assert checked.exact, options


@pytest.mark.parametrize(
    "head", ["c*sum", "relu mean", "sigmoid mean", "tanh dense(2) mse", "squared-error", "cross-entropy(1)"]
)
@pytest.mark.parametrize("part", ["y", "dO_dy", "dO_dx", "dO_df"])
def test_one_wrong_sign_is_noticed(head, part):
    case, _ = build_case("conv1d", x="4", f="2", head=head, stride=2, padding=1, bias=True)
    found = work_out(case)
    entries = [-getattr(found, part)[0], *getattr(found, part)[1:]]
    assert check_itself(case, found).passed
    assert not check_itself(case, replace(found, **{part: entries})).passed


def test_a_wrong_bias_is_noticed():
    case, _ = build_case("conv1d", x="4", f="2", head="mean", bias=True)
    found = work_out(case)
    assert not check_itself(case, replace(found, dO_db=[-found.dO_db[0]])).passed


def test_large_cases_are_checked_along_random_directions():
    case, _ = build_case("conv2d", x="2x6x6", f="2x3x3", head="c*sum")
    found = work_out(case)
    assert check_itself(case, found).passed
    wrong = [*found.dO_dx[:-1], found.dO_dx[0]]
    assert not check_itself(case, replace(found, dO_dx=wrong)).passed


def test_it_says_what_was_compared_and_that_it_is_exact():
    case, _ = build_case("conv2d", x=[[1, 2], [3, 4]], f=[[1]], head="mean")
    checked = check_itself(case, work_out(case))
    assert checked.comparisons == 4 + 4 + 4 + 1 + 1
    assert "exact difference quotients, in fractions, for the given numbers: all equal without rounding" in (
        checked.compared
    )
