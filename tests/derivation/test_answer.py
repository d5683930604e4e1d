"""A right answer is never called wrong, a wrong one is called by its name; bad ones are refused in a line."""

import random

import pytest

from thalweg.core.errors import SpecError
from thalweg.derivation.answer import check_answer
from thalweg.derivation.case import build_case
from thalweg.derivation.gradients import work_out

KINDS = ["unflipped filter", "forgotten stride", "transposed", "forgotten mean factor", "padding left in"]
RIGHT = "c*[[f1, f1 + f2, f2], [f1 + f3, f1 + f2 + f3 + f4, f2 + f4], [f3, f3 + f4, f4]]"


def _check(answer, **options):
    case, _ = build_case(**{"kind": "conv2d", "x": "3x3", "f": "2x2", "head": "c*sum", **options})
    return check_answer(case, work_out(case), answer)


@pytest.mark.parametrize("kind", KINDS)
def test_random_wrong_answers_are_called_by_their_names(generators, kind):
    judged = generators["answers"].judge_wrong_answers(kind, 5, seed=7)
    assert judged["recognised"] == 5, judged
    assert judged["called_right"] == 0


def test_rewritten_right_answers_are_right(generators):
    judged = generators["answers"].judge_right_answers(6, seed=3)
    assert judged["called_wrong"] == 0, judged
    assert judged["entries"] > 100


@pytest.mark.parametrize(
    "answer",
    [
        RIGHT,
        RIGHT.replace("c*[[f1,", "c [[2*f1/2,"),
        [["c*f1", "c*f1 + c*f2", "f2 c"], ["c(f3 + f1)", "c*(f4+f3+f2+f1)", "(f2 + f4)*c"],
         ["c*f3", "-c*(-f3 - f4)", "c^1*f4"]],
        {"dO/dx": RIGHT, "dO_df": "c*[[x1 + x2 + x4 + x5, x2 + x3 + x5 + x6], [x4 + x5 + x7 + x8, x5 + x6 + x8 + x9]]"},
        {"y": [["x1*f1 + x2*f2 + x4*f3 + x5*f4", "y2"], ["y3", "y4"]]},
    ],
)  # fmt: skip
def test_equivalent_forms_are_right(answer):
    assert _check(answer).right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ([0.5, 1.5, 1], True),
        (["1/2", "3/2", "2/2"], True),
        ([0.5, 1.4999999999999998, 1], True),
        ([0.5, 1.49, 1], False),
    ],
)
def test_decimals_and_fractions(answer, right):
    options = {"kind": "conv1d", "x": [1, 2, 3], "f": [1, 2], "head": "mean"}
    assert _check(answer, **options).right is right


def test_rounded_decimals_are_right_where_no_fraction_exists():
    options = {"kind": "conv1d", "x": [1], "f": [1], "head": "sigmoid sum"}
    assert _check([0.1966], **options).right
    assert _check([0.19661193324148185], **options).right
    assert _check(["exp(1)/(1 + exp(1))^2"], **options).right
    assert _check(["sigmoid(1)*(1 - sigmoid(1))"], **options).right
    assert not _check([0.1976], **options).right


def test_relu_answers_may_use_other_indicators():
    options = {"kind": "conv1d", "x": "1", "f": "1", "head": "relu squared-error"}
    assert _check(["2*f1*(relu(x1*f1) - t1)*Heaviside(f1*x1, 0)"], **options).right
    assert not _check(["2*f1*(relu(x1*f1) - t1)"], **options).right


def test_the_first_wrong_entry_is_named():
    wrong = RIGHT.replace("f1 + f2,", "f1 - f2,")
    found = _check(wrong)
    assert found.first_wrong == "dO_dx[0][1] is c*(f1 - f2) instead of c*(f1 + f2)"
    assert found.likely_mistake == "wrong sign"
    assert found.explanation == "in this entry the sign of c*f2 is turned; 8 of 9 entries are right."
    assert found.compared == 2


