"""Networks and their counts for the tests of drawings, made by hand: the room of counting is not asked."""

import math
from collections.abc import Callable

import pytest

from thalweg.core.layer_cost import LayerCost, Ledger
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape

HOSTILE = '<script>alert("1")</script>\u202e\n\udcff گربه&'


def layer(name: str, kind: str, *inputs: str, block: tuple[str, ...] = (), **settings: object) -> LayerSpec:
    return LayerSpec(name=name, kind=kind, inputs=inputs, settings=settings, block=block)


def count(spec: NetworkSpec) -> Ledger:
    shapes = {**spec.inputs, **output_shapes(spec)}
    rows = []
    for item in spec:
        before, after, parameters, macs, formula = shapes[item.inputs[0]], shapes[item.name], 0, 0, ""
        if item.kind.startswith("conv"):
            taps = before.channels * item.settings["kernel_size"] ** after.axes
            parameters, macs = (taps + 1) * after.channels, taps * after.size
            formula = f"({taps} + 1)*{after.channels} = {parameters}"
        elif item.kind == "linear":
            parameters, macs = (before.channels + 1) * after.channels, before.channels * after.channels
        rows.append(
            LayerCost(
                name=item.name,
                kind=item.kind,
                input_shapes=tuple(shapes[source] for source in item.inputs),
                output_shape=after,
                parameters=parameters,
                buffers=2 * after.channels if item.kind == "batch_norm" else 0,
                formula=formula,
                macs=macs,
                activation_bytes=4 * math.prod(after.as_tuple()),
                receptive_field=(3,) * after.axes,
                stride=(1,) * after.axes,
            )
        )
    return Ledger(network=spec.name, input_shapes=spec.inputs, rows=tuple(rows))


def chain(repeats: int) -> NetworkSpec:
    """Convolution and activation, so often; the first differs in its input, so one fewer can be folded."""
    layers, source = [], "x"
    for index in range(1, repeats + 1):
        layers.append(layer(f"conv{index}", "conv2d", source, out_channels=8, kernel_size=3, padding="same"))
        layers.append(layer(f"relu{index}", "relu", f"conv{index}"))
        source = f"relu{index}"
    layers += [layer("pool1", "global_avg_pool", source), layer("dense1", "linear", "pool1", out_features=5)]
    return NetworkSpec(
        name="chain", inputs={"x": Shape(3, (32, 32))}, layers=tuple(layers), outputs=("dense1",), form="sequential"
    )


def residual(blocks: int) -> NetworkSpec:
    """A stem and residual blocks, with a skip that jumps over two convolutions."""
    layers = [layer("stem", "conv2d", "x", out_channels=8, kernel_size=3, padding="same")]
    source = "stem"
    for index in range(blocks):
        path = ("body", str(index))
        name = f"body.{index}"
        same = {"out_channels": 8, "kernel_size": 3, "padding": "same"}
        layers += [
            layer(f"{name}.conv1", "conv2d", source, block=path, **same),
            layer(f"{name}.norm1", "batch_norm", f"{name}.conv1", block=path),
            layer(f"{name}.relu1", "relu", f"{name}.norm1", block=path),
            layer(f"{name}.conv2", "conv2d", f"{name}.relu1", block=path, **same),
            layer(f"{name}.add", "add", f"{name}.conv2", source, block=path),
        ]
        source = f"{name}.add"
    return NetworkSpec(name="residual", inputs={"x": Shape(3, (16, 16))}, layers=tuple(layers), outputs=(source,))


def branches(width: int) -> NetworkSpec:
    """Branches side by side, joined; the first is shorter than the others."""
    layers, ends = [], []
    for index in range(width):
        layers.append(layer(f"b{index}.conv1", "conv2d", "x", out_channels=4, kernel_size=1))
        ends.append(f"b{index}.conv1")
        if index:
            layers.append(layer(f"b{index}.conv2", "conv2d", ends[-1], out_channels=4, kernel_size=3, padding="same"))
            ends[-1] = f"b{index}.conv2"
    layers += [layer("join", "concatenate", *ends), layer("act", "relu", "join")]
    return NetworkSpec(name="branches", inputs={"x": Shape(3, (8, 8))}, layers=tuple(layers), outputs=("act",))


def many_ends() -> NetworkSpec:
    """Two inputs, two outputs, and a name nobody should use."""
    layers = (
        layer("conv1", "conv2d", "photo", out_channels=4, kernel_size=3),
        layer("pool1", "global_avg_pool", "conv1"),
        layer("dense1", "linear", "table", out_features=6),
        layer("join", "concatenate", "pool1", "dense1"),
        layer(HOSTILE, "linear", "join", out_features=2),
        layer("other", "linear", "join", out_features=1),
    )
    return NetworkSpec(
        name=HOSTILE, inputs={"photo": Shape(3, (9, 9)), "table": Shape(7)}, layers=layers, outputs=(HOSTILE, "other")
    )


@pytest.fixture
def hostile() -> str:
    return HOSTILE


@pytest.fixture
def networks() -> dict[str, tuple[NetworkSpec, Ledger]]:
    specs = {
        "chain": chain(2),
        "long": chain(101),
        "residual": residual(6),
        "branches": branches(4),
        "wide": branches(9),
        "ends": many_ends(),
    }
    return {name: (spec, count(spec)) for name, spec in specs.items()}


@pytest.fixture
def counted() -> Callable[[NetworkSpec], Ledger]:
    return count
