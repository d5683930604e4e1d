"""Every kind of layer, held to one contract: shape, weights and multiplications are what torch makes of it."""

from collections.abc import Mapping

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from thalweg.accounting.ledger import RULES, count
from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.layer_kinds import LAYER_KINDS, output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.modules.make import MAKERS
from thalweg.modules.trace import trace
from thalweg.networks import layers as writable

CHANNELS = 12
NEED_AN_AXIS = {
    *("upsample", "subsample", "pad", "crop", "channel_shuffle", "local_response_norm"),
    *("global_avg_pool", "global_max_pool"),
}
MIXING = {"resize", "attention", "attention_pool"}
OURS = {name: kind for name, kind in LAYER_KINDS.items() if not kind.traced}  # the rest is made by tracing alone


def small_numbers(low, high, axes):
    one = st.integers(low, high)
    return one if axes is None else one | st.tuples(*[one] * axes)


def paddings(axes):
    pair = st.tuples(st.integers(0, 2), st.integers(0, 2))
    return small_numbers(0, 2, axes) | st.sampled_from(["same", "valid"]) | st.tuples(*[pair] * axes)


def strategies(kind, axes):
    """What each setting may be; every setting of every kind must be here."""
    transposed = kind.startswith("conv_transpose")
    return {
        "out_channels": st.sampled_from([4, 12, 24]),
        "kernel_size": small_numbers(1, 5, axes),
        "stride": small_numbers(1, 3, axes),
        "padding": small_numbers(0, 2, axes) if transposed else paddings(axes),
        "output_padding": small_numbers(0, 1, axes),
        "dilation": small_numbers(1, 3, axes),
        "groups": st.sampled_from([1, 2, 4, 5, 12]),
        "bias": st.booleans(),
        "ceil_mode": st.booleans(),
        "count_include_pad": st.booleans(),
        "output_size": small_numbers(1, 7, axes),
        "eps": st.sampled_from([1e-5, 1e-3]),
        "momentum": st.sampled_from([0.1, 0.01]),
        "affine": st.booleans(),
        "zero_init": st.booleans(),
        "over": st.sampled_from(["channels", "sample"]),
        "num_groups": st.sampled_from([1, 3, 5, 12]),
        "out_features": st.integers(1, 9),
        "p": st.sampled_from([0.0, 0.5]),
        "scale": st.sampled_from([0.5, tuple(range(1, CHANNELS + 1))]),
        "offset": st.sampled_from([0.0, 1.5, (0.5,) * CHANNELS]),
        "negative_slope": st.sampled_from([0.01, 0.3]),
        "scale_factor": small_numbers(1, 3, axes),
        "mode": st.sampled_from(["nearest", "linear"]),
        "scaled": st.booleans(),
        "channels": st.tuples(st.integers(0, 2), st.integers(0, 2)),
        "cropping": small_numbers(0, 2, axes) | st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * axes),
        "upscale_factor": st.sampled_from([1, 2, 3]),
        "num_parameters": st.sampled_from([1, 5, CHANNELS]),
        "size": st.integers(1, 6),
        "alpha": st.sampled_from([1e-4, 1.0]),
        "beta": st.sampled_from([0.5, 0.75]),
        "k": st.sampled_from([1.0, 2.0]),
    }


@st.composite
def single_layers(draw, name):
    """A network of one layer of the given kind, perhaps one that does not fit."""
    kind = LAYER_KINDS[name]
    needs_axis = name in NEED_AN_AXIS | MIXING
    axes = draw(st.integers(1 if needs_axis else 0, 3)) if kind.axes is None else kind.axes
    if name == "linear":
        axes = 0
    known = strategies(name, max(axes, 1))
    said = {key: draw(known[key]) for key in kind.settings}
    if name == "pad":
        said["padding"] = draw(small_numbers(0, 2, axes))
    extents = tuple(draw(st.lists(st.integers(1, 9), min_size=axes, max_size=axes)))
    shape = Shape(CHANNELS, extents)
    reads = tuple(f"x{number}" for number in range(kind.least_inputs))
    layer = LayerSpec(name="it", kind=name, settings=said, inputs=reads)
    shapes = dict.fromkeys(reads, shape)
    if name in MIXING:  # what they read may differ in size
        shapes |= dict.fromkeys(reads[1:], Shape(CHANNELS, tuple(draw(st.tuples(*[st.integers(1, 9)] * axes)))))
    if name == "attention_pool":
        shapes["x1"] = Shape(draw(st.sampled_from([1, CHANNELS])), extents)
    return NetworkSpec(name=name, inputs=shapes, layers=(layer,), outputs=("it",))


