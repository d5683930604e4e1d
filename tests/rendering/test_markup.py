import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from thalweg.core.languages import Said
from thalweg.rendering.markup import escape, is_number, middle_cut, short_number, text_width


@given(st.text(alphabet=st.characters()))
def test_escaped_text_is_always_good_xml_and_says_nothing_else(text):
    root = ET.fromstring(f'<a b="{escape(text)}">{escape(text)}</a>')  # noqa: S314 - our own text
    assert len(root) == 0
    assert root.text is None or "\n" not in root.text
    escape(text).encode("utf-8")


def test_direction_marks_and_undecodable_bytes_are_spelled_out(hostile):
    shown = escape(hostile)
    assert "<" not in shown
    assert "\\u202e" in shown
    assert "\\xff" in shown
    assert "گربه" in shown


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), st.integers(20, 200))
def test_shortened_text_fits_and_keeps_its_ends(text, width):
    cut = middle_cut(text, width)
    assert cut == "…" or text_width(cut) <= width
    assert "…" not in cut or text.startswith(cut.split("…")[0])


def test_what_a_speaker_said_is_cut_without_its_marks_and_stays_said():
    text = Said("\u2068LRN001\u2069 نرخ یادگیری بیش از حد زیاد")
    assert escape(middle_cut(text, 1000)) == text
    cut = middle_cut(text, 100)
    assert "…" in cut
    assert "u20" not in escape(cut)
    assert cut.startswith("LRN")


def test_numbers_are_told_from_words():
    assert all(is_number(cell) for cell in ("1,442", "-3.5", "12 %", "25.6M", "nan", "", "–", "−0.3"))
    assert not any(is_number(cell) for cell in ("cat", "3x3", "1 of 2"))


def test_large_counts_become_short():
    assert [short_number(value) for value in (0, 999, 1000, 999_900, 4_089_184_256)] == [
        "0", "999", "1.00k", "1.00M", "4.09G",
    ]  # fmt: skip
