"""Names in little memory come out as they went in, in every list that they are in."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.core.codec import dumps
from thalweg.core.paths import Paths

names = st.lists(st.text(st.characters(codec="utf-8") | st.sampled_from("\udc80\udcff/"), max_size=12), max_size=9)


@given(names, names)
def test_a_list_of_names_stays_what_it_was(first, more):
    packed = Paths(first)
    packed.extend(Paths(more))
    assert packed == first + more
    assert tuple(first + more) == packed
    assert [packed[index] for index in range(len(packed))] == first + more
    assert list(packed[1::2]) == (first + more)[1::2]
    assert packed.in_order() == (first + more == sorted(set(first + more)))
    assert dumps(packed) == dumps(first + more)


def test_what_is_not_there_is_no_name():
    packed = Paths(["a", os.fsdecode(b"\xff.png")])
    assert packed[-1] == os.fsdecode(b"\xff.png")
    assert (packed == ["a"], packed == Paths(["a", "b"]), packed == "a") == (False, False, False)
    for index in (2, -3):
        with pytest.raises(IndexError):
            packed[index]


def test_a_name_costs_its_letters_and_four_bytes():
    packed = Paths(f"cat/{number:06d}.png" for number in range(10_000))
    size = packed._text.__sizeof__() + packed._ends.__sizeof__()
    assert size < 10_000 * (14 + 4) * 1.15
