import re

from thalweg.rendering.derivation_paper import derivation_paper
from thalweg.rendering.paper import Equations, Matrix, Paper, Words
from thalweg.rendering.paper_latex import paper_latex


def assert_balanced(text):
    """What LaTeX itself would stumble over: environments, braces, brackets that stretch, mode switches."""
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", text):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert stack == []
    bare = re.sub(r"\\[{}\\]", "", text)
    depth = 0
    for letter in bare:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert depth >= 0
    assert depth == 0
    for row in re.split(r"\\\\|\\begin|\\end|&", text):  # LaTeX forbids a break between \left and \right
        assert row.count(r"\left[") + row.count(r"\right]") <= 2
    assert text.count(r"\left") == text.count(r"\right")
    assert text.count(r"\[") == text.count(r"\]")
    assert text.count(r"\(") == text.count(r"\)")


def test_a_derivation_is_a_whole_document_in_ascii(derivations):
    text = paper_latex(derivation_paper(derivations()))
    assert text.isascii()
    assert text.startswith(r"\documentclass")
    assert text.endswith("\\end{document}\n")
    assert_balanced(text)
    assert r"\frac{\partial O}{\partial x} = c \left[\begin{array}{ccc} f_{1} & f_{1} + f_{2} & f_{2} \\" in text


def test_the_sample_of_latex(derivations, golden):
    golden("derivation.tex", paper_latex(derivation_paper(derivations())))


def test_long_sums_are_broken_and_their_brackets_need_no_pair_on_a_line():
    formula = "O = c*(" + " + ".join(f"x{number}*f{number}" for number in range(1, 60)) + ")"
    text = paper_latex(Paper(title="t", lead=(Equations(lines=(formula,)),), sections=()))
    assert_balanced(text)
    assert text.count(r"& \quad +") >= 4
    assert max(map(len, text.splitlines())) < 400


def test_every_sign_of_prose_that_latex_acts_on_is_escaped(hostile):
    words = "50 % of f_1 & $x$ {a} #1 ~ ^ \\input{/etc/passwd} M\u1d40 α" + hostile
    text = paper_latex(Paper(title=words, lead=(Words(text=words),), sections=()))
    assert_balanced(text)
    assert r"\input" not in text
    assert r"50 \% of f\_1 \& \$x\$ \{a\} \#1" in text


def test_a_matrix_of_many_columns_needs_no_setting_of_amsmath():
    text = paper_latex(Paper(title="t", lead=(Matrix(name="M", rows=(("0",) * 14,) * 3),), sections=()))
    assert r"\begin{array}{" + "c" * 14 + "}" in text
    assert_balanced(text)
