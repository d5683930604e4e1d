"""Answers as people write them: one answer in many notations is right in each, and a wrong one is wrong in each."""

import re

import pytest

from thalweg.core.errors import SpecError
from thalweg.derivation.answer import check_answer
from thalweg.derivation.case import build_case
from thalweg.derivation.gradients import work_out
from thalweg.derivation.sheet import parts_of
from thalweg.derivation.tensor import Tensor, read_tensor
from thalweg.rendering.formulas.latex import formula_latex
from thalweg.rendering.formulas.text import formula_text

TEXTBOOK = {"kind": "conv2d", "x": "3x3", "f": "2x2", "head": "c*sum"}
LINE = {"kind": "conv1d", "x": "3", "f": "2", "head": "sum"}
NUMBERS = {"kind": "conv1d", "x": "[1,2,3]", "f": "[1,-1]", "head": "mean"}
ENTRIES = "[[c*f1,c*(f1+f2),c*f2],[c*(f1+f3),c*(f1+f2+f3+f4),c*(f2+f4)],[c*f3,c*(f3+f4),c*f4]]"


MATRIX = (
    r"\begin{bmatrix} f_{1} & f_{1}+f_{2} & f_{2} \\ f_{1}+f_{3} & f_{1}+f_{2}+f_{3}+f_{4} & f_{2}+f_{4} \\ "
    r"f_{3} & f_{3}+f_{4} & f_{4}\end{bmatrix}"
)
PRINTED = """\
          ⎡ f₁       f₁ + f₂            f₂      ⎤
∂O/∂x = c·⎢ f₁ + f₃  f₁ + f₂ + f₃ + f₄  f₂ + f₄ ⎥
          ⎣ f₃       f₃ + f₄            f₄      ⎦"""


def _check(answer, options):
    case, _ = build_case(**options)
    return check_answer(case, work_out(case), answer)


def _named(*names):
    return re.sub(r"f(\d)", lambda found: names[int(found[1]) - 1], ENTRIES)


@pytest.mark.parametrize(
    ("answer", "options"),
    [
        (_named("f_1", "f_2", "f_3", "f_4"), TEXTBOOK),
        (_named("f₁", "f₂", "f₃", "f₄"), TEXTBOOK),
        (_named("F1", "F2", "F3", "F4"), TEXTBOOK),
        (_named("f۱", "f۲", "f۳", "f۴"), TEXTBOOK),
        (_named("f11", "f12", "f21", "f22"), TEXTBOOK),
        (_named("f_{1,1}", "f_{1,2}", "f_{2,1}", "f_{2,2}"), TEXTBOOK),
        (_named("f[0][0]", "f[0][1]", "f[1][0]", "f[1][1]"), TEXTBOOK),
        (_named("f(1,1)", "f(1,2)", "f(2,1)", "f(2,2)"), TEXTBOOK),
        (_named("f0", "f1", "f2", "f3"), TEXTBOOK),
        (ENTRIES.replace("*", ""), TEXTBOOK),
        (ENTRIES.replace("],[", ";").replace("[[", "[").replace("]]", "]"), TEXTBOOK),
        (ENTRIES.replace("],[", "\n").strip("[]"), TEXTBOOK),
        (ENTRIES.replace("],[", ",").strip("[]"), TEXTBOOK),
        (f"∂O/∂x = {ENTRIES}", TEXTBOOK),
        (f"np.array({ENTRIES}, dtype=object)", TEXTBOOK),
        (rf"$\frac{{\partial L}}{{\partial x}} = c \cdot {MATRIX}$", TEXTBOOK),
        (PRINTED, TEXTBOOK),
        ("dO/dx1 = f1\ndO/dx2 = f1 + f2\ndO/dx3 = f2", LINE),
        ("∂L/∂x₁ = f₁; ∂L/∂x₂ = f₁+f₂; ∂L/∂x₃ = f₂", LINE),
        ("y_1 = x1f1+x2f2, y_2 = x2f1+x3f2", LINE),
        ({"y": ["x0 f0 + x1 f1", "x1 f0 + x2 f1"]}, LINE),
        ({"dx": ["f1", "f1+f2", "f2"], "dw": "[x1+x2, x2+x3]"}, LINE),
        ("{'dO_df': ['x1+x2', 'x2+x3']}".replace("'", '"'), LINE),
        ("½, 0, −½", NUMBERS),
        ("[۰٫۵، ۰، -۰٫۵]", NUMBERS),
        ("1/2 0 -1/2", NUMBERS),
        ("tensor([ 0.5000,  0.0000, -0.5000], dtype=torch.float64)", NUMBERS),
        ("[0.5 0. -0.5]", NUMBERS),
        (r"$\tfrac12 (1, 0, -1)$", NUMBERS),
        (r"[f_1\,\sigma(y_1)(1-\sigma(y_1)), f_1σ'(y_2)+f_2\sigma'(y_1), f_2 e^{-y_2}/(1+e^{-y_2})^2]",
         {**LINE, "head": "sigmoid sum"}),
        ("[f1(1-tanh²(y1)), f1 tanh'(y2) + f2 (1-tanh(y1)^2), f2*tanh'(y2)]", {**LINE, "head": "tanh sum"}),
        (r"[f_1 \mathbf{1}_{y_1>0}, f1*(y2>0) + f2 [y1 > 0], f2*relu'(y2)]", {**LINE, "head": "relu sum"}),
        ("[f1exp(-y1)/(1+exp(-y1))^2, f1sigmoid'(y2)+f2sigmoid'(y1), f2σ'(y2)]", {**LINE, "head": "sigmoid sum"}),
        ({"y": ["0", "x[1]*f[0]", "x[3] f[0]"]}, {"kind": "conv1d", "x": "4", "f": "1", "stride": 2, "padding": 1,
                                               "head": "sum"}),
        (r"[∂L/∂y₁·f₁, dO_dy1*f2 + g2 f1, \frac{\partial O}{\partial y_2} f_2]", {**LINE, "head": "upstream"}),
    ],
)  # fmt: skip
def test_right_in_every_notation(answer, options):
    found = _check(answer, options)
    assert found.right, found.first_wrong


