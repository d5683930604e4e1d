"""The Wilson interval against published numbers, its defining equation and its laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.evaluation.intervals import area_interval, wilson

COUNTS = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_newcombes_published_table(successes, n, low, high):
    # R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(COUNTS)
def test_each_end_is_the_share_that_the_data_just_reject(count):
    successes, n = count
    share = successes / n
    for end in wilson(successes, n):
        if 0 < end < 1:
            z = (share - end) / math.sqrt(end * (1 - end) / n)
            assert abs(z) == pytest.approx(1.959963984540054, rel=1e-6)


@given(COUNTS)
def test_holds_the_share_and_stays_between_nought_and_one(count):
    successes, n = count
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1
    assert low < high


@given(COUNTS)
def test_failures_mirror_successes(count):
    successes, n = count
    low, high = wilson(successes, n)
    mirrored = wilson(n - successes, n)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-12)


def test_more_tries_narrow_it():
    widths = [high - low for low, high in (wilson(7 * k, 10 * k) for k in (1, 10, 100, 1000))]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_refuses_what_is_no_count(successes, n):
    with pytest.raises(ValueError, match=f"{successes} successes in {n} tries"):
        wilson(successes, n)


@given(st.floats(0, 1), st.integers(1, 500), st.integers(1, 500))
def test_an_area_lies_in_its_interval_and_each_end_is_what_the_data_just_reject(area, positives, negatives):
    low, high = area_interval(area, positives, negatives)
    assert 0 <= low <= area <= high <= 1
    assert low < high
    pairs = (positives + negatives) / 2 - 1
    for end in (low, high):
        if 1e-9 < end < 1 - 1e-9:
            spread = 1 + pairs * (1 - end) / (2 - end) + pairs * end / (1 + end)
            z = (area - end) / math.sqrt(end * (1 - end) * spread / (positives * negatives))
            assert abs(z) == pytest.approx(1.959963984540054, rel=1e-3)


def test_more_samples_make_an_area_more_certain_and_the_classes_may_change_places():
    widths = [high - low for low, high in (area_interval(0.9, n, 3 * n) for n in (5, 50, 500))]
    assert widths == sorted(widths, reverse=True)
    low, high = area_interval(0.9, 20, 80)
    assert area_interval(0.1, 80, 20) == pytest.approx((1 - high, 1 - low))
    assert all(map(math.isnan, area_interval(0.9, 0, 80)))
