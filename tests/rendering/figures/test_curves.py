import itertools
import math
import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace

import pytest

from thalweg.core.languages import Said
from thalweg.core.report import Curves, Line, Mark
from thalweg.rendering.figures.curves import draw_curves, tabulate_curves, thin
from thalweg.rendering.figures.curves_in_words import describe_curves
from thalweg.rendering.pages.drawings import check_drawing

SVG = "{http://www.w3.org/2000/svg}"


def figure(*lines, **more):
    return Curves(caption="Loss", x_label="epoch", y_label="nats", lines=lines, **more)


def line_paths(svg):
    found = [path for path in ET.fromstring(svg).iter(f"{SVG}path") if path.get("class", "").startswith("line ")]  # noqa: S314 - our own text
    return [path.get("d") for path in found if "h24" not in path.get("d")]


def test_a_missing_value_is_a_gap_and_not_a_bridge():
    svg = draw_curves(figure(Line(label="a", x=(1, 2, 3, 4, 5), y=(1, 2, math.nan, 4, 5))))
    (path,) = line_paths(svg)
    assert path.count("M") == 2
    assert path.count("L") == 2
    assert "nan" not in svg


def test_points_lie_where_their_values_are():
    svg = draw_curves(figure(Line(label="a", x=(0, 10), y=(0.0, 1.0))))
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    (path,) = line_paths(svg)
    (x0, y0), (x1, y1) = [tuple(map(float, point.split(","))) for point in re.findall(r"[\d.]+,[\d.]+", path)]
    assert x0 == pytest.approx(float(root.get("data-left")), abs=0.1)
    assert x1 == pytest.approx(float(root.get("data-right")), abs=0.1)
    assert y0 == pytest.approx(float(root.get("data-bottom")), abs=0.1)
    assert y1 == pytest.approx(float(root.get("data-top")), abs=0.1)


@pytest.mark.parametrize("width", [360, 720])
def test_every_label_is_inside_the_picture(width):
    lines = [Line(label=f"a rather long label {index}", x=(1, 2), y=(index, 1)) for index in range(5)]
    root = ET.fromstring(draw_curves(figure(*lines, marks=(Mark(x=2, label="best"),)), width=width))  # noqa: S314 - our own text
    for text in root.iter(f"{SVG}text"):
        assert 0 <= float(text.get("x")) <= width
        assert 0 < float(text.get("y")) <= float(root.get("height"))


def test_hostile_labels_stay_text(hostile):
    lines, marks = (Line(label=hostile, x=(1, 2), y=(1, 2)),), (Mark(x=1, label=hostile),)
    drawn = draw_curves(Curves(caption=hostile, x_label=hostile, y_label=hostile, marks=marks, lines=lines))
    assert check_drawing(drawn) == drawn
    assert "<script" not in drawn


@pytest.mark.parametrize(
    "lines",
    [(), (Line(label="", x=(), y=()),), (Line(label="a", x=(1,), y=(math.nan,)),), (Line(label="a", x=(3,), y=(2,)),)],
)
@pytest.mark.parametrize("log_y", [False, True])
def test_little_or_no_data_is_no_reason_to_fail(lines, log_y):
    check_drawing(draw_curves(figure(*lines, log_y=log_y)))


def test_infinite_and_negative_values_leave_a_logarithmic_figure_whole():
    svg = draw_curves(figure(Line(label="a", x=(1, 2, 3, 4), y=(1e-3, -1.0, math.inf, 10.0)), log_y=True))
    check_drawing(svg)
    assert "nan" not in svg
    assert "inf" not in line_paths(svg)[0]


def test_thinning_keeps_peaks_gaps_and_ends():
    values = [0.0] * 10_000
    values[4321], values[777] = 9.0, math.nan
    points = thin(Line(label="", x=tuple(range(10_000)), y=tuple(values)))
    assert len(points) <= 700
    assert (4321, 9.0) in points
    assert any(math.isnan(y) for _, y in points)
    assert points[0][0] == 0
    assert points[-1][0] == 9999


def test_the_table_joins_lines_with_different_places_and_tells_its_step():
    one, two = Line(label="a", x=(1, 2), y=(0.5, 0.25)), Line(label="b", x=(2, 3), y=(1, math.inf))
    header, rows, step, total = tabulate_curves(figure(one, two))
    assert header == ("epoch", "a", "b")
    assert rows == [("1", "0.5", ""), ("2", "0.25", "1"), ("3", "", "inf")]
    assert (step, total) == (1, 3)
    long = Line(label="a", x=tuple(range(1000)), y=tuple(range(1000)))
    assert tabulate_curves(figure(long), limit=200)[2:] == (5, 1000)


def test_the_description_names_extremes_and_marks():
    words = describe_curves(figure(Line(label="a", x=(1, 2, 3), y=(3, 1, 2)), marks=(Mark(x=2, label="best epoch"),)))
    assert "lowest 1 at 2" in words
    assert "best epoch" in words


def test_a_mark_with_an_end_shades_its_stretch_and_is_told_so():
    line = Line(label="loss", x=(1, 2, 3, 4), y=(4.0, 3.0, 2.0, 1.0))
    plain = Curves(caption="c", x_label="epoch", y_label="loss", lines=(line,), marks=(Mark(x=2, label="jump"),))
    shaded = replace(plain, marks=(Mark(x=2, label="jump", until=3),))
    assert "fill-opacity" not in draw_curves(plain)
    assert "fill-opacity" in draw_curves(shaded)
    assert "Marked from 2 to 3: jump." in describe_curves(shaded)


def test_lines_are_told_apart_without_their_colours():
    steps = tuple(range(1000))
    lines = [Line(label=f"line {k}", x=steps, y=tuple(k + math.sin(step / 50) for step in steps)) for k in range(9)]
    root = ET.fromstring(draw_curves(figure(*lines)))  # noqa: S314 - our own text
    inner = root.find(f"{SVG}svg")
    markers = [path for path in inner.iter(f"{SVG}path") if path.get("transform")]
    seen = Counter(path.get("d") for path in markers)
    assert len(seen) == 8
    assert all(number >= 5 for number in seen.values())
    looks = {
        (path.get("stroke-dasharray"), marker.get("d"))
        for path, marker in itertools.pairwise(root.iter(f"{SVG}path"))
        if "h24" in path.get("d")
    }
    assert len(looks) == 9


def test_a_single_place_has_a_single_tick():
    figure = Curves(caption="", x_label="epoch", y_label="", lines=(Line(label="", x=(0.768,), y=(2.0,)),))
    ticks = re.findall(r'class="dim middle"[^>]*>([^<]+)<', draw_curves(figure))
    assert ticks == ["0.768", "epoch"]


def test_a_long_name_of_an_axis_takes_two_lines_and_makes_room():
    def drawn(label, width):
        lines = (Line(label="", x=(1, 2), y=(1.0, 2.0)),)
        return draw_curves(Curves(caption="", x_label=label, y_label="", lines=lines), width=width)

    long = "how near to the saddle, in powers of ten (1 for a tenth)"
    height = [int(re.search(r'height="(\d+)"', drawn(long, width))[1]) for width in (720, 360)]
    assert height == [320, 335]
    assert ">how near to the saddle, in<" in drawn(long, 360)
    assert f">{long}<" in drawn(long, 720)
    said = Said("چقدر نزدیک به \u2068saddle\u2069، به توان‌های ده " * 2)
    assert drawn(said, 360).count("\u2068") == drawn(said, 360).count("\u2069") == 2
