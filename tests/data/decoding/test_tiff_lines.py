"""libtiff's own lines stay off the terminal while a picture is decoded, and only then."""

import io

import numpy as np
import pytest
from PIL import Image

from thalweg.core.errors import PictureError
from thalweg.data.decoding import tiff_lines
from thalweg.data.decoding.decode import decode


def cut_tiff() -> bytes:
    kept = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(kept, "TIFF", compression="tiff_adobe_deflate")
    whole = kept.getvalue()
    return whole[:200] + b"\x00" * 400 + whole[600:]


def test_a_damaged_tiff_is_refused_with_a_reason_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    if tiff_lines._library() is None:
        pytest.skip("this Pillow has no libtiff of its own")
    with pytest.raises(PictureError):
        decode(cut_tiff())
    assert capfd.readouterr().err == ""


def test_afterwards_libtiff_speaks_again(capfd: pytest.CaptureFixture[str]) -> None:
    if tiff_lines._library() is None:
        pytest.skip("this Pillow has no libtiff of its own")
    with pytest.raises(PictureError):
        decode(cut_tiff())
    with pytest.raises(OSError, match="decoder error"), Image.open(io.BytesIO(cut_tiff())) as picture:
        picture.load()
    assert capfd.readouterr().err != ""
