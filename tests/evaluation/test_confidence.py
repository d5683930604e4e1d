import numpy as np
import pytest

from thalweg.core.errors import PictureError
from thalweg.evaluation.calibration import expected_calibration_error, reliability
from thalweg.evaluation.confidence import calibration_errors, confidence_counts, risk_coverage


def pictures(seed, number=3, classes=4, sharp=2.0):
    chance = np.random.default_rng(seed)
    logits = chance.normal(0, sharp, (number, classes, 12, 15))
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    draws = (shares.cumsum(1) > chance.random((number, 1, 12, 15))).argmax(1)
    return shares, np.where(chance.random(draws.shape) < 0.1, 255, draws)


def test_calibration_of_a_class_is_the_usual_one_of_the_pixels_called_so():
    shares, truth = pictures(0)
    found = calibration_errors(sum(map(confidence_counts, shares, truth)))
    known = truth != 255
    called, sure = shares.argmax(1)[known], shares.max(1)[known]
    for number in range(4):
        here = called == number
        expected = expected_calibration_error(reliability(sure[here], truth[known][here] == number))
        assert found[number] == pytest.approx(expected)


def test_risk_over_coverage_is_that_of_sorted_pixels():
    shares, truth = pictures(1)
    curve = risk_coverage(sum(map(confidence_counts, shares, truth)))
    known = truth != 255
    order = np.argsort(-shares.max(1)[known])
    wrong = (shares.argmax(1)[known] != truth[known])[order]
    risk = wrong.cumsum() / np.arange(1, len(wrong) + 1)
    assert curve.coverage[-1] == 1.0
    assert curve.risk[-1] == pytest.approx(wrong.mean())
    assert curve.area == pytest.approx(risk.mean(), abs=0.01)
    best = np.sort(wrong).cumsum() / np.arange(1, len(wrong) + 1)
    assert curve.least_area == pytest.approx(best.mean(), abs=0.005)
    for coverage, value in zip(curve.coverage, curve.risk, strict=True):
        place = round(coverage * len(wrong)) - 1
        assert value == pytest.approx(risk[place], abs=1e-9)


def test_a_network_that_knows_where_it_errs_has_a_smaller_area():
    shares, truth = pictures(2)
    knowing = risk_coverage(sum(map(confidence_counts, shares, truth)))
    mixed = np.random.default_rng(0).permutation(shares.max(1).ravel()).reshape(3, 12, 15)
    blind = np.full_like(shares, 0.0)
    np.put_along_axis(blind, shares.argmax(1)[:, None], mixed[:, None], 1)
    unknowing = risk_coverage(sum(map(confidence_counts, blind, truth)))
    assert knowing.risk[-1] == pytest.approx(unknowing.risk[-1])
    assert knowing.area < 0.8 * unknowing.area


def test_what_does_not_fit_is_refused():
    with pytest.raises(PictureError, match="one size"):
        confidence_counts(np.ones((2, 3, 3)), np.zeros((3, 2)))
    with pytest.raises(PictureError, match="no pixel"):
        risk_coverage(confidence_counts(np.ones((2, 1, 1)), np.full((1, 1), 255)))
