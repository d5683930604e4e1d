"""Pictures and masks are changed alike: what a pixel shows stays what its mask says."""

import numpy as np
import pytest
import torch

from thalweg.core.plan import Augmentation
from thalweg.data.batching.augment import augmentation_for
from thalweg.data.batching.batches import Batches

GEOMETRY = Augmentation(brightness=0, contrast=0, saturation=0, flip_vertical=True, shift=0.2, zoom=0.4)


def batches(augmentation, *, height=24, width=32, count=6):
    """Masks of blocks, and pictures whose red says the class."""
    random = np.random.default_rng(0)
    masks = np.kron(random.integers(0, 4, (count, height // 8, width // 8)), np.ones((8, 8))).astype(np.uint8)
    pixels = np.zeros((count, height, width, 3), np.uint8)
    pixels[..., 0] = 60 * masks
    rows = np.arange(count)
    return Batches(
        pixels, rows, rows, batch_size=4, seed=3, augmentation=augmentation, masks=masks, mask_rows=rows
    ), masks


@pytest.mark.parametrize("changes", [GEOMETRY, Augmentation(zoom=0, shift=0.3, brightness=0, contrast=0, saturation=0)])
def test_a_mask_moves_with_its_picture(changes):
    source, _ = batches(changes)
    moved = 0
    for batch in source.epoch(1):
        shown = batch.pixels[:, 0] / 60
        inside = (shown - shown.round()).abs() < 1e-3  # not between two classes
        assert inside.float().mean() > 0.5
        assert torch.equal(shown.round().long()[inside], batch.labels[inside])
        moved += int((batch.labels.numpy() != source.masks[source.mask_rows[batch.indices]]).sum())
    assert moved > 100


def test_colour_is_changed_in_the_picture_alone():
    changes = Augmentation(flip_horizontal=False, shift=0, zoom=0, brightness=0.3)
    source, masks = batches(changes)
    (first, *_) = source.epoch(1)
    assert np.array_equal(first.labels.numpy(), masks[first.indices])
    assert not torch.equal(first.pixels[:, 0].long(), 60 * first.labels)


def test_batches_repeat_and_go_on_in_the_middle():
    source, _ = batches(augmentation_for("auto", upright=True, masks=True))
    whole = list(source.epoch(2))
    (rest,) = source.epoch(2, first=1)
    assert torch.equal(rest.pixels, whole[1].pixels)
    assert torch.equal(rest.labels, whole[1].labels)


def test_evaluation_changes_nothing_and_a_smaller_side_keeps_proportions():
    source, masks = batches(None)
    (first, _) = source.epoch(0)
    assert np.array_equal(first.labels.numpy(), masks[:3])
    (small, _) = source.epoch(0, side=16)
    assert small.pixels.shape[2:] == small.labels.shape[1:] == (12, 16)
    assert set(small.labels.unique().tolist()) <= set(range(4))
