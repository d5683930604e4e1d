"""Gradients as the textbook prints them, and as sympy finds them."""

import mpmath
import pytest
import sympy

from thalweg.derivation.case import build_case
from thalweg.derivation.gradients import work_out
from thalweg.derivation.writing import nested

TEXTBOOK = (
    ("c*f1", "c*(f1 + f2)", "c*f2"),
    ("c*(f1 + f3)", "c*(f1 + f2 + f3 + f4)", "c*(f2 + f4)"),
    ("c*f3", "c*(f3 + f4)", "c*f4"),
)


def _texts(case, part):
    return [str(entry) for entry in getattr(work_out(case), part)]


def test_the_textbook_case_comes_out_literally():
    case, _ = build_case("conv2d", x="3x3", f="2x2", head="c*sum")
    assert nested(_texts(case, "dO_dx"), (3, 3)) == TEXTBOOK
    assert _texts(case, "y")[0] == "x1*f1 + x2*f2 + x4*f3 + x5*f4"
    assert _texts(case, "dO_df")[0] == "c*(x1 + x2 + x4 + x5)"


@pytest.mark.parametrize(
    "head",
    ["mean", "dense", "squared-error", "mse([1, 2, a, 1/2])", "sigmoid c*mean", "cross-entropy(2)",
     "avgpool(2) sigmoid", "tanh c*dense(2) cross-entropy(1)",
     "dense([[1, a, 0, 2], [k, 1, -1/2, 1]], [d, 1]) mse", "sigmoid squared-error([1, 0, 0, 1])", "upstream"],
)  # fmt: skip
def test_sympy_finds_the_same(head):
    case, _ = build_case("conv2d", x="3x3", f="[[f, g], [h, 1/3]]", head=head, bias=True)
    found = work_out(case)
    outcome = sympy.sympify(str(found.O))
    at = {sympy.Symbol(name): sympy.Rational(place + 1, 7) for place, name in enumerate([*case.x, *"fghabd"])}
    at |= {symbol: sympy.Rational(1, 3) for symbol in outcome.free_symbols if symbol not in at}
    for name, entries, names in (
        ("x", found.dO_dx[3:6], case.x[3:6]),
        ("f", found.dO_df[:3], case.f),
        ("b", found.dO_db, "b"),
    ):
        for entry, by in zip(entries, names, strict=False):
            difference = sympy.diff(outcome, sympy.Symbol(by)) - sympy.sympify(str(entry))
            with mpmath.workdps(40):  # in numbers: put into the expression itself, fractions take long to cancel
                value = sympy.lambdify(list(at), difference, "mpmath")(*(mpmath.mpf(at[s].p) / at[s].q for s in at))
            assert abs(value) < mpmath.mpf("1e-25"), (name, by)


def test_kinks_on_symbols_stay_indicators_that_sympy_reads():
    case, _ = build_case("conv1d", x="2", f="1", head="relu maxpool(2) c*sum")
    text = _texts(case, "dO_dx")[1]
    assert "Heaviside" in text
    values = {"x1": 1, "x2": 3, "f1": 2, "c": 5}
    assert sympy.sympify(text).subs(values) == 10


def test_ties_follow_torch():
    case, _ = build_case("conv1d", x=[0, 1, 1], f=[1], head="relu maxpool(3)")
    assert _texts(case, "dO_dx") == ["0", "1", "0"]
    case, _ = build_case("conv1d", x=[0, 1, -1], f=[1], head="relu sum")
    assert _texts(case, "dO_dx") == ["0", "1", "0"]


@pytest.mark.parametrize(
    ("head", "first"),
    [("-2*sum", "-2*(f1 + f2)"), ("mean", "(f1 + f2)/2"), ("2/3*sum", "2*(f1 + f2)/3"), ("c*mean", "c*(f1 + f2)/2")],
)
def test_what_is_shared_stands_before_the_bracket(head, first):
    case, _ = build_case("conv1d", x="3", f="2", head=head)
    assert _texts(case, "dO_dx")[1] == first
