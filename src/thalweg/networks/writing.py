"""What both ways of writing a network share: layers as small values, the places they are called at, and blocks.

A layer is a description without weights. Calling it on a value of the network gives the next value; calling the same
layer object twice shares its weights. `Network` (functional) and `Sequential` turn what was written into a spec.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import ClassVar, Self

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import layer_kind
from thalweg.core.network_spec import LayerSpec, Setting
from thalweg.core.shape import Shape

__all__ = ["Layer", "Value", "block"]

_PATH: ContextVar[tuple[str, ...]] = ContextVar("block", default=())


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Value:
    """What flows between layers: a network input, or what one layer gives.

    Args:
        layer: The layer that gives it; None for a network input.
        inputs: What that layer reads.
        block: Names of the blocks it was written in, outermost first.
        shape: Shape of a network input; None otherwise.
        name: Name of a network input; None for an automatic one.
    """

    layer: "Layer | None" = None
    inputs: "tuple[Value, ...]" = ()
    block: tuple[str, ...] = ()
    shape: Shape | None = None
    name: str | None = None


@dataclass(frozen=True, eq=False)
class Layer:
    """Base of all layers that can be written; equal only to itself, since using one object twice shares weights.

    Args:
        name: Its name inside its block; None for an automatic one such as `conv1`.
    """

    kind: ClassVar[str]
    name: str | None = field(default=None, kw_only=True)

    def __new__(cls, *given: object, **named: object) -> Self:
        """Refuse what Python would call a wrong number of arguments, in the words of networks.

        Args:
            *given: Settings in their order.
            **named: Settings by name.

        Returns:
            The layer, empty still.

        Raises:
            SpecError: A value of the network is among them, there are too many, or a name is none of the layer's.
        """
        known = [item.name for item in dataclasses.fields(cls) if item.name != "name"]
        if any(isinstance(each, Value) for each in (*given, *named.values())):
            raise SpecError(f"{cls.__name__} was given what it reads instead of settings; write {cls.__name__}(...)(x)")
        strange = [name for name in named if name not in {*known, "name"}]
        if strange or len(given) > len(known):
            wrong = repr(strange[0]) if strange else f"{len(given)} settings"
            raise SpecError(f"{cls.__name__} does not take {wrong}; it takes {', '.join([*known, 'name'])}")
        return super().__new__(cls)

    def __call__(self, *values: Value) -> Value:
        """Apply the layer.

        Args:
            *values: What it reads.

        Returns:
            What it gives.

        Raises:
            SpecError: Something else than values of a network was given.
        """
        for value in values:
            if not isinstance(value, Value):
                raise SpecError(
                    f"{type(self).__name__} was called on {value!r}; call it on an Input or on what a layer gave"
                )
        return Value(layer=self, inputs=values, block=_PATH.get())

    def settings(self) -> dict[str, Setting]:
        """What differs from the defaults of the kind.

        Returns:
            Settings by name.
        """
        forms = layer_kind(self.kind).settings
        said = {item.name: getattr(self, item.name) for item in dataclasses.fields(self) if item.name != "name"}
        usual = {name: (type(form.default), form.default) for name, form in forms.items()}
        return {name: value for name, value in said.items() if usual.get(name) != (type(value), value)}

    def described(self, name: str, inputs: tuple[str, ...], shared: str | None, path: tuple[str, ...]) -> LayerSpec:
        """The layer as part of a network.

        Args:
            name: Its full name.
            inputs: Names of what it reads.
            shared: Name of the layer whose weights it uses, or None.
            path: The blocks it lies in.

        Returns:
            Its description.
        """
        return LayerSpec(name=name, kind=self.kind, settings=self.settings(), inputs=inputs, shared=shared, block=path)


@contextlib.contextmanager
def block(name: str) -> Iterator[None]:
    """Put the layers that are called inside into a named block; blocks nest, and their names become prefixes.

    Args:
        name: The block's name, without dots.

    Yields:
        Nothing.

    Raises:
        SpecError: The name is empty or has a dot.

    Example:
        >>> from thalweg.networks.functional import Input, Network
        >>> from thalweg.networks.layers import Conv2d
        >>> x = Input(3, 8, 8)
        >>> with block("stage1"):
        ...     y = Conv2d(4, 3)(x)
        >>> Network(x, y).outputs
        ('stage1.conv1',)
    """
    if not name or "." in name:
        raise SpecError(f"a block's name is {name!r}; a word without dots is wanted")
    token = _PATH.set((*_PATH.get(), name))
    try:
        yield
    finally:
        _PATH.reset(token)
