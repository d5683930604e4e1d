"""Blocks of pictures come out to the bit as Pillow makes each of them alone."""

import numpy as np
import pytest
from PIL import Image

from thalweg.data.storing import blocks
from thalweg.data.storing.blocks import are_grey, miniatures, resized


def noise(count, high, wide, channels, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, high, wide, channels), dtype=np.uint8)


def alone(pictures, size):
    images = [Image.fromarray(each.squeeze(2) if each.shape[2] == 1 else each) for each in pictures]
    return np.stack([np.asarray(image.resize(size, Image.Resampling.BILINEAR)) for image in images])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("own", "size"),
    # Smaller, larger, one axis each way (Pillow takes the other axis first in some), one axis alone, and tiny ones.
    [((28, 28), (16, 16)), ((28, 28), (96, 96)), ((17, 12), (16, 16)), ((12, 17), (16, 16)), ((20, 9), (50, 9)),
     ((9, 20), (9, 50)), ((40, 30), (24, 11)), ((2, 3), (16, 16)), ((1, 1), (16, 16))],
)  # fmt: skip
def test_resizing_a_block_is_resizing_each(channels, own, size):
    pictures = noise(9, *own, channels)
    assert np.array_equal(resized(pictures, size).squeeze(), alone(pictures, size).squeeze())


def test_which_axis_comes_first_is_asked_of_pillow_and_where_noise_does_not_tell_each_is_resized_alone(monkeypatch):
    pictures = noise(5, 40, 17, 3)
    right = alone(pictures, (16, 16))
    other = blocks._columns_first(pictures, (16, 16))
    assert not np.array_equal(other, right) or not np.array_equal(blocks._rows_first(pictures, (16, 16)), right)
    monkeypatch.setattr(blocks, "_rows_first", lambda pictures, size: blocks._one_by_one(pictures, size) ^ 1)
    monkeypatch.setattr(blocks, "_columns_first", blocks._rows_first)
    blocks._way.cache_clear()
    assert np.array_equal(resized(pictures, (16, 16)), right)
    blocks._way.cache_clear()


def test_miniatures_are_those_of_single_pictures():
    pictures = noise(7, 31, 22, 3)
    shown = [Image.fromarray(each).convert("L").resize((16, 16), Image.Resampling.BILINEAR) for each in pictures]
    assert np.array_equal(miniatures(pictures), np.stack([np.asarray(each) for each in shown]))
    assert miniatures(pictures[:0]).shape == (0, 16, 16)


def test_a_picture_is_grey_where_all_its_channels_are_equal_everywhere():
    pictures = noise(3, 5, 6, 3)
    pictures[1] = pictures[1, ..., :1]
    pictures[2] = pictures[2, ..., :1]
    pictures[2, 4, 5, 2] ^= 1
    assert are_grey(pictures).tolist() == [False, True, False]
    assert are_grey(noise(2, 5, 6, 1)).all()