@pytest.mark.parametrize(
    ("answer", "options"),
    [
        (_named("f11", "f21", "f12", "f22"), TEXTBOOK),
        (_named("f_{2}", "f_{1}", "f_{3}", "f_{4}"), TEXTBOOK),
        (_named("f2", "f3", "f4", "f1"), TEXTBOOK),
        (r"c\begin{bmatrix} f_1 & f_1 & f_2 \\ f_1 & f_1 & f_2 \\ f_3 & f_3 & f_4\end{bmatrix}", TEXTBOOK),
        ("∂L/∂x₁ = f₂; ∂L/∂x₂ = f₁+f₂; ∂L/∂x₃ = f₁", LINE),
        ("[f1*(y1>0), f1*(y1>0) + f2*(y1>0), f2*(y2>0)]", {**LINE, "head": "relu sum"}),
        ({"y": ["x1 f1 + x2 f2", "x1 f1 + x2 f2"]}, LINE),
        ({"y": ["0", "2*x10"]}, {**LINE, "x": "11", "f": "[2]", "padding": 1, "stride": 11}),  # 10 has no place 0 in it
        ({"dO_df": ["x1 + x2", "x1 + x2"]}, LINE),  # off by one is no other way to count
        ("½, 0, ½", NUMBERS),
    ],
)
def test_wrong_in_every_notation(answer, options):
    assert not _check(answer, options).right


@pytest.mark.parametrize("write", [formula_text, formula_latex, str])
@pytest.mark.parametrize("head", ["c*sum", "tanh mean", "sigmoid squared-error", "relu sum", "maxpool(2) sum", "mse"])
def test_what_is_written_here_is_read_here(write, head):
    case, _ = build_case(**{**TEXTBOOK, "head": head})
    found = work_out(case)
    for part in ("y", "dO_dy", "dO_dx", "dO_df"):
        entries = [write(str(entry)) for entry in getattr(found, part)]
        assert check_answer(case, found, {part: entries}).right, entries


@pytest.mark.parametrize(
    ("answer", "where", "mistake"),
    [
        ("[f1, , f2]", "dO_dx[1] is missing", "missing entry"),
        ("[f1, ?, f2]", "dO_dx[1] is missing", "missing entry"),
        (["f1", None, "f2"], "dO_dx[1] is missing", "missing entry"),
        ("dO/dx1 = f1\ndO/dx3 = f2", "dO_dx[1] is missing", "missing entry"),
        ({"y": "[[x1*f1 + x2*f2, 0], [0]]"}, "y[1] has 1 entry, others have 2 entries", "missing entry"),
    ],
)
def test_what_is_missing_is_said(answer, where, mistake):
    found = _check(answer, LINE)
    assert not found.right
    assert found.first_wrong.startswith(where)
    assert found.likely_mistake == mistake


