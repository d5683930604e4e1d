"""Formulas are read with Python's precedence, people's spellings too, and nothing is executed."""

import pytest

from thalweg.core.errors import SpecError
from thalweg.core.formula import Call, Name, Negative, Number, Power, Product, Quotient, Rows, Sum, parse_formula

A, B = Name("a"), Name("b")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a - b", Sum((A, Negative(B)))),
        ("-a*b", Negative(Product((A, B)))),
        ("a/b/a", Quotient(Quotient(A, B), A)),
        ("a*-b", Product((A, Negative(B)))),
        ("a**-2", Power(A, -2)),
        ("(a)^2", Power(A, 2)),
        ("a b", Product((A, B))),
        ("a(b + a)", Product((A, Sum((B, A))))),
        ("ln(a)", Call("log", (A,))),
        ("max(a, b)", Call("Max", (A, B))),
        ("a·b − a", Sum((Product((A, B)), Negative(A)))),
        ("[[a, b]]", Rows((Rows((A, B)),))),
    ],
)
def test_reads(text, tree):
    assert parse_formula(text) == tree


def test_decimals_are_counted():
    assert parse_formula("0.250") == Number(parse_formula("0.25").value, 3)


@pytest.mark.parametrize(
    "text",
    ["", "a +", "a b)", "(a", "a ** b", "a**999", "a**2**3", "exp", "[a", "a; b", "__import__('os')", "a = ", "(" * 99],
)
def test_refuses(text):
    with pytest.raises(SpecError, match=r"formula|bracket"):
        parse_formula(text)
