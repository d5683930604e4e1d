"""Segmentation networks: their sizes, their encoder's names, what they see, and the layers that mix positions."""

import pytest
import torch
from torch.nn import functional

from thalweg.accounting.ledger import count, receptive_fields
from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.modules.trace import trace
from thalweg.networks.backbones import preprocessing
from thalweg.networks.catalogue import SEGMENTERS, network
from thalweg.networks.context import CONTEXTS
from thalweg.networks.segmentation import (
    ENCODERS,
    encoder_layers,
    encoder_stages,
    frozen_encoder,
    outside_encoder,
    parts_of_name,
    segmenter,
)
from thalweg.pretrained.fitting import fit

SMALL = [f"unet-small{'' if context == 'none' else '+' + context}" for context in CONTEXTS]
SIZES = [(180, 240), (61, 45)]


@pytest.mark.parametrize("name", [*SMALL, "unet-resnet18", "unet-efficientnet-lite0+gc"])
def test_a_network_gives_a_class_to_every_pixel_of_any_size(name):
    for extents in SIZES:
        spec = network(name, Shape(3, extents), 11)
        assert spec.name == name
        assert output_shapes(spec)[spec.outputs[0]] == Shape(11, extents)
        logits, taken = spec.logits()
        assert taken == "softmax"
        out = build(logits, device="meta").eval()(torch.empty(2, 3, *extents, device="meta"))
        assert out.shape == (2, 11, *extents)
    ledger = count(spec)
    module = build(spec, device="meta")
    assert ledger.parameters == sum(weight.numel() for weight in module.parameters())
    assert count(trace(module)).rows == ledger.rows


def test_every_name_is_a_network():
    for name in SEGMENTERS:
        spec = network(name, Shape(3, (64, 64)), 5)
        assert spec.name == name
        assert output_shapes(spec)[spec.outputs[0]] == Shape(5, (64, 64))


def test_two_classes_have_a_channel_each_and_grey_pictures_are_taken():
    spec = segmenter(Shape(1, (40, 50)), 2)
    assert output_shapes(spec)[spec.outputs[0]] == Shape(2, (40, 50))
    shares = build(spec, seed=0).eval()(torch.rand(1, 1, 40, 50) * 255)
    assert torch.allclose(shares.sum(1), torch.ones(1, 40, 50))


@pytest.mark.parametrize("encoder", [encoder for encoder in ENCODERS if encoder != "resnet34"])
def test_weights_of_the_backbone_fit_the_encoder_strictly(encoder):
    backbone = build(network(encoder, Shape(3, (96, 96)), 5), seed=1)
    spec = segmenter(Shape(3, (96, 96)), 7, encoder=encoder, context="gc")
    module = build(spec, seed=2)
    fit(module, backbone.state_dict(), name=spec.name, place="made", leave=outside_encoder(spec))
    inside = set(encoder_layers(spec))
    theirs = backbone.state_dict()
    keys = [key for key in module.state_dict() if key.rpartition(".")[0] in inside]
    assert len(keys) > 10
    assert all(torch.equal(module.state_dict()[key], theirs[key]) for key in keys)
    others = [key for key in module.state_dict() if key not in keys]
    assert all(key.startswith(("context.", "decoder.", "head.")) for key in others)
    assert preprocessing(spec) == preprocessing(network(encoder, Shape(3, (96, 96)), 5))


def test_stages_of_the_encoder_are_frozen_from_the_pixels_on():
    spec = segmenter(Shape(3, (128, 128)), 5, encoder="efficientnet-lite0")
    stages = encoder_stages(spec)
    assert max(stages.values()) == 4
    assert stages["_conv_stem"] == 0
    assert "head" not in stages
    whole = frozen_encoder(spec)
    assert {layer.name for layer in whole if not layer.trainable} == set(encoder_layers(spec))
    two = frozen_encoder(spec, 2)
    assert {stages[layer.name] for layer in two if not layer.trainable} == {0, 1}


def test_a_network_of_one_size_takes_pictures_of_another():
    module = build(segmenter(Shape(3, (64, 64)), 4).logits()[0], seed=0).eval()
    assert module(torch.rand(1, 3, 101, 77)).shape == (1, 4, 101, 77)


@pytest.mark.parametrize("context", CONTEXTS)
def test_what_a_network_sees_is_what_gradients_reach(context):
    """The counted field of a narrow network's middle pixel, against pixels with a gradient (weights all positive)."""
    spec = network(f"unet-small{'' if context == 'none' else '+' + context}", Shape(1, (160, 160)), 2)
    field = receptive_fields(spec)["head"]
    module = build(spec.logits()[0], seed=0).eval().double()
    for weight in module.parameters():
        weight.data.abs_().add_(1e-3)
    for each in module.modules():
        if isinstance(each, torch.nn.MaxPool2d):  # only one of a window has a gradient; a mean reaches all
            each.forward = lambda x, each=each: functional.avg_pool2d(x, each.kernel_size)
    pixels = (torch.rand(1, 1, 160, 160, dtype=torch.float64) * 50 + 200).requires_grad_()  # above grey: ReLUs let pass
    module(pixels)[0, 0, 80, 80].backward()
    seen = pixels.grad[0, 0].abs() > 0
    for axis in (0, 1):
        first, last = field[axis].at(80)
        reached = seen.any(1 - axis).nonzero()
        assert (int(reached[0]), int(reached[-1])) == (max(0, first), min(159, last))
    assert field[0].whole == (context != "none")


