"""A network as the Python that writes it: a list of layers where it is a chain, layers called on values in any case.

    spec = Sequential([             |   x = Input(3, 8, 8)
        Input(3, 8, 8),             |   y = Conv2d(4, 3)(x)
        Conv2d(4, 3),               |   y = ReLU()(y)
        ReLU(),                     |   spec = Network(x, y)
    ])

Running the text gives the same layers again; names are written only where they differ from the automatic ones.
"""

import dataclasses
import itertools
import json
import math
from collections import Counter
from collections.abc import Iterator
from types import MappingProxyType
from typing import Literal, TypeAlias

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import layer_kind
from thalweg.core.network_spec import LayerSpec, NetworkSpec, Setting
from thalweg.networks import layers as written

__all__ = ["WAYS", "Way", "list_network", "ways"]

Way: TypeAlias = Literal["sequential", "functional"]
WAYS: tuple[Way, ...] = ("sequential", "functional")

_CLASSES = MappingProxyType({
    getattr(written, name).kind: getattr(written, name) for name in written.__all__ if name != "Dense"
})
_DENSE = "linear"
_INDENT = "    "


def ways(spec: NetworkSpec) -> tuple[Way, ...]:
    """Tell how a network can be written.

    Args:
        spec: The network.

    Returns:
        Both ways where every layer reads only what the one before gives and none lends its weights, else `functional`.

    Example:
        >>> from thalweg.core.shape import Shape
        >>> from thalweg.networks.catalogue import network
        >>> ways(network("plain", Shape(3, (64, 64)), 2)), ways(network("small", Shape(3, (64, 64)), 2))
        (('sequential', 'functional'), ('functional',))
    """
    before = list(spec.inputs)
    for layer in spec.layers:
        if list(layer.inputs) != before or layer.shared:
            return ("functional",)
        before = [layer.name]
    return WAYS if list(spec.outputs) == before else ("functional",)


def list_network(spec: NetworkSpec, way: Way | None = None) -> str:
    """Write a network as Python.

    Args:
        spec: The network.
        way: `sequential` or `functional`; by default as it was written.

    Returns:
        A program that leaves the network in `spec`, with the imports it needs.

    Raises:
        SpecError: The network branches and cannot be a list, or a layer has no class that writes it.

    Example:
        >>> from thalweg.core.shape import Shape
        >>> from thalweg.networks.catalogue import network
        >>> for line in list_network(network("plain", Shape(3, (64, 64)), 2)).splitlines()[-6:-3]:
        ...     print(line)
            Dense(128),
            ReLU(),
            Dropout(),
    """
    if way is None:
        way = "sequential" if spec.form == "sequential" and len(ways(spec)) == len(WAYS) else "functional"
    if way not in ways(spec):
        raise SpecError(f"network {spec.name!r} branches: a list of layers cannot say which reads what; write it "
                        "functionally")  # fmt: skip
    names = _names(spec)
    body = list(_sequential(spec, names) if way == "sequential" else _functional(spec, names))
    frozen = [layer.name for layer in spec.layers if not layer.trainable]
    if frozen:  # a setting of training, which the layers' classes do not have
        body.append(f"# {len(frozen)} layers were frozen, from {frozen[0]} to {frozen[-1]}")
    return "\n".join([*_imports(spec, way), "", *body]) + "\n"


def _imports(spec: NetworkSpec, way: Way) -> Iterator[str]:
    blocks = any(layer.block for layer in spec.layers)
    yield f"from thalweg.networks.functional import Input{', Network' if way == 'functional' else ''}"
    needed = sorted({_class_name(layer) for layer in spec.layers}, key=str.casefold)
    line = f"from thalweg.networks.layers import {', '.join(needed)}"
    if needed:
        yield line if len(line) <= 100 else f"from thalweg.networks.layers import (\n{_wrapped(needed)})"  # noqa: PLR2004
    if way == "sequential":
        yield f"from thalweg.networks.sequential import {'Block, ' if blocks else ''}Sequential"
    elif blocks:
        yield "from thalweg.networks.writing import block"


def _wrapped(words: list[str]) -> str:
    return "".join(f"{_INDENT}{word},\n" for word in words)


def _sequential(spec: NetworkSpec, names: dict[str, str]) -> Iterator[str]:
    yield "spec = Sequential(["
    yield f"{_INDENT}{_input(spec, next(iter(spec.inputs)))},"
    open_: tuple[str, ...] = ()
    for layer in spec.layers:
        common = _common(open_, layer.block)
        for depth in range(len(open_), common, -1):
            yield f"{_INDENT * depth}]),"
        for depth in range(common, len(layer.block)):
            yield f"{_INDENT * (depth + 1)}Block({_quoted(layer.block[depth])}, ["
        open_ = layer.block
        yield f"{_INDENT * (len(open_) + 1)}{_call(layer, names[layer.name])},"
    for depth in range(len(open_), 0, -1):
        yield f"{_INDENT * depth}]),"
    yield f"], name={_quoted(spec.name)})"


