"""Every writer of formulas, read back: the value must be what Python takes the text to be."""

import math
import re
import xml.etree.ElementTree as ET
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.core.formula import Call, Name, Negative, Number, Power, Product, Quotient, Sum, parse_formula
from thalweg.rendering.formulas.latex import formula_latex
from thalweg.rendering.formulas.mathml import formula_mathml, mathml_pieces
from thalweg.rendering.formulas.text import formula_text

NAMES = ("c", "x1", "x2", "f12", "x_2_1", "dO_dy3", "alpha")
VALUES = {name: Fraction(number + 2, 3 + number % 2) * (-1) ** number for number, name in enumerate(NAMES)}

texts = st.recursive(
    st.one_of(st.sampled_from(NAMES), st.integers(0, 12).map(str), st.just("1/9")),
    lambda inner: st.one_of(
        st.builds("{} + {}".format, inner, inner),
        st.builds("{} - {}".format, inner, inner),
        st.builds("{}*{}".format, inner, inner),
        st.builds("({})*{}".format, inner, inner),
        st.builds("{}*({})".format, inner, inner),
        st.builds("({})/({})".format, inner, inner),
        st.builds("{}/{}".format, inner, st.sampled_from(("7", "c", "x1"))),
        st.builds("({})**{}".format, inner, st.integers(0, 3)),
        st.builds("(-({}))".format, inner),
        st.builds("(-{})".format, st.sampled_from(NAMES)),
        st.builds("{}*-{}".format, inner, st.sampled_from(NAMES)),
        st.builds("max({}, {})".format, inner, inner),
        st.builds("relu({})".format, inner),
    ),
    max_leaves=12,
)
properties = settings(max_examples=60, deadline=None)


def by_python(text):
    """What Python itself takes the text to be, in fractions; None where it divides by zero."""
    names = {**VALUES, "Max": max, "max": max, "relu": lambda value: max(value, 0), "Fraction": Fraction}
    exact = re.sub(r"(?<![\w.])\d+", r"Fraction(\g<0>)", text)
    try:
        return Fraction(eval(exact, {"__builtins__": {}}, names))  # noqa: S307 - made by the strategy above
    except ZeroDivisionError:
        return None


def value(tree):  # noqa: PLR0911 - one answer a kind
    """The value of a tree at `VALUES`; None where it divides by zero."""
    try:
        match tree:
            case Number(number):
                return number
            case Name(text):
                return VALUES[text]
            case Call(name, arguments):
                found = [value(each) for each in arguments]
                return None if None in found else max(found) if name == "Max" else max(found[0], Fraction(0))
            case Negative(of):
                return -value(of)
            case Sum(terms):
                return sum(map(value, terms), Fraction(0))
            case Product(factors):
                return math.prod(map(value, factors), start=Fraction(1))
            case Quotient(above, below):
                return value(above) / value(below)
            case Power(base, exponent):
                return value(base) ** exponent
    except (ZeroDivisionError, TypeError):  # a part of it has no value
        return None
    raise AssertionError(tree)


@settings(max_examples=120, deadline=None)
@given(texts)
def test_the_tree_means_what_python_takes_the_text_to_mean(text):
    assert value(parse_formula(text)) == by_python(text)


@properties
@given(texts)
def test_the_plain_text_is_canonical(text):
    tree = parse_formula(text)
    written = formula_text(tree, plain=True)
    assert written.isascii()
    assert by_python(written) == value(tree)
    assert formula_text(written, plain=True) == written


@properties
@given(texts)
def test_the_text_of_a_terminal_says_the_same(text):
    tree = parse_formula(text)
    back = re.sub("∂O/∂y₃", "dO_dy3", formula_text(tree)).replace("x[2,1]", "x_2_1").replace("α", "alpha")
    back = re.sub("[⁰¹²³]", lambda match: f"**{'⁰¹²³'.index(match[0])}", back).replace("·", "*").replace("^", "**")
    assert by_python(back.translate(str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789"))) == value(tree)


def _back_from_latex(text):
    for written, canonical in (
        (r"\frac{\partial O}{\partial y_{3}}", "dO_dy3"), ("_{2,1}", "_2_1"), (r"\left(", "("), (r"\right)", ")"),
        (r"\,", "*"), (r" \cdot ", "*"), (r"\max", "max"), (r"\operatorname{ReLU}", "relu"), (r"\alpha", "alpha"),
    ):  # fmt: skip
        text = text.replace(written, canonical)
    text = re.sub(r"_\{(\d+)\}", r"\1", text)
    while r"\frac" in text:  # those without a fraction inside come first
        text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", re.sub(r"\^\{([^{}]*)\}", r"**(\1)", text))
    while "^{" in text:
        text = re.sub(r"\^\{([^{}]*)\}", r"**(\1)", text)
    return text


@properties
@given(texts)
def test_latex_says_the_same(text):
    tree = parse_formula(text)
    written = formula_latex(tree)
    assert written.count("{") == written.count("}")
    assert by_python(_back_from_latex(written)) == value(tree)


def _back_from_mathml(element):  # noqa: PLR0911 - one answer an element
    parts = [_back_from_mathml(child) for child in element]
    match element.tag:
        case "mfrac":
            return "dO_dy3" if element[0][0].text == "∂" else f"(({parts[0]})/({parts[1]}))"
        case "msup":
            return f"{parts[0]}**({parts[1]})"
        case "msub":
            return f"{parts[0]}_{parts[1].replace(', ', '_')}" if "," in parts[1] else f"{parts[0]}{parts[1]}"
        case "mo":
            signs = {"\u2062": "*", "·": "*", "\u2061": "", "−": " -", "+": " + ", ",": ", "}
            return signs.get(element.text, element.text)
        case "mi":
            return {"α": "alpha", "ReLU": "relu"}.get(element.text, element.text)
        case "mn":
            return element.text
        case _:
            return "".join(parts)


@properties
@given(texts)
def test_mathml_says_the_same_whole_and_in_pieces(text):
    tree = parse_formula(text)
    assert by_python(_back_from_mathml(ET.fromstring(formula_mathml(tree))).strip()) == value(tree)  # noqa: S314 - ours
    pieces = [_back_from_mathml(ET.fromstring(f"<math>{piece}</math>")) for piece in mathml_pieces(tree)]  # noqa: S314
    assert by_python("".join(pieces).strip()) == value(tree)


def test_a_long_sum_is_written_at_once():
    text = " + ".join(f"x{number}*f{number}" for number in range(2_000))
    assert len(mathml_pieces(text)) == 2_000
    assert formula_text(text).count("·") == formula_latex(text).count(r"\,") == 2_000


def test_a_number_beside_a_fraction_is_no_mixed_number():
    assert formula_latex("2*1/2*x1") == r"\frac{2 \cdot 1}{2}\,x_{1}"
    product = parse_formula("2*(1/2)")
    assert formula_latex(product) == r"2 \cdot \frac{1}{2}"
    assert "<mo>·</mo>" in formula_mathml(product)
