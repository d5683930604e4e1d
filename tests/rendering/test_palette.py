import itertools

from thalweg.rendering.diagrams.families import FAMILIES
from thalweg.rendering.palette import LINES_DARK, LINES_LIGHT, figure_style


def luminance(colour):
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_line_stands_three_to_one_against_its_paper():
    assert min(contrast(colour, "#fffdf9") for colour in LINES_LIGHT) >= 3
    assert min(contrast(colour, "#182226") for colour in LINES_DARK) >= 3


def test_text_stands_at_least_four_and_a_half_to_one():
    assert contrast("#59676d", "#fffdf9") >= 4.5
    assert contrast("#a3b1b7", "#182226") >= 4.5


def test_colours_are_all_different():
    for colours in (LINES_LIGHT, LINES_DARK, [light for light, _ in FAMILIES.values()]):
        assert len(set(colours)) == len(colours)
    for (one, dark), (other, dark2) in itertools.combinations(FAMILIES.values(), 2):
        assert one != other
        assert dark != dark2


def test_paper_is_never_dark():
    assert "@media screen and (prefers-color-scheme:dark)" in figure_style()
