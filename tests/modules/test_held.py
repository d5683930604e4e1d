"""Held statistics stay as they came while the factors may learn."""

import copy

import torch
from torch import nn

from thalweg.modules.held import hold_statistics


def test_training_mode_leaves_held_statistics_alone():
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2, eps=1e-3), nn.ModuleList([nn.BatchNorm1d(3)]))
    net[1].running_mean.fill_(2.0)
    names = list(net.state_dict())
    assert hold_statistics(net) == 2
    assert list(net.state_dict()) == names
    net.train()
    copied = copy.deepcopy(net).train()
    for each in (net, copied):
        x = each[1](torch.ones(4, 2, 3, 3) * 5)
        assert torch.allclose(x, torch.full_like(x, 3.0 / (1 + 1e-3) ** 0.5))
        assert each[1].running_mean.tolist() == [2.0, 2.0]
        assert not each[1].training
        assert each[0].training
    net[1](torch.ones(4, 2, 3, 3)).sum().backward()
    assert net[1].weight.grad is not None
