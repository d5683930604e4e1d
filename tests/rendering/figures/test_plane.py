import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from thalweg.core.landscape import LossPlane
from thalweg.rendering.figures.plane import PlaneMap, draw_plane
from thalweg.rendering.figures.walks import WalkedPath, draw_walks
from thalweg.rendering.pages.drawings import check_drawing

TICKS = tuple(number / 5 for number in range(-6, 7))
PLANE = LossPlane(
    name="saddle",
    x_name="one",
    y_name="other",
    x=TICKS,
    y=TICKS,
    losses=tuple(tuple(1 + x * x - y * y / 2 for x in TICKS) for y in TICKS),
)


def texts(svg):
    return [(element.text, element) for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - our own text


def test_heights_are_written_on_their_lines():
    sheet = PlaneMap(PLANE)
    drawing = draw_plane(PLANE, caption="A saddle", places=((0, 0, "here"), (1.2, 0, "at the edge")))
    assert check_drawing(drawing.svg) == drawing.svg
    shown = {text for text, _ in texts(drawing.svg)}
    assert {f"{level:.4g}" for level in sheet.levels} <= shown
    assert {"here", "at the edge", "one", "other"} <= shown
    assert drawing.alternative == "Lowest 0.28 at (0, -1.2), highest 2.44 at (1.2, 0)."


def test_every_label_is_inside():
    for text, element in texts(draw_plane(PLANE, caption="A saddle", places=((1.2, 1.2, "corner"),)).svg):
        assert 0 <= float(element.get("x")) <= 560, text


def test_places_without_a_finite_loss_are_blank_and_said():
    rows = [list(row) for row in PLANE.losses]
    rows[0][0] = math.nan
    drawing = draw_plane(replace(PLANE, losses=tuple(map(tuple, rows))), caption="x")
    assert "1 places have no finite loss" in drawing.alternative
    assert "nan" not in drawing.svg
    flat = replace(PLANE, losses=tuple(tuple(2.0 for _ in TICKS) for _ in TICKS))
    assert check_drawing(draw_plane(flat, caption="flat").svg)


def test_hostile_names_stay_text(hostile):
    plane = replace(PLANE, x_name=hostile, y_name=hostile)
    walks = (WalkedPath(label=hostile, points=((0.0, 0.0), (math.inf, 9.0))),)
    for drawing in (
        draw_plane(plane, caption=hostile, places=((0, 0, hostile),)),
        draw_walks(plane, walks, caption=hostile, saddle=(0, 0)),
    ):
        assert check_drawing(drawing.svg) == drawing.svg
        assert "<script" not in drawing.svg


def test_a_walk_stays_on_the_map_and_stops_for_who_wants_no_motion():
    walks = (WalkedPath(label="away", points=((0.0, 0.0), (5.0, 5.0))),)
    svg = draw_walks(PLANE, walks, caption="x", saddle=(0, 0)).svg
    sheet = PlaneMap(PLANE)
    x, y = sheet.place(1.2, 1.2)
    assert f"translate({x:.1f},{y:.1f})" in svg
    assert svg.count("animation:none!important") == 2
    assert pytest.approx(x) == sheet.right
