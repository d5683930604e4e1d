"""Planted networks: what each provably looks at is known, and the measures must find it."""

import numpy as np
import pytest
import torch
from torch import nn

from thalweg.core.errors import SpecError
from thalweg.explanation.context_removal import without_context
from thalweg.explanation.context_use import FILLS, Place, context_curves, sample_places
from thalweg.explanation.gradient_reach import gradient_reach

SIDE, RADII = 24, (0, 1, 2, 3, 8, 23)


def near(kernel=5):
    """Two classes: whether a square of 5x5 around the pixel is brighter than grey."""
    net = nn.Conv2d(1, 2, kernel, padding=kernel // 2)
    with torch.no_grad():
        net.weight.zero_()
        net.weight[1] = 1 / kernel**2
        net.bias.copy_(torch.tensor([0.5, 0.0]))
    return net


class FarCorner(nn.Module):
    """Every pixel is of the class that the upper left corner's brightness says."""

    def forward(self, x):
        corner = x[:, :, :1, :1].expand(-1, -1, *x.shape[2:])
        return torch.cat([0.5 - corner, corner - 0.5], 1)


@pytest.fixture(scope="module")
def pictures():
    chance = torch.Generator().manual_seed(0)
    return (torch.rand(12, 1, SIDE, SIDE, generator=chance) * 0.8 + 0.1).round(decimals=3)


def answers(module, pixels):
    with torch.no_grad():
        return module(pixels).argmax(1).numpy()


def test_a_network_that_sees_5x5_needs_radius_2_and_no_more(pictures):
    net = near()
    places = sample_places(answers(net, pictures), 2, 30)
    curves = context_curves(net, pictures, places, 2, radii=RADII)
    assert [curve.fill for curve in curves] == list(FILLS)
    for curve in curves:
        assert curve.agreement[2:] == (1.0, 1.0, 1.0, 1.0)
        assert curve.enough(0.999) == 2
        assert curve.iou[0][2:] == curve.iou[1][2:] == (1.0, 1.0, 1.0, 1.0)
    assert all(curve.agreement[0] < 0.95 for curve in curves)
    reach = gradient_reach(net, pictures, places, shares=(0.3, 0.5, 1.0))
    assert (reach[0].radius, reach[1].radius) == (1.0, 2.0)  # 9 of 25 equal weights lie within 1
    inside = [
        place for place in places if min(place.row, place.column, SIDE - 1 - place.row, SIDE - 1 - place.column) > 1
    ]
    assert gradient_reach(net, pictures, inside, shares=(1.0,))[0].radius == 2.0


def test_a_network_that_needs_a_far_corner_shows_it(pictures):
    pixels = pictures.clone()
    pixels[::2, :, 0, 0], pixels[1::2, :, 0, 0] = 0.0, 1.0
    places = [Place(picture=number, row=20, column=19, truth=number % 2) for number in range(12)]
    for curve in context_curves(FarCorner(), pixels, places, 2, radii=RADII):
        assert max(curve.agreement[:-1]) <= 0.75
        assert curve.agreement[-1] == 1.0
        assert curve.enough() == 23
    (reach,) = gradient_reach(FarCorner(), pixels, places, shares=(0.5,))
    assert reach.radius == 20.0


def test_the_three_fills_are_what_they_say(pictures):
    mean, blurred, other = (FILLS[name](pictures) for name in ("mean", "blurred", "other"))
    assert torch.allclose(mean[3, 0], pictures[3].mean().expand(SIDE, SIDE))
    assert blurred.std() < pictures.std() / 4
    assert torch.allclose(blurred.mean((2, 3)), pictures.mean((2, 3)), atol=0.05)
    assert torch.equal(other[3], pictures[2])
    assert not torch.equal(FILLS["other"](pictures[:1]), pictures[:1])


def test_places_are_of_every_class_from_many_pictures():
    chance = np.random.default_rng(0)
    truth = chance.choice([0, 1, 2, 255], (10, 16, 16), p=[0.85, 0.1, 0.02, 0.03])
    places = sample_places(truth, 4, 20)
    for number in range(3):
        mine = [place for place in places if place.truth == number]
        assert 12 <= len(mine) <= 20
        assert len({place.picture for place in mine}) >= 8
        assert all(truth[place.picture, place.row, place.column] == number for place in mine)
    assert places == sample_places(truth, 4, 20)
    with pytest.raises(SpecError, match="no pixel has a class"):
        context_curves(near(), torch.rand(1, 1, 4, 4), (), 2, radii=(1,))


class WithContext(nn.Module):
    """Its own brightness, plus what a pooled branch says of the whole; class 1 where the sum is positive."""

    def __init__(self):
        super().__init__()
        self.pooled = nn.AdaptiveAvgPool2d(1)

    def forward(self, x):
        total = (x - 0.5) * 0.01 + (self.pooled(x) - 0.5)
        return torch.cat([-total, total], 1)


def test_silencing_what_a_branch_adds_costs_what_it_knew():
    bright = torch.tensor([0, 1, 1, 1, 0, 1, 1, 1])  # the mean of what the branch adds is not nought: it says bright
    pixels = (
        torch.rand(8, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 0.2
        + 0.3
        + 0.2 * bright.reshape(8, 1, 1, 1)
    )
    truth = bright.reshape(8, 1, 1).expand(8, SIDE, SIDE).numpy().copy()
    net = WithContext()
    found = without_context(net, pixels, truth, ["dark", "bright"], ["pooled"])
    assert found.mean_iou_with == 1.0
    assert found.mean_iou_without == pytest.approx(0.375)
    assert found.changes[0].with_context == 0.0
    assert found.changes[0].pixels > 0
    assert not net.pooled._forward_hooks  # the network is as it was
    truth[:, 0] = 255
    assert without_context(net, pixels, truth, ["dark", "bright"], ["pooled"]).mean_iou_with == 1.0
    with pytest.raises(SpecError, match="no layer 'far'"):
        without_context(net, pixels, truth, ["dark", "bright"], ["far"])
    with pytest.raises(SpecError, match="no context module"):
        without_context(net, pixels, truth, ["dark", "bright"], [])
