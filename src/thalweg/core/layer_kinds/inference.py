"""Shapes through a whole network: every error names the layer, its kind, what it reads and the numbers."""

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.layer_kinds import (
    activation,
    convolution,
    joining,
    mixing,
    normalisation,
    pooling,
    reshaping,
    traced,
)
from thalweg.core.layer_kinds.kind import LayerKind
from thalweg.core.network_spec import LayerSpec, NetworkSpec, Setting
from thalweg.core.shape import Shape

__all__ = ["LAYER_KINDS", "complete_settings", "layer_kind", "output_shape", "output_shapes"]

LAYER_KINDS: Mapping[str, LayerKind] = MappingProxyType({
    kind.name: kind
    for family in (convolution, pooling, normalisation, activation, reshaping, joining, mixing, traced)
    for kind in family.KINDS
})


def layer_kind(name: str) -> LayerKind:
    """Find a kind by its name.

    Args:
        name: Such as `conv2d`.

    Returns:
        The kind.

    Raises:
        SpecError: There is no such kind; the message proposes near names.

    Example:
        >>> layer_kind("conv2d").stem
        'conv'
    """
    if name in LAYER_KINDS:
        return LAYER_KINDS[name]
    near = difflib.get_close_matches(name, LAYER_KINDS, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else f"; known are {', '.join(LAYER_KINDS)}"
    raise SpecError(f"unknown layer kind {name!r}{hint}")


def complete_settings(layer: LayerSpec) -> dict[str, Setting]:
    """A layer's settings with the defaults of its kind.

    Args:
        layer: The layer.

    Returns:
        Every setting of the kind.

    Raises:
        SpecError: The kind or a setting is unknown, or a value is out of range; the message names the layer.

    Example:
        >>> complete_settings(LayerSpec(name="pool", kind="max_pool1d", settings={"kernel_size": 2}))["ceil_mode"]
        False
    """
    try:
        return layer_kind(layer.kind).complete(layer.settings)
    except SpecError as error:
        raise SpecError(f"layer {layer.name!r} ({layer.kind}): {error}") from None


def output_shape(layer: LayerSpec, shapes: tuple[Shape, ...]) -> Shape:
    """The shape one layer gives.

    Args:
        layer: The layer.
        shapes: The shapes it reads, in order.

    Returns:
        The shape of its value for one sample.

    Raises:
        SpecError: The layer's kind or a setting is unknown or out of range.
        ShapeError: What it reads does not fit.
    """
    settings = complete_settings(layer)
    kind = layer_kind(layer.kind)
    try:
        kind.check_inputs(shapes)
        return kind.infer(settings, shapes)
    except SpecError as error:
        reads = ", ".join(f"{name!r} ({shape})" for name, shape in zip(layer.inputs, shapes, strict=False))
        place = (
            f"layer {layer.name!r} ({layer.kind}) after {reads}" if reads else f"layer {layer.name!r} ({layer.kind})"
        )
        wrong = ShapeError if isinstance(error, ShapeError) else SpecError
        raise wrong(f"{place}: {error}") from None


def output_shapes(spec: NetworkSpec) -> dict[str, Shape]:
    """The shape of every value of a network.

    Args:
        spec: The network.

    Returns:
        Shape of each network input and of each layer's output, by name, for one sample.

    Raises:
        SpecError: A layer is unknown, has a wrong setting, or shares the weights of a layer of another form.
        ShapeError: A layer does not fit what it reads.

    Example:
        >>> conv = LayerSpec(name="conv1", kind="conv2d", settings={"out_channels": 3, "kernel_size": 1}, inputs=("x",))
        >>> spec = NetworkSpec(name="one", inputs={"x": Shape(3, (4, 4))}, layers=(conv,), outputs=("conv1",))
        >>> output_shapes(spec)["conv1"]
        Shape(channels=3, extents=(4, 4))
    """
    shapes = dict(spec.inputs)
    by_name: dict[str, LayerSpec] = {}
    for layer in spec.layers:
        shapes[layer.name] = output_shape(layer, tuple(shapes[name] for name in layer.inputs))
        by_name[layer.name] = layer
        if layer.shared is not None:
            _check_sharing(layer, by_name, shapes)
    return shapes


def _check_sharing(layer: LayerSpec, by_name: Mapping[str, LayerSpec], shapes: Mapping[str, Shape]) -> None:
    owner = by_name.get(layer.shared or "")
    here = f"layer {layer.name!r} ({layer.kind})"
    if owner is None or owner is layer or owner.shared is not None:
        raise SpecError(
            f"{here} shares the weights of {layer.shared!r}, which is no earlier layer with its own weights"
        )
    if owner.kind != layer.kind or complete_settings(owner) != complete_settings(layer):
        raise SpecError(f"{here} shares the weights of {owner.name!r} ({owner.kind}), whose settings differ")
    mine, theirs = (shapes[each.inputs[0]] for each in (layer, owner))
    if mine.channels != theirs.channels:
        raise ShapeError(
            f"{here} shares the weights of {owner.name!r}, but reads {layer.inputs[0]!r} ({mine}) "
            f"where {owner.name!r} reads {owner.inputs[0]!r} ({theirs})"
        )
