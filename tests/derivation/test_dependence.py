"""Every kind of layer against torch: the terms put together are the output, and gradients reach nothing else."""

import itertools
import math

import numpy as np
import pytest
import torch

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import LAYER_KINDS, output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.derivation.dependence import RULES, dependence_of
from thalweg.modules.build import build

PLANE, LINE, SPACE, FLAT = Shape(4, (7, 6)), Shape(4, (9,)), Shape(2, (4, 3, 5)), Shape(6)
CASES = [
    ("conv1d", {"out_channels": 6, "kernel_size": 3, "padding": "same", "dilation": 2}, [LINE]),
    ("conv1d", {"out_channels": 4, "kernel_size": 3, "stride": 2, "groups": 4, "bias": False}, [LINE]),
    ("conv2d", {"out_channels": 6, "kernel_size": (3, 2), "stride": (2, 1), "padding": 1, "groups": 2}, [PLANE]),
    ("conv2d", {"out_channels": 2, "kernel_size": 2, "padding": "same", "stride": 2}, [PLANE]),
    ("conv3d", {"out_channels": 3, "kernel_size": 2, "padding": (1, 0, 1)}, [SPACE]),
    ("conv_transpose1d", {"out_channels": 2, "kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2}, [LINE]),
    ("conv_transpose2d", {"out_channels": 4, "kernel_size": 2, "stride": 3, "groups": 2, "output_padding": 1}, [PLANE]),
    ("conv_transpose3d", {"out_channels": 2, "kernel_size": 2, "bias": False}, [SPACE]),
    ("linear", {"out_features": 5}, [FLAT]),
    ("max_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}, [PLANE]),
    ("max_pool1d", {"kernel_size": 3, "dilation": 2}, [LINE]),
    ("avg_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}, [PLANE]),
    ("avg_pool2d", {"kernel_size": 3, "padding": 1, "count_include_pad": False}, [PLANE]),
    ("avg_pool3d", {"kernel_size": 2}, [SPACE]),
    ("adaptive_avg_pool2d", {"output_size": (3, 4)}, [PLANE]),
    ("adaptive_max_pool1d", {"output_size": 4}, [LINE]),
    ("global_avg_pool", {}, [PLANE]),
    ("global_max_pool", {}, [SPACE]),
    ("relu", {}, [PLANE]),
    ("dropout", {}, [PLANE]),
    ("identity", {}, [LINE]),
    ("rescale", {"scale": 0.5, "offset": 1.0}, [PLANE]),
    ("batch_norm", {}, [PLANE]),
    ("layer_norm", {}, [PLANE]),
    ("layer_norm", {"over": "sample"}, [PLANE]),
    ("group_norm", {"num_groups": 2}, [PLANE]),
    ("softmax", {}, [PLANE]),
    ("flatten", {}, [PLANE]),
    ("add", {}, [PLANE, PLANE]),
    ("multiply", {}, [PLANE, Shape(4, (1, 1))]),
    ("concatenate", {}, [PLANE, Shape(2, (7, 6)), PLANE]),
    ("upsample", {"scale_factor": 2, "mode": "nearest"}, [PLANE]),
    ("upsample", {"scale_factor": 3, "mode": "linear"}, [LINE]),
    ("resize", {"mode": "nearest"}, [PLANE, Shape(1, (3, 9))]),
    ("resize", {"mode": "linear"}, [PLANE, Shape(1, (12, 4))]),
    ("attention", {}, [Shape(3, (2, 3)), Shape(3, (3, 2)), Shape(2, (3, 2))]),
    ("attention", {"scaled": True}, [Shape(3, (4,)), Shape(3, (5,)), Shape(2, (5,))]),
    ("attention_pool", {}, [PLANE, Shape(1, (7, 6))]),
    ("subsample", {"stride": 2}, [PLANE]),
    ("crop", {"cropping": ((1, 2), (0, 1)), "channels": (1, 0)}, [PLANE]),
    ("channel_shuffle", {"groups": 2}, [PLANE]),
    ("pixel_shuffle", {"upscale_factor": 2}, [PLANE]),
    ("local_response_norm", {"size": 2, "alpha": 1.0}, [PLANE]),
    ("local_response_norm", {"size": 3, "alpha": 1.0}, [PLANE]),
    ("prelu", {"num_parameters": 4}, [PLANE]),
    ("pad", {"padding": ((1, 2), (0, 1)), "channels": (1, 1)}, [PLANE]),
]


def _network(kind, settings, shapes):
    names = tuple(f"x{number}" for number in range(len(shapes)))
    layer = LayerSpec(name="it", kind=kind, settings=settings, inputs=names)
    inputs = dict(zip(names, shapes, strict=True))
    return NetworkSpec(name="one", inputs=inputs, layers=(layer,), outputs=("it",))


@pytest.mark.parametrize(
    ("kind", "settings", "shapes"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_terms_are_what_torch_computes_with(kind, settings, shapes):
    spec = _network(kind, settings, shapes)
    layer, output = spec.layer("it"), output_shapes(spec)["it"]
    torch.manual_seed(3)
    module = build(spec).double().eval()
    inputs = [torch.randn(1, *shape.as_tuple(), dtype=torch.float64, requires_grad=True) for shape in shapes]
    weights = {name.rpartition(".")[2]: value for name, value in module.named_parameters()}
    given = module(*inputs)
    places = list(itertools.product(*map(range, output.as_tuple())))
    for at in places[:: max(1, len(places) // 12)] + places[-1:]:
        found = dependence_of(layer, shapes, output, at)
        value = given[(0, *at)]
        grads = torch.autograd.grad(value, inputs, retain_graph=True, allow_unused=True)
        touched = {
            (number, *map(int, place)) for number, grad in enumerate(grads) if grad is not None
            for place in np.argwhere(grad[0].numpy() != 0)
        }  # fmt: skip
        named = {(term.source, *term.at) for term in found.terms}
        assert touched <= named
        assert len(found.terms) == len(named) == found.products
        read = [inputs[term.source][(0, *term.at)].item() for term in found.terms]
        for reads in found.reads:
            number = layer.inputs.index(reads.name)
            mine = [place[1:] for place in named if place[0] == number]
            assert reads.channels == (min(p[0] for p in mine), max(p[0] for p in mine))
            assert reads.ranges == tuple((min(a), max(a)) for a in list(zip(*mine, strict=True))[1:])
        factors = [1.0 if t.weight is None else weights["weight"][t.weight].item() for t in found.terms]
        parts = [a * b for a, b in zip(read, factors, strict=True)]
        bias = 0.0 if found.bias is None else weights["bias"][found.bias].item()
        how, _, number = found.combine.partition(" ")
        if how in {"sum", "mean", "same", "max", "product"}:
            total = {"max": max, "product": math.prod}.get(how, math.fsum)(parts)
            assert value.item() == pytest.approx(total / int(number or 1) + bias, abs=1e-12)
        else:
            assert how in {"each", "all"}
            assert touched == named or kind == "relu"


def test_every_kind_that_is_built_can_be_explained_and_was_tried():
    kinds = {kind.name for kind in LAYER_KINDS.values() if not kind.traced}
    assert kinds == set(RULES)
    stems = {kind.rstrip("123d") for kind in kinds}
    elementwise = {"relu6", "gelu", "silu", "hardswish", "hardsigmoid", "elu", "sigmoid", "tanh", "leaky_relu"}
    elementwise |= {"mish", "selu", "softplus"}
    assert stems - {case[0].rstrip("123d") for case in CASES} - {kind.rstrip("123d") for kind in elementwise} == set()


def test_a_padding_place_contributes_nothing_and_is_counted():
    spec = _network("conv2d", {"out_channels": 1, "kernel_size": 3, "padding": 1}, [PLANE])
    found = dependence_of(spec.layer("it"), [PLANE], Shape(1, (7, 6)), (0, 0, 0))
    assert (found.products, found.padding) == (4 * 4, 4 * 5)


@pytest.mark.parametrize(
    ("at", "told"), [((0,), "last place is 5,6,5"), ((6, 0, 0), "channel, row, column"), ((0, 0, -1), "0,0,-1")]
)
def test_a_place_outside_is_refused_with_the_last_one(at, told):
    spec = _network("conv2d", {"out_channels": 6, "kernel_size": 1}, [PLANE])
    with pytest.raises(SpecError, match=told):
        dependence_of(spec.layer("it"), [PLANE], Shape(6, (7, 6)), at)


def test_a_step_of_which_only_the_result_is_known_is_refused():
    layer = LayerSpec(name="it", kind="opaque", settings={"what": "my_op", "output_shape": (4, 7, 6)}, inputs=("x0",))
    with pytest.raises(SpecError, match="'my_op' of somebody's module"):
        dependence_of(layer, [PLANE], PLANE, (0, 0, 0))


def test_millions_of_terms_are_counted_but_not_written_out():
    layer = LayerSpec(name="it", kind="linear", settings={"out_features": 2}, inputs=("x0",))
    found = dependence_of(layer, [Shape(3_000_000)], Shape(2), (1,))
    assert (found.products, len(found.terms)) == (3_000_000, 4096)
