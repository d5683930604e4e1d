"""Batches are functions of (seed, epoch, number): every picture once, the same again, from any step."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.core.plan import Augmentation
from thalweg.data.batching.augment import augmentation_for
from thalweg.data.batching.batches import Batches
from thalweg.training.ranks import part_of

CHANGES = Augmentation(flip_vertical=True, quarter_turns=True, rotate_degrees=5.0, erase=0.3)


def pictures(count=23, side=16, channels=3):
    return np.random.default_rng(0).integers(0, 256, (count, side, side, channels), dtype=np.uint8)


def batches(count=23, *, size=5, seed=7, changes=CHANGES, channels=3, side=16):
    return Batches(
        pictures(count, side, channels), np.arange(count), np.arange(count) % 3, batch_size=size, seed=seed,
        augmentation=changes,
    )  # fmt: skip


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_each_picture_comes_once_an_epoch_in_batches_of_nearly_one_size(count, size, epoch):
    source = batches(count, size=size, side=4)
    parts = [batch.indices.tolist() for batch in source.epoch(epoch)]
    assert sorted(index for part in parts for index in part) == list(range(count))
    assert len(parts) == source.steps
    sizes = {len(part) for part in parts}
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1


def test_without_augmentation_every_picture_comes_in_order_unchanged():
    source = batches(changes=None)
    given_batches = list(source.epoch(1))
    assert np.concatenate([batch.indices for batch in given_batches]).tolist() == list(range(23))
    pixels = torch.cat([batch.pixels for batch in given_batches])
    assert torch.equal(pixels, torch.from_numpy(pictures()).permute(0, 3, 1, 2).float())


def test_a_batch_has_the_form_that_networks_want():
    batch = next(batches().epoch(1))
    assert batch.pixels.shape == (5, 3, 16, 16)
    assert batch.pixels.dtype == torch.float32
    assert batch.pixels.is_contiguous(memory_format=torch.channels_last)
    assert batch.labels.dtype == torch.int64
    assert batch.labels.tolist() == [index % 3 for index in batch.indices]
    assert batch.pixels.min() >= 0
    assert batch.pixels.max() <= 255


@pytest.mark.parametrize("first", [0, 1, 4, 5])
def test_an_epoch_goes_on_in_the_middle_with_the_same_bits(first):
    whole = list(batches().epoch(3))[first:]
    rest = list(batches().epoch(3, first=first))
    assert len(whole) == len(rest) == 5 - first
    for one, two in zip(whole, rest, strict=True):
        assert torch.equal(one.pixels, two.pixels)
        assert np.array_equal(one.indices, two.indices)


def test_epochs_and_seeds_differ():
    def first(seed, epoch):
        return next(batches(seed=seed).epoch(epoch))

    assert not np.array_equal(first(7, 1).indices, first(7, 2).indices)
    assert not np.array_equal(first(7, 1).indices, first(8, 1).indices)
    same_pictures = [
        batches(seed=seed).batch(np.arange(5), epoch, 0).pixels for seed, epoch in ((7, 1), (7, 2), (8, 1))
    ]
    assert not torch.equal(same_pictures[0], same_pictures[1])
    assert not torch.equal(same_pictures[0], same_pictures[2])


def test_grey_pictures_are_repeated():
    batch = next(batches(channels=1).epoch(1))
    assert batch.pixels.shape == (5, 3, 16, 16)
    assert torch.equal(batch.pixels[:, 0], batch.pixels[:, 1])
    assert torch.equal(batch.pixels[:, 0], batch.pixels[:, 2])
    batch.pixels[:, 0] = 0.0  # the copies share no memory
    assert batch.pixels[:, 1].max() > 0


@pytest.mark.parametrize("changes", [None, CHANGES])
def test_pictures_are_scaled_to_the_side_of_a_stage(changes):
    source = batches(changes=changes)
    small = next(source.epoch(1, side=8)).pixels
    assert small.shape == (5, 3, 8, 8)
    if changes is None:
        whole = next(source.epoch(1)).pixels
        torch.testing.assert_close(small.mean(dim=(2, 3)), whole.mean(dim=(2, 3)), atol=6, rtol=0)
    assert torch.equal(next(source.epoch(1, side=16)).pixels, next(source.epoch(1)).pixels)


def test_the_cache_is_only_read():
    source = batches()
    source.pixels.flags.writeable = False
    list(source.epoch(1))
    assert np.array_equal(source.pixels, pictures())


@pytest.mark.parametrize("kind", ["picture", "signal", "volume", "mask"])
@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_together_make_the_batches_of_one_process(kind, ranks):
    random = np.random.default_rng(0)
    shape = {"picture": (20, 20, 3), "signal": (50, 2), "volume": (8, 8, 8, 1), "mask": (20, 24, 3)}[kind]
    samples = random.integers(0, 255, (23, *shape), dtype=np.uint8)
    if kind in {"signal", "volume"}:
        samples = samples.astype(np.float32)
    masks = random.integers(0, 3, (23, 20, 24), dtype=np.uint8) if kind == "mask" else None
    form = "picture" if kind == "mask" else kind
    changes = augmentation_for("auto", upright=True, form=form, masks=kind == "mask")
    if kind == "picture":
        changes = replace(changes, erase=0.5, rotate_degrees=10.0)

    def made(part=None):
        rows = np.arange(23)
        mask_rows = rows if kind == "mask" else ()
        return list(
            Batches(samples, rows, rows % 2, batch_size=8, seed=3, augmentation=changes, masks=masks,
                    mask_rows=mask_rows, part=part).epoch(2)
        )  # fmt: skip

    shared = [made(functools.partial(part_of, rank=rank, size=ranks)) for rank in range(ranks)]
    for batch, *parts in zip(made(), *shared, strict=True):
        assert torch.equal(batch.pixels, torch.cat([part.pixels for part in parts]))
        assert torch.equal(batch.labels, torch.cat([part.labels for part in parts]))
        assert np.array_equal(batch.indices, np.concatenate([part.indices for part in parts]))
        assert {part.whole for part in parts} == {len(batch.labels)}
