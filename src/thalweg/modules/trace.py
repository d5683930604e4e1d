"""From a torch module to a network's description, by following its forward pass with symbols (torch.fx).

What a symbol cannot follow, such as a branch on a value, torch refuses itself; what it can follow but no kind of ours
describes is named. Only one way through the control flow is seen: that of the settings the module has now.
"""

import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from torch import fx, nn

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import layer_kind, output_shape, output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec, Setting
from thalweg.core.shape import Shape
from thalweg.modules.build import BuiltNetwork
from thalweg.modules.reading import READERS, read_module

__all__ = ["trace"]

_Settings: TypeAlias = dict[str, Setting]


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m) in READERS or super().is_leaf_module(m, module_qualified_name)


def trace(module: nn.Module, *input_shapes: Shape, name: str = "") -> NetworkSpec:
    """Describe a torch module.

    Args:
        module: Any module whose forward pass takes batches alone.
        *input_shapes: Shape of one sample for each argument; not needed for what `build` made.
        name: What the network is called; the class's name by default.

    Returns:
        The network's description.

    Raises:
        SpecError: The forward pass cannot be followed, or a step of it has no counterpart among our layers.
        ShapeError: The input shapes do not fit the module.

    Example:
        >>> spec = trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), Shape(3, (32, 32)))
        >>> [(layer.name, layer.kind) for layer in spec]
        [('0', 'conv2d'), ('1', 'relu')]
    """
    if isinstance(module, BuiltNetwork):
        return _read_back(module)
    try:
        graph = _Tracer().trace(module)
    except Exception as error:
        first_line = str(error).partition("\n")[0]
        raise SpecError(f"the forward pass of {type(module).__name__} cannot be followed: {first_line}") from error
    return _Writing(module, graph, input_shapes).spec(name or type(module).__name__)


def _read_back(network: BuiltNetwork) -> NetworkSpec:
    layers = []
    for layer in network.spec.layers:
        kind, settings = read_module(network.get_submodule(layer.shared or layer.name))
        if layer.settings.get("zero_init") and kind == "batch_norm":
            settings["zero_init"] = True  # how it began cannot be seen in what it is
        layers.append(_layer(layer.name, kind, settings, layer.inputs, layer.shared, layer.block))
    spec = network.spec
    read = NetworkSpec(name=spec.name, inputs=spec.inputs, layers=tuple(layers), outputs=spec.outputs, form=spec.form)
    output_shapes(read)
    return read


def _layer(
    name: str, kind: str, settings: _Settings, inputs: tuple[str, ...], shared: str | None, block: tuple[str, ...]
) -> LayerSpec:
    forms = layer_kind(kind).settings
    said = {key: value for key, value in settings.items() if value != forms[key].default}
    return LayerSpec(name=name, kind=kind, settings=said, inputs=inputs, shared=shared, block=block)


