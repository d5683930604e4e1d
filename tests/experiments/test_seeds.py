import pytest

from thalweg.experiments.seeds import Seeds


def test_intervals_are_those_of_student():
    found = Seeds(values={"a": (0.5, 0.6, 0.7), "b": (0.2, 0.3, 0.4)})
    low, high = found.interval("a")
    assert (low, high) == pytest.approx((0.6 - 2.776 * 0.1 / 3**0.5, 0.6 + 2.776 * 0.1 / 3**0.5))
    assert found.against("a", "b") == "+0.300 (95 % +0.073 to +0.527)"
    assert Seeds(values={"a": (0.98, 1.0)}).interval("a")[1] == 1.0


def test_verdicts_need_the_whole_interval():
    found = Seeds(values={"a": (0.90, 0.91, 0.92), "b": (0.80, 0.81, 0.82), "c": (0.5, 0.8, 1.0), "one": (0.1,)})
    assert found.better("a", "b") == "supported"
    assert found.better("b", "a") == "contradicted"
    assert found.better("a", "c") == "undecided"
    assert found.better("a", "b", by=0.2) == "contradicted"
    assert found.as_good("b", "a", margin=0.2) == "supported"
    assert Seeds(values={"x": (0.1,), "y": (0.9,)}).better("y", "x") == "undecided"
    assert Seeds(values={"x": (0.1,)}).said("x") == "0.100"
