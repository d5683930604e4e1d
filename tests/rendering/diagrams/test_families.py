import pytest

from thalweg.core.layer_kinds import LAYER_KINDS
from thalweg.core.network_spec import LayerSpec
from thalweg.rendering.diagrams.families import FAMILIES, describe_layer, family_of

PLAIN = {
    "rescale",
    "crop",
    "channel_shuffle",
    "pixel_shuffle",
    "dropout",
    "identity",
    "flatten",
    "upsample",
    "resize",
    "subsample",
    "pad",
    "step",
    "product",
    "opaque",
}


def test_only_layers_that_fit_nowhere_are_other():
    assert {kind for kind in LAYER_KINDS if family_of(kind) == "other"} <= PLAIN
    assert {family_of(kind) for kind in LAYER_KINDS} <= set(FAMILIES)


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "padding": "same"}, "conv2d 3×3, 8"),
        ("conv2d", {"out_channels": 8, "kernel_size": (1, 7), "stride": (2, 2)}, "conv2d 1×7, 8, stride 2"),
        ("conv1d", {"out_channels": 16, "kernel_size": 7, "stride": 1}, "conv1d 7, 16"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "groups": 8}, "conv2d 3×3, 8, depthwise"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "dilation": 2}, "conv2d 3×3, 8, dilation 2"),
        ("max_pool2d", {"kernel_size": 2, "stride": 2}, "max_pool2d 2×2"),
        ("max_pool2d", {"kernel_size": 3, "stride": 2}, "max_pool2d 3×3, stride 2"),
        ("adaptive_avg_pool2d", {"output_size": 1}, "adaptive_avg_pool2d to 1×1"),
        ("dropout", {"p": 0.5}, "dropout, p 0.5"),
        ("rescale", {"scale": 0.00392156, "offset": (-2.1179, -2.0357)}, "rescale per channel"),
        ("rescale", {"scale": 2 / 255, "offset": -1.0}, "rescale ×0.007843, offset -1"),
        ("rescale", {"offset": (0.5, 0.5)}, "rescale, offset 0.5"),
        ("linear", {"out_features": 10}, "linear, 10"),
        ("relu", {}, "relu"),
        ("step", {"what": "roll", "output_shape": (3, 4, 4)}, "step roll"),
    ],
)  # fmt: skip
def test_a_layer_is_said_in_a_few_words(kind, settings, words):
    assert describe_layer(LayerSpec(name="x", kind=kind, settings=settings)) == words
