"""Powers of e are compared exactly, and their signs are known."""

from fractions import Fraction

import pytest

from thalweg.core.errors import SpecError
from thalweg.derivation.number import exponential, is_equal, logarithm, sign

HALF, THIRD = exponential(Fraction(1, 2)), exponential(Fraction(1, 3))


def test_powers_multiply_by_adding_exponents():
    assert is_equal(HALF * THIRD, exponential(Fraction(5, 6)))
    assert is_equal(HALF**2 / exponential(Fraction(1)), Fraction(1))
    assert not is_equal(HALF, THIRD)


def test_a_difference_in_the_hundredth_digit_is_seen():
    assert not is_equal(HALF, HALF + Fraction(1, 10**100))


def test_a_sum_of_powers_is_no_power():
    assert not is_equal(HALF + HALF, exponential(Fraction(1)))
    assert is_equal((HALF + THIRD) * (HALF - THIRD), HALF * HALF - THIRD * THIRD)


def test_signs():
    assert [sign(HALF - THIRD), sign(THIRD - HALF), sign(HALF - HALF), sign(Fraction(-2))] == [1, -1, 0, -1]


def test_logarithms_are_compared_by_their_digits():
    assert is_equal(logarithm(HALF * HALF), Fraction(1))
    assert not is_equal(logarithm(Fraction(2)), Fraction(693147, 10**6))


def test_nothing_is_divided_by_zero():
    with pytest.raises(SpecError, match="divides by zero"):
        HALF / (THIRD - THIRD)
