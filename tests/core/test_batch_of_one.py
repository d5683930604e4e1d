import pytest
import torch

from thalweg.core.batch_of_one import explain_batch_of_one, find_batch_of_one, smallest_batch
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.networks.context import CONTEXTS
from thalweg.networks.segmentation import segmenter


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("batch", [1, 2])
def test_it_foresees_what_torch_refuses(context, batch):
    """Every context module, trained on one picture and on two: refused where we said so, and nowhere else."""
    spec = segmenter(Shape(3, (64, 64)), 3, context=context).logits()[0]
    module = build(spec, seed=0).train()
    pictures = torch.rand(batch, 3, 64, 64)
    foreseen = find_batch_of_one(spec, batch)
    if foreseen:
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            module(pictures)
    else:
        module(pictures)
    assert bool(foreseen) == (batch == 1 and context in {"pool", "pyramid", "atrous"})


def test_the_layer_named_is_the_one_that_fails():
    spec = segmenter(Shape(3, (64, 64)), 3, context="pyramid").logits()[0]
    (found,) = find_batch_of_one(spec, 1)
    assert (found.layer, found.reads) == ("context.bins1.batch_norm1", "32x1x1")
    module = build(spec, seed=0).train()
    module.get_submodule(found.layer).eval()
    module(torch.rand(1, 3, 64, 64))  # that one held, one picture can be trained on


def test_a_deep_encoder_on_a_tiny_picture_is_found_too():
    spec = segmenter(Shape(3, (32, 32)), 3, encoder="resnet18")
    assert find_batch_of_one(spec, 1)[0].layer.startswith("layer4.")


def test_a_sample_left_over_is_said_with_a_batch_size_that_leaves_none():
    spec = segmenter(Shape(3, (64, 64)), 3, context="pool")
    said = explain_batch_of_one(spec, 6, samples=367)
    assert said == (
        "the last batch of 367 samples in batches of 6 holds 1: batch normalisation 'context.bins1.batch_norm1' "
        "(32x1x1) would have one number a channel, whose mean is itself, so that nothing of it is left; take another "
        "batch size, such as 5, or a context module without it (gc, nonlocal)"
    )
    assert smallest_batch(367, 5) > 1
    assert "a batch holds 1 sample" in explain_batch_of_one(spec, 1)
    assert explain_batch_of_one(spec, 6, samples=366) == ""
    assert explain_batch_of_one(spec, 1, held=["context.bins1.batch_norm1"]) == ""


def test_a_classifier_without_spatial_axes_is_found_as_well():
    from thalweg.networks.functional import Input, Network
    from thalweg.networks.layers import BatchNorm, Dense, GlobalAvgPool

    x = Input(3, 8, 8)
    spec = Network(x, Dense(2)(BatchNorm()(GlobalAvgPool()(x))))
    assert isinstance(spec, NetworkSpec)
    assert find_batch_of_one(spec, 1)[0].reads == "3"
    assert "gc" not in explain_batch_of_one(spec, 1)
