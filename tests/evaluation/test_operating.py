"""A threshold chosen on one split and measured on another."""

import math

import numpy as np
import pytest

from thalweg.evaluation.operating import best_threshold, operate


def test_the_best_threshold_beats_every_other():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 300)
    probabilities = np.clip(0.25 + 0.2 * labels + random.normal(0, 0.15, 300), 0, 1)
    score = lambda cut: (probabilities[labels == 1] >= cut).mean() + (probabilities[labels == 0] < cut).mean()  # noqa: E731
    best = best_threshold(probabilities, labels)
    assert score(best) >= max(score(cut) for cut in np.linspace(0, 1, 2001)) - 1e-12
    assert best < 0.45


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
def test_with_one_class_it_stays_at_one_half(labels):
    assert best_threshold(np.array([0.1, 0.2, 0.9]), np.array(labels)) == 0.5


def test_shares_and_intervals_are_those_of_the_other_split():
    point = operate(
        np.array([0.2, 0.4, 0.6, 0.8]),
        np.array([0, 1, 0, 1]),
        0.4,
        positive="ill",
        chosen_on="validation",
        split="test",
    )
    assert (point.sensitivity, point.specificity, point.accuracy) == (1.0, 0.5, 0.75)
    assert point.sensitivity_interval[0] < 1.0 == point.sensitivity_interval[1]
    assert (point.positive, point.chosen_on, point.split) == ("ill", "validation", "test")


def test_a_class_that_is_missing_has_no_share():
    point = operate(np.array([0.2, 0.9]), np.array([0, 0]), 0.5, positive="ill", chosen_on="", split="test")
    assert math.isnan(point.sensitivity)
    assert point.specificity == 0.5
