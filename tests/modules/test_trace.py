import pytest
import torch
from torch import nn
from torch.nn import functional

from thalweg.accounting.ledger import count
from thalweg.core.errors import SpecError
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.modules.trace import trace
from thalweg.networks.catalogue import NAMES, network


def same_rows(first, second):
    def rows(spec):
        return [
            (row.name, row.output_shape, row.parameters, row.buffers, row.macs, row.receptive_field)
            for row in count(spec).rows
        ]

    return rows(first) == rows(second)


@pytest.mark.parametrize("name", NAMES)
def test_build_then_trace_is_the_identity(name):
    spec = network(name, Shape(3, (96, 96)), 5)
    again = trace(build(spec, device="meta"))
    assert same_rows(spec, again)
    assert [layer.kind for layer in again] == [layer.kind for layer in spec]


class Foreign(nn.Module):
    """What people write: modules, functions, methods, a residual, a concatenation, a layer used twice."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.again = nn.Conv2d(8, 8, (3, 1), padding=(1, 0))
        self.head = nn.Linear(32, 4)

    def forward(self, pixels):
        x = self.stem(pixels / 255 - 0.5)
        y = functional.relu(self.again(self.again(x)))
        x = torch.cat([x + y, functional.max_pool2d(x, 3, 1, 1)], dim=1)
        x = functional.avg_pool2d(x, 2)
        pooled = torch.flatten(functional.adaptive_max_pool2d(x, 1), 1)
        x = torch.cat((x.mean((2, 3)), pooled), 1)
        return functional.softmax(self.head(functional.dropout(x.view(x.size(0), -1), 0.1, self.training)), dim=1)


def test_a_foreign_module_runs_the_same_when_built_from_its_trace():
    module = Foreign().eval()
    spec = trace(module, Shape(3, (9, 8)), name="mine")
    twin = build(spec, seed=0).eval()
    twin.load_state_dict(module.state_dict(), strict=True)
    pixels = torch.rand(2, 3, 9, 8) * 255
    torch.testing.assert_close(twin(pixels), module(pixels))
    assert spec.layer("again_2").shared == "again"
    assert count(spec).parameters == sum(weight.numel() for weight in module.parameters())


class Odd(nn.Module):
    def __init__(self, step):
        super().__init__()
        self.step = step
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.step(self, x)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (lambda _, x: x if x.sum() > 0 else -x, "cannot be followed"),
        (lambda _, x: torch.fft.fft(x), "fft_fft.* has no counterpart"),
        (lambda me, x: x * me.scale, "uses the parameter 'scale' directly"),
        (lambda _, x: functional.elu(x, 0.5), "elu.* has no counterpart"),
        (lambda _, x: x.mean(1), "mean.* has no counterpart"),
        (lambda _, x: torch.flatten(x, 2), "flatten.* has no counterpart"),
        (lambda _, x: 1 / x, "has no counterpart"),
        (lambda _, x: {"a": x}, "not one value or several"),
    ],
)
def test_what_nothing_describes_is_named(step, words):
    with pytest.raises(SpecError, match=words):
        trace(Odd(step), Shape(3, (8, 8)))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (nn.Conv2d(3, 4, 3, padding_mode="reflect"), "layer '0': a Conv2d with padding_mode='reflect'"),
        (nn.LSTM(8, 8), "layer '0': nothing reads a LSTM"),
        (nn.GELU(approximate="tanh"), "approximate='tanh'"),
        (nn.BatchNorm2d(3, track_running_stats=False), "track_running_stats"),
        (nn.LayerNorm(8), "normalises the last axis of 3x8x8"),
        (nn.Softmax(dim=-1), "dim=-1"),
        (nn.Flatten(2), "start_dim=2"),
        (nn.AdaptiveAvgPool2d((None, 1)), "output_size"),
        (nn.MaxPool2d(2, return_indices=True), "return_indices"),
    ],
)
def test_options_without_a_counterpart_are_named(layer, words):
    with pytest.raises(SpecError, match=words):
        trace(nn.Sequential(layer), Shape(3, (8, 8)))


def test_shapes_must_be_as_many_as_inputs():
    with pytest.raises(SpecError, match="the shape of input 'input_1' is not given"):
        trace(nn.Sequential(nn.ReLU()))
    with pytest.raises(SpecError, match="1 input shapes more"):
        trace(nn.Sequential(nn.ReLU()), Shape(3), Shape(3))


def test_a_replaced_layer_is_read_as_it_is_now():
    module = build(network("small", Shape(3, (32, 32)), 2), seed=0)
    module.dense1 = nn.Linear(256, 7)
    assert count(trace(module)).rows[-2].output_shape == Shape(7)
