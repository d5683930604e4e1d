"""The functional form: inputs, layers called on values, and the network between.

    x = Input(3, 32, 32)
    a = Conv2d(16, 1)(x)
    b = Conv2d(16, 3, padding="same")(x)
    spec = Network(x, Concatenate()(a, b))

Layers get names in the order in which their values are needed: `conv1`, `conv2`, `concatenate1`.
"""

from collections import Counter
from collections.abc import Sequence

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import layer_kind, output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.foreign_order import refuse_channels_last, refuse_channels_read
from thalweg.networks.writing import Layer, Value

__all__ = ["Input", "Network"]


def Input(*sizes: int, name: str | None = None) -> Value:  # noqa: N802 - reads as Keras users know it
    """A network input.

    Args:
        *sizes: Channels, then the size of each spatial axis.
        name: Its name; `input` when there is only one, `input1`, `input2` otherwise.

    Returns:
        The value to call layers on.

    Raises:
        SpecError: No size was given, all in one tuple, or channels last.

    Example:
        >>> Input(3, 32, 32).shape
        Shape(channels=3, extents=(32, 32))
    """
    if not sizes:
        raise SpecError("an input has no size; write Input(channels, height, width), for example")
    first: object = sizes[0]
    if isinstance(first, tuple | list):
        raise SpecError(f"Input({first}): write its sizes one by one, Input({', '.join(map(str, first))})")
    refuse_channels_last(sizes)
    return Value(shape=Shape(sizes[0], tuple(sizes[1:])), name=name)


def Network(  # noqa: N802 - reads as Keras users know it
    inputs: Value | Sequence[Value],
    outputs: Value | Sequence[Value],
    *,
    name: str = "network",
    form: str = "functional",
) -> NetworkSpec:
    """The network between inputs and outputs.

    Args:
        inputs: One input or several, in the order in which the network takes them.
        outputs: One value or several, in the order in which the network gives them.
        name: What the network is called.
        form: How it was written; only drawing minds it.

    Returns:
        The network's description, with its shapes checked.

    Raises:
        SpecError: A value depends on an input that is not given, or a layer has a wrong setting or name.
        ShapeError: Two layers do not fit; the message names both and the shapes.

    Example:
        >>> from thalweg.networks.layers import Add, Conv2d
        >>> x = Input(3, 32, 32)
        >>> conv = Conv2d(3, 3, padding="same")
        >>> [layer.name for layer in Network(x, Add()(conv(x), conv(conv(x))))]
        ['conv1', 'conv1_2', 'conv1_3', 'add1']
    """
    sources = [inputs] if isinstance(inputs, Value) else list(inputs)
    ends = [outputs] if isinstance(outputs, Value) else list(outputs)
    order = _in_order(ends)
    names = _input_names(sources)
    for value in order:
        if value.layer is None and value not in names:
            raise SpecError(f"network {name!r} depends on an input of shape {value.shape} that is not among its inputs")
    shapes = {names[value]: value.shape for value in sources if value.shape is not None}
    layers = _describe([value for value in order if value.layer is not None], names)
    spec = NetworkSpec(
        name=name, inputs=shapes, layers=layers, outputs=tuple(names[value] for value in ends), form=form
    )
    refuse_channels_read(spec)
    output_shapes(spec)
    return spec


def _in_order(ends: Sequence[Value]) -> list[Value]:
    # Everything the ends need, each after what it reads; by hand, since deep networks exceed Python's recursion.
    found: dict[Value, None] = {}
    waiting = [(value, False) for value in reversed(ends)]
    while waiting:
        value, ready = waiting.pop()
        if value in found:
            continue
        if ready:
            found[value] = None
        else:
            waiting.append((value, True))
            waiting.extend((source, False) for source in reversed(value.inputs))
    return list(found)


def _input_names(sources: Sequence[Value]) -> dict[Value, str]:
    if any(value.shape is None for value in sources):
        raise SpecError("a network's inputs must be made with Input(...)")
    automatic = ["input"] if len(sources) == 1 else [f"input{number}" for number in range(1, len(sources) + 1)]
    return {value: value.name or default for value, default in zip(sources, automatic, strict=True)}


def _describe(values: Sequence[Value], names: dict[Value, str]) -> tuple[LayerSpec, ...]:
    taken = {*names.values(), *(_full(value, value.layer.name) for value in values if value.layer and value.layer.name)}
    counters: Counter[tuple[tuple[str, ...], str]] = Counter()
    owners: dict[Layer, str] = {}
    uses: Counter[Layer] = Counter()
    described = []
    for value in values:
        layer = value.layer
        assert layer is not None  # noqa: S101 - inputs were left out above
        kind = layer_kind(layer.kind)
        uses[layer] += 1
        again = uses[layer] > 1 and (kind.weighted or layer.name is not None)
        if again:
            own = f"{owners[layer]}_{uses[layer]}"
        elif layer.name is not None:
            own = _full(value, layer.name)
        else:
            own = _automatic(value, kind.stem, counters, taken)
        owners.setdefault(layer, own)
        names[value] = own
        shared = owners[layer] if again and kind.weighted else None
        described.append(layer.described(own, tuple(names[source] for source in value.inputs), shared, value.block))
    return tuple(described)


def _full(value: Value, name: str) -> str:
    return ".".join((*value.block, name))


def _automatic(value: Value, stem: str, counters: Counter[tuple[tuple[str, ...], str]], taken: set[str]) -> str:
    while True:
        counters[value.block, stem] += 1
        name = _full(value, f"{stem}{counters[value.block, stem]}")
        if name not in taken:
            taken.add(name)
            return name
