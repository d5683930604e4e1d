"""The area under the ROC curve against scikit-learn and against counting pairs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from thalweg.evaluation.ranking import area_under_roc

FILES = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=40)


@given(FILES)
def test_equals_the_share_of_pairs_in_order_with_ties_as_half(files):
    positives = [score for score, positive in files if positive]
    negatives = [score for score, positive in files if not positive]
    measured = area_under_roc([score for score, _ in files], [positive for _, positive in files])
    if not positives or not negatives:
        assert math.isnan(measured)
        return
    pairs = [(p > n) + 0.5 * (p == n) for p in positives for n in negatives]
    assert measured == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


@pytest.mark.parametrize("decimals", [1, 2, 8])
def test_agrees_with_scikit_learn(decimals):
    random = np.random.default_rng(decimals)
    positive = random.random(500) < 0.3
    scores = np.round(random.random(500) + 0.3 * positive, decimals)
    assert area_under_roc(scores, positive) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


@given(FILES)
def test_turning_the_scores_round_mirrors_it(files):
    scores = np.array([score for score, _ in files])
    positive = np.array([positive for _, positive in files])
    forth, back = area_under_roc(scores, positive), area_under_roc(-scores, positive)
    assert math.isnan(forth) or forth + back == pytest.approx(1, abs=1e-12)


def test_any_increasing_scale_gives_the_same():
    random = np.random.default_rng(0)
    scores, positive = random.normal(size=100), random.random(100) < 0.5
    assert area_under_roc(scores, positive) == area_under_roc(np.exp(scores), positive)


def test_perfect_reversed_and_blind():
    assert area_under_roc([1, 2, 3], [False, False, True]) == 1
    assert area_under_roc([3, 2, 1], [False, False, True]) == 0
    assert area_under_roc([1, 1, 1], [False, False, True]) == 0.5
