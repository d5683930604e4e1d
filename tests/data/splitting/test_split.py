"""Splits: the promised numbers, the same everywhere, nothing torn apart, one sentence for what cannot be."""

import hashlib
import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from thalweg.core.dataset import Sample
from thalweg.core.errors import PlanError
from thalweg.data.splitting.grouping import group_by
from thalweg.data.splitting.shares import parse_ratio
from thalweg.data.splitting.split import read_split_file, split, write_split_file


def files(*numbers, part=None):
    """So many files of each class."""
    return [Sample(f"{label}/{n:04d}.png", label, part) for label, number in enumerate(numbers) for n in range(number)]


def sizes(chosen):
    return len(chosen.train), len(chosen.validation), len(chosen.test)


def by_name(chosen, samples):
    return {samples[index].file: part for part in ("train", "validation", "test") for index in getattr(chosen, part)}


@pytest.mark.parametrize(
    ("numbers", "options", "expected"),
    [
        ((1500, 1500), {}, (2400, 600, 0)),
        ((1803, 821), {}, (2099, 525, 0)),
        ((1508, 1116), {}, (2099, 525, 0)),
        ((1803, 821), {"test": 0.2}, (2099, 0, 525)),
        ((1803, 821), {"validation": 0.2}, (2099, 525, 0)),
        ((1803, 821), {"test": 0.2, "validation": 0.0}, (2099, 0, 525)),
        ((1500, 1500), {"test": 0.2, "validation": 0.1}, (2100, 300, 600)),
        ((7, 7, 7), {"test": 0.2, "validation": 0.1}, (15, 3, 3)),
        ((2, 2), {}, (2, 2, 0)),
    ],
)
def test_the_promised_numbers(numbers, options, expected):
    samples = files(*numbers)
    chosen = split(samples, **options)
    everything = chosen.train + chosen.validation + chosen.test
    assert sorted(everything) == list(range(len(samples)))
    if numbers == (7, 7, 7):
        assert all(
            {samples[i].label for i in part} == {0, 1, 2} for part in (chosen.train, chosen.validation, chosen.test)
        )
    else:
        assert sizes(chosen) == expected


def test_classes_keep_their_shares():
    samples = files(1803, 821)
    held = [samples[index].label for index in split(samples).validation]
    assert (held.count(0), held.count(1)) == (361, 164)


def test_the_same_on_every_machine():
    samples = files(60, 40)
    held = "\n".join(samples[index].file for index in split(samples, seed=42).validation)
    assert hashlib.sha256(held.encode()).hexdigest()[:16] == "71e11fbb40b7aa3a"


def test_two_runs_agree_and_seeds_differ():
    samples = files(60, 40)
    assert split(samples, seed=7) == split(samples, seed=7)
    assert split(samples, seed=7) != split(samples, seed=8)


@given(st.randoms(use_true_random=False), st.integers(0, 99))
@settings(max_examples=20)
def test_the_order_in_which_files_are_given_does_not_matter(shuffle, seed):
    samples = files(30, 20)
    groups = [(0, 1), (2, 40), (3, 4, 5)]
    mixed = samples.copy()
    shuffle.shuffle(mixed)
    place = {sample.file: index for index, sample in enumerate(mixed)}
    moved = [[place[samples[index].file] for index in group] for group in groups]
    expected = by_name(split(samples, seed=seed, groups=groups), samples)
    assert by_name(split(mixed, seed=seed, groups=moved), mixed) == expected


@given(
    st.lists(st.lists(st.integers(0, 79), min_size=2, max_size=6), max_size=10),
    st.integers(0, 5),
    st.sampled_from([{}, {"test": 0.2, "validation": 0.1}, {"test": 0.3}]),
    st.booleans(),
)
@settings(max_examples=60)
def test_no_group_lies_on_two_sides(groups, seed, options, own):
    samples = files(40, part="train") + files(0, 40) if own else files(40, 40)
    if own:
        samples = [Sample(s.file, index % 2, "train" if index % 4 else "test") for index, s in enumerate(samples)]
        options = {"validation": 0.2} if options else {}
    try:
        chosen = split(samples, seed=seed, groups=groups, **options)
    except PlanError:
        assume(False)  # everything grew into one group
    side = {index: part for part in ("train", "validation", "test") for index in getattr(chosen, part)}
    for group in groups:
        assert len({side[index] for index in group if index in side}) <= 1
    assert len(side) + len(chosen.left_out) == len(samples)


def test_a_class_that_is_too_small_is_named_with_its_number():
    with pytest.raises(PlanError, match=r"class 'dog' has 1 usable file; a split into 2 parts needs 2 of each class"):
        split(files(50, 1), classes=("cat", "dog"))
    with pytest.raises(PlanError, match=r"class 'dog' has 2 usable files; a split into 3 parts needs 3"):
        split(files(50, 2), classes=("cat", "dog"), test=0.2, validation=0.1)
    with pytest.raises(PlanError, match=r"class 'elk' has 0 usable files"):
        split(files(50, 2), classes=("cat", "dog", "elk"))
    with pytest.raises(PlanError, match=r"class 'dog' has 6 files in 1 groups that must stay together"):
        split(files(50, 6), classes=("cat", "dog"), groups=[range(50, 56)])
    with pytest.raises(PlanError, match=r"0 usable files to split"):
        split([])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"test": 1.0}, "test share 1 is not between 0 and 1"),
        ({"test": -0.1}, "test share -0.1 is not between 0 and 1"),
        ({"validation": float("nan")}, "validation share nan is not between 0 and 1"),
        ({"validation": 20.0}, "validation share 20 is not between 0 and 1"),
        ({"test": 0.5, "validation": 0.5}, "leave nothing to train on"),
        ({"validation": 0.0}, "nothing would be held out"),
        ({"seed": -1}, "seed -1 is negative"),
    ],
)
def test_impossible_options_are_one_sentence(options, words):
    with pytest.raises(PlanError, match=words):
        split(files(9, 9), **options)


