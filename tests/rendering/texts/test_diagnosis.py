"""A diagnosis in characters: widths, colours, many runs, and numbers that are none."""

import math

import pytest

from thalweg.core.diagnosis_results import DiagnosedRun, DiagnoseResult
from thalweg.core.finding import Evidence, Finding
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.remedy import Remedy
from thalweg.core.signal import Signal
from thalweg.rendering.texts.diagnosis import diagnosis_text
from thalweg.rendering.texts.sparkline import sparkline

FINDING = Finding(
    code="CUR002",
    name="diverging",
    severity="error",
    confidence=0.95,
    subject="train_loss",
    claim="divergence: the training loss rose from 0.69 at epoch 1 to 25 at epoch 6, and a few words more to wrap",
    evidence=(Evidence(signal="train_loss", window="epochs 1-6", observed=25.0, threshold=None, source="seen"),),
    alternatives=("exploding_gradient", "input_scale"),
    remedies=(Remedy(code="lower_learning_rate", edit={"learning_rate_factor": 0.1}, expected_effect="it falls"),),
)


def run(**changes):
    signal = Signal(name="train_loss", unit="nats", steps=(1, 2, 3), values=(0.7, 3.0, math.nan))
    known = {
        "path": "log.csv",
        "learning_rate": LearningRateEstimate(
            verdict="too_high", interval=(30.0, None), confidence=0.9, reason="it rose"
        ),
        "findings": (FINDING,),
        "history": RunHistory(signals=(signal,)),
        "format": "Keras CSVLogger",
        "notes": ("the third value is no number",),
    }
    return DiagnosedRun(**(known | changes))


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_lines_fit_and_the_verdict_comes_first(width):
    text = diagnosis_text(DiagnoseResult(results=(run(),)), width=width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert lines[1] == "learning rate: more than 30x too high (90 % sure)"[: len(lines[1])]
    assert "error CUR002 diverging (95% sure)" in lines
    assert "do: lower_learning_rate" in text
    assert "▁█!" in text


def test_colour_is_only_added_where_it_is_wanted():
    result = DiagnoseResult(results=(run(),))
    assert "\x1b[1;31merror CUR002" in diagnosis_text(result, colour=True)
    plain = diagnosis_text(result, plain=True)
    assert plain.isascii()
    assert "\x1b" not in plain


def test_many_runs_are_told_briefly_and_broken_ones_not_at_all():
    nothing = LearningRateEstimate(verdict="undetermined")
    broken = DiagnosedRun(path="broken.csv", learning_rate=nothing, error="broken.csv is empty")
    text = diagnosis_text(DiagnoseResult(results=(broken, *(run(path=f"{n}.csv") for n in range(9)))))
    assert "broken" not in text
    assert text.count("learning rate: more than 30x") == 9
    assert text.count("error CUR002 divergence") == 9
    assert "seen:" not in text


def test_a_hostile_path_stays_on_its_line():
    text = diagnosis_text(DiagnoseResult(results=(run(path="a\u202eb"),)))
    assert text.splitlines()[0].startswith("a\\u202eb (")


def test_a_sparkline_shows_shape_gaps_and_decades():
    assert sparkline([]) == ""
    assert sparkline([2.0, 2.0]) == "▁▁"
    assert sparkline([math.inf, math.nan]) == "!!"
    assert sparkline([1000.0, 100.0, 10.0, 1.0]) == "█▆▃▁"
    assert len(sparkline(list(range(1000)), 30)) == 30
