import re

from thalweg.rendering.diagrams.grouping import group
from thalweg.rendering.diagrams.stage import draw_run, draw_wire


def test_a_line_from_a_short_box_passes_its_tall_neighbours_before_it_bends():
    path = draw_wire(0, 10, 300, 200, bend=120, end=200)
    straight = float(re.search(r"M0\.0,10\.0V([\d.]+)C", path)[1])
    assert straight > 120
    assert "300.0,195.0" in path, "it arrives straight from above, where its arrowhead begins"


def test_a_straight_line_does_not_bend():
    assert "C" not in draw_wire(5, 10, 5, 200, bend=120, end=200)


def test_a_repeat_is_framed_and_says_how_often(networks):
    runs = group(*networks["residual"])
    once, often = draw_run(runs[0]), draw_run(runs[2])
    assert "frame" not in "".join(once.parts)
    assert "×5" in "".join(often.labels)
    assert "5,840 parameters together" in "".join(often.parts)
    assert often.shape == "8x16x16"


def test_a_value_that_skips_boxes_enters_beside_them_without_an_arrow(networks):
    heads = draw_run(group(*networks["residual"])[2]).heads
    assert sorted(arrow for _, _, arrow in heads) == [False, True]
