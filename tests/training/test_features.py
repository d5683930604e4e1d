"""Cached features: in the order of the split, a head at its minimum, folded in exactly."""

import numpy as np
import pytest
import torch

from thalweg.core.plan import Augmentation
from thalweg.data.batching.batches import Batches
from thalweg.training.device import Device
from thalweg.training.features import FeatureBatches, Scaling, features_of, fit_head, fold_in, scaling_of

CPU = Device("cpu", None)


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 255, (10, 8, 8, 3), dtype=np.uint8)


def network():
    torch.manual_seed(0)
    net = torch.nn.Sequential()
    net.add_module("pool", torch.nn.AdaptiveAvgPool2d(1))
    net.add_module("flat", torch.nn.Flatten())
    net.add_module("drop", torch.nn.Dropout(0.5))
    net.add_module("head", torch.nn.Linear(3, 2))
    return net.train()


@pytest.mark.parametrize("augmentation", [None, Augmentation.none()], ids=["stored order", "shuffled"])
def test_features_lie_in_the_order_of_the_split(pictures, augmentation):
    batches = Batches(pictures, range(10), [0] * 10, batch_size=3, augmentation=augmentation)
    net = network()
    found = features_of(net, "head", batches, CPU, epoch=1)
    assert torch.allclose(found, torch.from_numpy(pictures).float().mean(dim=(1, 2)), atol=1e-3)
    assert net.training
    assert net.drop.training


def test_a_fitted_head_is_at_its_minimum_and_folds_in_exactly():
    torch.manual_seed(1)
    features = torch.randn(2, 60, 5) * torch.tensor([1.0, 30.0, 0.1, 2.0, 1.0]) + 4
    labels = (features[0, :, 1] > 4).long()
    scaling = scaling_of(features)
    scaled = (features - scaling.mean) / scaling.deviation
    weight, bias, strength = fit_head(scaled, labels, 1)
    logits = scaled[0] @ weight.T + bias
    assert ((logits[:, 0] > 0).long() == labels).float().mean() > 0.9
    head = torch.nn.Linear(5, 1)
    fold_in(head, weight, bias, scaling)
    assert torch.allclose(head(features[0]), logits, atol=1e-4)
    flat, truth = scaled.reshape(-1, 5), labels.repeat(2).float()
    error = torch.sigmoid(flat @ weight.T + bias)[:, 0] - truth
    gradient = flat.T @ error / len(truth) + strength * weight[0]
    assert gradient.abs().max() < 1e-3


@pytest.mark.parametrize(
    ("pictures", "useless", "least", "most"),
    [(400, 0, 1e-4, 0.01), (60, 300, 0.1, 1.0), (20, 300, 0.3, 0.3)],
    ids=["plain", "few pictures, many features", "too few to choose by"],
)
def test_the_decay_of_a_head_follows_what_held_out_pictures_say(pictures, useless, least, most):
    random = torch.Generator().manual_seed(2)
    features = torch.randn(1, pictures, 2 + useless, generator=random)
    labels = (features[0, :, 0] + 0.1 * torch.randn(pictures, generator=random) > 0).long()
    assert least <= fit_head(features, labels, 1)[2] <= most


def test_a_feature_that_never_changes_does_no_harm():
    scaling = scaling_of(torch.ones(1, 4, 2))
    assert scaling.deviation.tolist() == [1.0, 1.0]


def test_epochs_take_the_views_in_turn_and_begin_anywhere():
    views = torch.stack([torch.zeros(7, 1), torch.ones(7, 1)])
    batches = FeatureBatches(views, torch.arange(7), batch_size=3, seed=1, shuffled=True)
    assert batches.steps == 3
    first, second = ([*batches.epoch(epoch)] for epoch in (1, 2))
    assert (first[0].pixels.max(), second[0].pixels.min()) == (0.0, 1.0)
    assert sorted(int(label) for batch in first for label in batch.labels) == list(range(7))
    assert torch.equal(next(batches.epoch(1, first=2)).labels, first[2].labels)
    assert isinstance(Scaling(views, views).mean, torch.Tensor)
