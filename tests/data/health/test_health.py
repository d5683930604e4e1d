"""A set's health is told in numbers and findings."""

import numpy as np
import pytest

from thalweg.core.dataset import Duplicate
from thalweg.data.health.health import health, imbalance, leakage
from thalweg.data.storing.cache import Pictures


def pictures(count=40, *, blank=(), sizes=None, left_out=(), warnings=None):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (count, 16, 16, 1), np.uint8)
    for index in blank:
        pixels[index] = 200
    rows = np.arange(count)
    rows[list(left_out)] = -1
    return Pictures(
        pixels=pixels,
        rows=rows,
        left_out={},
        warnings=warnings or {},
        content=np.zeros((count, 16), np.uint8),
        thumbnails=pixels[..., 0],
        original_sizes=np.array(sizes or [(300, 200)] * count),
    )


NAMES = [f"{index:02d}.png" for index in range(40)]


def test_counts_and_sizes_pass_over_what_is_left_out():
    sizes = [(300, 200)] * 39 + [(100, 100)]
    seen = health(pictures(sizes=sizes, left_out=[0]), NAMES, [0] * 20 + [1] * 20, ["a", "b"])
    assert seen.class_counts == (19, 20)
    assert (seen.median_size, seen.smallest_size, seen.largest_size) == ((300, 200), (100, 100), (300, 200))
    assert seen.findings == ()


def test_odd_pictures_are_named():
    sizes = [(300, 200)] * 39 + [(200, 900)]
    seen = health(pictures(blank=[3], sizes=sizes, warnings={"07.png": "odd"}), NAMES, [0] * 40, ["a"])
    assert [(notice.file, notice.reason.split(":")[0]) for notice in seen.warnings] == [
        ("07.png", "odd"),
        ("03.png", "nearly blank"),
        ("39.png", "200 x 900 pixels, where 300 x 200 is usual"),
    ]


def test_a_varied_set_gets_one_sentence():
    sizes = [(300, 200)] * 30 + [(30, 20)] * 10
    seen = health(pictures(sizes=sizes), NAMES, [0] * 40, ["a"])
    assert [notice.file for notice in seen.warnings] == [""]
    assert "10 of 40" in seen.warnings[0].reason


def test_nothing_usable():
    assert health(pictures(2, left_out=[0, 1]), NAMES[:2], [0, 1], ["a", "b"]).class_counts == (0, 0)


@pytest.mark.parametrize(
    ("counts", "severity"), [([100, 100], None), ([150, 100], None), ([160, 100], "info"), ([1001, 100], "warning")]
)
def test_imbalance(counts, severity):
    finding = imbalance(counts, ["large", "small"])
    assert (finding and finding.severity) == severity
    if finding:
        assert finding.code == "DAT001"
        assert finding.subject == "small"
        assert finding.evidence[0].observed == counts[0] / counts[1]
        assert finding.remedies[0].edit == {"class_weights": "balanced"}


def test_an_empty_class_is_not_an_imbalance():
    assert imbalance([10, 0], ["a", "b"]) is None


def test_leakage_counts_held_out_files_with_a_twin_in_training():
    groups = [
        Duplicate(kind="exact", files=("a", "b", "c")),
        Duplicate(kind="near", files=("d", "e")),
        Duplicate(kind="near", files=("x", "y")),
    ]
    finding = leakage(groups, {"a", "d", "e", "z"}, {"b", "c", "x", "y"})
    assert finding is not None
    assert finding.code == "DAT002"
    assert finding.evidence[0].observed == 2
    assert "2 of 4 held-out files (50.0 %)" in finding.claim
    assert leakage(groups[1:], {"a", "d", "e"}, {"b", "c", "x", "y"}) is None
