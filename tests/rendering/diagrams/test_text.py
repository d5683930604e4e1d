import pytest

from thalweg.accounting.ledger import count
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Conv2d, Flatten, GlobalAvgPool, Linear
from thalweg.rendering.diagrams.text import draw_text


@pytest.mark.parametrize("name", ["chain", "long", "residual", "branches", "wide", "ends"])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(networks, name, width):
    text = draw_text(*networks[name], width)
    assert max(map(len, text.splitlines())) <= width
    assert "\u202e" not in text


@pytest.mark.parametrize("name", ["chain", "residual", "branches", "ends"])
def test_every_corner_has_its_counterparts(networks, name):
    text = draw_text(*networks[name])
    assert text.count("▼") >= 2
    joined = [line for line in text.splitlines() if "▼" in line]
    rows = text.splitlines()
    for line in joined:
        below = rows[rows.index(line) + 1]
        assert all(below[column] in "─┌┐" for column, letter in enumerate(line) if letter == "▼")


def test_names_numbers_shapes_and_repeats_are_said(networks):
    text = draw_text(*networks["long"])
    assert "conv2d 3×3, 8 conv1                    224" in text
    assert "3x32x32" in text
    assert "100 times: conv2 to relu101" in text
    assert "output 5" in text


def test_branches_stand_side_by_side(networks):
    rows = draw_text(*networks["branches"]).splitlines()
    assert max(row.count("┌") for row in rows) == 4


def test_no_number_of_the_title_is_cut(networks):
    for width in range(40, 60):
        title = " ".join(line.strip() for line in draw_text(*networks["long"], width).partition("┌")[0].splitlines())
        assert title.split() == draw_text(*networks["long"], 80).partition("┌")[0].split(), width


def test_too_many_branches_are_listed_instead(networks):
    text = draw_text(*networks["wide"], 60)
    assert "b8.conv2 = conv2d 3×3, 4 reads b8.conv1" in text
    assert "act = concatenate + relu reads b0.conv1, b1.conv2," in text
    assert "b8.conv2 -> 36x8x8" in text


def test_the_drawing_of_a_small_network_is_as_it_was(networks, golden):
    golden("diagram.txt", draw_text(*networks["branches"]) + "\n")


def test_what_goes_on_beside_an_output_keeps_its_line():
    x = Input(3, 8, 8)
    shared = Conv2d(4, 3, padding="same")
    a = Conv2d(4, 3)(x)
    network = Network(x, [Linear(2)(GlobalAvgPool()(shared(a))), Linear(3)(Flatten()(shared(shared(a))))])
    rows = draw_text(network, count(network)).splitlines()
    for row, column in ((row, column) for row, line in enumerate(rows) for column in range(len(line))):
        if rows[row][column] == "▼":
            top = row - 1
            while rows[top].ljust(column + 1)[column] == "│":
                top -= 1
            assert rows[top].ljust(column + 1)[column] in "┬├┤┼┴┌┐└┘", "\n".join(rows)
