import numpy as np

from thalweg.rendering.figures.maps import MapTile, draw_maps
from thalweg.rendering.pages.drawings import check_drawing


def test_every_map_is_drawn_with_its_own_greys_and_label():
    rows = [
        [MapTile(label="picture <1>", values=np.arange(12).reshape(3, 4), note="3 x 4")],
        [
            MapTile(label="flat", values=np.full((2, 2), 7.0)),
            MapTile(label="large", values=np.random.default_rng(0).random((97, 131))),
        ],
    ]
    drawing = draw_maps("Maps", rows)
    assert check_drawing(drawing.svg) == drawing.svg
    assert "picture &lt;1&gt;" in drawing.svg
    assert "#000000" in drawing.svg
    assert "#ffffff" in drawing.svg
    assert drawing.alternative.startswith("picture <1> – 3 x 4.")
    assert len(drawing.svg) < 60_000


def test_runs_of_one_grey_are_one_piece():
    whole = draw_maps("", [[MapTile(label="", values=np.array([[0.0, 0.0, 0.0, 1.0]]))]]).svg
    assert "M0,0h3v1h-3z" in whole
    assert "M3,0h1v1h-1z" in whole


def test_values_that_are_no_numbers_do_not_break_it():
    drawn = draw_maps("", [[MapTile(label="", values=np.array([[np.nan, np.inf], [0.0, 1.0]]))]])
    assert check_drawing(drawn.svg)
