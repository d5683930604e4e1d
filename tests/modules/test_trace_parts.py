"""Values taken apart and put together inside a module: which calls are layers, and which stay steps."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from thalweg.accounting.ledger import count
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.modules.trace import trace


class Apart(nn.Module):
    """Values taken apart and zeros put around, as gated, causal and cropping networks do it."""

    def __init__(self):
        super().__init__()
        self.gated = nn.Conv2d(3, 8, (1, 3), dilation=(1, 4))
        self.around = nn.Sequential(nn.ZeroPad2d((1, 0, 2, 0)), nn.PReLU(4), nn.LocalResponseNorm(3), nn.Mish())
        self.mixed = nn.Sequential(nn.Conv2d(4, 8, 3), nn.ChannelShuffle(2), nn.PixelShuffle(2), nn.Softplus())

    def forward(self, x):
        a, b = self.gated(functional.pad(x, (8, 0))).chunk(2, dim=1)
        y = torch.tanh(a) * torch.sigmoid(b)
        y = self.mixed(self.around(y))
        left, right = torch.split(functional.selu(y), [1, 1], 1)
        return functional.pad(left, (-1, -2))[:, :, 1:-2], right[..., ::2], y[:, :1, :5]


def test_values_taken_apart_and_put_together_are_layers_and_keep_their_fields():
    module = Apart().eval()
    nn.init.normal_(module.around[1].weight)
    spec = trace(module, Shape(3, (9, 12)))
    assert not [layer.kind for layer in spec if layer.kind in {"step", "product", "opaque"}]
    twin = build(spec, seed=0).eval()
    twin.load_state_dict(module.state_dict(), strict=True)
    pixels = torch.rand(2, 3, 9, 12)
    for ours, theirs in zip(twin(pixels), module(pixels), strict=True):
        torch.testing.assert_close(ours, theirs)
    fields = {row.name: row.receptive_field for row in count(spec).rows}
    assert fields["gated"] == (1, 9)
    assert fields["mixed.3"] == (3, 11)


class Almost(nn.Module):
    """What looks like a crop, a padding or a split and is none."""

    def __init__(self, way):
        super().__init__()
        self.way = way

    def forward(self, x):
        return {
            "value": lambda: functional.pad(x, (1, 1), value=2.0),
            "reflected": lambda: functional.pad(x, (1, 1, 1, 1), mode="reflect"),
            "moved": lambda: functional.pad(x, (1, -1)),
            "backwards": lambda: x.flip(2),
            "one": lambda: x[:, :, 0],
            "new": lambda: x[:, :, None],
            "stepped part": lambda: x[:, :, 1::2],
            "list": lambda: x[:, [0, 2]],
            "batch": lambda: torch.split(x, 1)[0],
        }[self.way]()


@pytest.mark.parametrize(
    "way", ["value", "reflected", "moved", "backwards", "one", "new", "stepped part", "list", "batch"]
)
def test_what_no_layer_does_stays_a_step(way):
    spec = trace(Almost(way), Shape(3, (8, 8)))
    assert {layer.kind for layer in spec} <= {"step"}
    assert spec.outputs == (spec.layers[-1].name if spec.layers else "x",)


def test_an_embedding_reads_whole_numbers_whatever_a_batch_has():
    words = nn.Sequential(nn.Embedding(100, 16), nn.LSTM(16, 8, batch_first=True))
    ledger = count(trace(words, Shape(20)))
    assert ledger.parameters == sum(weight.numel() for weight in words.parameters())
    assert ledger.macs == 20 * 4 * 8 * (16 + 8)
    assert max(row.receptive_field[0] for row in ledger.rows if row.receptive_field) == 20
