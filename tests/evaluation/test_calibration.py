"""Reliability bins and their error against torchmetrics."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.evaluation.calibration import BINS, expected_calibration_error, reliability

ANSWERS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@pytest.mark.parametrize("classes", [2, 5])
def test_agrees_with_torchmetrics(classes, torchmetrics):
    torch = pytest.importorskip("torch")
    metrics = torchmetrics.functional.classification
    random = np.random.default_rng(classes)
    probabilities = random.dirichlet(np.full(classes, 0.4), 400)
    labels = random.integers(0, classes, 400)
    theirs = metrics.multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.from_numpy(labels), num_classes=classes, n_bins=BINS, norm="l1"
    )
    ours = expected_calibration_error(reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels))
    assert ours == pytest.approx(float(theirs), abs=1e-6)


@given(ANSWERS)
def test_every_answer_is_in_one_bin_that_holds_its_confidence(answers):
    bars = reliability([sure for sure, _ in answers], [right for _, right in answers])
    assert sum(bar.files for bar in bars) == len(answers)
    for bar in bars:
        if bar.files:
            assert bar.low - 1e-9 <= bar.confidence <= bar.high + 1e-9
        else:
            assert math.isnan(bar.confidence)
            assert math.isnan(bar.accuracy)
    right = sum(bar.files * bar.accuracy for bar in bars if bar.files)
    assert right == pytest.approx(sum(right for _, right in answers))


@given(ANSWERS)
def test_error_lies_between_the_overall_gap_and_one(answers):
    error = expected_calibration_error(reliability(*zip(*answers, strict=True)))
    gap = abs(sum(sure for sure, _ in answers) - sum(right for _, right in answers)) / len(answers)
    assert gap - 1e-9 <= error <= 1


def test_bins_have_equal_width_and_borders_belong_below():
    bars = reliability([0.0, 0.5, 0.50001, 1.0], [True] * 4, bins=4)
    assert [(bar.low, bar.high) for bar in bars] == [(0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)]
    assert [bar.files for bar in bars] == [1, 1, 1, 1]


def test_three_answers_by_hand():
    # Confidence 0.8 twice, one right: gap 0.3 with weight 2/3; confidence 1, right: gap 0 with weight 1/3.
    error = expected_calibration_error(reliability([0.8, 0.8, 1.0], [True, False, True]))
    assert error == pytest.approx(0.2)


def test_nothing_to_calibrate_is_refused():
    with pytest.raises(ValueError, match="every bin is empty"):
        expected_calibration_error(reliability([], []))
