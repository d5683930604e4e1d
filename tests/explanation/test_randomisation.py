import math

import pytest
import torch
from torch import nn

from thalweg.explanation.class_activation import class_activation
from thalweg.explanation.randomisation import cascade, randomised, weighted_layers
from thalweg.explanation.saliency import saliency


def trained_network():
    torch.manual_seed(2)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3),
    ).eval()  # fmt: skip


def test_a_map_that_does_not_depend_on_weights_stays_and_others_change():
    network, x, classes = trained_network(), torch.rand(4, 1, 12, 12), torch.tensor([0, 1, 2, 0])
    groups = [["7"], ["3"], ["0", "1"]]

    def edges(_network):
        return (x[:, 0, 1:, 1:] - x[:, 0, :-1, :-1]).abs()

    drawn = cascade(network, groups, edges)
    assert [step.rank for step in drawn] == pytest.approx([1, 1, 1])
    assert [step.structure for step in drawn] == pytest.approx([1, 1, 1])
    felt = cascade(network, groups, lambda other: class_activation(other, "4", x, classes))
    assert len(felt) == 3
    assert abs(felt[-1].rank) < 0.5
    moved = cascade(network, groups, lambda other: saliency(other, x, classes, copies=0))
    assert abs(moved[-1].rank) < 0.5
    assert moved[-1].structure < 0.8


def test_only_what_is_named_forgets_and_the_network_itself_does_not():
    network = trained_network()
    network[1].running_mean.fill_(3.0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    other = randomised(network, ["7", "1"], seed=1)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    after = other.state_dict()
    assert not torch.equal(after["7.weight"], before["7.weight"])
    assert torch.equal(after["0.weight"], before["0.weight"])
    assert after["7.bias"].eq(0).all()
    assert after["1.weight"].eq(1).all()
    assert after["1.running_mean"].eq(0).all()
    assert torch.equal(after["7.weight"], randomised(network, ["7"], seed=1).state_dict()["7.weight"])
    assert after["7.weight"].std() == pytest.approx(math.sqrt(2 / 8), rel=0.4)


def test_blank_maps():
    network, x = trained_network(), torch.rand(2, 1, 6, 6)
    went_blank = cascade(network, [["7"]], lambda other: x[:, 0] if other is network else x[:, 0] * 0)
    assert (went_blank[0].rank, went_blank[0].blank) == (0, 1)
    was_blank = cascade(network, [["7"]], lambda _: x[:, 0] * 0)
    assert math.isnan(was_blank[0].rank)


def test_layers_with_weights_are_listed_in_order():
    assert weighted_layers(trained_network()) == ["0", "1", "3", "7"]
