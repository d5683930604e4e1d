"""Which weights and inputs one output of a layer depends on, for every kind of layer; integers only, no torch."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import complete_settings, layer_kind
from thalweg.core.network_spec import LayerSpec
from thalweg.core.shape import Shape
from thalweg.derivation import mixing, moving, unweighted, weighted
from thalweg.derivation.reading import Asked, Found, Place

__all__ = ["RULES", "dependence_of"]

_AXES = ((), ("position",), ("row", "column"), ("slice", "row", "column"))
_ELEMENTWISE = (
    *("relu", "relu6", "gelu", "silu", "mish", "hardswish", "hardsigmoid", "elu", "selu", "softplus", "sigmoid"),
    *("tanh", "leaky_relu", "prelu"),
)


def dependence_of(layer: LayerSpec, shapes: Sequence[Shape], output: Shape, at: Place) -> Found:
    """Find what one output of a layer depends on.

    Args:
        layer: The layer.
        shapes: Shapes of what it reads.
        output: The shape it gives.
        at: Channel and position, from 0.

    Returns:
        The terms, and what is read.

    Raises:
        SpecError: The place lies outside, or the layer is a step of a foreign module that nobody can explain.

    Example:
        >>> layer = LayerSpec(name="c", kind="conv1d", settings={"out_channels": 1, "kernel_size": 3, "padding": 1},
        ...                   inputs=("x",))
        >>> found = dependence_of(layer, [Shape(2, (5,))], Shape(1, (5,)), (0, 0))
        >>> found.products, found.padding, found.terms[0].weight, found.terms[0].at
        (4, 2, (0, 0, 1), (0, 0))
    """
    sizes = output.as_tuple()
    inside = len(at) == len(sizes) and all(0 <= place < size for place, size in zip(at, sizes, strict=True))
    if not inside:
        words = ("channel", *_AXES[output.axes])
        last = ",".join(str(size - 1) for size in sizes)
        raise SpecError(
            f"--at {','.join(map(str, at))}: layer {layer.name!r} gives {output}; {', '.join(words)} count from 0, "
            f"the last place is {last}"
        )
    if layer_kind(layer.kind).traced or layer.kind not in RULES:
        what = complete_settings(layer).get("what", layer.kind)
        raise SpecError(
            f"layer {layer.name!r} is the step {what!r} of somebody's module, of which only the result was seen; "
            "what its outputs depend on cannot be told"
        )
    asked = Asked(layer=layer, settings=complete_settings(layer), shapes=shapes, output=output, at=at)
    return RULES[layer.kind](asked)


RULES: Mapping[str, Callable[[Asked], Found]] = MappingProxyType({
    **{f"conv{axes}d": weighted.convolved for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": weighted.transposed for axes in (1, 2, 3)},
    **{f"{how}_pool{axes}d": unweighted.pooled for how in ("max", "avg") for axes in (1, 2, 3)},
    **{f"adaptive_{how}_pool{axes}d": unweighted.adaptive for how in ("max", "avg") for axes in (1, 2, 3)},
    **dict.fromkeys(("global_avg_pool", "global_max_pool"), unweighted.global_pooled),
    **dict.fromkeys(_ELEMENTWISE, unweighted.function),
    **dict.fromkeys(("identity", "dropout"), unweighted.kept),
    "linear": weighted.dense,
    "rescale": unweighted.function,
    "batch_norm": unweighted.normalised,
    "layer_norm": unweighted.layer_norm,
    "group_norm": unweighted.group_norm,
    "softmax": unweighted.softmax,
    "flatten": unweighted.flat,
    "add": unweighted.added,
    "multiply": unweighted.multiplied,
    "concatenate": unweighted.stacked,
    "upsample": unweighted.enlarged,
    "resize": mixing.resized,
    "attention": mixing.attended,
    "attention_pool": mixing.summed,
    "subsample": unweighted.thinned,
    "pad": unweighted.padded,
    "crop": moving.cropped,
    "channel_shuffle": moving.shuffled,
    "pixel_shuffle": moving.spread,
    "local_response_norm": moving.among_neighbours,
})
