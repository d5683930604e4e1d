import pytest

from thalweg.core.errors import PlanError
from thalweg.rendering.words import WORDS, words_for


def test_every_word_of_the_frame_is_there_in_every_language():
    for language in ("en", "fa"):
        assert WORDS.keys() <= words_for(language).keys()
    assert words_for("fa")["direction"] == "rtl"


def test_an_unknown_language_is_refused_with_the_known_ones():
    with pytest.raises(PlanError, match="en, fa"):
        words_for("tlh")
