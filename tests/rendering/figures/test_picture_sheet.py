"""Pictures side by side as one drawing."""

import xml.etree.ElementTree as ET

import pytest

from thalweg.core.errors import PlanError
from thalweg.core.report import Compared, Comparisons, Picture, PictureGrid
from thalweg.rendering.figures.picture_sheet import draw_sheet
from thalweg.rendering.translated import translated_block

IMAGE = "{http://www.w3.org/2000/svg}image"


def _picture(**fields):
    return Picture(**{"data": b"123", "media_type": "image/png", "caption": "", **fields})


def _tree(svg):
    return ET.fromstring(svg)  # noqa: S314 - our own


def test_pictures_stand_in_rows_with_captions_and_files():
    pictures = tuple(_picture(caption=f"is <dog> {k}", file=f"گربه/{k}.jpg", badge="wrong") for k in range(7))
    svg = draw_sheet(PictureGrid(caption="Mistakes", pictures=pictures))
    places = [(float(each.get("x")), float(each.get("y"))) for each in _tree(svg).iter(IMAGE)]
    assert len(places) == 7
    assert len({y for _, y in places}) == 2
    assert "wrong: is &lt;dog&gt; 6" in svg
    assert "\u2066\u2068گربه\u2069/\u20686.jpg\u2069\u2069" in svg  # a path is read from the left


def test_a_pair_stands_side_by_side_under_its_legend():
    pair = Compared(truth=_picture(caption="t"), answer=_picture(caption="a"))
    svg = draw_sheet(Comparisons(caption="", pictures=(pair, pair), legend=(("road", "#804080"),)))
    assert len(list(_tree(svg).iter(IMAGE))) == 4
    assert "truth: t" in svg
    assert "prediction: a" in svg
    assert 'fill="#804080"' in svg


def test_persian_captions_are_read_from_the_right_and_not_escaped():
    grid = translated_block(PictureGrid(caption="", pictures=(_picture(caption="is dog", file="dog/1.jpg"),)), "fa")
    svg = draw_sheet(grid, language="fa")
    assert "\u2067dog است\u2069" in svg
    assert "\\u20" not in svg


def test_a_picture_keeps_its_shape_and_a_strip_has_the_room_of_two():
    pictures = (_picture(data=b"a"), _picture(data=b"b"), _picture(data=b"c"))
    sizes = {b"a": (200, 100), b"b": (64, 48), b"c": (10, 90)}
    svg = draw_sheet(PictureGrid(caption="", pictures=pictures), sizes=sizes)
    drawn = [(float(each.get("width")), float(each.get("height"))) for each in _tree(svg).iter(IMAGE)]
    assert drawn == [(366.0, 176.0), (176.0, 132.0), (176.0, 176.0)]


def test_marks_of_direction_in_a_name_are_shown():
    assert "\\u202e" in draw_sheet(PictureGrid(caption="", pictures=(_picture(caption="a\u202eb"),)))


def test_only_pictures_enter():
    with pytest.raises(PlanError, match="a sheet shows JPEG and PNG"):
        draw_sheet(PictureGrid(caption="", pictures=(_picture(media_type="image/svg+xml"),)))
    assert draw_sheet(PictureGrid(caption="", pictures=())).endswith("</svg>")
