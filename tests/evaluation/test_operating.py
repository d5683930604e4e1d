"""A threshold chosen on one split and measured on another."""

import math

import numpy as np
import pytest

from thalweg.evaluation.operating import best_threshold, operate


def drawn(random, files):
    """Labels, and probabilities whose best cut lies at 0.35."""
    labels = random.integers(0, 2, files)
    return labels, np.clip(0.25 + 0.2 * labels + random.normal(0, 0.15, files), 0, 1)


def balanced(labels, probabilities, cut):
    return ((probabilities[labels == 1] >= cut).mean() + (probabilities[labels == 0] < cut).mean()) / 2


def test_no_other_threshold_is_better_by_more_than_a_standard_error():
    labels, probabilities = drawn(np.random.default_rng(0), 300)
    best = max(balanced(labels, probabilities, cut) for cut in np.linspace(0, 1, 2001))
    error = math.sqrt(best * (1 - best) / 300)
    assert balanced(labels, probabilities, best_threshold(probabilities, labels)) >= best - 1.5 * error


def test_it_lies_nearer_to_the_true_one_than_the_best_cut_of_the_files_does():
    random, ours, luckiest = np.random.default_rng(1), [], []
    for _ in range(60):
        labels, probabilities = drawn(random, 120)
        ours.append(best_threshold(probabilities, labels))
        luckiest.append(max(np.unique(probabilities), key=lambda cut: balanced(labels, probabilities, cut)))
    wrong, luck = (np.sqrt(np.mean((np.array(found) - 0.35) ** 2)) for found in (ours, luckiest))
    assert wrong < 0.8 * luck


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
