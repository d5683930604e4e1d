"""Depthwise convolutions whose gradients take another road: the same numbers as torch's, to the second order."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from thalweg.core.network_spec import LayerSpec
from thalweg.core.shape import Shape
from thalweg.modules.depthwise import DepthwiseConv2d, PaddedDepthwiseConv2d
from thalweg.modules.make import make
from thalweg.modules.reading import read_module

CASES: tuple[dict[str, Any], ...] = (
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 5, "stride": 1, "padding": 2, "bias": False},
    {"kernel_size": 5, "stride": 2, "padding": 0},
    {"kernel_size": 7, "stride": 2, "padding": 3},
    {"kernel_size": (3, 4), "stride": (2, 1), "padding": (0, 1)},
    {"kernel_size": 1, "stride": 2, "padding": 0},
    {"kernel_size": 2, "stride": 2, "padding": 1},
)


def derivatives(module: nn.Module, x: Tensor) -> list[Tensor]:
    """Output, gradients, and gradients of the gradients' squares."""
    wanted = [x, *module.parameters()]
    y = module(x)
    first = torch.autograd.grad(y.pow(3).sum(), wanted, create_graph=True)
    second = torch.autograd.grad(torch.stack([each.square().sum() for each in first]).sum(), wanted)
    return [y.detach(), *(each.detach() for each in first), *second]


@pytest.mark.parametrize("settings", CASES, ids=str)
@pytest.mark.parametrize("size", [11, 12])
def test_derivatives_are_torchs_to_the_second_order(settings: dict[str, Any], size: int) -> None:
    torch.manual_seed(0)
    ours = DepthwiseConv2d(6, 6, groups=6, **settings).double()
    theirs = nn.Conv2d(6, 6, groups=6, **settings).double()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 6, size, size + 3, dtype=torch.double, requires_grad=True)
    for one, other in zip(derivatives(ours, x), derivatives(theirs, x), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("settings", CASES[:4], ids=str)
@pytest.mark.parametrize("size", [2, 5, 13])
def test_in_bfloat16_they_are_as_near_to_the_exact_ones_as_rounding_lets_them(
    settings: dict[str, Any], size: int
) -> None:
    torch.manual_seed(0)
    if size + 2 * settings["padding"] < settings["kernel_size"]:
        size = settings["kernel_size"]
    ours = DepthwiseConv2d(16, 16, groups=16, **settings)
    x = torch.randn(3, 16, size, size).contiguous(memory_format=torch.channels_last).requires_grad_()
    wanted = [x, *ours.parameters()]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = ours(x)
    assert y.dtype == torch.bfloat16
    found = torch.autograd.grad(y.float().square().sum(), wanted)
    exact = torch.autograd.grad(nn.Conv2d.forward(ours.double(), x.double()).square().sum(), [x, *ours.parameters()])
    for one, other in zip(found, exact, strict=True):
        assert one.dtype == torch.float32
        assert float((one - other).norm() / other.norm()) < 0.01


def test_only_depthwise_convolutions_are_built_so_and_they_are_read_as_what_they_are() -> None:
    def built(**settings: Any) -> nn.Module:
        return make(LayerSpec(name="c", kind="conv2d", settings=settings), (Shape(8, (9, 9)),))

    same = {"out_channels": 8, "kernel_size": 3, "stride": 2, "padding": "same"}
    plain, padded = built(out_channels=8, kernel_size=5, groups=8), built(**same, groups=8)
    assert (type(plain), type(padded)) == (DepthwiseConv2d, PaddedDepthwiseConv2d)
    assert type(built(out_channels=8, kernel_size=3)) is nn.Conv2d
    assert type(built(out_channels=16, kernel_size=3, groups=8)) is nn.Conv2d
    kind, settings = read_module(padded)
    assert (kind, settings["groups"], settings["padding"]) == ("conv2d", 8, "same")


def test_what_is_frozen_gets_no_gradient() -> None:
    conv = DepthwiseConv2d(4, 4, 5, stride=2, groups=4)
    conv.weight.requires_grad_(requires_grad=False)
    x = torch.randn(1, 4, 9, 9, requires_grad=True)
    conv(x).sum().backward()
    assert conv.weight.grad is None
    assert conv.bias is not None
    assert conv.bias.grad is not None
    assert x.grad is not None
    assert float(x.grad.abs().sum()) > 0
