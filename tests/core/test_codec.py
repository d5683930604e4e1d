"""Values to JSON and back, and refusals that say where."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.core.codec import dumps, from_plain, to_plain
from thalweg.core.errors import RunError


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    word: Literal["a", "b"]
    data: bytes = b""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    name: str
    count: int
    share: float
    flag: bool
    maybe: int | None
    numbers: tuple[int, ...]
    pair: tuple[int, str]
    inners: tuple[Inner, ...]
    table: Mapping[str, tuple[float, ...]]


INNERS = st.builds(Inner, word=st.sampled_from("ab"), data=st.binary(max_size=20))
OUTERS = st.builds(
    Outer,
    name=st.text(),
    count=st.integers(),
    share=st.floats(allow_nan=False, allow_infinity=False),
    flag=st.booleans(),
    maybe=st.none() | st.integers(),
    numbers=st.lists(st.integers(), max_size=4).map(tuple),
    pair=st.tuples(st.integers(), st.text(max_size=5)),
    inners=st.lists(INNERS, max_size=3).map(tuple),
    table=st.dictionaries(st.text(max_size=4), st.lists(st.floats(-9, 9), max_size=3).map(tuple), max_size=3),
)
GOOD = Outer(
    name="n", count=1, share=0.5, flag=True, maybe=None, numbers=(1, 2), pair=(1, "x"),
    inners=(Inner(word="a", data=b"\x00"),), table={"t": (1.0,)},
)  # fmt: skip


@given(OUTERS)
def test_what_is_written_is_read_back(value):
    assert from_plain(Outer, json.loads(dumps(value))) == value


@given(st.text(st.characters(codec="utf-8") | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF)))
def test_bytes_of_names_that_are_not_utf_8_survive_in_plain_ascii(name):
    text = dumps({"name": name})
    assert text.isascii()
    assert json.loads(text)["name"] == name


def test_numbers_json_has_no_word_for_become_null_and_numpy_becomes_plain():
    value = {"a": float("nan"), "b": -np.inf, "c": np.float32(0.5), "d": np.arange(2), "e": np.array([np.nan, 1])}
    assert json.loads(dumps(value)) == {"a": None, "b": None, "c": 0.5, "d": [0, 1], "e": [None, 1.0]}
    assert np.isnan(from_plain(float, None))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"count": True}, "Outer.count: a number is wanted, not True"),
        ({"count": 1.5}, "Outer.count: int is wanted, not 1.5"),
        ({"flag": 1}, "Outer.flag: bool is wanted, not 1"),
        ({"name": None}, "Outer.name: str is wanted, not None"),
        ({"maybe": "x"}, "Outer.maybe: int is wanted, not 'x'"),
        ({"numbers": {"0": 1}}, "Outer.numbers: a list is wanted, not dict"),
        ({"numbers": [1, "2"]}, "Outer.numbers[1]: int is wanted, not '2'"),
        ({"pair": [1]}, "Outer.pair: 2 items are wanted, not 1"),
        ({"inners": [{"word": "c"}]}, "Outer.inners[0].word: 'c' is none of 'a', 'b'"),
        ({"inners": [{"word": ["a"]}]}, "Outer.inners[0].word: ['a'] is none of"),
        ({"inners": [{}]}, "Outer.inners[0]: field 'word' is missing"),
        ({"inners": [{"word": "a", "data": "%"}]}, "Outer.inners[0].data: text is not base64"),
        ({"inners": [3]}, "Outer.inners[0]: an object is wanted, not int"),
        ({"table": []}, "Outer.table: an object is wanted, not list"),
        ({"table": {"k": [None, "x"]}}, "Outer.table.k[1]: float is wanted, not 'x'"),
        ({"more": 1}, "Outer: unknown field 'more'; known are name, count"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(change, told):
    with pytest.raises(RunError) as refusal:
        from_plain(Outer, to_plain(GOOD) | change)
    assert told in str(refusal.value)


def test_of_a_long_list_the_first_wrong_item_is_told_whatever_stood_before_it():
    part = Literal["train", "test"] | None
    assert from_plain(tuple[part, ...], ["train", None, "train", "test"], "parts") == ("train", None, "train", "test")
    with pytest.raises(RunError, match=r"^parts\[3\]: 'best' is none of 'train', 'test'$"):
        from_plain(tuple[part, ...], ["train", None, "train", "best"], "parts")
    with pytest.raises(RunError, match=r"^labels\[2\]: a number is wanted, not True$"):
        from_plain(tuple[int, ...], [1, 2, True], "labels")
    with pytest.raises(RunError, match=r"^names\[1\]: str is wanted, not 7$"):
        from_plain(tuple[str, ...], ["a", 7], "names")
