"""The root comes first; what follows from it is a remark with the root as its first alternative; there is no circle."""

import pytest

from thalweg.core.finding import Finding
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.signal import Signal
from thalweg.diagnosis.case import open_case
from thalweg.diagnosis.judge import judge
from thalweg.diagnosis.precedence import EXPLAINS, ROOTS, causes_first


def found(*names, severity="error"):
    return [
        Finding(
            code="X", name=name, severity=severity, confidence=0.9, subject="run", claim="", alternatives=("plateau",)
        )
        for name in names
    ]


def test_unscaled_inputs_come_before_all_that_they_bring_about():
    told = causes_first(
        found("non_finite", "learning_rate_too_high", "exploding_gradient", "dying_relu", "input_scale")
    )
    assert [each.name for each in told if each.severity != "info"] == ["input_scale", "non_finite"]
    assert all(each.alternatives[0] == "input_scale" for each in told[1:])


def test_without_a_root_a_finding_keeps_its_severity():
    (told,) = causes_first(found("dying_relu"))
    assert (told.severity, told.alternatives) == ("error", ("plateau",))


def test_a_remark_is_no_root():
    told = causes_first([*found("input_scale", severity="info"), *found("diverging")])
    assert [each.name for each in told] == ["diverging", "input_scale"]


def test_what_a_root_makes_superfluous_is_not_said():
    assert [each.name for each in causes_first(found("learning_rate_too_low", "too_few_epochs"))] == [
        "learning_rate_too_low"
    ]


@pytest.mark.parametrize("root", ROOTS)
def test_no_cause_is_explained_by_what_it_explains(root):
    for other in EXPLAINS.get(root, ()):
        told = causes_first(found(root, other))
        assert told[0].name == root or ROOTS.index(other) < ROOTS.index(root)
        assert any(each.severity != "info" for each in told)


def test_the_course_of_a_run_is_not_judged_in_its_first_steps_but_what_is_broken_is():
    def told(steps, **more):
        loss = Signal(name="batch_loss", unit="nats", steps=tuple(range(1, steps + 1)), values=(2.3,) * steps)
        scale = {"batch_input_mean": 0.0, "batch_input_std": 1.0} | more
        signals = tuple(Signal(name=name, unit="1", steps=(1,), values=(value,)) for name, value in scale.items())
        history = RunHistory(signals=(loss, *signals))
        found = judge(open_case(history, LearningRateEstimate(verdict="too_low", confidence=0.9)))
        return [finding.name for finding in found if finding.severity != "info"]

    assert told(59) == []
    assert told(70) == ["learning_rate_too_low"]
    assert told(59, batch_input_std=80.0) == ["input_scale"]
