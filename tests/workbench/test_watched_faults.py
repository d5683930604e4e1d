"""Faults planted into real tiny trainings, watched as a user would: root first, nothing for healthy runs."""

import pytest
import torch
from torch import nn
from torch.nn import functional

import thalweg

GOOD = 0.05


def data(scale=1.0):
    draw = torch.Generator().manual_seed(0)
    middle = torch.randn(5, 16, generator=draw)
    y = torch.randint(0, 5, (512,), generator=draw)
    return scale * (middle[y] + 0.5 * torch.randn(512, 16, generator=draw)), y


def network(*end, act=nn.ReLU, depth=3, width=24):
    torch.manual_seed(1)
    layers = [nn.Linear(16, width), act()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), act()]
    return nn.Sequential(*layers, nn.Linear(width, 5), *end)


def run(model, *, rate=GOOD, scale=1.0, loss=functional.cross_entropy, decay=0.0, steps=100, shuffle=False, held=None):
    x, y = data(scale)
    y = y[torch.randperm(512, generator=torch.Generator().manual_seed(3))] if shuffle else y
    optimizer = torch.optim.SGD(held or model.parameters(), rate, momentum=0.9, weight_decay=decay)
    draw = torch.Generator().manual_seed(2)
    with thalweg.watch(model, optimizer) as watching:
        for _ in range(steps):
            chosen = torch.randint(0, 512, (32,), generator=draw)
            optimizer.zero_grad()
            loss(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
    return watching.findings()


def dead():
    model = network()
    nn.init.constant_(model[2].bias, -30.0)
    return model


def exploding():
    model = network()
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=2.0)
    return model


def frozen():
    model = network(width=32)
    for layer in list(model)[:-1]:
        layer.requires_grad_(requires_grad=False)
    return model


FAULTS = {
    "learning_rate_too_high": lambda: run(network(), rate=100 * GOOD),
    "learning_rate_too_low": lambda: run(network(), rate=GOOD / 1000),
    "dying_relu": lambda: run(dead()),
    "vanishing_gradient": lambda: run(network(act=nn.Sigmoid, depth=7)),
    "exploding_gradient": lambda: run(exploding(), rate=GOOD / 10),
    "label_noise": lambda: run(network(), shuffle=True, steps=150),
    "input_scale": lambda: run(network(), scale=200.0),
    "wrong_head_or_loss": lambda: run(network(nn.Softmax(dim=1))),
    "frozen_parameters": lambda: run(frozen()),
    "excessive_regularization": lambda: run(network(), decay=10.0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_root_is_named_first(name):
    told = FAULTS[name]()
    assert [each.name for each in told if each.severity != "info"][:1] == [name]
    assert all(each.evidence for each in told if each.name == name)


@pytest.mark.parametrize("rate", [GOOD / 3, GOOD])
@pytest.mark.parametrize("act", [nn.ReLU, nn.Tanh, nn.GELU])
def test_a_healthy_run_gets_no_warning(rate, act):
    assert [each.name for each in run(network(act=act), rate=rate) if each.severity != "info"] == []


class Closed(nn.Module):
    """A residual branch that begins closed: its last scale is zero, the shortcut carries all."""

    def __init__(self, width):
        super().__init__()
        self.inner, self.outer, self.scale = nn.Linear(width, width), nn.Linear(width, width), nn.BatchNorm1d(width)
        nn.init.zeros_(self.scale.weight)

    def forward(self, x):
        return x + self.scale(self.outer(torch.relu(self.inner(x))))


def test_branches_that_begin_closed_are_no_vanishing_gradient():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(16, 24), *(Closed(24) for _ in range(4)), nn.ReLU(), nn.Linear(24, 5))
    assert [each.name for each in run(model, rate=GOOD / 50, steps=60) if each.name == "vanishing_gradient"] == []


def test_a_frozen_backbone_that_has_learned_is_a_remark():
    model = network(width=40)
    run(model, steps=200)
    for layer in list(model)[:-1]:
        layer.requires_grad_(requires_grad=False)
    model[-1].reset_parameters()
    assert [each.name for each in run(model) if each.severity != "info"] == []
