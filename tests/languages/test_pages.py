"""What a page in another language shows of a number below zero."""

from thalweg.core.languages import speaker
from thalweg.rendering.markup import escape


def test_a_negative_number_keeps_its_marks_of_direction_on_a_page() -> None:
    written = speaker("fa", isolated=True).number("-0.09")
    assert escape(written) == "\u2066-۰٫۰۹\u2069"


def test_somebody_elses_marks_of_direction_are_shown_as_what_they_are() -> None:
    assert escape("cat\u202egnp.") == "cat\\u202egnp."
