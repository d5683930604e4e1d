"""The verb as a whole: proved, checked, valid against its schema, without torch, in time."""

import importlib.resources
import json
import subprocess
import sys
import time

import jsonschema
import pytest

from thalweg.core.codec import dumps
from thalweg.core.derivation import Derivation
from thalweg.workbench.derive import derive


@pytest.fixture(scope="module")
def schema():
    text = importlib.resources.files("thalweg.core").joinpath("schemas/derive.json").read_text(encoding="utf-8")
    return json.loads(text)


HEADS = ["", "c*sum", "mean", "dense", "upstream", "relu mean", "sigmoid squared-error", "maxpool(2) sum", "mse",
         "avgpool(1) cross-entropy(1)", "sigmoid binary-cross-entropy([1, 0, 1, 0])"]  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
def test_json_is_valid_and_everything_holds(schema, head):
    answer = derive("conv2d", x="3x3", f="2x2", bias=True, head=head, prove=True, check="[[1]]")
    assert isinstance(answer, Derivation)
    data = json.loads(dumps({"schema": 1, **answer.to_json()}))
    jsonschema.validate(data, schema)
    assert data["self_check"]["passed"]
    assert data["proved"] is True
    assert data["max_difference"] < 1e-12
    assert data["check"]["likely_mistake"] == "wrong shape"


def test_without_proof_and_answer_there_is_none(schema):
    data = json.loads(dumps({"schema": 1, **derive("conv1d", x="3", f="2").to_json()}))
    jsonschema.validate(data, schema)
    assert (data["proved"], data["max_difference"], data["check"]) == (None, None, None)


def test_the_gradient_at_a_bias_is_told_without_one_too():
    without = derive("conv1d", x="4", f="2x1x2", head="c*sum")
    with_one = derive("conv1d", x="4", f="2x1x2", bias=True, head="c*sum")
    assert without.dO_db == with_one.dO_db == ("3*c", "3*c")
    assert without.self_check.comparisons > 0


def test_a_difference_to_autograd_is_said(monkeypatch):
    from thalweg.modules import autograd_proof

    right = autograd_proof.autograd_gradients

    def off(case, values, at=None):
        found = right(case, values, at)
        return {**found, "dO_df": [found["dO_df"][0] * (1 + 1e-9), *found["dO_df"][1:]]}

    monkeypatch.setattr(autograd_proof, "autograd_gradients", off)
    answer = derive("conv1d", x=[1, 2, 3], f=[1, 1], prove=True)
    assert answer.proved is False
    assert "DIFFERENT" in answer.proof


def test_torch_is_not_needed_and_its_absence_is_said():
    code = """
import sys
sys.modules["torch"] = None  # as if it were not installed
from thalweg.workbench.derive import derive
answer = derive("conv2d", x="3x3", f="2x2", head="c*sum", prove=True)
assert answer.self_check.passed
assert "sympy" not in sys.modules
print(answer.proved, answer.proof)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("None torch is not installed")


@pytest.mark.parametrize(
    ("options", "seconds"),
    [({"x": "3x3", "f": "2x2", "head": "c*sum"}, 0.5), ({"x": "2x6x6", "f": "2x3x3", "head": "c*sum"}, 5.0)],
)
def test_answers_in_time(options, seconds):
    begun = time.process_time()
    assert derive("conv2d", **options).self_check.passed
    assert time.process_time() - begun < seconds


def test_notes_say_what_was_taken_as_usual():
    assert "no head was given" in derive("conv1d", x="2", f="1").notes[0]
    assert "class 0" in " ".join(derive("conv1d", x="2", f="1", head="cross-entropy").notes)
    tied = derive("conv1d", x=[0, 1, 1], f=[1], head="relu maxpool(3)")
    assert any("ReLU at 0 is 0, as in torch; that decides here, at number 1" in note for note in tied.notes)
    assert any("the first takes the gradient" in note and "decides here" in note for note in tied.notes)
    symbolic = derive("conv1d", x="2", f="1", head="relu sum")
    assert any("Heaviside" in note for note in symbolic.notes)


def test_the_rule_and_where_a_case_deviates():
    answer = derive("conv2d", x="2x6x6", f="4x1x3x3", groups=2, stride=2, padding=1, dilation=2, head="mean")
    words = " ".join(answer.deviations)
    assert "full convolution" in answer.rule
    for word in ("Stride 2", "Padding", "Dilation 2", "filters", "groups"):
        assert word in words
    assert derive("conv2d", x="3x3", f="2x2").deviations == ()


def test_rounding_does_not_decide_a_tie():
    # 7 x 1/10 - 7/10 is 0, and 1e-16 in floating point, where torch would let the gradient through.
    answer = derive("conv1d", x=["1/10", "7/10"], f=[7, -1], head="relu sum", prove=True)
    assert answer.dO_dx == ("0", "0")
    assert answer.proved
    assert "tie" in answer.proof