class _Writing:
    """The description as it grows along the graph."""

    def __init__(self, module: nn.Module, graph: fx.Graph, input_shapes: tuple[Shape, ...]) -> None:
        self.module, self.graph = module, graph
        self.waiting = list(input_shapes)
        self.inputs: dict[str, Shape] = {}
        self.layers: list[LayerSpec] = []
        self.shapes: dict[str, Shape] = {}
        self.names: dict[fx.Node, str] = {}
        self.uses: Counter[str] = Counter()
        self.outputs: tuple[str, ...] = ()

    def spec(self, name: str) -> NetworkSpec:
        for node in self.graph.nodes:
            self.take(node)
        if self.waiting:
            raise SpecError(f"{len(self.waiting)} input shapes more were given than {name} takes")
        return NetworkSpec(name=name, inputs=self.inputs, layers=tuple(self.layers), outputs=self.outputs)

    def take(self, node: fx.Node) -> None:
        if node.op == "placeholder":
            if not self.waiting:
                raise SpecError(f"the shape of input {node.name!r} is not given")
            self.names[node] = node.name
            self.inputs[node.name] = self.shapes[node.name] = self.waiting.pop(0)
        elif node.op == "output":
            ends = node.args[0] if isinstance(node.args[0], list | tuple) else (node.args[0],)
            if not all(isinstance(end, fx.Node) and end in self.names for end in ends):
                raise SpecError(f"the module returns {node.args[0]!r}, which is not one value or several")
            self.outputs = tuple(self.names[end] for end in ends)  # type: ignore[index]
        elif node.op == "call_module":
            self.take_module(node)
        elif node.op in {"call_function", "call_method"} and not self.is_size(node):
            self.take_call(node)
        elif node.op == "get_attr":
            raise SpecError(f"step {node.name!r} uses the parameter {node.target!r} directly; nothing describes that")

    def is_size(self, node: fx.Node) -> bool:
        """Whether a step only asks for sizes, which descriptions do not need."""
        asks = node.target in {"size", "dim"} or (node.target is getattr and node.args[1] in {"shape", "ndim"})
        return asks or (node.target is operator.getitem and node.args[0] not in self.names)

    def take_module(self, node: fx.Node) -> None:
        path = str(node.target)
        try:
            kind, settings = read_module(self.module.get_submodule(path))
        except SpecError as error:
            raise SpecError(f"layer {path!r}: {error}") from None
        self.uses[path] += 1
        again = self.uses[path] > 1
        shared = path if again and layer_kind(kind).weighted else None
        name = f"{path}_{self.uses[path]}" if again else path
        self.add(node, name, kind, settings, [node.args[0]], shared)

    def take_call(self, node: fx.Node) -> None:
        what = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
        rule = _CALLS.get(what.strip("_"))
        found = rule(node, self) if rule else None
        if found is None:
            raise SpecError(f"step {node.name!r} ({what}) has no counterpart among our layers")
        kind, settings, inputs = found
        self.add(node, node.name, kind, settings, inputs, None)

    def add(
        self, node: fx.Node, name: str, kind: str, settings: _Settings, inputs: Sequence[Any], shared: str | None
    ) -> None:
        missing = [each for each in inputs if each not in self.names]
        if missing:
            raise SpecError(f"step {name!r} reads {missing[0]!r}, which is no value of the network")
        taken = {*self.shapes}
        while name in taken:
            name += "_"
        layer = _layer(
            name, kind, settings, tuple(self.names[each] for each in inputs), shared, tuple(name.split(".")[:-1])
        )
        reads = tuple(self.shapes[each] for each in layer.inputs)
        if kind == "layer_norm" and settings["over"] == "channels" and reads[0].extents:
            raise SpecError(f"layer {name!r} normalises the last axis of {reads[0]}, which are not its channels")
        self.shapes[name] = output_shape(layer, reads)
        self.layers.append(layer)
        self.names[node] = name

    def axes(self, node: object) -> int:
        return self.shapes[self.names[node]].axes if node in self.names else 0


_Call: TypeAlias = "Callable[[fx.Node, _Writing], tuple[str, _Settings, list[Any]] | None]"


def _argument(node: fx.Node, place: int, name: str, default: Any = None) -> Any:  # noqa: ANN401 - fx's arguments
    return node.args[place] if len(node.args) > place else node.kwargs.get(name, default)


def _elementwise(kind: str) -> _Call:
    def read(node: fx.Node, _: _Writing) -> tuple[str, _Settings, list[Any]] | None:
        usual = len(node.args) <= 1 and set(node.kwargs) <= {"inplace"}  # other slopes and forms are other functions
        return (kind, {}, [node.args[0]]) if usual else None

    return read


def _arithmetic(kind: str, *, scale: bool, inverse: bool = False) -> _Call:
    def read(node: fx.Node, writing: _Writing) -> tuple[str, _Settings, list[Any]] | None:
        values = [each for each in node.args[:2] if each in writing.names]
        numbers = [each for each in node.args[:2] if isinstance(each, int | float)]
        if len(values) == 2 and not inverse:  # noqa: PLR2004 - both operands
            return kind, {}, values
        if len(values) == 1 and len(numbers) == 1 and (values[0] is node.args[0] or not inverse):
            number = (1 / numbers[0] if scale else -numbers[0]) if inverse else numbers[0]
            return "rescale", {"scale" if scale else "offset": float(number)}, values
        return None

    return read


