import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.core.layer_cost import Ledger
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.rendering.diagrams.diagram import draw_svg
from thalweg.rendering.pages.drawings import check_drawing

SVG = "{http://www.w3.org/2000/svg}"


def placed(svg: str) -> Iterator[tuple[ET.Element, float, float]]:
    """Every element with the sum of the translations around it."""

    def walk(element, x, y):
        move = re.fullmatch(r"translate\(([-\d.]+),([-\d.]+)\)", element.get("transform", ""))
        x, y = (x + float(move[1]), y + float(move[2])) if move else (x, y)
        yield element, x, y
        for child in element:
            yield from walk(child, x, y)

    yield from walk(ET.fromstring(svg), 0.0, 0.0)  # noqa: S314 - our own text


def boxes(svg):
    found = [
        (e, x, y) for e, x, y in placed(svg) if e.tag == f"{SVG}rect" and e.get("class", "").split()[:1] == ["box"]
    ]
    return [
        (x + float(e.get("x")), y + float(e.get("y")), float(e.get("width")), float(e.get("height")))
        for e, x, y in found
    ]


def points(path: str) -> list[tuple[float, float]]:
    """Points along a path made of M, V, H, C and relative q."""
    found, x, y = [], 0.0, 0.0
    for command, rest in re.findall(r"([MVHCq])([^MVHCq]*)", path):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", rest)]
        if command == "M":
            ends = [tuple(numbers)]
        elif command in "VH":
            end = (x, numbers[0]) if command == "V" else (numbers[0], y)
            ends = [(x + (end[0] - x) * t / 8, y + (end[1] - y) * t / 8) for t in range(1, 9)]
        elif command == "C":
            x1, y1, x2, y2, x3, y3 = numbers
            ends = []
            for step in range(1, 17):
                t, s = step / 16, 1 - step / 16
                ends.append((
                    s**3 * x + 3 * s * s * t * x1 + 3 * s * t * t * x2 + t**3 * x3,
                    s**3 * y + 3 * s * s * t * y1 + 3 * s * t * t * y2 + t**3 * y3,
                ))
        else:
            ends = [(x + numbers[2], y + numbers[3])]
        found += ends
        x, y = ends[-1]
    return found


def crossed_boxes(svg):
    frames = boxes(svg)
    wires = [(e, x, y) for e, x, y in placed(svg) if e.get("class") == "wire"]
    assert wires
    return [
        (frame, element.get("d"))
        for element, dx, dy in wires
        for x, y in points(element.get("d"))
        for frame in frames
        if frame[0] + 1 < x + dx < frame[0] + frame[2] - 1 and frame[1] + 1 < y + dy < frame[1] + frame[3] - 1
    ]


@pytest.mark.parametrize("name", ["chain", "long", "residual", "branches", "wide", "ends"])
def test_a_drawing_is_whole_harmless_and_inside_its_edges(networks, name):
    svg = draw_svg(*networks[name])
    check_drawing(svg)
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    width, height = float(root.get("width")), float(root.get("height"))
    frames = boxes(svg)
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in frames)
    for index, (x, y, w, h) in enumerate(frames):
        for other in frames[index + 1 :]:
            apart = x + w < other[0] or other[0] + other[2] < x or y + h < other[1] or other[1] + other[3] < y
            assert apart, "two boxes overlap"


@pytest.mark.parametrize("name", ["chain", "residual", "branches", "wide", "ends"])
def test_no_line_crosses_a_box(networks, name):
    assert crossed_boxes(draw_svg(*networks[name])) == []


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_line_crosses_a_box_in_any_network(data):
    layers = []
    for index in range(data.draw(st.integers(1, 10))):
        earlier = ["x", *(layer.name for layer in layers)]
        sources = data.draw(st.lists(st.sampled_from(earlier), min_size=1, max_size=3, unique=True))
        layers.append(LayerSpec(name=f"n{index}", kind="add", inputs=tuple(sources)))
    read = {source for layer in layers for source in layer.inputs}
    ends = tuple(layer.name for layer in layers if layer.name not in read)
    spec = NetworkSpec(name="any", inputs={"x": Shape(1)}, layers=tuple(layers), outputs=ends)
    assert crossed_boxes(draw_svg(spec, Ledger(network="any", input_shapes={}, rows=()))) == []


def test_boxes_say_kind_name_and_parameters_and_arrows_say_shapes(networks):
    words = {text.text for text in ET.fromstring(draw_svg(*networks["chain"])).iter(f"{SVG}text")}  # noqa: S314 - our own text
    assert {"conv2d 3×3, 8", "conv1", "224", "584", "relu", "8×32×32", "3×32×32", "output 5"} <= words
    assert any("853 parameters, 0 buffers" in word for word in words if word)


def test_two_hundred_layers_stay_small_because_repeats_are_folded(networks):
    spec, ledger = networks["long"]
    assert len(spec.layers) == 204
    svg = draw_svg(spec, ledger)
    assert len(boxes(svg)) == 5
    assert "×100" in svg
    assert float(ET.fromstring(svg).get("height")) < 1000  # noqa: S314 - our own text


def test_a_tall_network_is_broken_into_columns(counted):
    layers, source = [], "x"
    for index in range(30):
        layers.append(
            LayerSpec(name=f"fc{index}", kind="linear", inputs=(source,), settings={"out_features": 9 + index})
        )
        source = f"fc{index}"
    spec = NetworkSpec(name="tall", inputs={"x": Shape(3)}, layers=tuple(layers), outputs=(source,))
    svg = draw_svg(spec, counted(spec))
    assert len({round(box[0]) for box in boxes(svg)}) == 3
    assert crossed_boxes(svg) == []


def test_branches_stand_side_by_side_and_colours_follow_families(networks):
    svg = draw_svg(*networks["branches"])
    rows = {round(box[1]) for box in boxes(svg)}
    assert max(sum(round(box[1]) == row for box in boxes(svg)) for row in rows) == 4
    assert 'class="convolution"' in svg
    assert 'class="merge"' in svg
    assert "prefers-color-scheme:dark" in svg


def test_hostile_names_stay_text(networks, hostile):
    svg = draw_svg(*networks["ends"])
    assert "<script" not in svg
    assert "\u202e" not in svg


def test_the_drawing_of_a_small_network_is_as_it_was(networks, golden):
    golden("diagram.svg", draw_svg(*networks["branches"]).replace("><", ">\n<") + "\n")
