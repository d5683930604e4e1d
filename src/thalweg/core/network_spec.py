"""A network described once, as data: from this it is built, drawn, counted and derived.

A spec is a list of layers in topological order. Every layer has a name, a kind from `layer_kinds`, its settings, and
the names of what it reads: network inputs or earlier layers. Layers with the same `shared` name use one set of weights.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

from thalweg.core.errors import SpecError
from thalweg.core.shape import Shape
from thalweg.core.showing import Showable

__all__ = ["LayerSpec", "NetworkSpec", "Setting"]

Setting: TypeAlias = str | int | float | bool | tuple[int, ...] | tuple[tuple[int, int], ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSpec:
    """One layer, without its weights.

    Args:
        name: Unique in the network; becomes the prefix of its entries in the state dict.
        kind: A kind such as `conv2d`, `batch_norm`, `relu`, `add`.
        settings: What the kind needs, in PyTorch's words (`out_channels`, `kernel_size`); numbers or tuples of numbers.
        inputs: Names of network inputs or earlier layers, in order.
        shared: Name of the layer whose weights this one uses too, or None.
        block: Names of the blocks this layer lies in, outermost first, for drawing and folding.
        trainable: Whether its weights are trained; what shares them follows the layer that owns them.
    """

    name: str
    kind: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    shared: str | None = None
    block: tuple[str, ...] = ()
    trainable: bool = True

    def __post_init__(self) -> None:
        frozen = {key: _freeze(value) for key, value in self.settings.items()}
        object.__setattr__(self, "settings", MappingProxyType(frozen))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle through plain values, since a mapping proxy cannot be pickled."""
        fields = (self.name, self.kind, dict(self.settings), self.inputs, self.shared, self.block, self.trainable)
        return (_rebuild, fields)


def _rebuild(*values: object) -> LayerSpec:
    names = ("name", "kind", "settings", "inputs", "shared", "block", "trainable")
    return LayerSpec(**dict(zip(names, values, strict=True)))  # type: ignore[arg-type]


def _freeze(value: object) -> Setting:
    if isinstance(value, list | tuple):
        return tuple(_freeze(item) for item in value)  # type: ignore[return-value]
    return value  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec(Showable):
    """Inputs, layers and outputs of a network.

    Args:
        name: What the network is called.
        inputs: Shape of each input of one sample, by name, in order.
        layers: The layers, each after everything it reads.
        outputs: Names of the layers whose values the network returns.
        form: How it was written, `sequential` or `functional`; only drawing minds it.

    Raises:
        SpecError: A name is used twice, a layer reads something unknown or later (a cycle), or an output is missing.
    """

    name: str
    inputs: Mapping[str, Shape]
    layers: tuple[LayerSpec, ...]
    outputs: tuple[str, ...]
    form: str = "functional"

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", MappingProxyType(dict(self.inputs)))
        if not self.inputs:
            raise SpecError(f"network {self.name!r} has no input")
        later = {layer.name for layer in self.layers}
        known = set(self.inputs)
        for layer in self.layers:
            if layer.name in known:
                raise SpecError(f"network {self.name!r}: the name {layer.name!r} is used twice")
            for source in layer.inputs:
                if source not in known:
                    why = "comes later: the layers form a cycle" if source in later else "does not exist"
                    raise SpecError(f"layer {layer.name!r} ({layer.kind}) reads {source!r}, which {why}")
            known.add(layer.name)
        for output in self.outputs:
            if output not in known:
                raise SpecError(f"network {self.name!r}: output {output!r} does not exist")
        if not self.outputs:
            raise SpecError(f"network {self.name!r} has no output")

    def __iter__(self) -> Iterator[LayerSpec]:
        return iter(self.layers)

    def layer(self, name: str) -> LayerSpec:
        """Find a layer.

        Args:
            name: The layer's name.

        Returns:
            The layer.

        Raises:
            SpecError: There is no such layer.
        """
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise SpecError(f"network {self.name!r} has no layer {name!r}")

    def logits(self) -> "tuple[NetworkSpec, str | None]":
        """The same network without a final sigmoid or softmax, which losses compute more exactly themselves.

        Returns:
            The shorter network, and the kind that was taken off (None when the network ends otherwise).
        """
        last = self.layer(self.outputs[0]) if len(self.outputs) == 1 and self.layers else None
        if last is None or last.kind not in {"sigmoid", "softmax"} or len(last.inputs) != 1:
            return self, None
        layers = tuple(layer for layer in self.layers if layer.name != last.name)
        return replace(self, layers=layers, outputs=last.inputs), last.kind

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle through plain values, since a mapping proxy cannot be pickled."""
        return (_rebuild_network, (self.name, dict(self.inputs), self.layers, self.outputs, self.form))


def _rebuild_network(*values: object) -> NetworkSpec:
    names = ("name", "inputs", "layers", "outputs", "form")
    return NetworkSpec(**dict(zip(names, values, strict=True)))  # type: ignore[arg-type]