@pytest.mark.parametrize(
    ("options", "answer", "right"),
    [
        ({"x": [1, 1, 0], "f": [-1, 1], "head": "sigmoid sum"}, [0.25, 0.2], True),  # 1/4 and 0.19661...
        ({"x": [1, 1, 0], "f": [-1, 1], "head": "sigmoid sum"}, [0.25, 0.19], False),
        ({"x": [1], "f": [3], "head": "sigmoid sum"}, [0.05], True),  # 0.04518, of which there are no exact decimals
        ({"x": [1], "f": [3], "head": "sigmoid sum"}, [0.06], False),
        ({"x": [1, 2, 3], "f": [1], "head": "dense([1/3, 4/3, 0])"}, [0.33, 1.33, 0], True),
        ({"x": [1, 2], "f": [1], "head": "dense([1/3, 2/3])"}, [0.33, 0.67], False),  # too short to be meant as rounded
    ],
)
def test_numbers_may_be_rounded_all_alike(options, answer, right):
    assert _check({"dO_dy": answer}, {"kind": "conv1d", **options}).right is right


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("dO/dz = [1, 2]", "a part 'dO_dz'"),
        ("dO/dx7 = f1", "place 7"),
        ("[f1, q9, f2]", "speaks of q9"),
        ("[f1, Σf, f2]", "belongs to no formula"),
        (r"[f1, \alef, f2]", "belongs to no formula"),
    ],
)
def test_what_cannot_be_read_is_said(answer, words):
    with pytest.raises(SpecError, match=words):
        _check(answer, LINE)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("c*f1, c*f1 + c*f2\n0, 1/2  # second row\n", [["c*f1", "c*f1 + c*f2"], ["0", "1/2"]]),
        ("1;2\n3;4", [["1", "2"], ["3", "4"]]),
        ('"1","2"\n"3","4"', [["1", "2"], ["3", "4"]]),
        ("1 2\n3 4", [["1", "2"], ["3", "4"]]),
        ("f1 + f2   f3\nf4   f5 - f6", [["f1 + f2", "f3"], ["f4", "f5 - f6"]]),
        ("1 2 3", ["1", "2", "3"]),
        ("max(0, f1), f2", ["max(0, f1)", "f2"]),
    ],
)
def test_rows_of_plain_text(text, answer):
    assert parts_of(text) == {"dO_dx": answer}


@pytest.mark.parametrize(
    ("text", "shape", "entries"),
    [
        ("1 2; 3 4", (2, 2), ("1", "2", "3", "4")),
        ("[1 2; 3 1/2]", (2, 2), ("1", "2", "3", "1/2")),
        ("1, -1", (2,), ("1", "-1")),
        ("۲×۳", (2, 3), ("x1", "x2", "x3", "x4", "x5", "x6")),
        ("2*2", (2, 2), ("x1", "x2", "x3", "x4")),
        ("[[x₁, ½], [۲, −۳]]", (2, 2), ("x1", "1/2", "2", "-3")),
        ("np.array([[1., 2.], [3., 4.]])", (2, 2), ("1", "2", "3", "4")),
        (r"\begin{pmatrix} 1 & \frac{1}{2} \\ a_{21} & 4 \end{pmatrix}", (2, 2), ("1", "1/2", "a_21", "4")),
        ("((1, 2), (3, 4))", (2, 2), ("1", "2", "3", "4")),
    ],
)
def test_an_input_is_read_in_every_notation(text, shape, entries):
    assert read_tensor(text, "x") == Tensor(shape=shape, entries=entries)


@pytest.mark.parametrize(
    ("head", "kinds"),
    [
        ("flatten dense(3) softmax crossentropy(0)", ["dense", "cross_entropy"]),
        ("relu globalavgpool", ["relu", "average_pool"]),
        ("global-max-pool", ["max_pool"]),
    ],
)
def test_words_of_networks_at_the_head(head, kinds):
    case, _ = build_case("conv2d", x="3x3", f="2x2", head=head)
    assert [stage.kind for stage in case.head] == kinds


def test_full_padding_sees_every_place_where_both_meet():
    case, _ = build_case("conv1d", x="3", f="2", padding="full", dilation=2)
    assert (case.padding, case.output) == (((2, 2),), (5,))


def test_softmax_alone_is_refused():
    with pytest.raises(SpecError, match="softmax alone"):
        build_case("conv1d", x="3", f="2", head="softmax sum")
