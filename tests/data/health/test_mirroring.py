"""Classes that tell left from right are found, by name and by what mirrored copies cost."""

import numpy as np
import pytest
import torch

from thalweg.data.health import mirroring
from thalweg.data.health.mirroring import MirrorTrial, try_mirroring
from thalweg.data.health.sides import sided_classes


def signs(count=160, side=32, *, sided=True):
    """Wedges that point left or right, or up or down, somewhere on noise."""
    random = np.random.default_rng(0)
    pictures, labels = random.integers(60, 120, (count, side, side, 1)), np.arange(count) % 2
    wedge = np.tril(np.full((14, 14), 110))
    for picture, label in zip(pictures, labels, strict=True):
        down, across = random.integers(4, side - 18, 2)
        turned = (wedge[:, ::-1] if label else wedge) if sided else (wedge[::-1] if label else wedge)
        if not sided and random.random() < 0.5:
            turned = turned[:, ::-1]
        picture[down : down + 14, across : across + 14, 0] += turned
    return pictures.astype(np.uint8), labels


@pytest.mark.parametrize("side", [32, 48])
def test_classes_that_are_one_another_mirrored_lose_by_mirrored_copies(side):
    pictures, labels = signs(side=side)
    tried = try_mirroring(pictures, np.arange(160), labels)
    assert tried.costs
    assert tried.lost > 4 * max(1, tried.won)


def test_other_classes_do_not():
    pictures, labels = signs(sided=False)
    tried = try_mirroring(pictures, np.arange(160), labels)
    assert tried.files == 160
    assert not tried.costs


def test_the_rows_that_are_named_are_looked_at_and_the_same_seed_tells_the_same():
    pictures, labels = signs()
    both = np.concatenate([np.zeros_like(pictures), pictures])
    state = torch.get_rng_state()
    assert try_mirroring(both, np.arange(160, 320), labels) == try_mirroring(pictures, np.arange(160), labels)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_came_of_it_is_remembered_for_the_same_pictures_and_labels(own_cache, monkeypatch):
    pictures, labels = signs()
    tried = try_mirroring(pictures, np.arange(160), labels)
    monkeypatch.setattr(mirroring, "_tried", lambda *_: None)
    assert try_mirroring(pictures, np.arange(160), labels) == tried
    assert try_mirroring(pictures, np.arange(160), 1 - labels) is None
    assert try_mirroring(pictures, np.arange(160), labels, seed=1) is None
    pictures[7] ^= 1
    assert try_mirroring(pictures, np.arange(160), labels) is None
    (first, *_) = own_cache.rglob("*.json")
    first.write_text('{"files": 1}')  # damaged: asked anew, and no fault
    assert try_mirroring(pictures, np.arange(160), labels) is None


def test_too_few_pictures_and_pictures_of_nothing_tell_nothing():
    pictures, labels = signs(30)
    assert try_mirroring(pictures, np.arange(30), labels) is None
    assert try_mirroring(np.full((60, 32, 32, 3), 9, np.uint8), np.arange(60), np.arange(60) % 2) is None


@pytest.mark.parametrize(
    ("lost", "won", "costs"), [(9, 0, True), (8, 0, False), (30, 8, True), (30, 16, False), (0, 0, False)]
)
def test_a_cost_must_be_beyond_chance(lost, won, costs):
    assert MirrorTrial(100, lost, won).costs is costs


@pytest.mark.parametrize(
    ("classes", "found"),
    [
        (("dot", "turn-left", "turn-right"), ("turn-left", "turn-right")),
        (("handLeft", "handRight"), ("handLeft", "handRight")),
        (("Curve Right 2", "Curve Left 2"), ("Curve Left 2", "Curve Right 2")),
        (("eye_l", "eye_r"), ("eye_l", "eye_r")),
        (("پیچ به چپ", "پیچ به راست"), ("پیچ به چپ", "پیچ به راست")),
        (("left", "other"), None),
        (("right", "wrong"), None),
        (tuple("abcdefghijklmnopqrstuvwxyz"), None),
        (("cleft", "cright"), None),
    ],
)
def test_sides_in_names_are_words_of_their_own(classes, found):
    assert sided_classes(classes) == found
