"""A confusion matrix as a drawing."""

import re

import pytest

from thalweg.core.languages import speaker
from thalweg.core.report import Matrix
from thalweg.rendering.figures.confusion_drawing import draw_matrix
from thalweg.rendering.pages.drawings import check_drawing
from thalweg.rendering.said_drawing import said_drawing


def _matrix(size, *, name="class {}"):
    counts = tuple(tuple(9 if row == column else (row + column) % 3 for column in range(size)) for row in range(size))
    return Matrix(caption="Confusion", labels=tuple(name.format(k) for k in range(size)), counts=counts)


def test_counts_shares_and_names_are_written():
    drawing = draw_matrix(Matrix(caption="<m>", labels=("a|<b>", "گربه"), counts=((5, 3), (0, 12))))
    assert check_drawing(drawing.svg) == drawing.svg
    assert "a|&lt;b&gt;" in drawing.svg
    assert re.findall(r">(\d+)<", drawing.svg) == ["5", "3", "0", "12"]
    assert re.findall(r">(\d+ %)<", drawing.svg) == ["62 %", "38 %", "100 %"]
    assert drawing.alternative == "a|<b>, taken for گربه: 3 of 8."


@pytest.mark.parametrize(
    ("size", "numbers", "names"), [(8, True, True), (40, True, True), (56, False, True), (200, False, False)]
)
def test_many_classes_are_shades_alone_and_more_have_no_names(size, numbers, names):
    svg = draw_matrix(_matrix(size)).svg
    assert check_drawing(svg) == svg
    assert bool(re.search(r">9<", svg)) is numbers
    assert ("class 1<" in svg) is names
    assert float(re.search(r'width="(\d+)"', svg)[1]) < 2200


def test_names_stand_on_end_where_they_would_meet():
    assert "rotate(-90" not in draw_matrix(_matrix(3, name="c{}")).svg
    assert draw_matrix(_matrix(3, name="a long name {}")).svg.count("rotate(-90") == 3


def test_an_empty_row_and_no_class_at_all_are_drawn():
    assert "nan" not in draw_matrix(Matrix(caption="", labels=("a", "b"), counts=((0, 0), (1, 1)))).svg
    assert check_drawing(draw_matrix(Matrix(caption="", labels=(), counts=())).svg)


def test_the_words_are_said_and_the_names_stay():
    said = said_drawing(draw_matrix(_matrix(2, name="training {}")).svg, speaker("fa", isolated=True))
    assert "کلاس درست" in said
    assert "کلاس پیش‌بینی‌شده" in said
    assert "training 1" in said
    assert "۹" in said
    assert "taken for" not in said