def _flat(node: fx.Node, writing: _Writing) -> tuple[str, _Settings, list[Any]] | None:
    words = (_argument(node, 1, "start_dim", 0), _argument(node, 2, "end_dim", -1))
    return ("flatten", {}, [node.args[0]]) if words == (1, -1) and writing is not None else None


def _viewed(node: fx.Node, writing: _Writing) -> tuple[str, _Settings, list[Any]] | None:
    del writing
    sizes = node.args[1] if isinstance(node.args[1], list | tuple) else node.args[1:]
    return ("flatten", {}, [node.args[0]]) if len(sizes) == 2 and sizes[1] == -1 else None  # noqa: PLR2004 - (batch, -1)


def _mean(node: fx.Node, writing: _Writing) -> tuple[str, _Settings, list[Any]] | None:
    axes = writing.axes(node.args[0])
    said = _argument(node, 1, "dim", ())
    dims = {each % (axes + 2) for each in (said if isinstance(said, list | tuple) else [said])}
    if not axes or dims != set(range(2, axes + 2)):
        return None
    if _argument(node, 2, "keepdim", False):
        return f"adaptive_avg_pool{axes}d", {"output_size": 1}, [node.args[0]]
    return "global_avg_pool", {}, [node.args[0]]


def _stacked(node: fx.Node, writing: _Writing) -> tuple[str, _Settings, list[Any]] | None:
    del writing
    values = _argument(node, 0, "tensors")
    return ("concatenate", {}, list(values)) if _argument(node, 1, "dim", 0) == 1 else None


def _softmax(node: fx.Node, writing: _Writing) -> tuple[str, _Settings, list[Any]] | None:
    at_channels = _argument(node, 1, "dim") in {1, -1 - writing.axes(node.args[0])}
    return ("softmax", {}, [node.args[0]]) if at_channels else None


def _through(make: Callable[..., nn.Module]) -> _Call:
    """A function that has a module with the same arguments is read as that module."""

    def read(node: fx.Node, writing: _Writing) -> tuple[str, _Settings, list[Any]] | None:
        del writing
        words = {key: value for key, value in node.kwargs.items() if key not in {"training", "inplace"}}
        kind, settings = read_module(make(*node.args[1:], **words))
        return kind, settings, [node.args[0]]

    return read


def _dropout(node: fx.Node, writing: _Writing) -> tuple[str, _Settings, list[Any]] | None:
    del writing
    return "dropout", {"p": _argument(node, 1, "p", 0.5)}, [node.args[0]]


_CALLS: Mapping[str, _Call] = MappingProxyType({
    **{name: _elementwise(name) for name in ("relu", "relu6", "gelu", "silu", "hardswish", "hardsigmoid", "elu")},
    **{name: _elementwise(name) for name in ("sigmoid", "tanh")},
    **{name: _arithmetic("add", scale=False) for name in ("add", "iadd")},
    **{name: _arithmetic("multiply", scale=True) for name in ("mul", "imul")},
    **{name: _arithmetic("", scale=False, inverse=True) for name in ("sub", "isub")},
    **{name: _arithmetic("", scale=True, inverse=True) for name in ("truediv", "div")},
    "flatten": _flat,
    "view": _viewed,
    "reshape": _viewed,
    "mean": _mean,
    "cat": _stacked,
    "concat": _stacked,
    "softmax": _softmax,
    "dropout": _dropout,
    "leaky_relu": _through(nn.LeakyReLU),
    **{f"max_pool{n}d": _through(getattr(nn, f"MaxPool{n}d")) for n in (1, 2, 3)},
    **{f"avg_pool{n}d": _through(getattr(nn, f"AvgPool{n}d")) for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": _through(getattr(nn, f"AdaptiveAvgPool{n}d")) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": _through(getattr(nn, f"AdaptiveMaxPool{n}d")) for n in (1, 2, 3)},
    "interpolate": _through(nn.Upsample),
})
