"""A shallow segmentation network with and without a context module, at equal cost; and one that is deeper instead.

It halves pictures twice only, so that its windows end long before the picture does: a deep encoder sees everything by
itself (its field is told beside it), and then a context module has less to add.
"""

from collections.abc import Mapping

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.experiments.sizing import cost_of, nearest_width
from thalweg.networks.context import CONTEXTS, with_context
from thalweg.networks.ends import signed_pixels
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import BatchNorm, Concatenate, Conv2d, ReLU, Resize, Softmax
from thalweg.networks.segmentation import SEGMENTERS, segmenter
from thalweg.networks.writing import Value, block

__all__ = ["DEEPER", "equal_networks", "scene_network", "segmenters"]

DEEPER = "none, deeper"


def scene_network(shape: Shape, classes: int, context: str, width: int, *, deeper: bool = False) -> NetworkSpec:
    """The network of the experiment.

    Args:
        shape: Channels and size of a picture.
        classes: Number of classes.
        context: A context module, or `none`.
        width: Channels of the first map; the coarse map has twice as many.
        deeper: Whether pictures are halved four times and not twice.

    Returns:
        The network.

    Example:
        >>> from thalweg.accounting.ledger import count
        >>> count(scene_network(Shape(3, (48, 72)), 5, "none", 16)).receptive_field
        (35, 35)
    """
    pixels = Input(*shape.as_tuple())
    x = signed_pixels()(pixels)
    maps = [x]
    with block("encoder"):
        for channels in (width, 2 * width, *((2 * width, 2 * width) if deeper else ())):
            x = _convolved(x, channels, stride=2)
            maps.append(x)
        x = _convolved(_convolved(x, 2 * width), 2 * width)
    x = with_context(context, x, 2 * width)
    for step, skip in enumerate(reversed(maps[:-1]), 1):
        with block("decoder"), block(f"up{step}"):
            x = _convolved(
                Concatenate()(Resize()(x, skip), skip), max(8, width // 2 if step == len(maps) - 1 else width)
            )
    x = Softmax(name="probability")(Conv2d(classes, 1, name="head")(x))
    return Network(pixels, x, name=f"scenes+{context}")


def _convolved(x: Value, channels: int, *, stride: int = 1) -> Value:
    return ReLU()(BatchNorm()(Conv2d(channels, 3, stride=stride, padding=1, bias=False)(x)))


def equal_networks(shape: Shape, classes: int, width: int) -> Mapping[str, NetworkSpec]:
    """Every context module at the same MACs, and a deeper network without one.

    Args:
        shape: Channels and size of a picture.
        classes: Number of classes.
        width: Of the network without a module; the others are as wide as comes nearest to its cost.

    Returns:
        The networks by name.
    """
    target = cost_of(scene_network(shape, classes, "none", width), "macs")

    def at(context: str, *, deeper: bool = False) -> NetworkSpec:
        def make(wide: int) -> NetworkSpec:
            return scene_network(shape, classes, context, wide, deeper=deeper)

        return make(nearest_width(make, target, "macs", most=4 * width))

    return {**{context: at(context) for context in CONTEXTS}, DEEPER: at("none", deeper=True)}


def segmenters(shape: Shape, classes: int) -> Mapping[str, NetworkSpec]:
    """The catalogue's smallest network with every context module, for pictures of the user's.

    Args:
        shape: Channels and size of a picture.
        classes: Number of classes.

    Returns:
        The networks by name; their costs differ by a few per cent and are told.
    """
    contexts = [name.partition("+")[2] or "none" for name in SEGMENTERS if name.partition("+")[0] == "unet-small"]
    return {context: segmenter(shape, classes, context=context) for context in contexts}
