"""The ledger: every layer of a network counted, in order, without allocating a weight."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

from thalweg.accounting import activation, attention, convolution, dense, normalisation, traced, weightless
from thalweg.accounting.cost import Cost, CountingRule
from thalweg.accounting.receptive_field import Field, field_after, field_after_step
from thalweg.core.errors import UncountedLayerError
from thalweg.core.layer_cost import CONVENTION, LayerCost, Ledger
from thalweg.core.layer_kinds import complete_settings, layer_kind, output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape

__all__ = ["RULES", "count", "receptive_fields"]

_FLOAT_BYTES = 4
_ONE_WAY = (
    "the module was followed along one way through its control flow, "
    "and the receptive field of a step that may mix positions is taken to be everything"
)

RULES: Mapping[str, CountingRule] = MappingProxyType({
    kind: rule
    for family in (activation, attention, convolution, dense, normalisation, traced, weightless)
    for kind, rule in family.RULES.items()
})


def count(spec: NetworkSpec, *, frozen: Collection[str] = ()) -> Ledger:
    """Count every layer of a network.

    Args:
        spec: The network.
        frozen: Names of layers, or of blocks, whose parameters are not trained, besides those described so.

    Returns:
        One row a layer; weights that two layers share are counted with the first. An `opaque` step of somebody's
        module has a row whose MACs are None, and so has the whole.

    Raises:
        UncountedLayerError: A layer is of a kind without a counting rule.
        SpecError: A layer has a wrong setting.
        ShapeError: Two layers do not fit.

    Example:
        >>> settings = {"out_channels": 16, "kernel_size": 7}
        >>> layer = LayerSpec(name="conv1", kind="conv1d", settings=settings, inputs=("x",))
        >>> spec = NetworkSpec(name="one", inputs={"x": Shape(3, (505,))}, layers=(layer,), outputs=("conv1",))
        >>> row = count(spec).rows[0]
        >>> row.formula, str(row.output_shape), row.receptive_field
        ('(3*7 + 1)*16 = 352', '16x499', (7,))
    """
    for layer in spec.layers:
        if layer.kind not in RULES:
            known = ", ".join(RULES)
            raise UncountedLayerError(f"layer {layer.name!r}: nobody counts the kind {layer.kind!r}; known are {known}")
    shapes = output_shapes(spec)
    fields = _fields(spec, shapes)
    rows = []
    for layer in spec.layers:
        settings = complete_settings(layer)
        reads = tuple(shapes[source] for source in layer.inputs)
        cost = RULES[layer.kind](settings, reads, shapes[layer.name])
        row = _row(layer, cost, reads, shapes[layer.name], fields[layer.name])
        rows.append(replace(row, trainable=False) if not layer.trainable or _is_frozen(layer, frozen) else row)
    followed = any(layer_kind(layer.kind).traced for layer in spec.layers)
    convention = f"{CONVENTION}; {_ONE_WAY}" if followed else CONVENTION
    return Ledger(network=spec.name, input_shapes=dict(spec.inputs), rows=tuple(rows), convention=convention)


def receptive_fields(spec: NetworkSpec) -> dict[str, tuple[Field, ...]]:
    """What the outputs of every layer see of the network's input.

    Args:
        spec: The network.

    Returns:
        By name, of inputs and layers: a field for each spatial axis, none where there is no axis.

    Raises:
        SpecError: A layer has a wrong setting.
        ShapeError: Two layers do not fit.

    Example:
        >>> settings = {"out_channels": 16, "kernel_size": 7}
        >>> layer = LayerSpec(name="conv1", kind="conv1d", settings=settings, inputs=("x",))
        >>> spec = NetworkSpec(name="one", inputs={"x": Shape(3, (505,))}, layers=(layer,), outputs=("conv1",))
        >>> receptive_fields(spec)["conv1"][0].at(10)
        (10, 16)
    """
    return _fields(spec, output_shapes(spec))


def _fields(spec: NetworkSpec, shapes: Mapping[str, Shape]) -> dict[str, tuple[Field, ...]]:
    fields = {name: tuple(Field(extent=size) for size in shape.extents) for name, shape in spec.inputs.items()}
    for layer in spec.layers:
        settings = complete_settings(layer)
        reads = tuple(shapes[source] for source in layer.inputs)
        before = [fields[source] for source in layer.inputs]
        if layer_kind(layer.kind).traced:
            fields[layer.name] = field_after_step(settings, reads, before, shapes[layer.name], spec.inputs)
        else:
            fields[layer.name] = field_after(layer, settings, reads, before)
    return fields


def _is_frozen(layer: LayerSpec, frozen: Collection[str]) -> bool:
    parts = layer.name.split(".")
    return any(".".join(parts[: length + 1]) in frozen for length in range(len(parts)))


def _row(layer: LayerSpec, cost: Cost, reads: tuple[Shape, ...], shape: Shape, fields: tuple[Field, ...]) -> LayerCost:
    own = layer.shared is None
    return LayerCost(
        name=layer.name,
        kind=layer.kind,
        input_shapes=reads,
        output_shape=shape,
        parameters=cost.parameters if own else 0,
        buffers=cost.buffers if own else 0,
        formula=cost.formula if own else f"weights of {layer.shared}",
        macs=cost.macs,
        activation_bytes=shape.size * _FLOAT_BYTES,
        receptive_field=tuple(field.size for field in fields),
        stride=tuple(field.stride for field in fields),
    )