def _functional(spec: NetworkSpec, names: dict[str, str]) -> Iterator[str]:
    single = len(spec.inputs) == 1
    values = {name: "x" if single else f"x{number}" for number, name in enumerate(spec.inputs, start=1)}
    for name in spec.inputs:
        yield f"{values[name]} = {_input(spec, name)}"
    last = _last_uses(spec)
    lenders = {layer.shared for layer in spec.layers if layer.shared}
    owners: dict[str, str] = {}
    in_use: set[str] = set()
    open_: tuple[str, ...] = ()
    for position, layer in enumerate(spec.layers):
        for depth in range(_common(open_, layer.block), len(layer.block)):
            yield f"{_INDENT * depth}with block({_quoted(layer.block[depth])}):"
        open_ = layer.block
        indent = _INDENT * len(open_)
        read = ", ".join(values[source] for source in layer.inputs)
        # A value that nobody reads later gives its word to the next one, as people write y = f(y).
        ended = [values[name] for name in layer.inputs if last[name] <= position and values[name] in in_use]
        in_use -= set(ended)
        word = ended[0] if ended else next(word for word in _words() if word not in in_use)
        in_use.add(word)
        called = owners.get(layer.shared or "") or _call(layer, names[layer.name])
        if layer.name in lenders:
            owners[layer.name] = f"shared{len(owners) + 1}"
            yield f"{indent}{owners[layer.name]} = {called}"
            called = owners[layer.name]
        values[layer.name] = word
        yield f"{indent}{word} = {called}({read})"
        if last[layer.name] == position:
            in_use.discard(word)
    inputs, outputs = (_several([values[name] for name in named]) for named in (spec.inputs, spec.outputs))
    yield f"spec = Network({inputs}, {outputs}, name={_quoted(spec.name)})"


def _words() -> Iterator[str]:
    yield from "yzabcdefgh"
    yield from (f"v{number}" for number in itertools.count(1))


def _last_uses(spec: NetworkSpec) -> dict[str, int]:
    last = dict.fromkeys(spec.inputs, len(spec.layers))
    for position, layer in enumerate(spec.layers):
        last[layer.name] = position
        for source in layer.inputs:
            last[source] = max(last[source], position)
    for name in spec.outputs:
        last[name] = len(spec.layers)
    return last


def _common(open_: tuple[str, ...], wanted: tuple[str, ...]) -> int:
    # How many of the blocks that are open stay so. The same names again right away still are the same block.
    depth = 0
    while depth < min(len(open_), len(wanted)) and open_[depth] == wanted[depth]:
        depth += 1
    return depth


def _several(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"[{', '.join(words)}]"


def _input(spec: NetworkSpec, name: str) -> str:
    shape = spec.inputs[name]
    usual = ["input"] if len(spec.inputs) == 1 else [f"input{number}" for number in range(1, len(spec.inputs) + 1)]
    said = "" if name == usual[list(spec.inputs).index(name)] else f", name={_quoted(name)}"
    return f"Input({', '.join(map(str, (shape.channels, *shape.extents)))}{said})"


def _class_name(layer: LayerSpec) -> str:
    if layer.kind not in _CLASSES:
        raise SpecError(f"layer {layer.name!r} is of kind {layer.kind!r}, which is not written in Python; use YAML")
    return "Dense" if layer.kind == _DENSE else str(_CLASSES[layer.kind].__name__)


def _call(layer: LayerSpec, name: str) -> str:
    made = _CLASSES.get(layer.kind)
    fields = [] if made is None or not dataclasses.is_dataclass(made) else dataclasses.fields(made)
    said = []
    for item in fields:
        if item.name == "name" or item.name not in layer.settings:
            continue
        value = _value(layer.settings[item.name])
        said.append(value if item.default is dataclasses.MISSING else f"{item.name}={value}")
    if name:
        said.append(f"name={_quoted(name)}")
    return f"{_class_name(layer)}({', '.join(said)})"


def _value(value: Setting) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _names(spec: NetworkSpec) -> dict[str, str]:
    # The name that has to be said for each layer; empty where the automatic one is the same.
    said: dict[str, str] = {}
    counters: Counter[tuple[tuple[str, ...], str]] = Counter()
    taken = set(spec.inputs)
    for layer in spec.layers:
        prefix = "".join(f"{part}." for part in layer.block)
        stem = layer_kind(layer.kind).stem
        if layer.shared:
            said[layer.name] = ""
            continue
        automatic = f"{prefix}{stem}{counters[layer.block, stem] + 1}"
        if layer.name == automatic and automatic not in taken:
            counters[layer.block, stem] += 1
            said[layer.name] = ""
        else:
            said[layer.name] = layer.name.removeprefix(prefix)
        taken.add(layer.name)
    return said
