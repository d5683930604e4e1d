import itertools

from hypothesis import given
from hypothesis import strategies as st

from thalweg.rendering.diagrams.straightening import push_apart, spread_ports

places = st.floats(-1000, 1000)


@given(st.lists(st.tuples(places, st.floats(0.01, 100), st.floats(0, 50)), min_size=1, max_size=12))
def test_pushed_apart_keeps_order_and_distance(rows):
    wanted, weights, apart = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows[1:]]
    found = push_apart(wanted, weights, apart)
    assert all(b - a >= d - 1e-6 for a, b, d in zip(found, found[1:], apart, strict=False))


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=2), st.integers(1, 40))
def test_two_are_moved_no_more_than_needed(wanted, apart):
    left, right = push_apart([float(w) for w in wanted], [1.0, 1.0], [float(apart)])
    middle = sum(wanted) / 2
    best = (wanted[0], wanted[1]) if wanted[1] - wanted[0] >= apart else (middle - apart / 2, middle + apart / 2)
    assert (left, right) == best


@given(st.lists(places, min_size=1, max_size=9, unique=True), places)
def test_lines_enter_a_box_side_by_side_and_in_order(starts, x):
    named = {str(index): place for index, place in enumerate(starts)}
    ports = spread_ports(named, x, reach=100.0, apart=16.0)
    entries = [ports[key] for key in sorted(named, key=lambda key: named[key])]
    assert all(abs(entry - x) <= 100 + 1e-9 for entry in entries)
    assert all(late - early >= 11.9 for early, late in itertools.pairwise(entries))


def test_a_lonely_line_from_straight_above_is_not_bent():
    assert spread_ports({"a": 7.0}, 0.0, reach=100.0, apart=16.0) == {"a": 7.0}
