"""What people write who know PyTorch or Keras, and what they are told: the layer, the number, the way out."""

import copy
import pickle

import pytest

from thalweg.core.errors import ShapeError, SpecError
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import (
    Add,
    BatchNorm,
    Concatenate,
    Conv2d,
    Flatten,
    GroupNorm,
    LayerNorm,
    Linear,
    MaxPool2d,
    ReLU,
)
from thalweg.networks.sequential import Sequential


def two_ways(join):
    x = Input(3, 8, 8)
    return Network(x, join(x, Conv2d(8, 3)(x)))


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda: BatchNorm(64), r"^BatchNorm\(64\): .* write BatchNorm\(\)$"),
        (lambda: LayerNorm(64), r"^LayerNorm\(64\): .* write LayerNorm\(\)$"),
        (lambda: GroupNorm(4, 64), r"^GroupNorm\(4, 64\): .* write GroupNorm\(4\)$"),
        (lambda: Linear(192, 10), r"^Linear\(192, 10\): .* write Linear\(10\)$"),
        (lambda: Input((3, 8, 8)), r"Input\(3, 8, 8\)$"),
        (lambda: Sequential(Input(3, 8, 8), ReLU()), r"one list, Sequential\(\[Input"),
        (lambda: ReLU(Input(3, 8, 8)), r"write ReLU\(\.\.\.\)\(x\)$"),
        (lambda: Conv2d(filters=8, kernel_size=3), r"does not take 'filters'; it takes out_channels, kernel_size"),
        (lambda: MaxPool2d(2, 2, 0, 1, 1, 1, 1), r"does not take 7 settings; it takes kernel_size"),
    ],
)
def test_a_layer_written_as_elsewhere_is_refused_with_what_to_write(write, told):
    with pytest.raises(SpecError, match=told):
        write()


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda: Sequential([Input(3, 8, 8), Flatten(), Conv2d(8, 3)]), "'conv1'.*put it before flatten"),
        (lambda: Sequential([Input(3, 8), Conv2d(8, 3)]), "'conv1'.*1 spatial axes; 2 wanted: take the layer"),
        (lambda: Sequential([Input(3, 4, 4), Conv2d(8, 5)]), "over 5 positions.*only 4; a smaller kernel"),
        (lambda: two_ways(Add()), "3x8x8.*8x6x6.*a convolution on one way"),
        (lambda: two_ways(Concatenate()), "3x8x8.*8x6x6.*padding='same' on every way"),
    ],
)
def test_layers_that_do_not_fit_are_told_with_the_way_out(write, told):
    with pytest.raises(ShapeError, match=told):
        write()


def test_layers_are_copied_and_pickled_as_before():
    layer = Conv2d(8, 3, name="stem")
    for twin in (copy.copy(layer), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):  # noqa: S301 - our own
        assert (twin.out_channels, twin.kernel_size, twin.name) == (8, 3, "stem")
    assert BatchNorm(0).eps == 0
    assert BatchNorm(1e-3).eps == 1e-3
