"""Which files belong together, by a part of their names."""

import pytest

from thalweg.core.dataset import Sample
from thalweg.core.errors import PlanError
from thalweg.data.splitting.grouping import group_by


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "is no regular expression"),
        ("patient", "has 0 groups; one is wanted"),
        ("(a)(b)", "has 2 groups; one is wanted"),
        (r"patient(\d)", r"does not match 1 of 2 files, such as odd\.png"),
        (r"patient(\d)|odd", r"does not match 1 of 2 files"),
    ],
)
def test_a_wrong_pattern_is_one_sentence(pattern, words):
    with pytest.raises(PlanError, match=words):
        group_by([Sample("patient1.png", 0), Sample("odd.png", 0)], pattern)
