"""Figures as PNG: variables, dark screens, letters, machines without what it takes."""

import io

import pytest
from PIL import Image

from thalweg.core.errors import MissingExtraError, PlanError
from thalweg.core.report import Curves, Line
from thalweg.exporting import png
from thalweg.exporting.png import PNG_MARK, svg_png, undrawn_letters
from thalweg.rendering.figures.curves import draw_curves
from thalweg.rendering.palette import figure_style

SVG = '<svg xmlns="http://www.w3.org/2000/svg" class="tw" width="{width}" height="40">{style}{body}</svg>'


def _figure(body, *, width=80):
    return SVG.format(width=width, style=figure_style(), body=body)


def _pixels(data):
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        return picture.convert("RGB")


@pytest.fixture
def resvg():
    return pytest.importorskip("resvg_py", reason="the extra plots is not installed")


@pytest.fixture
def forgetful():
    """What is known about the fonts of this machine is asked for anew, before and after."""
    known = (png._has_fonts, png._has_letter, png._sample)
    for each in known:
        each.cache_clear()
    yield
    for each in known:
        each.cache_clear()


def test_without_resvg_one_line_says_what_to_install(monkeypatch, forgetful):
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    with pytest.raises(MissingExtraError, match=r"resvg_py is needed .*: pip install 'thalweg\[plots\]'"):
        svg_png(_figure('<text x="4" y="20">a</text>'))


def test_nothing_is_left_that_resvg_does_not_know():
    curves = Curves(caption="", x_label="epoch", y_label="loss", lines=(Line(label="a", x=(1, 2), y=(1, 2)),))
    plain = png._plain(draw_curves(curves))
    assert "var(" not in plain
    assert "@media" not in plain
    assert ".tw text{fill:#1c2a30" in plain


def test_a_figure_has_the_colours_of_a_light_screen_twice_as_fine(resvg):
    picture = _pixels(svg_png(_figure('<rect class="fill0" width="80" height="40"/>')))
    assert picture.size == (160, 80)
    assert picture.getpixel((80, 40)) == (0x00, 0x72, 0xB2)


def test_a_huge_drawing_is_less_fine_instead_of_huge(resvg, monkeypatch):
    monkeypatch.setattr(png, "_LARGEST", 80 * 40)
    assert _pixels(svg_png(_figure("<g/>"))).size == (80, 40)


def test_a_picture_says_who_drew_it(resvg):
    drawn = svg_png(_figure("<g/>"))
    assert PNG_MARK in drawn
    with Image.open(io.BytesIO(drawn)) as picture:
        assert picture.info["Software"] == "thalweg"


def test_persian_letters_are_joined(resvg, forgetful):
    if undrawn_letters(_figure("<text>س</text>")):
        pytest.skip("no font of this machine has Persian letters")

    def ink(text):
        picture = _pixels(svg_png(_figure(f'<text x="4" y="25">{text}</text>', width=200))).convert("L")
        return picture.point(lambda grey: 255 * (grey < 128)).getbbox()[2]

    assert ink("سسسس") < ink("س\u200cس\u200cس\u200cس") - 8  # joined letters are narrower than those that stand alone


def test_missing_letters_are_found_by_what_is_drawn(monkeypatch, forgetful):
    def drawn(svg, _scale):
        return b"box" if "ن" in svg or png._NOWHERE in svg else svg.encode()

    monkeypatch.setattr(png, "_drawn", drawn)
    assert undrawn_letters(_figure("<text>نان é</text><tspan>&lt;ن</tspan>")) == "ن"


def test_a_machine_without_fonts_is_told(monkeypatch, forgetful):
    monkeypatch.setattr(png, "_drawn", lambda *_: b"nothing")
    with pytest.raises(PlanError, match="no font to write PNG figures with: install one"):
        svg_png(_figure('<text x="4" y="20">a</text>'))
    assert svg_png(_figure("<g/>")) == b"nothing"  # one without letters needs none


def test_what_is_no_drawing_is_one_sentence(resvg):
    with pytest.raises(PlanError, match=r"a figure cannot be drawn as PNG: .*; --figures writes it as SVG"):
        svg_png("<svg")
