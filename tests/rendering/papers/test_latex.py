import re
import shutil
import subprocess

import pytest

import thalweg
from thalweg.core.languages import Said, speaking
from thalweg.rendering.papers.derivation import derivation_paper
from thalweg.rendering.papers.latex import paper_latex
from thalweg.rendering.papers.paper import Equations, Matrix, Paper, Words


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


@pytest.fixture(scope="module")
def persian():
    pytest.importorskip("sympy", reason="the extra derive is not installed")
    with speaking("fa"):
        return paper_latex(derivation_paper(thalweg.derive(x="3x3", f="2x2", padding=1)))


def test_a_persian_paper_is_a_document_for_xelatex(persian):
    text = persian
    assert_balanced(text)
    assert text.startswith("% xelatex\n")
    assert text.index(r"\usepackage[RTLdocument]{bidi}") < text.index(r"\begin{document}")
    assert r"\subsection*{مرحلهٔ ۱: گذر پیش‌رو}" in text
    formulas = r"\\\[.*?\\\]|\\begin\{align\*\}.*?\\end\{align\*\}"
    bare = body(text).replace(r"\(^{\mathsf{T}}\)", "")
    words = re.sub(rf"{formulas}|\\LR\{{[^}}]*\}}|\\\w+\*?|\{{\w+\*?\}}", "", bare, flags=re.DOTALL)
    assert re.findall("[A-Za-z]{2,}", words) == []
    assert not re.search("[\u2066-\u2069]", text)


def body(text):
    return text.partition(r"\begin{document}")[2].partition(r"\end{document}")[0]


def test_what_is_cut_short_is_told_in_the_language_of_the_paper():
    row = tuple(f"x{k}" for k in range(20))
    long = tuple(f"x{k}*x{k + 1} + x{k + 2}*x{k + 3}" for k in range(50))
    parts = Matrix(name="dO_dx", rows=(row,), place="channel 2"), Matrix(name="dO_df", rows=(long,))
    paper = Paper(title="t", lead=(Equations(lines=("y1 = x1",), left_out=1234), *parts), sections=())
    english = paper_latex(paper)
    assert "A part of 1 rows and 20 columns." in english
    assert r"\dots{} and 10 of 50 entries more." in english
    assert r"\dots{} and 1,234 more." in english
    assert "Channel 2:" in english
    with speaking("fa"):
        persian = paper_latex(paper)
    assert "بخشی از ۱ سطر و ۲۰ ستون." in persian
    assert r"\dots{} و ۱۰ درایهٔ دیگر از ۵۰ درایه." in persian
    assert "۱٬۲۳۴" in persian
    assert r"کانال ۲:" in persian


def test_formulas_inside_words_are_set_from_the_left():
    line = Said("پس dO/dx = Mᵀ dO/dy است (Toeplitz)")
    with speaking("fa"):
        text = paper_latex(Paper(title="t", lead=(Words(text=line),), sections=()))
    assert r"پس \LR{dO/dx = M\(^{\mathsf{T}}\) dO/dy} است (\LR{Toeplitz})" in text


@pytest.mark.skipif(shutil.which("xelatex") is None, reason="there is no XeLaTeX here")
def test_xelatex_sets_the_persian_paper(persian, tmp_path):
    (tmp_path / "paper.tex").write_text(persian, "utf-8")
    command = ["xelatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Missing character" not in (tmp_path / "paper.log").read_text("utf-8", "replace")
    assert (tmp_path / "paper.pdf").stat().st_size > 5000
