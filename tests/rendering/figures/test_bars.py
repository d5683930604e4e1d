import xml.etree.ElementTree as ET

from thalweg.rendering.figures.bars import draw_bars
from thalweg.rendering.pages.drawings import check_drawing

SVG = "{http://www.w3.org/2000/svg}"


def test_bars_are_as_long_as_their_counts_and_follow_one_another(hostile):
    drawing = draw_bars("Files", (hostile, "b"), {"train": (80, 0), "test": (20, 10)})
    check_drawing(drawing.svg)
    bars = [bar for bar in ET.fromstring(drawing.svg).iter(f"{SVG}rect") if bar.get("height") == "20"]  # noqa: S314 - our own text
    widths = [float(bar.get("width")) for bar in bars]
    assert abs(widths[0] - 4 * widths[1]) < 0.5
    assert widths[2] == 0
    assert abs(float(bars[1].get("x")) - float(bars[0].get("x")) - widths[0]) < 0.2


def test_no_files_at_all_are_no_reason_to_fail():
    check_drawing(draw_bars("Files", ("a",), {"train": (0,)}).svg)
    check_drawing(draw_bars("Files", (), {}).svg)