@pytest.mark.parametrize(
    ("before", "after"), [((6, 8), (12, 15)), ((5, 7), (5, 7)), ((9, 9), (4, 3)), ((3, 4), (9, 8))]
)
@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_the_field_of_resizing_is_exact(before, after, mode):
    from thalweg.networks.functional import Input, Network
    from thalweg.networks.layers import Conv2d, Resize

    x, like = Input(1, *before, name="x"), Input(1, *after, name="like")
    spec = Network([x, like], Conv2d(1, 1)(Resize(mode)(x, like)))
    field = receptive_fields(spec)["resize1"]
    maps = torch.rand(1, 1, *before, dtype=torch.float64, requires_grad=True)
    sized = functional.interpolate(maps, size=after, mode="bilinear" if mode == "linear" else "nearest")
    for row in range(after[0]):
        (grad,) = torch.autograd.grad(sized[0, 0, row].sum(), maps, retain_graph=True)
        rows = grad[0, 0].sum(1).nonzero()
        first, last = field[0].at(row)
        # Beyond the edge, and where a weight is exactly nought, nothing is read.
        assert max(0, first) <= int(rows[0])
        assert int(rows[-1]) <= min(before[0] - 1, last)
        assert int(rows[0]) - max(0, first) + min(before[0] - 1, last) - int(rows[-1]) <= 0


def test_attention_is_that_of_torch_and_its_products_are_counted():
    spec = network("unet-small+nonlocal", Shape(3, (64, 96)), 3)
    row = next(row for row in count(spec).rows if row.kind == "attention")
    assert row.macs == (4 * 6) ** 2 * (64 + 64)
    from thalweg.modules.layers import Attention, AttentionPool

    query, key, value = torch.rand(2, 4, 3, 5), torch.rand(2, 4, 2, 6), torch.rand(2, 7, 2, 6)
    flat = [each.flatten(2).transpose(1, 2) for each in (query, key, value)]
    for scaled in (False, True):
        theirs = functional.scaled_dot_product_attention(*flat, scale=None if scaled else 1.0)
        ours = Attention(scaled=scaled)(query, key, value)
        assert torch.allclose(ours, theirs.transpose(1, 2).reshape(2, 7, 3, 5), atol=1e-6)
    scores = torch.rand(2, 1, 2, 6)
    shares = scores.flatten(1).softmax(1).reshape(2, 1, 2, 6)
    assert torch.allclose(AttentionPool()(value, scores), (value * shares).sum((2, 3), keepdim=True), atol=1e-6)


def test_pyramid_pooling_is_its_definition():
    spec = network("unet-small+pyramid", Shape(3, (96, 128)), 3)
    module = build(spec, seed=0).eval()
    maps = torch.rand(1, 128, 3, 4)
    for bins in (1, 2, 3, 6):
        part = module.context.get_submodule(f"bins{bins}")
        mixed = part.conv1(functional.adaptive_avg_pool2d(maps, bins)).relu()  # fresh normalisation changes little
        sized = functional.interpolate(mixed, size=(3, 4), mode="bilinear")
        ours = part.resize1(part.relu1(part.batch_norm1(part.conv1(part.adaptive_avg_pool1(maps)))), maps)
        assert torch.allclose(ours, sized, rtol=1e-4)


def test_names_are_read_and_refused():
    assert parts_of_name("unet-efficientnet-lite0+nonlocal") == ("efficientnet-lite0", "nonlocal")
    with pytest.raises(SpecError, match="known are unet- and one of small, resnet18"):
        parts_of_name("unet-vgg16")
    with pytest.raises(SpecError, match=r"did you mean unet-small\+pool"):
        network("unet-small+pol", Shape(3, (64, 64)), 3)
    with pytest.raises(SpecError, match="no context module is called 'far'"):
        segmenter(Shape(3, (64, 64)), 3, context="far")
    with pytest.raises(SpecError, match="2 or more"):
        segmenter(Shape(3, (64, 64)), 1)
    with pytest.raises(SpecError, match="takes pictures"):
        segmenter(Shape(3, (64,)), 3)
    with pytest.raises(ShapeError):
        segmenter(Shape(3, (1, 1)), 3, encoder="small")


@pytest.mark.parametrize("context", ["nonlocal", "gc"])
def test_attention_begins_by_looking_at_many_positions(context):
    spec = segmenter(Shape(3, (96, 128)), 3, encoder="resnet18", context=context)
    module = build(spec, seed=0).train()
    seen = {}
    part = module.get_submodule("context.attention")
    part.register_forward_hook(lambda _, reads, __: seen.update(reads=reads))
    module(torch.rand(4, 3, 96, 128) * 255)
    if context == "gc":
        scores = seen["reads"][1].flatten(2)
    else:
        query, key = (each.flatten(2) for each in seen["reads"][:2])
        scores = (key.transpose(1, 2) @ query / query.shape[1] ** 0.5).transpose(1, 2)
    largest = scores.softmax(2).amax(2).mean()
    assert largest < 0.5  # of 12 positions; with the variance of a window before a rectifier it is nearly 1
