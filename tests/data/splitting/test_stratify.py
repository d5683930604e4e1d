"""Laws of a stratified split, for any classes and any groups."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.data.splitting.stratify import assign, bundle, quotas

counts = st.lists(st.integers(2, 200), min_size=1, max_size=6)
shares = st.floats(0.05, 0.6)


@given(counts, shares)
def test_quotas_add_up_and_leave_every_class_on_both_sides(counts, share):
    held = quotas(counts, share)
    total = np.floor(sum(counts) * share + 0.5)
    assert all(1 <= number <= count - 1 for number, count in zip(held, counts, strict=True))
    if all(count * share >= 1 for count in counts):
        assert sum(held) == total
        assert all(abs(number - count * share) < 1 for number, count in zip(held, counts, strict=True))


def test_quotas_of_the_named_sources():
    assert sum(quotas((1500, 1500), 0.2)) == 600
    assert quotas((1803, 821), 0.2) == (361, 164)
    assert sum(quotas((1508, 1116), 0.2)) == 525
    assert quotas((5, 5, 5), 0.2) == (1, 1, 1)
    assert quotas((1, 3), 0.5) == (0, 2)
    assert quotas((2, 2), 0.9) == (1, 1)


groups_of = st.lists(st.lists(st.integers(0, 59), min_size=1, max_size=8), max_size=12)


@given(groups_of)
def test_bundles_hold_nothing_twice_and_join_overlaps(groups):
    units = bundle(groups)
    inside = [index for unit in units for index in unit]
    assert len(set(inside)) == len(inside)
    place = {index: number for number, unit in enumerate(units) for index in unit}
    for group in groups:
        assert len({place.get(index) for index in group}) == 1
        assert len(set(group)) == 1 or set(group) <= set(inside)
    joined = {frozenset(unit) for unit in units}
    assert all(len(unit) > 1 for unit in joined)
    for unit in joined:  # nothing is joined without a chain of groups
        reached = {min(unit)}
        for _ in unit:
            reached |= {index for group in groups if reached & set(group) for index in group}
        assert reached == unit


@settings(max_examples=60)
@given(groups_of, st.lists(st.integers(0, 2), min_size=60, max_size=60), st.integers(0, 9), st.booleans())
def test_no_group_is_ever_torn_apart(groups, labels, seed, three):
    units = bundle(groups)
    keys = np.random.PCG64(seed).random_raw(60).tolist()
    sides = assign(labels, units, (0.2, 0.1) if three else (0.2,), keys).tolist()
    for group in groups:
        assert len({sides[index] for index in group}) == 1
    assert set(sides) <= ({0, 1, 2} if three else {0, 1})


def test_single_files_fill_the_quotas_that_groups_leave():
    labels = [0] * 100 + [1] * 100
    groups = [(0, 1), (100, 101, 102), (50, 150)]
    sides = assign(labels, bundle(groups), (0.2,), np.random.PCG64(1).random_raw(200).tolist()).tolist()
    assert Counter(zip(labels, sides, strict=True)) == {(0, 0): 80, (0, 1): 20, (1, 0): 80, (1, 1): 20}


def test_a_group_larger_than_the_held_out_part_stays_in_training():
    sides = assign([0] * 100, bundle([range(70)]), (0.2,), list(range(100))).tolist()
    assert set(sides[:70]) == {0}
    assert sides.count(1) == 20


def test_a_class_of_two_equal_groups_gets_one_on_each_side():
    labels = [0] * 10 + [1] * 10
    groups = [range(5), range(5, 10)]
    sides = assign(labels, bundle(groups), (0.2,), list(range(20))).tolist()
    assert {sides[0], sides[5]} == {0, 1}


def test_groups_alone_come_near_the_share():
    labels = [patient % 2 for patient in range(50) for _ in range(7)]
    groups = [range(7 * patient, 7 * patient + 7) for patient in range(50)]
    sides = assign(labels, bundle(groups), (0.2,), np.random.PCG64(3).random_raw(350).tolist()).tolist()
    assert abs(sides.count(1) - 70) <= 7
    assert {label for label, side in zip(labels, sides, strict=True) if side} == {0, 1}
