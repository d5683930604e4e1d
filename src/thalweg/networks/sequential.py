"""The sequential form: a list of layers, each reading what the one before gives; blocks in it nest."""

from collections.abc import Sequence

from thalweg.core.errors import SpecError
from thalweg.core.network_spec import NetworkSpec
from thalweg.networks.functional import Network
from thalweg.networks.writing import Layer, Value, block

__all__ = ["Block", "Sequential"]


class Block:
    """A named list of layers, to be used like one layer in either form.

    Args:
        name: The block's name; it becomes the prefix of its layers' names.
        layers: Layers and blocks, in order.

    Example:
        >>> from thalweg.networks.functional import Input
        >>> from thalweg.networks.layers import Conv2d, ReLU
        >>> spec = Sequential([Input(3, 8, 8), Block("stem", [Conv2d(4, 3), ReLU()])])
        >>> [layer.name for layer in spec]
        ['stem.conv1', 'stem.relu1']
    """

    def __init__(self, name: str, layers: "Sequence[Layer | Block]") -> None:
        self.name = name
        self.layers = tuple(layers)

    def __call__(self, value: Value) -> Value:
        """Apply the block's layers one after the other.

        Args:
            value: What the first one reads.

        Returns:
            What the last one gives.
        """
        with block(self.name):
            return _chain(self.layers, value)


def Sequential(  # noqa: N802 - reads as Keras users know it
    layers: "Sequence[Value | Layer | Block]", *more: object, name: str = "network"
) -> NetworkSpec:
    """A network as a list that begins with its input.

    Args:
        layers: `Input(...)`, then layers and blocks in order.
        *more: Nothing; PyTorch's `Sequential` takes its layers so, and who is used to that is told.
        name: What the network is called.

    Returns:
        The network's description, with its shapes checked.

    Raises:
        SpecError: It is no list, does not begin with an input, has another later, or is otherwise not well formed.
        ShapeError: Two neighbours do not fit.

    Example:
        >>> from thalweg.networks.functional import Input
        >>> from thalweg.networks.layers import Conv2d, Dense, Flatten
        >>> [layer.name for layer in Sequential([Input(3, 4, 4), Conv2d(2, 3), Flatten(), Dense(5)])]
        ['conv1', 'flatten1', 'dense1']
    """
    if more or not isinstance(layers, Sequence):
        raise SpecError(f"network {name!r}: write the layers as one list, Sequential([Input(...), ...])")
    start = layers[0] if layers else None
    if not isinstance(start, Value) or start.shape is None:
        raise SpecError(f"network {name!r}: the list must begin with Input(channels, ...)")
    return Network(start, _chain(layers[1:], start), name=name, form="sequential")


def _chain(layers: "Sequence[Value | Layer | Block]", value: Value) -> Value:
    for layer in layers:
        if not isinstance(layer, Layer | Block):
            raise SpecError(f"{layer!r} is no layer; a list of layers and blocks after one input is wanted")
        value = layer(value)
    return value