def own_parts(*parts):
    return [Sample(f"{part}/{label}/{n}.png", label, part) for part in parts for label in (0, 1) for n in range(10)]


def test_own_parts_are_kept():
    assert sizes(split(own_parts("train", "test"))) == (20, 0, 20)
    assert sizes(split(own_parts("train", "validation"))) == (20, 20, 0)
    assert sizes(split(own_parts("train", "validation", "test"))) == (20, 20, 20)
    assert sizes(split(own_parts("train"))) == (16, 4, 0)


def test_a_part_that_the_source_lacks_is_taken_from_its_training_files():
    samples = own_parts("train", "test")
    chosen = split(samples, validation=0.1)
    assert sizes(chosen) == (18, 2, 20)
    assert {samples[index].part for index in chosen.validation} == {"train"}
    with pytest.raises(PlanError, match=r"has its own test files; leave the share for test out"):
        split(samples, test=0.2)


def test_twins_in_own_parts_stay_in_the_held_out_one():
    samples = own_parts("train", "validation", "test")
    twins = (0, 20, 40)  # one in each part
    chosen = split(samples, groups=[twins, (1, 2)])
    assert sizes(chosen) == (19, 19, 20)
    assert {notice.file for notice in chosen.left_out} == {samples[0].file, samples[20].file}
    assert all(notice.reason == "belongs together with test/0/0.png in test" for notice in chosen.left_out)


def test_a_class_that_own_parts_do_not_train_is_refused():
    samples = [sample for sample in own_parts("train", "test") if (sample.part, sample.label) != ("train", 1)]
    with pytest.raises(PlanError, match=r"class 'dog' has 0 usable files in the source's training part"):
        split(samples, classes=("cat", "dog"))


def test_a_written_split_is_read_again(tmp_path):
    samples = files(20, 20)
    chosen = split(samples, test=0.2, validation=0.2)
    write_split_file(tmp_path / "split.csv", chosen, samples)
    assert split(samples, split_file=tmp_path / "split.csv", seed=99) == chosen
    assert read_split_file(tmp_path / "split.csv", samples) == chosen


def test_a_fixed_split_leaves_out_what_it_does_not_name(tmp_path):
    (tmp_path / "s.csv").write_text("file,part\n0/0000.png,train\n1/0000.png,train\n0/0001.png,test\n")
    chosen = split(files(2, 2), split_file=tmp_path / "s.csv", groups=[(0, 1)])
    assert sizes(chosen) == (2, 0, 1)
    assert [(notice.file, notice.reason) for notice in chosen.left_out] == [
        ("1/0001.png", "not named in the split file s.csv")
    ]
    assert any("on different sides" in notice.reason for notice in chosen.warnings)
    with pytest.raises(PlanError, match=r"fixes the split; leave the shares out"):
        split(files(2, 2), split_file=tmp_path / "s.csv", test=0.2)


@pytest.mark.parametrize(
    ("part", "words"), [("train", "none .* into validation or test"), ("test", "none .* into train")]
)
def test_a_fixed_split_needs_two_sides(tmp_path, part, words):
    (tmp_path / "s.csv").write_text(f"file,part\n0/0000.png,{part}\n")
    with pytest.raises(PlanError, match=words):
        split(files(1), split_file=tmp_path / "s.csv")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80/20", (0.2, None)),
        ("0.8/0.2", (0.2, None)),
        ("70/10/20", (0.1, 0.2)),
        ("70:10:20", (0.1, 0.2)),
        ("0.7/0.1/0.2", (0.1, 0.2)),
        ("0.25", (0.25, None)),
    ],
)
def test_ratios(text, expected):
    assert parse_ratio(text) == expected


@pytest.mark.parametrize(
    "text", ["", "80", "80/30", "80/20/0", "100/0", "1", "0", "-0.2", "40/30/20/10", "a/b", "nan", "inf/1", "120/-20"]
)
def test_what_is_no_ratio_is_one_sentence(text):
    with pytest.raises(PlanError, match=r"is not of the form 80/20, 70/10/20"):
        parse_ratio(text)


def test_grouping_by_a_part_of_the_name():
    samples = [Sample(f"cat/patient{number // 3}_{number}.png", 0) for number in range(9)]
    assert group_by(samples, r"patient(\d+)_") == ((0, 1, 2), (3, 4, 5), (6, 7, 8))
    chosen = split(samples + files(0, 10), groups=group_by(samples, r"patient(\d+)_"))
    assert sum(index < 9 for index in chosen.validation) == 3


def test_many_files_are_split_quickly():
    samples = files(*[3000] * 10)
    random.Random(0).shuffle(samples)
    assert sizes(split(samples, groups=[(n, n + 1) for n in range(0, 2000, 2)])) == (24000, 6000, 0)
