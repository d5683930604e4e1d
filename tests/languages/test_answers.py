"""What `count`, `draw`, `derive` and `doctor` answer in Persian: words are said, code and formulas stay."""

import re

import pytest

from thalweg.cli.main import main
from thalweg.core.languages import speaker, speaking
from thalweg.rendering.columns import columns

WORDS = re.compile(r"(?<![\w./'-])[a-z]{3,} [a-z]{2,}(?![\w./])")
"""Two English words in a row; names and settings stand between signs."""


def answer(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([*words, "--lang", "fa"])
    assert ended.value.code in {0, 1}
    return capsys.readouterr().out


def untold(text, *names):
    lines = [line for line in text.splitlines() if not any(name in line for name in names)]
    return [line for line in lines if WORDS.search(line)]


def test_a_count_is_a_table_whose_columns_stay_in_line(capsys):
    shown = answer(capsys, "count", "conv2d(8,3) relu flatten dense(2)", "--input", "3,8,8", "--solve", "flatten=8*36")
    assert untold(shown) == []
    table = shown.splitlines()[1:7]
    assert table[0].startswith("\u200eلایه")
    ends = {columns(line) for line in table if line.rstrip() == line and line.endswith(("۱", "گام\u200e"))}
    assert len(ends) == 1
    assert "(3*3*3 + 1)*8 = 224" in shown
    assert "۷٬۷۷۶" in shown
    assert "با اندازهٔ ورودی" in shown


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_a_count_in_another_form_speaks_persian_too(capsys, form):
    shown = answer(capsys, "count", "lenet", "--format", form)
    assert untold(re.sub(r"<style>.*?</style>|<[^>]*>", " ", shown, flags=re.DOTALL)) == []
    assert ('<html lang="fa" dir="rtl">' in shown) is (form == "html")


def test_a_count_for_programs_stays_english(capsys):
    assert answer(capsys, "count", "lenet", "--format", "csv").startswith("layer,kind,output_shape,parameters")


@pytest.mark.parametrize(
    "words",
    [
        ("conv2d", "--x", "3x4", "--f", "2x2", "--head", "relu mean", "--padding", "1", "--stride", "2,1"),
        ("conv2d", "--x", "4x3x3", "--f", "2x2x2x2", "--groups", "2", "--dilation", "1,2", "--bias", "b"),
        ("conv1d", "--x", "[1,2,3]", "--f", "[1,2]", "--head", "mean", "--check", "[1,2,3]"),
        ("conv1d", "--x", "5", "--f", "2", "--head", "sigmoid crossentropy"),
        ("lenet", "--layer", "conv1"),
    ],
)
def test_the_sentences_of_a_derivation_are_said_and_its_formulas_stay(capsys, words):
    shown = answer(capsys, "derive", *words)
    assert untold(shown, "∂", "=", "state dict") == []
    assert "y" in shown


def test_a_page_of_a_derivation_is_read_from_the_right_and_its_formulas_from_the_left(capsys):
    shown = answer(capsys, "derive", "conv2d", "--x", "3x3", "--f", "2x2", "--format", "html")
    assert '<html lang="fa" dir="rtl">' in shown
    assert shown.count('class="equation" dir="ltr"') == shown.count('class="equation"')
    assert "<h2>مرحلهٔ ۱: گذر پیش‌رو</h2>" in re.sub("[\u2066-\u2069]", "", shown)
    assert "1</mn>" in shown


def test_a_drawing_keeps_kinds_and_settings_and_says_the_rest(capsys):
    shown = answer(capsys, "draw", "conv2d(8,3) relu flatten dense(2)", "--input", "3,8,8")
    assert "conv2d 3×3, 8 conv1" in shown
    assert "خروجی 2" in shown
    assert "پارامتر" in shown.splitlines()[0]
    widths = {columns(line) for line in shown.splitlines() if line.startswith(("┌", "│ ", "└"))}
    assert len(widths) == 1
    svg = answer(capsys, "draw", "conv2d(8,3) relu", "--input", "3,8,8", "--format", "svg")
    assert "کانولوشن" in svg
    assert ">conv1<" in svg


def test_the_doctor_says_what_is_missing(capsys):
    shown = answer(capsys, "doctor")
    assert "پردازنده" in shown
    assert untold(shown, "thalweg", "/", "pip install") == []


def test_a_sentence_about_a_place_is_not_taken_for_one_about_a_setting():
    assert speaker("fa").say("stride 1 0.006 (0.000 to 0.016)") == "stride برابر ۱ ۰٫۰۰۶ (۰٫۰۰۰ تا ۰٫۰۱۶)"
    with speaking("fa"):
        assert speaker("fa").say("a stride of 2x1") == "گام (stride) 2x1"
