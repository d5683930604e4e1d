"""The loss and scores of pictures whose every pixel has a class: void counts for nothing."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from thalweg.data.batching.batches import Batches
from thalweg.training.device import Device
from thalweg.training.loss import cross_entropy, pixel_weights
from thalweg.training.mask_scoring import score_masks
from thalweg.training.scoring import right_share


@pytest.fixture
def case():
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 4, 5, generator=random)
    labels = torch.randint(0, 3, (2, 4, 5), generator=random)
    labels[0, 0, :3] = 255
    return logits, labels


def test_the_loss_is_the_mean_over_pixels_that_have_a_class(case):
    logits, labels = case
    known = labels != 255
    flat, real = logits.movedim(1, -1)[known], labels[known]
    assert float(cross_entropy(logits, labels)) == pytest.approx(float(functional.cross_entropy(flat, real)))
    weights = torch.tensor([0.5, 1.0, 3.0])
    each = functional.cross_entropy(flat, real, reduction="none") * weights[real]
    assert float(cross_entropy(logits, labels, weights=weights)) == pytest.approx(float(each.mean()))
    changed = logits.clone()
    changed[0, :, 0, :3] = 100 * torch.randn(3, 3)
    assert float(cross_entropy(changed, labels)) == pytest.approx(float(cross_entropy(logits, labels)))


def test_pictures_that_are_all_void_have_no_loss_and_no_right_answers(case):
    logits, labels = case
    void = torch.full_like(labels, 255)
    assert float(cross_entropy(logits, void)) == 0
    assert float(right_share(logits, void)) == 0
    assert float(right_share(logits, logits.argmax(dim=1))) == 2


def test_weights_lift_rare_classes_and_leave_the_mean_pixel_at_one():
    pixels = (900_000, 90_000, 10_000, 0)
    for choice in ("auto", "balanced"):
        weights = pixel_weights(pixels, choice)
        assert weights[0] < weights[1] < weights[2]
        mean = sum(weight * count for weight, count in zip(weights, pixels, strict=True)) / sum(pixels)
        assert mean == pytest.approx(1)
        assert weights[3] == 1
    assert pixel_weights(pixels, "none") is None


def test_scores_are_those_of_the_network_s_answers():
    random = np.random.default_rng(1)
    masks = random.integers(0, 2, (5, 6, 8)).astype(np.uint8)
    masks[0, 0] = 255
    pixels = np.repeat(masks[..., None] * 200, 3, axis=3).astype(np.uint8)
    pixels[1] = 255 - pixels[1]  # one picture shows the opposite
    rows = np.arange(5)
    batches = Batches(pixels, rows, rows, batch_size=2, masks=masks, mask_rows=rows)

    class Threshold(torch.nn.Module):
        def forward(self, shown):
            return torch.cat((shown[:, :1].new_full((len(shown), 1, 6, 8), 100.0), shown[:, :1]), dim=1)

    scores = score_masks(Threshold(), batches, Device("cpu", None))
    assert scores.confusions.shape == (5, 2, 2)
    assert np.trace(scores.confusions[1]) == 0
    assert scores.confusions[0].sum() == 5 * 8
    right = sum(np.trace(each) for each in scores.confusions)
    assert scores.accuracy == pytest.approx(right / scores.confusions.sum())
    whole = scores.confusions.sum(axis=0)
    ious = [whole[k, k] / (whole[k].sum() + whole[:, k].sum() - whole[k, k]) for k in range(2)]
    assert scores.further == {"val_mean_iou": pytest.approx(np.mean(ious))}
