"""Networks in PyTorch's or Keras's order are told how they are written here, and what is unusual but meant passes."""

import pytest

from thalweg.core.errors import SpecError
from thalweg.core.shape import Shape
from thalweg.networks.functional import Input, Network
from thalweg.networks.inline import inline_network
from thalweg.networks.layers import Conv2d, Conv3d
from thalweg.networks.sequential import Sequential


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("conv2d(3,16,3) relu conv2d(16,32,3)", r"write Conv2d\(16, 3\), or kernel_size=\(16, 16\)"),
        ("conv2d(3,16,3)", r"write Conv2d\(16, 3\)"),
        ("conv2d(8,3) conv2d(8,16,3,padding=1)", r"layer 'conv2'.*write Conv2d\(16, 3\)"),
        ("conv2d(3,32)", r"Conv2d\(3, 32\).*write Conv2d\(32, 3\)"),
    ],
)
def test_channels_read_are_not_a_window(line: str, instead: str) -> None:
    with pytest.raises(SpecError, match=instead):
        inline_network(line, Shape(3, (64, 64)))


@pytest.mark.parametrize(
    "layer",
    [
        Conv2d(3, 16, 16),  # patches
        Conv2d(3, (16, 16), 3),
        Conv2d(3, 31),
        Conv2d(3, 16, 3, groups=3),
        Conv2d(4, 16, 3),
        Conv2d(3, 7, 2),
    ],
)
def test_wide_windows_that_are_meant_pass(layer: Conv2d) -> None:
    assert len(Sequential([Input(3, 64, 64), layer]).layers) == 1


def test_volumes() -> None:
    x = Input(1, 32, 32, 32)
    with pytest.raises(SpecError, match=r"Conv3d\(1, 8\).*kernel_size=\(8, 8, 8\)"):
        Network(x, Conv3d(1, 8)(x))


@pytest.mark.parametrize(
    ("sizes", "instead"),
    [
        ((32, 32, 3), "Input(3, 32, 32)"),
        ((28, 28, 1), "Input(1, 28, 28)"),
        ((180, 240, 3), "Input(3, 180, 240)"),
        ((16, 16, 16, 1), "Input(1, 16, 16, 16)"),
    ],
)
def test_channels_last(sizes: tuple[int, ...], instead: str) -> None:
    with pytest.raises(SpecError) as told:
        Input(*sizes)
    assert instead in str(told.value)


@pytest.mark.parametrize("sizes", [(3, 32, 32), (4, 4, 4), (64, 128, 1), (64, 25, 3), (300, 3), (3, 3, 3), (32, 3, 3)])
def test_channels_first_pass(sizes: tuple[int, ...]) -> None:
    assert Input(*sizes).shape == Shape(sizes[0], sizes[1:])