def run_on_meta(spec):
    module = build(spec, device="meta")
    batches = [torch.empty((2, *shape.as_tuple()), device="meta") for shape in spec.inputs.values()]
    return module, module.eval()(*batches)


def test_every_kind_is_counted_built_and_writable():
    kinds = {value.kind for value in vars(writable).values() if isinstance(getattr(value, "kind", None), str)}
    assert set(LAYER_KINDS) == set(RULES)
    assert set(OURS) == set(MAKERS) == kinds


def test_every_setting_has_a_place_in_this_contract():
    known = set(strategies("conv1d", 1))
    assert {name for kind in OURS.values() for name in kind.settings} <= known


@pytest.mark.parametrize("name", OURS)
def test_a_kind_agrees_with_torch(name):
    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(single_layers(name))
    def agrees(spec):
        try:
            shape = output_shapes(spec)["it"]
        except ShapeError:
            if "pool" not in name:  # torch's limits for pooling differ with the number of axes; ours are the strictest
                with pytest.raises((RuntimeError, ValueError, SpecError)):
                    refused_by_torch(spec)
            return
        module, out = run_on_meta(spec)
        row = count(spec).rows[0]
        assert tuple(out.shape) == (2, *shape.as_tuple())
        assert row.parameters == sum(weight.numel() for weight in module.parameters())
        kept = {key: value for key, value in module.state_dict().items() if "running" in key}
        assert row.buffers == sum(value.numel() for value in kept.values())
        assert count(trace(module)).rows[0] == row

    agrees()


def refused_by_torch(spec):
    """What torch says to a layer that we refuse; the layer is made from its settings without asking for its shape."""
    layer = spec.layers[0]
    shape = next(iter(spec.inputs.values()))
    with torch.device("cpu" if layer.kind.startswith("conv_transpose") else "meta"):  # meta forgives output_padding
        module = MAKERS[layer.kind](LAYER_KINDS[layer.kind].complete(layer.settings), shape)
        reads = [torch.empty((2, *shape.as_tuple()))] * len(layer.inputs)
        if not module(*reads).numel():
            raise ValueError("torch lets through what has no position left")


@pytest.mark.parametrize(
    "name", [name for name in LAYER_KINDS if name.startswith(("conv", "attention")) or name == "linear"]
)
def test_multiplications_agree_with_torch(name):
    @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(single_layers(name))
    def agrees(spec):
        try:
            row = count(spec).rows[0]
        except ShapeError:
            return
        with FlopCounterMode(display=False) as counter:
            run_on_meta(spec)
        assert row.macs == counter.get_total_flops() / 2 / 2  # two operations a multiplication, two samples

    agrees()


def test_the_arithmetic_shown_is_the_number_counted():
    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(st.sampled_from(["conv1d", "conv2d", "conv_transpose2d", "linear", "batch_norm"]).flatmap(single_layers))
    def agrees(spec):
        try:
            row = count(spec).rows[0]
        except ShapeError:
            return
        if row.formula:
            left, right = row.formula.split(" = ")
            assert eval(left) == int(right) == row.parameters  # noqa: S307 - our own arithmetic

    agrees()


def test_settings_are_mappings_of_forms():
    assert all(isinstance(kind.settings, Mapping) for kind in LAYER_KINDS.values())
