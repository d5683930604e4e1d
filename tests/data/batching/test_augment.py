"""Laws of augmentation: exact moves of bytes, bounded changes, one fixed number of draws a picture."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.core.plan import Augmentation
from thalweg.data.batching.augment import augmentation_for, change_colours, place
from thalweg.data.batching.warping import warp, warp_with_masks

STILL = Augmentation.none()


def picture(side=9, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def placed(changes, seed, shape=None):
    source = picture() if shape is None else picture(shape)
    target = np.empty_like(source)
    place(target, source, changes, np.random.default_rng(seed))
    return target


def only(**changes):
    return Augmentation(
        **{"flip_horizontal": False, "shift": 0.0, "zoom": 0.0, "brightness": 0.0, "contrast": 0.0, "saturation": 0.0}
        | changes
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "possible"),
    [
        (only(flip_horizontal=True), [picture(), picture()[:, ::-1]]),
        (only(flip_vertical=True), [picture(), picture()[::-1]]),
        (only(quarter_turns=True), [np.rot90(picture(), quarters) for quarters in range(4)]),
        (STILL, [picture()]),
    ],
)
def test_flips_and_turns_are_exact_and_each_happens(changes, possible):
    seen = set()
    for seed in range(60):
        result = placed(changes, seed)
        (which,) = [number for number, form in enumerate(possible) if np.array_equal(form, result)]
        seen.add(which)
    assert seen == set(range(len(possible)))


def test_half_of_the_pictures_are_mirrored():
    mirrored = sum(np.array_equal(placed(only(flip_horizontal=True), seed), picture()[:, ::-1]) for seed in range(400))
    assert 160 < mirrored < 240


def padded_shift(source, x, y):
    """The slow truth: pad with the edge, then cut."""
    reach = max(abs(x), abs(y))
    wide = np.pad(source, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    height, width = source.shape[:2]
    return wide[reach - y : reach - y + height, reach - x : reach - x + width]


def test_a_shift_moves_whole_pixels_and_repeats_the_edge():
    possible = [padded_shift(picture(), x, y) for x in range(-2, 3) for y in range(-2, 3)]
    seen = set()
    for seed in range(200):
        result = placed(only(shift=2 / 9), seed)
        seen.add(next(number for number, form in enumerate(possible) if np.array_equal(form, result)))
    assert len(seen) > 20


def test_the_same_draw_gives_the_same_picture_and_takes_the_same_numbers():
    every = Augmentation(flip_vertical=True, quarter_turns=True, rotate_degrees=9.0)
    assert np.array_equal(placed(every, 3), placed(every, 3))
    ends = []
    for changes in (every, STILL, only(shift=0.2)):
        random = np.random.default_rng(5)
        place(np.empty_like(picture()), picture(), changes, random)
        ends.append(random.random())
    assert len(set(ends)) == 1  # what one picture draws never depends on what is switched on


@given(st.integers(0, 10**6), st.integers(1, 4), st.sampled_from((1, 3)))
@settings(max_examples=25, deadline=None)
def test_warps_and_colours_keep_shape_and_range(seed, count, channels):
    random = np.random.default_rng(seed)
    pixels = torch.from_numpy(random.uniform(0, 255, (count, channels, 12, 12)).astype(np.float32))
    changes = Augmentation(zoom=0.5, rotate_degrees=45.0, brightness=0.9, contrast=0.9, saturation=0.9, erase=0.5)
    warped = warp(pixels, changes, random)
    assert warped.shape == pixels.shape
    assert warped.min() >= pixels.min() - 1e-3
    assert warped.max() <= pixels.max() + 1e-3
    coloured = change_colours(warped.clone(), changes, random)
    assert coloured.shape == pixels.shape
    assert coloured.min() >= 0
    assert coloured.max() <= 255


def test_colours_stay_in_range_with_saturation_alone():
    pixels = torch.zeros(8, 3, 2, 2)
    pixels[:, 0] = 255
    result = change_colours(pixels, only(saturation=1.0), np.random.default_rng(0))
    assert result.min() >= 0
    assert result.max() <= 255


def test_nothing_asked_is_nothing_done():
    pixels = torch.rand(2, 3, 6, 6) * 255
    before = pixels.clone()
    assert warp(pixels, STILL, np.random.default_rng(0)) is pixels
    assert torch.equal(change_colours(pixels, STILL, np.random.default_rng(0)), before)


def test_a_warp_by_nothing_is_the_identity():
    pixels = torch.rand(3, 3, 8, 8) * 255

    class Middle:
        """Draws the middle of every range."""

        def uniform(self, low, high, size):
            return np.full(size, (low + high) / 2)

    torch.testing.assert_close(warp(pixels, Augmentation(zoom=0.3), Middle()), pixels, atol=1e-3, rtol=0)


def test_zoom_enlarges_about_the_centre():
    pixels = torch.zeros(1, 1, 33, 33)
    pixels[0, 0, 12:21, 12:21] = 255

    class Most:
        def uniform(self, _low, high, size):
            return np.full(size, high if isinstance(size, int) else 0.0)

    grown = warp(pixels, only(zoom=0.5), Most())[0, 0] > 127
    assert grown[:, 16].sum() == pytest.approx(9 * 1.5, abs=1)
    assert torch.equal(grown, grown.flip(0))
    assert torch.equal(grown, grown.flip(1))


def test_erasing_blanks_a_rectangle_in_its_share_of_pictures():
    pixels = torch.rand(200, 3, 20, 20) * 255
    result = change_colours(pixels.clone(), only(erase=0.25), np.random.default_rng(1))
    changed = (result != pixels).any(dim=1)
    touched = changed.flatten(1).any(dim=1)
    assert 30 <= int(touched.sum()) <= 70
    for mask in changed[touched]:
        rows, columns = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero()
        box = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert box.float().mean() > 0.95
        assert 1 / 400 <= box.numel() / 400 <= 0.25


def test_words_of_a_plan_stand_for_what_they_say():
    assert augmentation_for("none", upright=False) == STILL
    assert augmentation_for("auto", upright=True) == Augmentation()
    for choice, upright, quarters in (("turns", True, True), ("turns", False, True), ("auto", False, False)):
        assert augmentation_for(choice, upright=upright).quarter_turns == quarters


def test_samples_warped_a_few_at_a_time_equal_those_warped_together(monkeypatch):
    pixels = torch.rand(5, 1, 12, 16) * 255
    masks = torch.randint(0, 3, (5, 12, 16))
    wide = Augmentation(zoom=0.5, rotate_degrees=20)
    together = warp_with_masks(pixels, masks, wide, np.random.default_rng(1))
    monkeypatch.setattr("thalweg.data.batching.warping._PLACES", 2 * 12 * 16)
    apart = warp_with_masks(pixels, masks, wide, np.random.default_rng(1))
    assert torch.equal(together[0], apart[0])
    assert torch.equal(together[1], apart[1])
    assert torch.equal(warp(pixels, wide, np.random.default_rng(1)), apart[0])
    assert not torch.equal(apart[0], pixels)
