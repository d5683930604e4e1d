"""Networks that give every pixel a class: an encoder of the catalogue, a context module, and a U-Net's decoder.

The encoder halves the picture several times and knows ever more about ever less of where things are; the decoder goes
back up, each time resizing what it has to the size of the encoder's map of that step and stacking the two (Ronneberger,
Fischer and Brox 2015). Sizes are taken from those maps, so that pictures of any size, odd ones too, keep theirs. The
last step adds the pixels themselves, for edges that are sharp.

The encoder's layers are called as in the catalogue's network, so that published weights fit it strictly.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import layer_kind, output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.context import CONTEXTS, with_context
from thalweg.networks.efficientnet_lite import efficientnet_lite0
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import BatchNorm, Concatenate, Conv2d, ReLU, Resize, Softmax
from thalweg.networks.resnet import resnet
from thalweg.networks.small import small
from thalweg.networks.writing import Value, block

__all__ = [
    "ENCODERS",
    "SEGMENTERS",
    "encoder_layers",
    "encoder_stages",
    "frozen_encoder",
    "outside_encoder",
    "parts_of_name",
    "segmenter",
]

_OURS = ("context", "decoder")
_HEAD, _PROBABILITY = "head", "probability"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Encoder:
    """A network of the catalogue as an encoder, the decoder's widths from coarse to fine, and what of it is unused."""

    widths: tuple[int, ...]
    unused: tuple[str, ...]


_WIDE = (128, 64, 48, 32, 16)
ENCODERS: Mapping[str, _Encoder] = MappingProxyType({
    "small": _Encoder(widths=(64, 32, 24, 16, 16), unused=("dense1.",)),
    "resnet18": _Encoder(widths=_WIDE, unused=("fc.",)),
    "resnet34": _Encoder(widths=_WIDE, unused=("fc.",)),
    "efficientnet-lite0": _Encoder(widths=_WIDE, unused=("_conv_head.", "_bn1.", "_fc.")),
})
"""Encoders by name."""

SEGMENTERS: tuple[str, ...] = tuple(
    f"unet-{encoder}" + ("" if context == "none" else f"+{context}") for encoder in ENCODERS for context in CONTEXTS
)
"""Names in the catalogue, such as `unet-small` and `unet-resnet18+pyramid`."""


def segmenter(input_shape: Shape, classes: int, *, encoder: str = "small", context: str = "none") -> NetworkSpec:
    """A segmentation network.

    Args:
        input_shape: Channels and size of a picture, pixels from 0 to 255; any size from 16 pixels.
        classes: Number of classes, two included: each has a channel of its own.
        encoder: `small`, `resnet18`, `resnet34` or `efficientnet-lite0`.
        context: `none`, `pool`, `pyramid`, `atrous`, `nonlocal` or `gc`.

    Returns:
        The network, whose one output holds the probability of every class at every pixel.

    Raises:
        SpecError: The encoder or the context module is unknown, or there are fewer than two classes.
        ShapeError: The pictures are too small for the encoder.

    Example:
        >>> spec = segmenter(Shape(3, (45, 61)), 11, context="pyramid")
        >>> spec.name, str(output_shapes(spec)[spec.outputs[0]])
        ('unet-small+pyramid', '11x45x61')
    """
    if encoder not in ENCODERS:
        raise SpecError(f"no encoder is called {encoder!r}; known are {', '.join(ENCODERS)}")
    if classes < 2:  # noqa: PLR2004 - the definition
        raise SpecError(f"a segmentation into {classes} classes has nothing to decide; 2 or more are wanted")
    if input_shape.axes != 2:  # noqa: PLR2004 - pictures
        raise SpecError(f"a segmentation network takes pictures (channels, height, width), not {input_shape}")
    trunk = _classifier(encoder, input_shape)
    shapes = output_shapes(trunk)
    skips = _skips(trunk, shapes)
    values = {name: Input(*shapes[name].as_tuple(), name=name) for name in skips}
    *finer, deepest = values
    x = with_context(context, values[deepest], shapes[deepest].channels)
    for step, (name, width) in enumerate(zip(reversed(finer), ENCODERS[encoder].widths[-len(finer) :], strict=True), 1):
        with block("decoder"), block(f"up{step}"):
            x = _step_up(x, values[name], width, last=step == len(finer))
    x = Conv2d(classes, 1, name=_HEAD)(x)
    x = Softmax(name=_PROBABILITY)(x)
    name = f"unet-{encoder}" + ("" if context == "none" else f"+{context}")
    rest = Network(list(values.values()), x, name=name)
    kept = _needed(trunk, deepest)
    return NetworkSpec(
        name=name, inputs=trunk.inputs, layers=(*kept, *rest.layers), outputs=rest.outputs, form=trunk.form
    )


def parts_of_name(name: str) -> tuple[str, str]:
    """Encoder and context module of a segmentation network's name.

    Args:
        name: One of `SEGMENTERS`.

    Returns:
        The two.

    Raises:
        SpecError: No segmentation network is called that.

    Example:
        >>> parts_of_name("unet-resnet18+gc"), parts_of_name("unet-small")
        (('resnet18', 'gc'), ('small', 'none'))
    """
    if name not in SEGMENTERS:
        raise SpecError(
            f"no segmentation network is called {name!r}; known are unet- and one of {', '.join(ENCODERS)}, "
            f"then, if wanted, + and one of {', '.join(CONTEXTS[1:])}"
        )
    encoder, _, context = name.removeprefix("unet-").partition("+")
    return encoder, context or "none"


