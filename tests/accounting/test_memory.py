import weakref
from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from thalweg.accounting.memory import inference_bytes, training_memory
from thalweg.core.errors import SpecError
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.networks.catalogue import network
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import (
    SELU,
    BatchNorm,
    ChannelShuffle,
    Concatenate,
    Conv2d,
    Crop,
    Dropout,
    Flatten,
    GroupNorm,
    LayerNorm,
    LocalResponseNorm,
    Mish,
    Multiply,
    PixelShuffle,
    PReLU,
    ReLU,
    Softplus,
    Upsample,
)

NAMES = (
    "small",
    "plain",
    "lenet",
    "vgg11",
    "resnet18",
    "inception",
    "googlenet",
    "densenet121",
    "mobilenet-v2",
    "efficientnet-lite0",
    "unet-small+nonlocal",
    "unet-small+gc",
)
BATCH = 4


class Live(TorchDispatchMode):
    """Bytes of all tensors that exist, whatever made them, and the most there ever were; an independent witness."""

    def __init__(self):
        super().__init__()
        self.known, self.now, self.peak = {}, 0, 0

    def see(self, tensor):
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key not in self.known:
            self.known[key] = weakref.finalize(storage, self.gone, key, size)
            self.now += size
            self.peak = max(self.peak, self.now)

    def gone(self, key, size):
        self.known.pop(key, None)
        self.now -= size

    def __torch_dispatch__(self, function, types, arguments=(), words=None):
        result = function(*arguments, **(words or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self.see(leaf)
        return result


def measured(spec):
    """What torch really keeps and the peak of a whole step with Adam, on the meta device, where nothing is computed."""
    module = build(spec, device="meta").train()
    kept = {}
    own = {weight.untyped_storage()._cdata for weight in [*module.parameters(), *module.buffers()]}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = storage.nbytes()
        return tensor

    with Live() as live:
        for weight in [*module.parameters(), *module.buffers()]:
            live.see(weight)
        batch = torch.empty((BATCH, *next(iter(spec.inputs.values())).as_tuple()), device="meta")
        trained = [weight for weight in module.parameters() if weight.requires_grad]
        optimizer = torch.optim.Adam(trained, foreach=False)
        for _ in range(2):  # the second step finds the optimizer's state in place
            kept.clear()
            optimizer.zero_grad()
            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                out = module(batch)
            out.sum().backward()
            del out
            optimizer.step()
    return sum(kept.values()), live.peak


def photo(name):
    return network(name, Shape(3, (64, 64)), 10).logits()[0]


@pytest.mark.parametrize("name", NAMES)
def test_training_memory_is_what_torch_uses(name):
    spec = photo(name)
    estimate = training_memory(spec, batch_size=BATCH, optimizer="adam")
    kept, peak = measured(spec)
    assert estimate.activation_bytes == pytest.approx(kept, rel=0.02)
    assert estimate.peak_bytes == pytest.approx(peak, rel=0.05)


@pytest.mark.parametrize("trained", [1, 12])
def test_what_is_frozen_needs_neither_gradients_nor_what_the_way_back_reads(trained):
    spec = photo("resnet18")
    weighted = [layer.name for layer in spec if layer.kind in {"conv2d", "batch_norm", "linear"}]
    ends = set(weighted[-trained:])
    spec = replace(spec, layers=tuple(replace(layer, trainable=layer.name in ends) for layer in spec.layers))
    estimate = training_memory(spec, batch_size=BATCH, optimizer="adam")
    kept, peak = measured(spec)
    assert estimate.activation_bytes == pytest.approx(kept, rel=0.06)
    assert estimate.peak_bytes == pytest.approx(peak, rel=0.05)


def odd_network():
    x = Input(3, 17, 17)
    y = Conv2d(8, 3, stride=2, padding="same")(x)
    y = LayerNorm()(y)
    y = Multiply()(GroupNorm(2)(y), ReLU()(y))
    return Network(x, Dropout(0.3)(Flatten()(Upsample(2)(BatchNorm()(y)))))


def split_network():
    """Halves that go different ways, as in ShuffleNet, after AlexNet's normalisation."""
    x = Input(3, 18, 18)
    y = LocalResponseNorm(5)(PReLU(8)(Conv2d(8, 3)(x)))
    left, right = Crop(channels=(0, 4))(y), Crop(1, channels=(4, 0))(y)
    y = Concatenate()(SELU()(Conv2d(4, 3)(left)), Softplus()(Mish()(right)))
    return Network(x, Conv2d(2, 1)(PixelShuffle(2)(ChannelShuffle(2)(y))))


@pytest.mark.parametrize("spec", [odd_network(), split_network()])
def test_rarer_layers_keep_what_torch_keeps(spec):
    kept, _ = measured(spec)
    assert training_memory(spec, batch_size=BATCH).activation_bytes == pytest.approx(kept, rel=0.03)


def test_the_parts_are_told():
    memory = training_memory(photo("plain"), batch_size=8, optimizer="momentum")
    assert memory.gradient_bytes == memory.optimizer_bytes == memory.weight_bytes - 448 * 4
    assert training_memory(photo("plain"), batch_size=8, optimizer="sgd").optimizer_bytes == 0
    assert memory.activation_bytes == 8 * training_memory(photo("plain"), batch_size=1).activation_bytes


@pytest.mark.parametrize("name", ["small", "resnet18", "densenet121"])
def test_inference_holds_what_torch_holds(name):
    spec = photo(name)
    module = build(spec, device="meta").eval()
    with Live() as live, torch.no_grad():
        module(torch.empty((1, 3, 64, 64), device="meta"))
    assert inference_bytes(spec) == pytest.approx(live.peak, rel=0.05)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"batch_size": 0}, "batch size is 0"),
        ({"batch_size": 2, "optimizer": "magic"}, "known are sgd, momentum, adam"),
    ],
)
def test_impossible_steps_are_refused(words, said):
    with pytest.raises(SpecError, match=said):
        training_memory(photo("lenet"), **words)
