"""Window by window gives what the whole picture gives, where the rim is as wide as the network looks."""

import pytest
import torch

from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.networks.catalogue import network
from thalweg.workbench.answering.windows import whole_logits, window_logits


@pytest.fixture(scope="module")
def local():
    """Two convolutions with strides between, as an encoder and a decoder have: it looks 20 pixels far."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 3, stride=4, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(6, 6, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.ConvTranspose2d(6, 4, 4, stride=4),
    )
    return net.eval()


@pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 224), (100, 332), (64, 72), (320, 96)])
def test_windows_equal_the_whole_picture(local, height, width):
    pixels = 255 * torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(height + width))
    whole = whole_logits(local, pixels)
    found = window_logits(local, pixels, window=(64, 96), rim=32)
    assert found.shape == whole.shape
    assert float((found - whole).abs().max()) < 1e-4 * float(whole.abs().max())


def test_too_thin_a_rim_would_be_seen(local):
    pixels = 255 * torch.rand(1, 3, 96, 320, generator=torch.Generator().manual_seed(0))

    class Far(torch.nn.Module):
        def forward(self, shown):
            return shown + shown.mean(dim=(2, 3), keepdim=True)  # a context that no window has

    difference = (window_logits(Far(), pixels, window=(96, 96), rim=32) - whole_logits(Far(), pixels)).abs().max()
    assert float(difference) > 0.1


def test_a_segmenter_agrees_with_itself_on_a_larger_picture():
    spec = network("unet-small", Shape(3, (96, 96)), 5)
    module = build(spec.logits()[0], seed=1).eval()
    pixels = 255 * torch.rand(1, 3, 96, 288, generator=torch.Generator().manual_seed(2))
    whole = whole_logits(module, pixels)
    found = window_logits(module, pixels, window=(96, 96), rim=96)
    assert float((found - whole).abs().max()) < 1e-3 * float(whole.abs().max())
