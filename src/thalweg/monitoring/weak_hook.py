"""A hook on somebody else's network that keeps its owner not alive, and lets no error into the training it watches."""

import logging
import weakref
from typing import Any, Protocol

import torch

__all__ = ["WeakHook"]

_LOG = logging.getLogger("thalweg")


class Closing(Protocol):
    """Whoever hooks lead to."""

    def close(self) -> None:
        """Look no longer."""


class WeakHook:
    """Leads to a method; nothing where the owner is gone, in a copy or a pickle of the network, and while one compiles.

    An error of the method ends the owner's looking, not the loop.

    Args:
        owner: Whose method.
        method: Its name.
        first: What it is called with before what torch gives.

    Example:
        >>> class Counter:
        ...     calls = 0
        ...     def seen(self, by, *_):
        ...         self.calls += by
        ...     def close(self): ...
        >>> layer, counter = torch.nn.Linear(1, 1), Counter()
        >>> handle = layer.register_forward_hook(WeakHook(weakref.ref(counter), "seen", 2))
        >>> output = layer(torch.ones(1))
        >>> counter.calls
        2
    """

    def __init__(self, owner: "weakref.ref[Any] | None", method: str, *first: object) -> None:
        self.owner, self.method, self.first = owner, method, first

    def __call__(self, *args: Any) -> None:  # noqa: ANN401 - what torch gives to hooks
        """Lead to the method."""
        owner: Closing | None = self.owner() if self.owner and not torch.compiler.is_compiling() else None
        if owner is None:
            return
        try:
            getattr(owner, self.method)(*self.first, *args)
        except Exception:  # noqa: BLE001 - inside the user's training: whatever it is, training goes on
            _LOG.debug("%s.%s failed, and looks no longer", type(owner).__name__, self.method, exc_info=True)
            owner.close()

    def __reduce__(self) -> "tuple[type[WeakHook], tuple[Any, ...]]":  # copies are made by it, too
        return WeakHook, (None, self.method, *self.first)
