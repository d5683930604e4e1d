"""Reasons are sentences for people."""

import pytest
from PIL import Image, UnidentifiedImageError

from thalweg.data.decoding.damage import reason_of


@pytest.mark.parametrize(
    ("error", "data", "reason"),
    [
        (UnidentifiedImageError("x"), b"\x89PNG and nothing", "starts like PNG but its header is damaged"),
        (UnidentifiedImageError("x"), b"  <svg xmlns=", "an SVG drawing"),
        (UnidentifiedImageError("x"), bytes(9), "only zero bytes (9 in all)"),
        (
            Image.DecompressionBombError("Image size (4364696535 pixels) exceeds limit of 178956970 pixels, could be"),
            b"GIF89a",
            "4,364,696,535 pixels, more than the limit of 178,956,970",
        ),
        (MemoryError(), b"x", "more memory than there is"),
        (EOFError("no more"), b"12345", "ends too early (it has 5 bytes)"),
        (ValueError("bad\nvalue"), b"x", "damaged: bad value"),
        (KeyError("mode"), b"x", "KeyError"),
    ],
)
def test_reason(error, data, reason):
    said = reason_of(error, data)
    assert reason in said
    assert "\n" not in said
