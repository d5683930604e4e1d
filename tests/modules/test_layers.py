import pytest
import torch
from torch import nn

from thalweg.modules import layers
from thalweg.modules.build import build
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, Concatenate, LayerNorm, Multiply, Pad, Rescale, Subsample, Upsample


def one(layer, *shape):
    x = Input(*shape)
    return build(Network(x, layer(x)), seed=0)


def test_whole_number_pixels_become_fractions():
    pixels = torch.tensor([[[[0, 255]]]], dtype=torch.uint8)
    assert one(Rescale(1 / 127.5, -1.0), 1, 1, 2)(pixels).tolist() == [[[[-1.0, 1.0]]]]


def test_each_channel_may_have_its_own_numbers():
    module = one(Rescale((1.0, 2.0), (0.0, 5.0)), 2, 1, 1)
    assert module(torch.ones(1, 2, 1, 1)).flatten().tolist() == [1.0, 7.0]
    assert not module.state_dict()  # the description holds them; a checkpoint stays loadable


def test_constants_move_with_the_module():
    module = one(Rescale((1.0, 2.0)), 2, 1, 1).to(torch.float64)
    assert module(torch.ones(1, 2, 1, 1, dtype=torch.float64)).dtype == torch.float64


def test_channel_normalisation_is_torchs_with_the_channels_last():
    module = one(LayerNorm(), 6, 4, 5)
    module.layer_norm1.weight.data.uniform_()
    x = torch.randn(2, 6, 4, 5)
    reference = nn.functional.layer_norm(x.permute(0, 2, 3, 1), (6,), module.layer_norm1.weight, torch.zeros(6))
    torch.testing.assert_close(module(x), reference.permute(0, 3, 1, 2))


def test_subsampling_keeps_every_second_position():
    x = torch.arange(12.0).reshape(1, 1, 3, 4)
    assert one(Subsample(2), 1, 3, 4)(x).flatten().tolist() == [0.0, 2.0, 8.0, 10.0]


def test_padding_goes_where_it_is_said():
    x = torch.ones(1, 1, 1, 2)
    grown = one(Pad(((1, 0), (0, 2)), channels=(1, 0)), 1, 1, 2)(x)
    assert grown.tolist() == [[[[0.0] * 4, [0.0] * 4], [[0.0] * 4, [1.0, 1.0, 0.0, 0.0]]]]


def test_enlarging_repeats_or_blends():
    x = torch.tensor([[[0.0, 4.0]]])
    assert one(Upsample(2), 1, 2)(x).flatten().tolist() == [0.0, 0.0, 4.0, 4.0]
    assert one(Upsample(2, "linear"), 1, 2)(x).flatten().tolist() == [0.0, 1.0, 3.0, 4.0]


@pytest.mark.parametrize(("layer", "result"), [(Add(), 9.0), (Multiply(), 24.0)])
def test_three_values_join(layer, result):
    sources = [Input(1, 1) for _ in range(3)]
    module = build(Network(sources, layer(*sources)), seed=0)
    assert module(*(torch.full((1, 1, 1), number) for number in (2.0, 3.0, 4.0))).item() == result


def test_a_gate_scales_whole_channels():
    x, gate = Input(2, 1, 2), Input(2, 1, 1)
    module = build(Network([x, gate], Multiply()(x, gate)), seed=0)
    gates = torch.tensor([[[[2.0]], [[3.0]]]])
    assert module(torch.ones(1, 2, 1, 2), gates).flatten().tolist() == [2.0, 2.0, 3.0, 3.0]


def test_channels_are_stacked_in_order():
    a, b = Input(1, 1), Input(2, 1)
    module = build(Network([a, b], Concatenate()(b, a)), seed=0)
    assert module(torch.zeros(1, 1, 1), torch.ones(1, 2, 1)).flatten().tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_global_pooling_leaves_no_axis(axes):
    x = torch.randn(2, 3, *(4,) * axes)
    torch.testing.assert_close(layers.GlobalAvgPool()(x), x.flatten(2).mean(2))
    torch.testing.assert_close(layers.GlobalMaxPool()(x), x.flatten(2).amax(2))
