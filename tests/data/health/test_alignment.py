"""What all samples share, and whether a shift moves mostly that."""

import numpy as np
import pytest

from thalweg.data.health.alignment import ALIGNED, common_motion


def alike(shape, count=40, contrast=1.0, noise=0.3):
    """Samples with one pattern, the same in all, and something that differs."""
    random = np.random.default_rng(3)
    pattern = random.normal(size=(1, *shape, 1))
    return contrast * pattern + noise * random.normal(size=(count, *shape, 1))


@pytest.mark.parametrize("shape", [(80,), (32, 32), (22, 24, 26)])
def test_a_pattern_that_all_samples_share_is_seen_whatever_their_axes(shape):
    rows = np.arange(40)
    assert common_motion(alike(shape), rows) > 4 * ALIGNED
    assert common_motion(alike(shape, contrast=0.0), rows) < 0.1 * ALIGNED


def test_it_is_the_ratio_of_what_is_common_to_what_differs():
    """A pattern of independent pixels changes by twice its variance when it moves."""
    rows = np.arange(200)
    for contrast in (0.5, 1.0):
        told = common_motion(alike((48, 48), 200, contrast, noise=1.0), rows)
        assert told == pytest.approx(2 * contrast**2, rel=0.15)


def test_few_samples_share_nothing_by_chance():
    random = np.random.default_rng(0)
    told = [common_motion(random.random((count, 24, 24, 3)), np.arange(count)) for count in (1, 2, 3, 6, 12)]
    assert max(told) < ALIGNED / 2


def test_brightness_and_other_rows_do_not_count():
    samples = alike((32, 32))
    lighter = samples + np.linspace(-50, 50, 40)[:, None, None, None]
    rows = np.arange(40)
    assert common_motion(lighter, rows) == pytest.approx(common_motion(samples, rows), rel=1e-3)
    both = np.concatenate([samples, np.random.default_rng(1).normal(size=samples.shape)])
    assert common_motion(both, rows) == pytest.approx(common_motion(samples, rows), rel=1e-6)


def test_a_pattern_without_detail_may_be_moved():
    """A bright middle in every picture, as of faces, hardly changes when it moves."""
    far = np.linspace(-1, 1, 48)
    bright = np.exp(-2 * (far[:, None] ** 2 + far[None] ** 2))[None, ..., None]
    samples = 4 * bright + np.random.default_rng(0).normal(size=(60, 48, 48, 1))
    assert common_motion(samples, np.arange(60)) < 0.2 * ALIGNED


def test_samples_that_are_all_the_same_say_nothing():
    assert common_motion(np.full((9, 16, 16, 3), 7, np.uint8), np.arange(9)) == 0.0
