"""The shared fixtures keep what their docstrings promise."""

import hashlib
import os

import numpy as np
from PIL import Image


def _pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_photo_folder_has_two_classes_that_hue_tells_apart(photo_folder):
    assert [folder.name for folder in sorted(photo_folder.iterdir())] == ["blue", "red"]
    files = sorted(photo_folder.glob("*/*.png"))
    assert len(files) == 48
    for file in files:
        red, _, blue = _pixels(file).reshape(-1, 3).mean(axis=0)
        assert (red > blue) == (file.parent.name == "red")


def test_no_two_photos_look_alike(photo_folder):
    files = sorted(photo_folder.glob("*/*.png"))
    grey = np.stack([_pixels(file).mean(axis=-1).reshape(8, 4, 8, 4).mean(axis=(1, 3)).ravel() for file in files])
    correlation = np.corrcoef(grey)
    np.fill_diagonal(correlation, 0)
    assert correlation.max() < 0.6
    assert len({hashlib.sha256(file.read_bytes()).digest() for file in files}) == len(files)


def test_the_cache_is_a_temporary_folder(tmp_path_factory):
    assert os.environ["THALWEG_CACHE"].startswith(str(tmp_path_factory.getbasetemp()))
    assert int(os.environ["OMP_NUM_THREADS"]) >= 1
