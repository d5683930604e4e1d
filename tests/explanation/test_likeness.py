import numpy as np
import pytest

from thalweg.explanation.likeness import rank_correlation, structural_similarity


def test_ranks_with_ties_and_any_rising_function():
    first, second = [1.0, 2.0, 2.0, 5.0], [0.0, 1.0, 3.0, 3.0]
    # Ranks 1, 2.5, 2.5, 4 and 1, 2, 3.5, 3.5: covariance 3.75 over sqrt(4.5 * 4.5).
    assert rank_correlation(first, second) == pytest.approx(3.75 / 4.5)
    random = np.random.default_rng(0).normal(size=30)
    assert rank_correlation(random, np.exp(random)) == pytest.approx(1)
    assert rank_correlation(random, -random) == pytest.approx(-1)
    assert np.isnan(rank_correlation([1, 1, 1], [1, 2, 3]))


@pytest.mark.parametrize("shape", [(40,), (12, 12), (9, 9, 9), (3, 4)])
def test_structure_tells_noise_from_a_scaled_copy(shape):
    random = np.random.default_rng(1)
    map_, other = random.random(shape), random.random(shape)
    assert structural_similarity(map_, 3 * map_ + 2) == pytest.approx(1)
    assert structural_similarity(map_, other) < 0.7
