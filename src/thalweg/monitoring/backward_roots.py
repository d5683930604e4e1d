"""Where backward passes begin: the number that a loop calls its loss, whatever function made it.

`torch.autograd.backward`, which `loss.backward()` calls, is looked at from the end of a network's forward pass until
its update, and is torch's own again afterwards. A number that multiplies the whole, such as the scale of mixed
precision or the share of accumulated batches, is seen in the graph and taken away.
"""

import functools
import itertools
import math
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch

__all__ = ["BackwardRoots", "Root", "now"]

_MOST_FACTORS = 4
_guard = threading.Lock()
_passes = itertools.count()


class Root:
    """One backward pass under way. Nothing is computed before somebody asks: most are never looked at.

    Args:
        number: Tells it from others.
        parts: What it begins at, and the weight of each; nothing where one is no number.
        factors: What everything is multiplied by (True) or divided by.
    """

    def __init__(
        self,
        number: int,
        parts: "list[tuple[torch.Tensor, torch.Tensor | None]]",
        factors: "list[tuple[torch.Tensor, bool]]",
    ) -> None:
        self.number, self.thread = number, threading.get_ident()
        self._parts, self._factors = parts, factors

    @property
    def value(self) -> torch.Tensor | None:
        """What it begins at without the factors, on its device; None where that is no number."""
        if not self._parts:
            return None
        with torch.no_grad():
            values = [
                part.float().reshape(()) * (1.0 if by is None else by.float().reshape(())) for part, by in self._parts
            ]
            value = torch.stack(values).sum()
            for by, times in self._factors:
                number = by.float().reshape(()).to(value.device)
                value = torch.where(number == 0, value, value / number if times else value * number)
        return value

    @property
    def factor(self) -> float:
        """The product of the factors."""
        return math.prod(float(by) if times else 1 / float(by) for by, times in self._factors if float(by) != 0)

    def spoil(self) -> None:
        """Nothing is known of it: another thread makes a backward pass of its own."""
        self._parts = []


class _State:
    listeners = 0
    ours: Callable[..., object] | None = None
    before: Callable[..., object] | None = None
    root: Root | None = None


def now() -> Root | None:
    """The backward pass under way, from within a hook.

    Returns:
        It; None outside of one, and where nobody listens.

    Example:
        >>> seen, weight = [], torch.ones(1, requires_grad=True)
        >>> output = weight * 3
        >>> handle, roots = output.register_hook(lambda _: seen.append(now())), BackwardRoots()
        >>> roots.listen()
        >>> (output.sum() / 4).backward()
        >>> roots.rest()
        >>> float(seen[0].value), seen[0].factor
        (3.0, 0.25)
    """
    return _State.root


class BackwardRoots:
    """Listens when it is told to, until it is told to rest or nobody holds it any longer; either twice does no harm."""

    def __init__(self) -> None:
        self._listening: list[bool] = []
        weakref.finalize(self, _leave, self._listening)

    def listen(self) -> None:
        """Look at the backward passes to come."""
        if not self._listening:
            _enter(self._listening)

    def rest(self) -> None:
        """Look at none."""
        if self._listening:
            _leave(self._listening)


def _enter(listening: list[bool]) -> None:
    with _guard:
        listening.append(True)
        _State.listeners += 1
        if _State.listeners == 1:
            if _State.ours is None or _State.before is not torch.autograd.backward:
                _State.before = torch.autograd.backward
                _State.ours = _looked_at(torch.autograd.backward)
            torch.autograd.backward = _State.ours  # type: ignore[assignment]


def _leave(listening: list[bool]) -> None:
    with _guard:
        if not listening:
            return
        listening.clear()
        _State.listeners -= 1
        if _State.listeners == 0 and torch.autograd.backward is _State.ours:  # else somebody has come between
            torch.autograd.backward = _State.before  # type: ignore[assignment]


def _looked_at(backward: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(backward)
    def begin(tensors: Any, grad_tensors: Any = None, *args: Any, **kwargs: Any) -> object:  # noqa: ANN401
        if _State.root is not None and _State.root.thread != threading.get_ident():
            _State.root.spoil()
        if _State.listeners == 0 or _State.root is not None or torch.compiler.is_compiling():
            return backward(tensors, grad_tensors, *args, **kwargs)  # one within another, as checkpoints make
        _State.root = _root_of(tensors, grad_tensors)
        try:
            return backward(tensors, grad_tensors, *args, **kwargs)
        finally:
            _State.root = None

    return begin


def _root_of(tensors: object, given: object) -> Root:
    number = next(_passes)
    try:
        if isinstance(tensors, torch.Tensor) and given is None and tensors.numel() == 1:
            return Root(number, [(tensors.detach(), None)], _factors_of(tensors))
        roots = _listed(tensors)
        weights = _listed(given) or [None] * len(roots)
        if not roots or any(root.numel() != 1 for root in roots):
            return Root(number, [], [])
        parts = [
            (root.detach(), None if weight is None else weight.detach())
            for root, weight in zip(roots, weights, strict=True)
        ]
        return Root(number, parts, _factors_of(roots[0]) if len(roots) == 1 and weights[0] is None else [])
    except Exception:  # noqa: BLE001 - inside the user's training: whatever it is, the loss is then not seen here
        return Root(number, [], [])


def _listed(given: object) -> list[Any]:
    return list(given) if isinstance(given, Sequence) else [] if given is None else [given]


def _factors_of(root: torch.Tensor) -> "list[tuple[torch.Tensor, bool]]":
    """What the last operations multiply and divide everything by; what they have kept is gone after the pass."""
    factors: list[tuple[torch.Tensor, bool]] = []
    node = root.grad_fn
    while node is not None and len(factors) < _MOST_FACTORS:
        name = type(node).__name__
        if name not in {"MulBackward0", "DivBackward0"}:
            break
        parents = [parent for parent, _ in node.next_functions if parent is not None]
        other, own = (getattr(node, f"_saved_{each}", None) for each in ("other", "self"))
        by = other if other is not None else own if name == "MulBackward0" else None
        if len(parents) != 1 or not isinstance(by, torch.Tensor) or by.numel() != 1:
            break
        factors.append((by.detach(), name == "MulBackward0"))
        node = parents[0]
    return factors
