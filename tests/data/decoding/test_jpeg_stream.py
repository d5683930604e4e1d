"""Damage that decoders paint over is seen from the structure of the file."""

import io

import numpy as np
import pytest
from PIL import Image

from thalweg.data.decoding.jpeg_stream import WatchedJpeg, strict_complaint, survey


def jpeg(**options):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (80, 64, 3), np.uint8)).resize((80, 96))
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def appetite(data):
    """Load a file in watched portions and ask what that tells."""
    found = survey(data)
    assert found.data_end is not None
    stream = WatchedJpeg(data, found.data_end)
    with Image.open(stream) as image:
        stream.watch()
        image.load()
    return stream.notes()


def test_a_sound_file_is_silent():
    data = jpeg()
    assert survey(data).notes == ()
    assert survey(data).data_end == len(data) - 2
    assert appetite(data) == ()
    assert appetite(data[:-2] + b"\xff\xff" + data[-2:]) == (), "fill bytes are allowed"
    assert appetite(data + b"something after the picture") == ()


def test_left_over_and_missing_bytes_are_told_apart():
    data = jpeg()
    assert "left over" in appetite(data[:-2] + bytes(20) + data[-2:])[0]
    assert "invented" in appetite(data[: len(data) * 2 // 3] + b"\xff\xd9")[0]


def test_progressive_files_are_not_watched():
    assert survey(jpeg(progressive=True)).data_end is None


def test_markers():
    data = jpeg()
    assert "without its end marker" in survey(data[:-2]).notes[0]
    assert "3 stray bytes" in survey(data[:2] + b"abc" + data[2:]).notes[0]
    restarts = jpeg(restart_marker_rows=1)
    assert survey(restarts).notes == ()
    assert survey(restarts).restarts
    first, second = restarts.find(b"\xff\xd0"), restarts.find(b"\xff\xd1")
    assert "out of order" in survey(restarts[:first] + restarts[second:]).notes[0]


def test_strict_mode_is_asked_where_it_is_installed():
    pytest.importorskip("simplejpeg")
    data = jpeg(progressive=True)
    assert strict_complaint(data) == ""
    assert strict_complaint(data[: len(data) // 2] + b"\xff\xd9").startswith("Corrupt JPEG data")
