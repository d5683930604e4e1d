"""Tiny networks whose answers can be worked out by hand."""

import pytest
import torch
from torch import nn

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
POOLS = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}


@pytest.fixture
def pooled_network():
    """Make convolution, activation, global average pooling and one dense layer, in one to three dimensions."""

    def make(axes=2, *, inplace=False, classes=3, channels=2):
        torch.manual_seed(4)
        return nn.Sequential(
            CONVOLUTIONS[axes](channels, 5, 3, padding=1),
            nn.ReLU(inplace=inplace),
            POOLS[axes](1),
            nn.Flatten(),
            nn.Linear(5, classes),
        )

    return make


@pytest.fixture
def looks_at_one_place():
    """Make a network of two classes whose second score is the sum of the input over one region."""

    def make(extents, region):
        network = nn.Sequential(nn.Flatten(), nn.Linear(torch.Size(extents).numel(), 2, bias=False))
        weight = torch.zeros(2, *extents)
        weight[(1, *region)] = 1.0
        network[1].weight.data.copy_(weight.flatten(1))
        return network

    return make
