import pytest
import torch
from torch.nn import functional

from thalweg.modules.build import build
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import AvgPool2d, Conv1d, Conv2d, Conv3d, MaxPool2d


def one(layer, shape=(2, 7, 9)):
    x = Input(*shape)
    return build(Network(x, layer(x)), seed=0)


def test_same_without_a_stride_is_torchs():
    pixels = torch.rand(1, 2, 7, 9)
    module = one(Conv2d(3, 3, padding="same", dilation=2))
    weight, bias = module.conv1.weight, module.conv1.bias
    torch.testing.assert_close(module(pixels), functional.conv2d(pixels, weight, bias, padding="same", dilation=2))


def test_same_with_an_even_kernel_puts_the_odd_position_at_the_end():
    module = one(Conv1d(1, 2, padding="same", bias=False), (1, 4))
    module.conv1.weight.data.copy_(torch.tensor([[[1.0, 10.0]]]))
    assert module(torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])).tolist() == [[[21.0, 32.0, 43.0, 4.0]]]


@pytest.mark.parametrize("extent", [7, 8, 9])
def test_same_with_a_stride_follows_the_size_that_comes_in(extent):
    module = one(Conv1d(1, 3, stride=2, padding="same"), (1, 8))  # built for 8, run on others
    assert module(torch.rand(1, 1, extent)).shape[-1] == -(-extent // 2)


def test_unequal_sides_of_volumes():
    assert one(Conv3d(2, 3, padding=((0, 1), (2, 0), (1, 1))), (1, 5, 5, 5))(torch.rand(1, 1, 5, 5, 5)).shape == (
        1,
        2,
        4,
        5,
        5,
    )


def test_max_pooling_never_sees_its_margins():
    below = -torch.rand(1, 2, 7, 9) - 1
    assert one(MaxPool2d(3, stride=2, padding="same"))(below).max() < -1


@pytest.mark.parametrize(("include", "corner"), [(True, 4 / 9), (False, 1.0)])
def test_average_pooling_counts_its_margins_only_when_told(include, corner):
    pool = one(AvgPool2d(3, stride=1, padding=((1, 1), (1, 0)), count_include_pad=include))
    assert pool(torch.ones(1, 2, 7, 9))[0, 0, 0, 0].item() == pytest.approx(corner)