def test_the_first_wrong_step_is_named():
    found = _check({"dO_dx": "[[0]]", "y": "[[1, 1], [1, 1]]"})
    assert found.first_wrong.startswith("y[0][0] is 1 instead of")


@pytest.mark.parametrize(
    ("answer", "options", "mistake"),
    [
        ("[[f1, f2], [f3, f4]]", {}, "wrong shape"),
        (RIGHT.replace("c*", "3*c*", 1), {}, "wrong factor"),
        (RIGHT.replace("c*", "", 1), {}, "forgotten factor"),
        ({"y": "[[x5*f1 + x4*f2 + x2*f3 + x1*f4, x6*f1 + x5*f2 + x3*f3 + x2*f4], "
               "[x8*f1 + x7*f2 + x5*f3 + x4*f4, x9*f1 + x8*f2 + x6*f3 + x5*f4]]"}, {}, "flipped filter"),
        ({"dO_df": "4*[[3, 4], [6, 7]]"}, {"x": [[1, 2, 3], [4, 5, 6], [7, 8, 9]], "head": "mean"},
         "forgotten mean factor"),
        ({"dO_dy": "[[1, 1], [1, 1]]"}, {"head": "mean"}, "forgotten mean factor"),
        ("[[f4, f3+f4, f3], [f2+f4, f1+f2+f3+f4, f1+f3], [f2, f1+f2, f1]]", {"head": "mean"}, "unflipped filter"),
        ({"dO_df": [["c*x5", "c*x4"], ["c*x2", "c*x1"]]}, {"x": "3x3", "f": "2x2", "stride": 2}, "unflipped filter"),
    ],
)  # fmt: skip
def test_further_mistakes(answer, options, mistake):
    assert _check(answer, **options).likely_mistake == mistake


LINE = {"kind": "conv1d", "x": [1, 2, 4], "f": [1, -1], "head": "sum"}  # y = -1, -2


@pytest.mark.parametrize(
    ("answer", "options", "mistake"),
    [
        ("[-1, -1, -2]", {**LINE, "f": [1, 2], "head": "mean", "x": [1, 0, 0]}, None),
        ("[2, 1, 5]", {**LINE, "f": [1, 2], "head": "dense([2, -3])"}, None),
        ("[-2, -1, 6]", {**LINE, "f": [1, 2], "head": "dense([2, -3])"}, "wrong sign"),
        ("[0, 1, 0]", {**LINE, "head": "mse([0, 0])"}, None),
        ("[0, 1, 0]", LINE, "off by one"),
        ("0", LINE, "summed up"),
        ("[3, 6]", LINE, "another result"),
        ({"dO_db": [1]}, {**LINE, "bias": "[1]"}, "forgotten sum"),
        ({"dO_dy": [1, 1]}, {**LINE, "x": [1, 2, 1], "head": "relu sum"}, "forgotten activation"),
        ({"dO_dy": [1, 1]}, {**LINE, "head": "maxpool(2) sum"}, "forgotten maximum"),
        ({"dO_dy": [-2, -4]}, {**LINE, "head": "squared-error([1, 1])"}, "forgotten target"),
        ({"dO_dy": ["e/(e+1)", "1/(e+1)"]}, {**LINE, "head": "cross-entropy(0)"}, "forgotten target"),
    ],
)
def test_mistakes_at_the_head_and_in_the_place(answer, options, mistake):
    if isinstance(answer, dict):
        answer = {part: [str(entry).replace("e", "exp(1)") for entry in entries] for part, entries in answer.items()}
    found = _check(answer, **options)
    assert not found.right
    assert found.likely_mistake == mistake


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("c*f1", "the term c*f2 is missing"),
        ("c*(f1 + 2*f2)", "the term c*f2 was added twice"),
        ("c*(f1 - f2)", "the sign of c*f2 is turned"),
        ("-c*(f1 + f2)", "its sign is turned"),
    ],
)
def test_a_slip_in_one_entry_is_told(entry, words):
    found = _check(RIGHT.replace("c*[[f1, f1 + f2,", f"[[c*f1, {entry},").replace("f2], [", "c*f2], [", 1).replace(
        "[f1 + f3, f1 + f2 + f3 + f4, f2 + f4], [f3, f3 + f4, f4]",
        "[c*(f1 + f3), c*(f1 + f2 + f3 + f4), c*(f2 + f4)], [c*f3, c*(f3 + f4), c*f4]",
    ))  # fmt: skip
    assert found.explanation == f"in this entry {words}; 8 of 9 entries are right."


