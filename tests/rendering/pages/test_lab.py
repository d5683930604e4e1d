"""The page of an experiment: what its first screen says."""

from thalweg.core.lab import LabFinding, LabResult
from thalweg.core.report import Table
from thalweg.rendering.pages.lab import lab_report


def test_what_was_decided_comes_before_what_was_not():
    verdicts = ("undecided", "undecided", "supported", "undecided", "undecided", "contradicted")
    findings = tuple(
        LabFinding(claim=f"claim {number}", verdict=verdict, observed="3 against 2", fails="")
        for number, verdict in enumerate(verdicts)
    )
    result = LabResult(
        name="stride",
        question="Does it?",
        setup={},
        table=Table(caption="", header=("a",), rows=()),
        findings=findings,
        limits=(),
        figures=(),
    )
    question, *said = lab_report(result).answer
    assert question == "Does it?"
    assert said == ["Supported: claim 2", "Contradicted: claim 5", "Undecided: claim 0", "Undecided: claim 1"]
