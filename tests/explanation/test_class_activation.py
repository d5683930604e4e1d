import pytest
import torch
from torch import nn

from thalweg.core.errors import SpecError
from thalweg.explanation.class_activation import class_activation, enlarged

EXTENTS = {1: (12,), 2: (6, 7), 3: (4, 5, 3)}


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_behind_global_pooling_it_is_the_class_activation_map_times_a_positive_number(pooled_network, axes):
    network = pooled_network(axes)
    x, classes = torch.randn(3, 2, *EXTENTS[axes]), torch.tensor([0, 2, 1])
    found = class_activation(network, "1", x, classes)
    with torch.no_grad():  # Zhou et al. 2016: the dense layer's weights of the class, over the maps
        maps = network[1](network[0](x))
        wanted = torch.einsum("nk,nk...->n...", network[4].weight[classes], maps)
    positions = torch.Size(EXTENTS[axes]).numel()
    assert torch.allclose(found * positions, wanted, atol=1e-5)
    assert found.abs().max() > 0


def test_by_hand_on_one_pixel_convolutions():
    network = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2, bias=False))
    network[0].weight.data.copy_(torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1))
    network[3].weight.data.copy_(torch.tensor([[0.0] * 8, [1, 2, 3, 2, -4, -4, 0, 0]]))
    x = torch.tensor([[[[3.0, -1.0], [0.5, 2.0]]]])
    # Channel 0 is [3, 0, .5, 2] with mean gradient 2, channel 1 is [0, 1, 0, 0] with mean gradient -2.
    assert class_activation(network, "1", x, torch.tensor([1]))[0].tolist() == [[6.0, -2.0], [1.0, 4.0]]


def test_an_activation_in_place_changes_nothing(pooled_network):
    x, classes = torch.randn(2, 2, 6, 6), torch.tensor([1, 0])
    for layer in ("0", "1"):
        plain, inplace = (class_activation(pooled_network(inplace=flag), layer, x, classes) for flag in (False, True))
        assert torch.equal(plain, inplace)
    assert class_activation(pooled_network(), "0", x, classes).min() < 0


def test_an_activation_in_place_at_the_very_front():
    network = nn.Sequential(nn.ReLU(inplace=True), nn.Conv1d(1, 2, 1), nn.Flatten(), nn.Linear(8, 2))
    x = torch.randn(1, 1, 4)
    kept = x.clone()
    assert class_activation(network, "1", x, torch.tensor([1])).shape == (1, 4)
    assert torch.equal(x, kept)


def test_one_sigmoid_speaks_for_two_classes(pooled_network):
    network, x = pooled_network(classes=1), torch.randn(1, 2, 6, 6).repeat(2, 1, 1, 1)
    first, second = class_activation(network, "1", x, torch.tensor([0, 1]))
    assert torch.allclose(first, -second)
    assert second.abs().max() > 0


class TwoHeads(nn.Module):
    def __init__(self, trunk, form):
        super().__init__()
        self.trunk, self.form = trunk, form
        self.other = nn.Linear(3, 2)

    def forward(self, x):
        first = self.trunk(x)
        return {"main": first, "side": self.other(first)} if self.form == "names" else (first, self.other(first))


@pytest.mark.parametrize(("form", "head"), [("tuple", 0), ("tuple", 1), ("names", "side"), ("names", 0)])
def test_of_several_heads_the_named_one_is_explained(pooled_network, form, head):
    trunk, x, classes = pooled_network(), torch.randn(1, 2, 6, 6), torch.tensor([1])
    network = TwoHeads(trunk, form)
    alone = trunk if head == 0 else nn.Sequential(*trunk, network.other)
    layer = class_activation(network, "trunk.1", x, classes, head=head)
    assert torch.allclose(layer, class_activation(alone, "1", x, classes))
    with pytest.raises(SpecError, match="no head"):
        class_activation(network, "trunk.1", x, classes, head="third")


def test_what_has_no_map_is_said(pooled_network):
    network, x, classes = pooled_network(), torch.randn(1, 2, 6, 6), torch.tensor([1])
    with pytest.raises(SpecError, match="gives no maps"):
        class_activation(network, "4", x, classes)
    with pytest.raises(SpecError, match="no layer 'conv9'"):
        class_activation(network, "conv9", x, classes)


def test_enlarging_keeps_the_order_of_places():
    small = torch.tensor([[[0.0, 1.0], [2.0, 5.0]]])
    large = enlarged(small, (6, 6))
    assert large.shape == (1, 6, 6)
    assert large[0, 5, 5] == 5
    assert large[0, 0, 0] == 0
    assert enlarged(torch.rand(2, 3, 3, 3), (4, 5, 6)).shape == (2, 4, 5, 6)
