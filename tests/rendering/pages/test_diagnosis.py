"""A diagnosis as a report: marks and thresholds on the right figure, and a page for none, one and many runs."""

import math
import re

from thalweg.core.diagnosis_results import DiagnosedRun
from thalweg.core.finding import Evidence, Finding
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.remedy import Remedy
from thalweg.core.report import Curves, Paragraph
from thalweg.core.signal import Signal
from thalweg.rendering.pages.diagnosis import diagnosis_blocks, diagnosis_report
from thalweg.rendering.pages.html import render_html

FINDING = Finding(
    code="CUR002",
    name="diverging",
    severity="error",
    confidence=0.95,
    subject="train_loss",
    claim="divergence: it rose",
    evidence=(Evidence(signal="train_loss", window="epochs 1-3", observed=3.0),),
    alternatives=("input_scale",),
    remedies=(Remedy(code="lower_learning_rate", edit={"learning_rate_factor": 0.1}),),
)


def run(findings=(FINDING,)):
    rate = LearningRateEstimate(verdict="too_high", interval=(30.0, None), confidence=0.9, reason="it rose")
    signal = Signal(name="train_loss", unit="nats", steps=(1, 2, 3), values=(0.7, 3.0, math.nan))
    history = RunHistory(signals=(signal,))
    return DiagnosedRun(path="log.csv", learning_rate=rate, findings=findings, history=history, format="Keras")


def figures(blocks):
    return [block for block in blocks if isinstance(block, Curves)]


def marked(**evidence):
    known = {"signal": "train_loss", "window": "epochs 2-3", "observed": 3.0, "threshold": 1.5, "on_curve": True}
    finding = Finding(
        code="CUR003", name="overshooting", severity="warning", confidence=0.8, subject="train_loss", claim="thrown up",
        evidence=(Evidence(**(known | evidence)),),
    )  # fmt: skip
    (figure,) = figures(diagnosis_blocks(run(findings=(finding,))))
    return figure


def test_evidence_is_marked_where_it_was_seen():
    figure = marked()
    (mark,) = figure.marks
    assert (mark.x, mark.until, mark.label) == (2.0, 3.0, "CUR003 overshooting")
    level = figure.lines[-1]
    assert (level.label, level.y) == ("CUR003: 1.5", (1.5, 1.5))


def test_an_interval_is_told_as_in_the_text():
    def told(**known):
        rate = LearningRateEstimate(verdict="too_low", confidence=0.9) if not known else LearningRateEstimate(**known)
        page = render_html(diagnosis_report((DiagnosedRun(path="log.csv", learning_rate=rate, history=RunHistory()),)))
        return re.findall(r"interval [^<]*", page.partition("Rate in use over the best")[2])[:1]

    assert told(verdict="too_low", factor=0.1) == ["interval open to 1"]
    assert told(verdict="too_high", factor=20.0, interval=(4.0, None)) == ["interval 4 to open"]
    assert told(verdict="about_right", factor=0.8) == ["interval open at both ends"]


def test_a_measure_is_no_level_and_another_signals_evidence_stays_away():
    assert len(marked(on_curve=False).lines) == 1
    assert len(marked(threshold=math.nan).lines) == 1
    assert marked(signal="val_accuracy").marks == ()
    assert marked(window="run").marks == ()


def test_a_loss_over_decades_gets_a_logarithmic_axis():
    assert not marked().log_y
    assert marked(threshold=0.01).log_y


def test_the_answer_is_short_and_says_what_to_try():
    report = diagnosis_report([run()])
    assert len(report.answer) <= 5
    assert report.answer[0] == "Learning rate: more than 30x too high (90 % sure)."
    assert report.answer[-1] == "Try first: lower learning rate (learning rate x 0.1)."
    assert "<svg" in render_html(report)


def test_what_could_not_be_read_says_so():
    nothing = LearningRateEstimate(verdict="undetermined", reason="it could not be read")
    broken = DiagnosedRun(path="b.csv", learning_rate=nothing, error="b.csv is empty")
    (section, _) = diagnosis_report([broken]).sections
    assert section.blocks == (Paragraph(text="b.csv is empty", style="warning"),)
    report = diagnosis_report([broken, run()])
    assert report.answer == ("Learning rates: 1 not read, 1 too high.",)
    assert report.sections[0].blocks[0].rows[0] == ("b.csv", "not read", "b.csv is empty")
    assert FINDING.code in render_html(report)
