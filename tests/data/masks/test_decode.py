"""Masks of numbers, palettes and colours mean the same, and what no table knows is counted."""

import numpy as np
import pytest
from PIL import Image

from thalweg.core.errors import PictureError, SourceError
from thalweg.core.masks import VOID
from thalweg.data.masks.classes import ClassTable, TableRow
from thalweg.data.masks.coding import choose_coding
from thalweg.data.masks.decode import read_mask

TRUTH = np.array([[0, 0, 1], [1, 0, 255]], np.uint8)
COLOURS = np.array([(128, 64, 128), (64, 0, 128)], np.uint8)
TABLE = ClassTable(
    rows=(
        TableRow(value=0, name="road", colour=(128, 64, 128)),
        TableRow(value=1, name="car", colour=(64, 0, 128)),
        TableRow(value=2, name="void", colour=(0, 0, 0), void=True),
    ),
    place="classes.csv",
)


def coloured():
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[TRUTH != VOID] = COLOURS[TRUTH[TRUTH != VOID]]
    return Image.fromarray(pixels)


def palette():
    image = Image.fromarray(TRUTH)
    image.putpalette([0, 0, 0, 255, 0, 0] + [9] * 762)
    return image


def grey():
    return Image.fromarray(np.where(TRUTH == VOID, 2, TRUTH).astype(np.uint8))


@pytest.mark.parametrize(
    ("image", "table"),
    [
        (coloured(), TABLE),
        (coloured().convert("RGBA"), TABLE),
        (grey(), TABLE),
        (grey().convert("RGB"), TABLE),
        (grey().convert("I;16"), TABLE),
        (palette(), TABLE),
        (Image.fromarray(TRUTH), TABLE),
        (Image.fromarray(TRUTH), None),
    ],
)
def test_every_form_of_a_mask_gives_the_same_classes(tmp_path, image, table):
    image.save(tmp_path / "a.png")
    coding = choose_coding(tmp_path, ["a.png"], table, "source")
    found, unknown = read_mask(tmp_path / "a.png", coding)
    assert found.tolist() == TRUTH.tolist()
    assert unknown == {}
    assert len(coding.classes) == 2


def test_a_palette_is_read_by_colour_where_the_table_has_no_numbers(tmp_path):
    image = coloured().quantize(8)  # its entries come in an order of their own
    image.save(tmp_path / "a.png")
    table = ClassTable(rows=TABLE.rows, place="class_dict.csv", numbered=False)
    coding = choose_coding(tmp_path, ["a.png"], table, "source")
    assert read_mask(tmp_path / "a.png", coding)[0].tolist() == TRUTH.tolist()


def test_unknown_values_become_void_and_are_counted(tmp_path):
    Image.fromarray(np.array([[0, 1, 9, 9]], np.uint8)).save(tmp_path / "a.png")
    coding = choose_coding(tmp_path, ["a.png"], TABLE, "source")
    found, unknown = read_mask(tmp_path / "a.png", coding)
    assert found.tolist() == [[0, 1, 255, 255]]
    assert unknown == {9: 2}


def test_black_and_white_masks_have_a_foreground(tmp_path):
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / "a.png")
    coding = choose_coding(tmp_path, ["a.png"], None, "source")
    assert coding.classes == ("background", "foreground")
    assert read_mask(tmp_path / "a.png", coding)[0].tolist() == [[0, 1]]


def test_what_cannot_be_understood_is_refused(tmp_path):
    coloured().save(tmp_path / "a.png")
    with pytest.raises(SourceError, match=r"3 colours, such as \(0, 0, 0\), .* no classes.csv says what they mean"):
        choose_coding(tmp_path, ["a.png"], None, "source")
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "b.png")
    with pytest.raises(SourceError, match=r"all masks hold one value \(0\)"):
        choose_coding(tmp_path, ["b.png"], None, "source")
    (tmp_path / "c.png").write_text("no picture")
    with pytest.raises(SourceError, match=r"no mask of 1 can be read; c\.png"):
        choose_coding(tmp_path, ["c.png"], None, "source")
    numbers = choose_coding(tmp_path, ["b.png"], TABLE, "source")
    with pytest.raises(PictureError, match="holds colours, and the other masks hold numbers"):
        read_mask(tmp_path / "a.png", numbers)
