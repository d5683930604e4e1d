"""Networks, their counts and a derivation for the tests of renderers, made by hand: no other room is asked."""

import math
from collections.abc import Callable

import pytest

from thalweg.core.derivation import ConvolutionCase, Derivation, DerivationStep, HeadStage, SelfCheck
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


def textbook_derivation(**changes: object) -> Derivation:
    """The case of every course, written by hand: 3x3 input, 2x2 filter, O = c * sum(y)."""
    x, f = tuple(f"x{n}" for n in range(1, 10)), ("f1", "f2", "f3", "f4")
    products = ("x1*f1 + x2*f2 + x4*f3 + x5*f4", "x2*f1 + x3*f2 + x5*f3 + x6*f4",
                "x4*f1 + x5*f2 + x7*f3 + x8*f4", "x5*f1 + x6*f2 + x8*f3 + x9*f4")  # fmt: skip
    seen = ((0, 1, 3, 4), (1, 2, 4, 5), (3, 4, 6, 7), (4, 5, 7, 8))
    case = ConvolutionCase(
        kind="conv2d", x=x, f=f, bias=None, x_shape=(3, 3), f_shape=(2, 2), y_shape=(2, 2), in_channels=1,
        out_channels=1, groups=1, extents=(3, 3), kernel=(2, 2), output=(2, 2), stride=(1, 1),
        padding=((0, 0), (0, 0)), dilation=(1, 1), head=(HeadStage(kind="sum", text="c*sum", factor="c"),),
    )  # fmt: skip
    values: dict[str, object] = {
        "case": case,
        "O": f"c*({' + '.join(products)})",
        "y": (products[:2], products[2:]),
        "forward": tuple(f"y{n} = {text}" for n, text in enumerate(products, start=1)),
        "matrix": tuple(tuple(f[row.index(n)] if n in row else "0" for n in range(9)) for row in seen),
        "dy_df": tuple(tuple(x[n] for n in row) for row in seen),
        "dO_dy": (("c", "c"), ("c", "c")),
        "dO_dx": (
            ("c*f1", "c*(f1 + f2)", "c*f2"),
            ("c*(f1 + f3)", "c*(f1 + f2 + f3 + f4)", "c*(f2 + f4)"),
            ("c*f3", "c*(f3 + f4)", "c*f4"),
        ),
        "dO_df": (
            ("c*(x1 + x2 + x4 + x5)", "c*(x2 + x3 + x5 + x6)"),
            ("c*(x4 + x5 + x7 + x8)", "c*(x5 + x6 + x8 + x9)"),
        ),
        "dO_db": None,
        "steps": (
            DerivationStep(title="dO/dy", reason="O is c times the sum, so every output counts c.",
                           formulas=("dO_dy1 = c", "dO_dy2 = c")),
            DerivationStep(title="dO/dx", reason="x5 takes part in all four outputs, once with each filter entry.",
                           formulas=("dO_dx5 = dO_dy1*dy1_dx5 + dO_dy2*dy2_dx5 = c*(f1 + f2 + f3 + f4)",)),
        ),
        "rule": "dO/dx is the full convolution of dO/dy with the flipped filter.",
        "deviations": ("Nothing deviates here: stride 1, no padding.",),
        "notes": ("c is a symbol of its own.",),
        "self_check": SelfCheck(passed=True, exact=True, compared="Equal to a slow convolution", comparisons=13),
        **changes,
    }  # fmt: skip
    return Derivation(**values)  # type: ignore[arg-type]


@pytest.fixture
def derivations() -> Callable[..., Derivation]:
    return textbook_derivation
