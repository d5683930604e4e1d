"""Other people's networks, one of each family, held against torch's own sums; and small ones of every manner here."""

import functools
import importlib.util
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from thalweg.accounting.ledger import count
from thalweg.core.shape import Shape
from thalweg.modules.torchvision_shim import let_torchvision_import
from thalweg.modules.trace import trace

TORCHVISION = {
    "alexnet": 224, "densenet121": 64, "efficientnet_b0": 64, "googlenet": 64, "inception_v3": 96, "mnasnet0_5": 64,
    "resnext50_32x4d": 64, "shufflenet_v2_x0_5": 64, "squeezenet1_1": 64, "swin_t": 224, "vgg11_bn": 64,
    "vit_b_32": 224, "lraspp_mobilenet_v3_large": 64,
}  # fmt: skip
TIMM = (
    "beit_base_patch16_224", "botnet26t_256", "cait_xxs24_224", "coatnet_nano_rw_224", "convmixer_768_32",
    "convit_tiny", "cspresnet50", "deit_tiny_distilled_patch16_224", "dla34", "edgenext_xx_small", "efficientformer_l1",
    "eva02_tiny_patch14_224", "fastvit_t8", "ghostnet_050", "gmlp_s16_224", "levit_128s", "mixer_s32_224",
    "mobilevit_xxs", "nfnet_l0", "pit_ti_224", "poolformer_s12", "pvt_v2_b0", "regnetz_005", "repvgg_a0", "resnetv2_50",
    "rexnet_100", "sehalonet33ts", "tresnet_m",
)  # fmt: skip


def ours(module, shape):
    """Parameters and multiply-accumulates as the ledger of the traced module has them."""
    ledger = count(trace(module, shape))
    return ledger.parameters, ledger.macs


def as_torch_counts(module, shape):
    """The same from torch itself, its operations halved into multiplications; within 0.1 %."""
    parameters = sum(weight.numel() for weight in module.parameters())
    module.eval().requires_grad_(requires_grad=False)
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        module.to("meta")(torch.empty((1, *shape.as_tuple()), device="meta"))
    return parameters, pytest.approx(counter.get_total_flops() / 2, rel=1e-3)


@functools.cache
def library(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not let_torchvision_import() or importlib.util.find_spec(name) is None:
            return None
        return importlib.import_module(name)


def installed(name):
    return importlib.util.find_spec("torchvision") is not None and importlib.util.find_spec(name) is not None


@pytest.mark.skipif(not installed("torchvision"), reason="torchvision is not installed (it is no part of dev)")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TORCHVISION)
def test_a_network_of_torchvision(name):
    options = {"init_weights": False} if name in {"googlenet", "inception_v3"} else {}
    options |= {"weights_backbone": None} if name.startswith("lraspp") else {}
    with torch.device("meta"):
        module = library("torchvision").models.get_model(name, weights=None, **options)
    shape = Shape(3, (TORCHVISION[name],) * 2)
    assert ours(module, shape) == as_torch_counts(module, shape)


@pytest.mark.skipif(not installed("timm"), reason="timm is not installed (it is no part of dev)")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TIMM)
def test_a_network_of_timm(name):
    timm = library("timm")
    if name not in timm.list_models():
        pytest.skip(f"this timm has no {name}")
    with torch.device("meta"):
        module = timm.create_model(name, pretrained=False)
    channels, *sizes = module.default_cfg["input_size"]
    shape = Shape(channels, tuple(sizes))
    assert ours(module, shape) == as_torch_counts(module, shape)


class Attention(nn.Module):
    """A small vision transformer's block: patches, a class token, positions, heads by reshaping."""

    def __init__(self, *, fused):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, 16))
        self.positions = nn.Parameter(torch.zeros(1, 17, 16))
        self.norm, self.qkv, self.head = nn.LayerNorm(16), nn.Linear(16, 48), nn.Linear(16, 5)
        self.fused = fused

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        count, width = x.shape[1:]
        query, key, value = self.qkv(self.norm(x)).reshape(-1, count, 3, 4, width // 4).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused:
            y = functional.scaled_dot_product_attention(query, key, value)
        else:
            y = (query @ key.transpose(-2, -1) * 0.5).softmax(-1) @ value
        return self.head((x + y.transpose(1, 2).reshape(-1, count, width))[:, 0])


class Standardised(nn.Conv2d):
    """A convolution whose kernel is made from its weights."""

    def forward(self, input):  # noqa: A002
        weight = (self.weight - self.weight.mean((1, 2, 3), keepdim=True)) * 2
        return functional.conv2d(functional.pad(input, (0, 1, 0, 1)), weight, self.bias, self.stride)


class Windows(nn.Module):
    """Windows counted into the batch, as Swin does, with a table of positions that a small network makes."""

    def __init__(self):
        super().__init__()
        self.mix, self.table = nn.Linear(8, 8), nn.Linear(2, 8)
        self.register_buffer("places", torch.zeros(16, 2))

    def forward(self, x):
        x = x.permute(0, 2, 3, 1).reshape(-1, 2, 4, 2, 4, 8).transpose(2, 3).reshape(-1, 16, 8)
        x = self.mix(x + self.table(self.places))
        return x.reshape(-1, 2, 2, 4, 4, 8).transpose(2, 3).reshape(-1, 8, 8, 8).permute(0, 3, 1, 2)


class Stray(nn.Module):
    """An auxiliary head that evaluation does not use."""

    def __init__(self):
        super().__init__()
        self.body, self.aux = nn.Conv1d(3, 4, 3), nn.Sequential(nn.Conv1d(4, 2, 1), nn.BatchNorm1d(2))

    def forward(self, x):
        x = self.body(x)
        return (x, self.aux(x)) if self.training else x


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (Attention(fused=True), Shape(3, (16, 16))),
        (Attention(fused=False), Shape(3, (16, 16))),
        (
            nn.Sequential(Standardised(3, 8, 3, 2), nn.ConvTranspose2d(8, 4, 3, 2, groups=4), nn.PReLU()),
            Shape(3, (9, 9)),
        ),
        (Windows(), Shape(8, (8, 8))),
        (Stray(), Shape(3, (9,))),
        (nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), Shape(7, (16,))),
        (nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3, groups=1)), Shape(3, (8, 8))),
        (nn.Conv3d(2, 4, (1, 2, 3), dilation=2, padding=1), Shape(2, (6, 6, 6))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_small_network(module, shape):
    assert ours(module, shape) == as_torch_counts(module, shape)


def test_an_unused_head_stands_in_a_step_of_its_own():
    rows = {row.name: row for row in count(trace(Stray(), Shape(3, (9,)))).rows}
    assert (rows["aux.unused"].parameters, rows["aux.unused"].buffers) == (8 + 2 + 4, 4)
