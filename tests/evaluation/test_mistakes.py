"""The surest mistakes come first, and right answers never."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.core.errors import TrainingFailedError
from thalweg.evaluation.mistakes import worst_mistakes


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(0, 50))
def test_agrees_with_sorting_by_hand(seed, files, count):
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(3), files)
    labels = random.integers(0, 3, files)
    wrong = [
        (-max(row), index) for index, row in enumerate(probabilities.tolist()) if int(np.argmax(row)) != labels[index]
    ]
    assert worst_mistakes(probabilities, labels, count).tolist() == [index for _, index in sorted(wrong)[:count]]


def test_equals_keep_their_order():
    assert worst_mistakes([[0.1, 0.9]] * 4, [0, 1, 0, 0], 10).tolist() == [0, 2, 3]
    many = [[0.1, 0.9], [0.2, 0.8]] * 500  # enough that a sort which is not stable shows it
    assert worst_mistakes(many, [0] * 1000, 1000).tolist() == [*range(0, 1000, 2), *range(1, 1000, 2)]


def test_no_mistakes_and_no_files():
    assert worst_mistakes([[0.9, 0.1]], [0], 5).tolist() == []
    assert worst_mistakes(np.empty((0, 2)), np.empty(0, dtype=int), 5).tolist() == []


def test_refusals():
    with pytest.raises(ValueError, match="-1 mistakes"):
        worst_mistakes([[0.9, 0.1]], [1], -1)
    with pytest.raises(TrainingFailedError, match="1 of 2 files"):
        worst_mistakes([[0.9, 0.1], [np.nan, 0.5]], [1, 1], 1)
