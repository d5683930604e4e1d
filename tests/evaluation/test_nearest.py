"""Of networks between a start and a trained one, the nearest to the start that samples cannot tell from the best."""

import numpy as np
import pytest

from thalweg.evaluation.nearest import losses_of, nearest_as_good

SURE = np.random.default_rng(0).exponential(0.3, 400)


@pytest.mark.parametrize(
    ("excess", "scatter", "chosen"),
    [
        ((0, 0.001, 0.002, 0.2), 0.1, 2),  # one standard error is 0.005
        ((0, 0.02, 0.03, 0.2), 0.1, 0),
        ((0.1, 0.0, 0.2, 0.3), 0.1, 1),
        ((0, 0.02, 0.3, 0.02), 0.1, 0),
        ((0, 0, 0, 0), 0.0, 3),  # all the same: nothing speaks against the start
    ],
)
def test_the_last_one_that_cannot_be_told_from_the_best_is_taken(excess, scatter, chosen):
    noise = np.random.default_rng(1).normal(0, scatter, (4, 400))
    noise -= noise.mean(axis=1, keepdims=True)
    assert nearest_as_good(SURE + noise + np.array(excess)[:, None]) == chosen


def test_what_all_find_hard_does_not_widen_the_choice():
    hard = np.where(np.arange(400) % 20 == 0, 8.0, 0.01)  # its own standard error is 0.09
    assert nearest_as_good(np.stack([hard, hard + 0.02 + 0.01 * np.sin(np.arange(400))])) == 0


def test_one_sure_and_wrong_answer_stays_finite():
    assert losses_of(np.array([[0.0, 1.0]], dtype=np.float32), np.array([0])).tolist() == [
        pytest.approx(27.631, abs=1e-3)
    ]
