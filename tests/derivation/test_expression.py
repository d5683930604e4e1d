"""Sums keep the look of a textbook, and stay exact."""

from fractions import Fraction

import pytest

from thalweg.derivation.expression import ONE, ZERO, add, number, symbol

X, Y, F = symbol("x", 2), symbol("y", 2, 1), symbol("f", 3)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (X * F + Y * F, "x*f + y*f"),
        (F * X - X * F, "0"),
        ((X + Y) * F, "f*(x + y)"),
        (number("1/2") * (X + Y), "x/2 + y/2"),
        ((X + Y) ** 2 / F, "(x + y)**2/f"),
        (ONE / (number(2) * (ONE + X)), "1/(2*(1 + x))"),
        (-X, "-x"),
        ((-X - Y) * F, "-f*(x + y)"),
        (X**3 / X, "x**2"),
        (number("-7/2"), "-7/2"),
        ((X + Y) * (X + Y), "(x + y)**2"),
    ],
)
def test_is_written(expression, text):
    assert str(expression) == text


def test_numbers_are_known():
    assert (X - X + number(3)).value == Fraction(3)
    assert (X + ONE).value is None


def test_adding_merges_like_terms_in_order():
    assert str(add([Y, X, Y, -X, ZERO])) == "2*y"
