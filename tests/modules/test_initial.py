import math

import pytest
import torch

from thalweg.modules.build import build
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import BatchNorm, Conv2d, ConvTranspose2d, Dense, Dropout, ReLU


def first(layer, *then, shape=(64, 8, 8)):
    x = y = Input(*shape)
    for each in (layer, *then):
        y = each(y)
    return next(build(Network(x, y), seed=0).children())


@pytest.mark.parametrize(
    ("layer", "fan_out"),
    [(Conv2d(128, 3), 9 * 128), (Conv2d(64, 3, groups=8), 9 * 8), (ConvTranspose2d(128, 3, groups=2), 9 * 64)],
)
def test_convolutions_have_he_variance(layer, fan_out):
    weight = first(layer).weight
    assert weight.std().item() == pytest.approx(math.sqrt(2 / fan_out), rel=0.05)
    assert abs(weight.mean().item()) < 0.01


def test_a_dense_layer_before_a_rectifier_has_he_variance():
    hidden = first(Dense(200), BatchNorm(), Dropout(), ReLU(), shape=(500,))
    assert hidden.weight.std().item() == pytest.approx(math.sqrt(2 / 500), rel=0.05)


def test_a_head_is_uniform_and_small():
    head = first(Dense(200), shape=(400,))
    assert head.weight.abs().max().item() == pytest.approx(1 / 20, rel=0.01)
    assert head.weight.std().item() == pytest.approx(1 / 20 / math.sqrt(3), rel=0.05)


def test_biases_start_at_nought():
    assert torch.count_nonzero(first(Conv2d(8, 3)).bias) == 0


def test_layers_of_one_form_differ_by_their_names():
    x = Input(3, 4, 4)
    module = build(Network(x, Conv2d(3, 3, padding=1)(Conv2d(3, 3, padding=1)(x))), seed=0)
    assert not torch.equal(module.conv1.weight, module.conv2.weight)


def test_a_layer_added_leaves_the_others_as_they_were():
    x = Input(3, 4, 4)
    y = Conv2d(3, 1, name="a")(x)
    alone = build(Network(x, y), seed=5)
    longer = build(Network(x, Conv2d(3, 1, name="b")(y)), seed=5)
    assert torch.equal(alone.a.weight, longer.a.weight)
