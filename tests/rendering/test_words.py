import string

import pytest

from thalweg.core.errors import PlanError
from thalweg.rendering.words import WORDS, words_for


def test_every_language_has_every_word_with_the_same_gaps():
    english = WORDS["en"]
    for language, words in WORDS.items():
        assert words.keys() == english.keys(), language
        for key, text in words.items():
            assert _gaps(text) == _gaps(english[key]), (language, key)


def test_an_unknown_language_is_refused_with_the_known_ones():
    with pytest.raises(PlanError, match="en, fa"):
        words_for("tlh")


def _gaps(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
