"""bfloat16 products are not used where torch's gradients are wrong with them."""

import pytest
import torch

from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.networks.catalogue import network
from thalweg.networks.functional import Input
from thalweg.networks.layers import Conv2d, Dense, Flatten
from thalweg.networks.sequential import Sequential
from thalweg.training.device import Device, move
from thalweg.workbench.starting.precision import sound, wrong_in_bfloat16

HERE = Device("cpu", torch.bfloat16)
NARROW = Sequential([Input(16, 4, 1), Conv2d(32, 3, stride=2, padding=1), Flatten(), Dense(3)], name="narrow")


@pytest.mark.parametrize(
    ("name", "shape", "layer"),
    [
        ("small", Shape(3, (96, 96)), None),
        ("inception", Shape(3, (32, 32)), None),
        ("resnet18", Shape(3, (96, 96)), None),
        ("small-1d", Shape(1, (187,)), None),
        ("resnet18", Shape(3, (16, 16)), "layer4.0.conv1"),  # stride 2 on a map of one pixel
        ("small-3d", Shape(1, (32, 32, 32)), "stem.conv1"),
        ("plain-3d", Shape(1, (8, 16, 16)), "conv1"),
    ],
)
def test_the_layer_that_is_not_to_be_trusted_is_named(name, shape, layer):
    spec = network(name, shape, 2)
    assert wrong_in_bfloat16(spec) == layer
    assert sound(HERE, spec).autocast == (torch.bfloat16 if layer is None else None)
    assert sound(Device("cuda", torch.bfloat16), spec).autocast == torch.bfloat16  # only the CPU's was found wrong


def gradients(spec, inputs, device):
    module = move(build(spec.logits()[0], seed=1), device).eval()  # no dropout
    with device.context():
        loss = module(inputs).float().square().mean()
    loss.backward()
    return [weight.grad for weight in module.parameters() if weight.grad is not None]


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        (network("small-3d", Shape(1, (8, 10, 12)), 3), (1, 8, 10, 12)),  # ends in maps of 2 x 3 x 3
        (NARROW, (16, 4, 1)),
        (network("small", Shape(3, (32, 32)), 3), (3, 32, 32)),
    ],
    ids=["volumes", "one pixel wide", "pictures"],
)
def test_gradients_are_those_of_float32(spec, shape):
    inputs = torch.randn(16, *shape, generator=torch.Generator().manual_seed(3))
    ours = gradients(spec, inputs, sound(HERE, spec))
    true = gradients(spec, inputs, Device("cpu", None))
    assert all(bool(torch.isfinite(each).all()) for each in ours)
    one, other = (torch.cat([each.flatten() for each in part]) for part in (ours, true))
    assert float((one - other).norm() / other.norm()) < 0.05
