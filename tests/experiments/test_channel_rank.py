import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from thalweg.experiments.channel_rank import clouds, effective_rank, projected


def _network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, padding=1)).eval()


def test_effective_rank_counts_equal_directions():
    assert effective_rank(np.ones(5)) == pytest.approx(5)
    assert effective_rank(np.array([1.0, 0.0])) == pytest.approx(1)
    assert effective_rank(np.zeros(3)) == 0
    assert 1 < effective_rank(np.array([3.0, 1.0])) < 2


def test_a_cloud_knows_in_how_many_directions_it_lies():
    flat = torch.randn(2, 9, generator=torch.Generator().manual_seed(1))
    vectors = torch.randn(64, 2, generator=torch.Generator().manual_seed(2)) @ flat + 5
    layer = nn.Sequential(nn.Conv2d(9, 2, 1))
    cloud = clouds(layer, ["0"], [vectors.view(8, 8, 9).permute(0, 2, 1)[..., None]])["0"]
    assert cloud.channels == 9
    assert cloud.components == 2
    assert 1 < cloud.rank < 2.01
    assert cloud.mean == pytest.approx(vectors.double().mean(dim=0).numpy())


def test_a_projection_is_a_pointwise_convolution():
    network = _network()
    pictures = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    cloud = clouds(network, ["2"], [pictures[:3], pictures[3:]])["2"]
    with torch.inference_mode():
        plain = network(pictures)
        with projected(network, "2", cloud, 8):
            whole = network(pictures)
        with projected(network, "2", cloud, 3):
            few = network(pictures)
        best = torch.tensor(cloud.axes[:, :3], dtype=torch.float32)
        mean = torch.tensor(cloud.mean, dtype=torch.float32)
        read = network[1](network[0](pictures))
        down = functional.conv2d(read, best.T[:, :, None, None], -best.T @ mean)
        back = functional.conv2d(down, best[:, :, None, None], mean)
        assert torch.allclose(few, network[2](back), atol=1e-5)
        assert torch.allclose(network(pictures), plain)
    assert torch.allclose(whole, plain, atol=1e-5)
    assert not torch.allclose(few, plain, atol=1e-3)