def encoder_layers(spec: NetworkSpec) -> tuple[str, ...]:
    """Names of the layers of the encoder: they are those of the catalogue's network.

    Args:
        spec: A segmentation network.

    Returns:
        The names, in order.

    Example:
        >>> encoder_layers(segmenter(Shape(3, (64, 64)), 5, encoder="resnet18"))[:3]
        ('rescale1', 'conv1', 'bn1')
    """
    return tuple(each.name for each in spec if each.block[:1] not in {(part,) for part in _OURS} and _is_trunk(each))


def _is_trunk(layer: LayerSpec) -> bool:
    return layer.name not in {_HEAD, _PROBABILITY}


def outside_encoder(spec: NetworkSpec) -> tuple[str, ...]:
    """Beginnings of the names of weights that published weights of the backbone do not give, or that nobody needs.

    `thalweg.pretrained.fitting.fit` takes them as `leave`: the decoder's and the context module's are learned anew, and
    the backbone's own head is not in the network.

    Args:
        spec: A segmentation network of the catalogue.

    Returns:
        The beginnings, each with its dot.

    Raises:
        SpecError: The network is not one of the catalogue's.

    Example:
        >>> outside_encoder(segmenter(Shape(3, (64, 64)), 5, encoder="resnet18"))
        ('context.', 'decoder.', 'head.', 'fc.')
    """
    encoder, _ = parts_of_name(spec.name)
    return (*(f"{part}." for part in _OURS), f"{_HEAD}.", *ENCODERS[encoder].unused)


def encoder_stages(spec: NetworkSpec) -> Mapping[str, int]:
    """The stage of every layer of the encoder, from 0 at the pixels; one works at one resolution.

    Args:
        spec: A segmentation network.

    Returns:
        Stage by the layer's name; decoder, context module and head are not in it.

    Example:
        >>> stages = encoder_stages(segmenter(Shape(3, (224, 224)), 5, encoder="resnet18"))
        >>> [stages[name] for name in ("conv1", "layer1.0.conv1", "layer2.0.conv1", "layer4.1.conv2")]
        [0, 1, 2, 4]
    """
    shapes, inside = output_shapes(spec), set(encoder_layers(spec))
    found: dict[str, int] = {}
    begins: list[int] = []
    for layer in spec:
        if layer.name not in inside:
            continue
        width = max(shapes[layer.name].extents)
        if layer_kind(layer.kind).weighted and (not begins or width <= _NARROWER * begins[-1]):
            begins.append(width)
        found[layer.name] = max(0, sum(width <= begin for begin in begins) - 1)
    return found


_NARROWER = 0.7  # as for backbones: a map at most this share as wide as its stage's first begins the next stage


def frozen_encoder(spec: NetworkSpec, count: int | None = None) -> NetworkSpec:
    """The same network with the first stages of its encoder never trained.

    Args:
        spec: A segmentation network.
        count: How many stages, from the pixels on; None for the whole encoder.

    Returns:
        The network with those layers marked.

    Example:
        >>> spec = frozen_encoder(segmenter(Shape(3, (64, 64)), 5, encoder="resnet18"), 2)
        >>> [spec.layer(name).trainable for name in ("conv1", "layer1.0.conv1", "layer2.0.conv1", "head")]
        [False, False, True, True]
    """
    at = encoder_stages(spec)
    limit = 1 + max(at.values()) if count is None else count
    return replace(
        spec,
        layers=tuple(replace(each, trainable=each.trainable and at.get(each.name, limit) >= limit) for each in spec),
    )


def _classifier(encoder: str, shape: Shape) -> NetworkSpec:
    if encoder.startswith("resnet"):
        return resnet(int(encoder.removeprefix("resnet")), shape, 2)
    return small(shape, 2) if encoder == "small" else efficientnet_lite0(shape, 2)


def _skips(trunk: NetworkSpec, shapes: Mapping[str, Shape]) -> tuple[str, ...]:
    """The map to take of every resolution, finest first: the last that one block hands to another, or the last."""
    blocks = {layer.name: layer.block for layer in trunk}
    handed = {
        source
        for layer in trunk
        for source in layer.inputs
        if source in blocks and blocks[source] and blocks[source] != layer.block[: len(blocks[source])]
    }
    last: dict[tuple[int, ...], tuple[bool, str]] = {}
    for layer in trunk:
        extents = shapes[layer.name].extents
        if not extents or max(extents) > max(min(last, default=extents)):
            continue
        whole = layer.name in handed
        if whole or not last.get(extents, (False, ""))[0]:
            last[extents] = (whole, layer.name)
    return tuple(name for _, name in sorted(last.values(), key=lambda each: list(blocks).index(each[1])))


def _needed(trunk: NetworkSpec, deepest: str) -> tuple[LayerSpec, ...]:
    needed = {deepest}
    for layer in reversed(trunk.layers):
        if layer.name in needed:
            needed.update(layer.inputs)
    return tuple(layer for layer in trunk if layer.name in needed)


def _step_up(x: Value, skip: Value, width: int, *, last: bool) -> Value:
    x = Concatenate()(Resize()(x, skip), skip)
    for _ in range(1 if last else 2):  # at full size every layer is dear
        x = ReLU()(BatchNorm()(Conv2d(width, 3, padding=1, bias=False)(x)))
    return x
