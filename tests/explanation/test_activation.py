import copy

import pytest
import torch
from torch import nn

from thalweg.core.errors import SpecError
from thalweg.explanation.activation import activations, forward, untouched, watching
from thalweg.explanation.class_activation import class_activation
from thalweg.explanation.saliency import saliency


def state(network):
    return (
        {name: value.clone() for name, value in network.state_dict().items()},
        [each.training for each in network.modules()],
        [weight.requires_grad for weight in network.parameters()],
        [weight.grad for weight in network.parameters()],
        torch.get_rng_state(),
    )


def same(one, other):
    tensors = all(torch.equal(one[0][name], other[0][name]) for name in one[0])
    return tensors and one[1:4] == other[1:4] and torch.equal(one[4], other[4])


def test_a_network_is_given_back_as_it_was():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Flatten())
    network.append(nn.Linear(4 * 36, 2)).train()
    network[1].eval()
    network[0].weight.requires_grad_(requires_grad=False)
    before, x, classes = state(network), torch.rand(3, 1, 8, 8), torch.tensor([0, 1, 1])
    before = (*before[:4], torch.get_rng_state())
    kept = x.clone()
    class_activation(network, "2", x, classes)
    saliency(network, x, classes, copies=2)
    activations(network, ["1"], x)
    assert same(before, state(network))
    assert torch.equal(x, kept)
    assert not network[2]._forward_hooks


def test_it_is_given_back_even_when_it_fails():
    network = nn.Sequential(nn.Dropout(), nn.Linear(2, 2)).train()
    with pytest.raises(RuntimeError), untouched(network):
        network(torch.zeros(1, 5))
    assert network[0].training
    with pytest.raises(SpecError, match="no layer 'nowhere'"), watching(network, ["0", "nowhere"]):
        pass
    assert not network[0]._forward_hooks


def test_what_is_kept_is_not_overwritten_in_place(pooled_network):
    x = torch.rand(2, 2, 6, 6) - 0.5
    plain, inplace = (activations(pooled_network(inplace=flag), ["0", "1"], x) for flag in (False, True))
    assert plain["0"].min() < 0
    assert torch.equal(plain["0"], inplace["0"])
    assert torch.equal(plain["1"], inplace["1"])


def test_the_input_survives_a_network_that_overwrites_it():
    x = -torch.ones(1, 3)
    assert forward(nn.ReLU(inplace=True), x).tolist() == [[0, 0, 0]]
    assert x.tolist() == [[-1, -1, -1]]


def test_explaining_works_where_the_caller_has_switched_gradients_off(pooled_network):
    network, classes = pooled_network(), torch.tensor([2])
    x = torch.rand(1, 2, 5, 5)
    wanted = class_activation(network, "1", x, classes)
    with torch.inference_mode():
        assert torch.equal(class_activation(network, "1", x, classes), wanted)
    frozen = copy.deepcopy(network).requires_grad_(requires_grad=False)
    assert torch.equal(class_activation(frozen, "1", x, classes), wanted)
