"""Deep grey becomes 8 bits by the rule that is written down."""

import numpy as np
import pytest
from PIL import Image

from thalweg.core.errors import PictureError
from thalweg.data.decoding.tones import eight_bit, scale_deep_grey


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0, 255], [0, 255]),
        ([0, 4095], [0, 255]),
        ([0, 32768, 65535], [0, 128, 255]),
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([4660, 4660], [145, 145]),
        ([291, 694], [73, 173]),
    ],
)
def test_values_are_scaled_by_the_bits_that_hold_them(values, shown):
    notes = []
    assert scale_deep_grey(np.array(values), notes).tolist() == shown
    assert notes == []


@pytest.mark.parametrize("values", [[-5, 0, 5], [0, 1_000_000], list(range(65_000, 65_040)), [-1.0, 1.0]])
def test_what_does_not_fit_is_stretched_and_said(values):
    notes = []
    shown = scale_deep_grey(np.array(values), notes)
    assert (shown.min(), shown.max()) == (0, 255)
    assert "stretched" in notes[0]


def test_a_picture_without_a_finite_value_is_refused():
    with pytest.raises(PictureError, match="finite"):
        scale_deep_grey(np.array([np.inf, np.nan]), [])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16", "RGBX"])
def test_every_mode_ends_in_grey_or_colour(mode):
    assert eight_bit(Image.new(mode, (2, 2)), []).mode in {"L", "RGB"}