PADDED = {"kind": "conv1d", "x": "3", "f": "2", "padding": 1, "head": "dense"}
WHOLE = ["w1*f1", "w1*f2 + w2*f1", "w2*f2 + w3*f1", "w3*f2 + w4*f1", "w4*f2"]


@pytest.mark.parametrize(
    ("answer", "options", "mistake"),
    [
        (WHOLE, PADDED, "padding left in"),
        (WHOLE[:3], PADDED, "padding left in"),
        (WHOLE[2:], PADDED, "padding left in"),
        (WHOLE[1:4], PADDED, None),
        ({"y": ["x1*f1 + x2*f2", "x2*f1 + x3*f2"]}, PADDED, "forgotten padding"),
        ({"y": ["x1*f1 + x2*f2", "x2*f1 + x3*f2"]}, {**PADDED, "padding": 0, "x": "4", "dilation": 2, "head": "mean"},
         "forgotten dilation"),
        ({"y": ["x1*f1 + x2*f2", "x2*f1 + x3*f2"]}, {**PADDED, "padding": 0, "bias": True, "head": "mean"},
         "forgotten bias"),
        ({"y": ["x1*f1 + x2*f2", "x2*f1 + x3*f2"]}, {**PADDED, "padding": 0, "x": "4", "stride": 2, "head": "mean"},
         "forgotten stride"),
    ],
)  # fmt: skip
def test_windows_that_were_forgotten(answer, options, mistake):
    found = _check(answer, **options)
    assert found.likely_mistake == mistake
    assert found.right is (mistake is None)


def test_a_second_mistake_is_told_beside_the_first():
    found = _check("[[f4, f3+f4, f3], [f2+f4, f1+f2+f3+f4, f1+f3], [f2, f1+f2, f1]]", head="mean")
    assert "a factor of 4 is too much" in found.explanation


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("zz*[[1]]", "speaks of zz"),
        ("[[", "not understood"),
        ('{"dO_dx": ', "begins like JSON"),
        ({"a": 1}, "a part 'a'"),
        ({}, "empty"),
        ([], "empty"),
        (True, "is True"),
        (float("nan"), "nan"),
        ("[[1/0]]", "divides by zero"),
        ("[[1/(f1 - f1)]]", "divides by zero"),
        ("[[((9**60)**60)**60]]", "more digits"),
        ("[[" + "(" * 70 + "1" + ")" * 70 + "]]", "brackets inside each other"),
        ("[[__import__('os').system('true')]]", "belongs to no formula"),
        ("[[exp(1, 2)]]", "2 arguments"),
        ("x" * 500_000, "longer than the limit"),
    ],
    ids=range(15),
)
def test_bad_answers_are_refused(answer, words):
    with pytest.raises(SpecError, match=words):
        _check(answer)


def test_answers_to_random_cases_are_right_as_they_were_derived(random_cases):
    for options in random.Random(1).sample(random_cases, 8):
        case, _ = build_case(**options)
        found = work_out(case)
        answer = {part: [str(entry) for entry in getattr(found, part)] for part in ("y", "dO_dx", "dO_df", "dO_db")}
        assert check_answer(case, found, answer).right, options
