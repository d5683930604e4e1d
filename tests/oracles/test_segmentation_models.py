"""Encoders and decoder steps against segmentation-models-pytorch, on the same weights."""

import importlib

import pytest
import torch

from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.modules.torchvision_shim import let_torchvision_import
from thalweg.networks.segmentation import encoder_layers, segmenter

REASON = "segmentation-models-pytorch (with timm and torchvision) is not installed"


@pytest.fixture(scope="module")
def smp():
    for name in ("torchvision", "timm", "segmentation_models_pytorch"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(REASON)
    if not let_torchvision_import():
        pytest.skip("torchvision cannot be imported here")
    return importlib.import_module("segmentation_models_pytorch")


def taken(module, names, pixels):
    """What some layers give."""
    maps = {}
    handles = [
        module.get_submodule(name).register_forward_hook(lambda _, __, out, name=name: maps.update({name: out}))
        for name in names
    ]
    with torch.no_grad():
        module(pixels)
    for handle in handles:
        handle.remove()
    return [maps[name] for name in names]


@pytest.mark.parametrize("encoder", ["resnet18", "resnet34"])
def test_an_encoder_gives_the_maps_that_theirs_gives(smp, encoder):
    spec = segmenter(Shape(3, (64, 96)), 5, encoder=encoder)
    module = build(spec, seed=0).eval()
    for key, each in module.state_dict().items():
        if "running" in key:  # other values than the initial ones, so that a mistake there shows
            each.uniform_(0.5, 2)
    theirs = smp.encoders.get_encoder(encoder, weights=None, depth=5).eval()
    inside = set(encoder_layers(spec))
    weights = {key: each for key, each in module.state_dict().items() if key.rpartition(".")[0] in inside}
    theirs.load_state_dict(weights)  # strictly
    ours = sum(each.numel() for key, each in module.named_parameters() if key.rpartition(".")[0] in inside)
    assert ours == sum(each.numel() for each in theirs.parameters())
    last = {18: (1, 1, 1, 1), 34: (2, 3, 5, 2)}[int(encoder.removeprefix("resnet"))]
    names = ["relu", *(f"layer{stage}.{block}.relu2" for stage, block in enumerate(last, 1))]
    rescale = module.get_submodule("rescale1")
    pixels = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(1)) * 255
    with torch.no_grad():
        expected = theirs(rescale(pixels))[1:]
    for mine, other in zip(taken(module, names, pixels), expected, strict=True):
        assert torch.allclose(mine, other, rtol=1e-4, atol=1e-5)


def test_a_step_of_the_decoder_gives_what_theirs_gives(smp):
    decoder = importlib.import_module("segmentation_models_pytorch.decoders.unet.decoder")
    del smp
    module = build(segmenter(Shape(3, (64, 96)), 5, encoder="resnet18"), seed=0).eval()
    ours = module.get_submodule("decoder.up1")
    theirs = decoder.UnetDecoderBlock(512, 256, 128, interpolation_mode="bilinear").eval()
    with torch.no_grad():
        for number in (1, 2):
            conv, norm = (theirs.get_submodule(f"conv{number}.{place}") for place in (0, 1))
            conv.weight.copy_(ours.get_submodule(f"conv{number}").weight)
            norm.load_state_dict(ours.get_submodule(f"batch_norm{number}").state_dict())
    deep, skip = torch.rand(1, 512, 2, 3), torch.rand(1, 256, 4, 6)
    with torch.no_grad():
        x = ours.concatenate1(ours.resize1(deep, skip), skip)
        for number in (1, 2):
            parts = (ours.get_submodule(f"{name}{number}") for name in ("conv", "batch_norm", "relu"))
            for part in parts:
                x = part(x)
        assert torch.allclose(x, theirs(deep, 4, 6, skip), atol=1e-5)
