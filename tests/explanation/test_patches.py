import numpy as np
import torch
from torch import nn

from thalweg.explanation.patches import responses


def test_the_place_where_each_channel_is_strongest():
    network = nn.Sequential(nn.Conv2d(1, 3, 1, bias=False), nn.ReLU(inplace=True))
    network[0].weight.data.copy_(torch.tensor([1.0, -1.0, 0.0]).reshape(3, 1, 1, 1))
    x = torch.zeros(4, 1, 5, 6)
    x[1, 0, 2, 3], x[3, 0, 4, 5], x[2, 0, 0, 1] = 7.0, 9.0, -8.0
    found = responses(network, ["1", "0"], [x[:3], x[3:]])
    layer = found["1"]
    assert layer.extents == (5, 6)
    assert layer.strongest(0, 2) == [(3, (4, 5), 9.0), (1, (2, 3), 7.0)]
    assert layer.strongest(1, 1) == [(2, (0, 1), 8.0)]
    assert layer.silent == 1
    assert layer.telling(9) == (0, 1)
    assert np.array_equal(found["0"].peaks[:, 0], [0, 7, 0, 9])


def test_signals_and_volumes():
    volume = torch.zeros(1, 1, 2, 3, 4)
    volume[0, 0, 1, 2, 3] = 1
    network = nn.Sequential(nn.Identity())
    assert responses(network, ["0"], [volume])["0"].strongest(0, 1) == [(0, (1, 2, 3), 1.0)]
    signal = torch.tensor([[[0.0, 3.0, 1.0]]])
    assert responses(network, ["0"], [signal])["0"].strongest(0, 1) == [(0, (1,), 3.0)]
