import re
from html import unescape
from itertools import pairwise

import pytest

from thalweg.core.languages import speaker
from thalweg.rendering.figures.bars import draw_bars
from thalweg.rendering.figures.dots import Dot, draw_dots
from thalweg.rendering.markup import text_width
from thalweg.rendering.pages.drawings import check_drawing
from thalweg.rendering.said_drawing import noted, said_drawing, said_line

PAGE = speaker("fa", isolated=True)
MARKS = "[\u2066-\u2069]"


def texts(svg):
    return [re.sub(MARKS, "", unescape(text)) for text in re.findall(r"<(?:text|tspan)\b[^<>]*>([^<]+)", svg)]


@pytest.fixture(scope="module")
def dots():
    cost = {"value": 0.5, "low": 0.4, "high": 0.6, "note": "3.61 M MACs, 148 us"}
    rows = [Dot(label=label, **cost) for label in ("stride 2", "stride 2, no padding")]
    return draw_dots("Accuracy", "share of held-out pictures that is right", rows)


def test_the_words_of_a_finished_drawing_are_exchanged_and_numbers_with_them(dots):
    said = said_drawing(dots.svg, PAGE)
    assert check_drawing(said) == said
    assert "stride برابر ۲، بی پدینگ" in texts(said)
    assert "سهم تصویرهای کنارگذاشته که درست است" in texts(said)
    assert "۰٫۵۰۰" in texts(said)
    assert not [text for text in texts(said) if "MACs" in text or "share" in text]


def test_a_drawing_in_english_is_left_alone(dots):
    assert said_drawing(dots.svg, speaker("en")) is dots.svg


def test_what_is_read_out_and_the_description_are_said_sentence_by_sentence(dots):
    said = said_drawing(dots.svg, PAGE)
    spoken = [re.sub(MARKS, "", each) for each in re.findall('data-says="([^"]+)"', said)]
    assert spoken[0] == "stride برابر ۲: ۰٫۵۰۰ (۰٫۴۰۰ تا ۰٫۶۰۰)، 3.61 M ضرب‌وجمع، ۱۴۸ میکروثانیه."
    assert re.sub(MARKS, "", re.search("<desc>(.*?)</desc>", said, re.DOTALL)[1]).splitlines()[0] == spoken[0]


def test_a_class_that_is_called_like_a_word_of_ours_keeps_its_name():
    drawing = draw_bars("Files", ("loss", "training"), {"train": (1, 2), "validation": (3, 4)})
    words = texts(said_drawing(drawing.svg, PAGE))
    assert {"loss", "training", "آموزش", "اعتبارسنجی"} <= set(words)


def test_a_drawing_becomes_wider_where_its_words_become_longer(dots):
    said = said_drawing(dots.svg, PAGE)
    width = int(re.search(r'<svg [^>]*?width="(\d+)"[^>]*viewBox="0 0 (\d+) ', said)[1])
    assert width == int(re.search(r'viewBox="0 0 (\d+) ', said)[1])
    assert width > 720
    ends = re.findall(r'<text class="small" x="([\d.]+)"[^>]*>([^<]+)<tspan[^>]*>([^<]+)', said)
    assert all(float(x) + text_width(re.sub(MARKS, "", a + b), 11) <= width for x, a, b in ends)


def test_a_long_label_is_written_smaller_and_keeps_to_its_room():
    text = '<text x="0" data-room="122" data-whole="stride 2, no padding">s…g</text>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg">{text}</svg>'
    said = said_drawing(svg, PAGE)
    (text,) = texts(said)
    size = float(re.search(r"font-size:([\d.]+)px", said)[1])
    assert text == "stride برابر ۲، بی پدینگ"
    assert 8.5 <= size < 12
    assert text_width(text, size) <= 123


def test_entries_of_a_legend_do_not_run_into_one_another():
    drawing = draw_bars("Files", ("a",), {"train": (1,), "validation": (2,), "test": (3,)})
    entries = re.findall(r'<text x="([\d.]+)" y="14.5">([^<]+)', said_drawing(drawing.svg, PAGE))
    places = [(float(x), float(x) + text_width(re.sub(MARKS, "", text))) for x, text in entries]
    assert len(places) == 3
    assert all(end < begin for (_, end), (begin, _) in pairwise(places))


def test_a_label_and_its_note_are_said_apart_and_names_stay():
    persian = speaker("fa", isolated=True)
    assert said_line(noted("pixel by pixel", "3x3"), persian) == "پیکسل به پیکسل – \u20683x3\u2069."
    assert said_line(noted("resnet", "layer1"), persian) == "resnet – layer1."
    assert said_line("mask", persian) == persian.say("mask", "label")
    assert said_line(noted("pixel by pixel", "3x3"), speaker("en")) == "pixel by pixel – 3x3."
