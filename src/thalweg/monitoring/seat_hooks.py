"""The hooks that lead from a model and its optimizer to the seat: none keeps a seat alive, none lets an error out."""

import functools
import time
import weakref
from collections.abc import Callable
from typing import Any, Protocol

import torch

__all__ = ["Closure", "CompiledCall", "Hook", "OnGradient", "led"]

_SAID = 160
"""Characters of an error that are told."""


class Seated(Protocol):
    """What hooks need of a seat; those of its methods that they call are named when they are made."""

    first: float
    last: float
    seconds: float

    @property
    def taken(self) -> bool:
        """Whether the hooks are in place."""

    def end(self, why: str) -> None:
        """Close, and say why.

        Args:
            why: The reason.
        """


class Hook:
    """A hook that keeps no seat alive, and is nothing in a copy or a pickle of the model."""

    def __init__(self, seat: Callable[[], "Seated | None"] | None, name: str) -> None:
        self.seat, self.name = seat, name

    def __call__(self, *args: object) -> Any:  # noqa: ANN401 - what torch takes from hooks
        """Lead to the seat; while a program is compiled it does nothing, and is compiled to nothing."""
        if torch.compiler.is_compiling():
            return None
        seat = self.seat() if self.seat else None
        return guarded(seat, self.name, *args) if seat is not None and seat.taken else None

    def __deepcopy__(self, _: object) -> "Hook":
        return Hook(None, self.name)

    def __copy__(self) -> "Hook":
        return Hook(None, self.name)

    def __reduce__(self) -> tuple[type["Hook"], tuple[None, str]]:
        return Hook, (None, self.name)


class OnGradient:
    """A hook on one output; the graph holds it, and it the batch."""

    def __init__(self, seat: "weakref.ref[Seated]", batch: object, number: int) -> None:
        self.seat, self.batch, self.number = seat, batch, number

    def __call__(self, gradient: torch.Tensor) -> None:
        """Lead to the seat."""
        seat = self.seat()
        if seat is not None and seat.taken and not torch.compiler.is_compiling():
            guarded(seat, "_on_gradient", self.batch, self.number, gradient)


class CompiledCall:
    """Stands before the program of a model compiled in place (`model.compile()`): its hooks are compiled to nothing.

    Args:
        model: The model; copies and pickles of it do without this.
        seat: Who is told of its calls.
    """

    def __init__(self, model: torch.nn.Module, seat: "weakref.ref[Seated]") -> None:
        self.model, self.seat = weakref.ref(model), seat
        self.program: Any = model._compiled_call_impl  # noqa: SLF001 - torch has no other place
        model._compiled_call_impl = self  # noqa: SLF001

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Call the program as it would be called, and the seat before and after."""
        seat = self.seat()
        seat = seat if seat is not None and seat.taken and not torch.compiler.is_compiling() else None
        if seat is not None:
            guarded(seat, "_before_forward")
        output = self.program(*args, **kwargs)
        if seat is not None:
            guarded(seat, "_after_forward", None, args, kwargs, output)
        return output

    def remove(self) -> None:
        """Put the program back."""
        model = self.model()
        if model is not None and vars(model).get("_compiled_call_impl") is self:
            model._compiled_call_impl = self.program  # noqa: SLF001


class Closure:
    """A loop's closure on its way through an optimizer's step: it is called as it is, and the seat told of it.

    Args:
        seat: Who is told.
        versions: Of the weights when the step began.
    """

    def __init__(self, seat: "weakref.ref[Seated]", versions: list[int]) -> None:
        self.seat, self.versions, self.calls = seat, versions, 0

    def through(self, closure: Callable[..., object], *args: object, **kwargs: object) -> object:
        """Call a closure and tell the seat.

        Args:
            closure: The loop's.
            args: What the optimizer gives it.
            kwargs: The same, by name.

        Returns:
            What it gave.
        """
        found = closure(*args, **kwargs)
        seat = self.seat()
        if seat is not None and seat.taken:
            guarded(seat, "_after_closure", self)
        return found


def led(closure: Closure, given: object) -> object:
    """Lead an argument of a step through, where it is a closure.

    Args:
        closure: Who tells the seat.
        given: The argument.

    Returns:
        What the optimizer is to call in its place; the argument itself where it is none.
    """
    return functools.partial(closure.through, given) if callable(given) else given


def guarded(seat: "Seated", name: str, *args: object) -> Any:  # noqa: ANN401 - what torch takes from hooks
    began = time.perf_counter()
    seat.first = seat.first or began
    found = None
    try:
        with torch.autograd.set_grad_enabled(torch.is_grad_enabled()):  # a passenger's mode ends with it
            found = getattr(seat, name)(*args)
    except Exception as error:  # noqa: BLE001 - whatever fails in here, training goes on
        said = str(error).strip().partition("\n")[0][:_SAID]  # torch adds pages on which device knows what
        seat.end(f"{type(error).__name__} in {name.strip('_')}: {said}")
    seat.last = time.perf_counter()
    seat.seconds += seat.last - began
    return found
