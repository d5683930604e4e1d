"""Names of findings are Persian wherever a diagnosis shows them: terminal, page, tables and marks."""

import re

import pytest

from thalweg.core.diagnosis_results import DiagnosedRun, DiagnoseResult
from thalweg.core.finding import Evidence, Finding
from thalweg.core.history import RunHistory
from thalweg.core.languages import speaking
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.rendering.pages.diagnosis import diagnosis_report
from thalweg.rendering.pages.html import render_html
from thalweg.rendering.texts.diagnosis import diagnosis_text
from thalweg.workbench.rules import rules

NAMES = sorted({each.name for each in rules()} | {"saddle_point", "split_leakage", "class_imbalance"})
RATE = LearningRateEstimate(verdict="too_low", factor=0.25, interval=(None, 0.9), confidence=0.93)
HISTORY = RunHistory.from_epochs([{"epoch": n, "train_loss": 3.0 - n / 10} for n in range(1, 8)])


def _run(names):
    found = tuple(
        Finding(
            code="CUR001",
            name=name,
            severity="warning",
            confidence=0.93,
            subject="run",
            claim="the learning rate is 4x too low (1.1x to over 30x)",
            evidence=(Evidence(signal="train_loss", window="epochs 2-3", observed=2.0),),
            alternatives=tuple(names),
        )
        for name in names
    )
    return DiagnosedRun(path="log.csv", learning_rate=RATE, findings=found, history=HISTORY, format="table")


@pytest.mark.parametrize("count", [1, 9])
@pytest.mark.parametrize("names", [*([each] for each in NAMES), NAMES], ids=lambda names: "-".join(names)[:30])
def test_no_name_of_a_finding_stays_english(names, count):
    result = DiagnoseResult(results=(_run(names),) * count)
    with speaking("fa"):
        shown = diagnosis_text(result, width=100)
        page = render_html(diagnosis_report(result.results), data=False)
    visible = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    for text in (shown, visible):
        assert [name for name in names if re.search(rf"\b{name}\b", text)] == []
    assert "too low" not in shown
    assert "epochs" not in shown
