"""A few recent batches whose loss can be computed again at the present weights, without side effects.

A batch is held by reference, not copied: tensors count the changes made to them, so a batch that its owner has
overwritten since is noticed and left out. The loss is what the seat saw (`loss_seen`). During a replay buffers such as
running means are swapped for copies, and random state, plain attributes of the layers and the mode are put back, so
that training goes on as if nothing had been computed. Every batch is replayed with random numbers of its own that are
the same each time: two replays differ by the weights alone, not by the dropout mask.
"""

import contextlib
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from thalweg.modules.numbers import drawing_from
from thalweg.monitoring.loss_seen import Objective, SeenCall, objective_of
from thalweg.monitoring.tensors_held import tensors_in

__all__ = ["Batch", "Replay", "undisturbed"]

KEPT = 4
"""Batches held: enough for three others besides the gradient's own."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Batch:
    """One call of the network that a gradient came back from.

    Args:
        args: Its positional inputs.
        kwargs: Its named inputs.
        seen: Outputs, the gradients at them, and calls of loss modules.
        update: Updates done when it was seen.
        autocast: Device kind and type that products were computed in, or None.
        partial: Whether the loss found may be a part only of the loop's, once it has been looked for.
    """

    args: tuple[object, ...]
    kwargs: dict[str, object]
    seen: SeenCall
    update: int
    autocast: tuple[str, torch.dtype] | None = None
    partial: bool = False
    _versions: tuple[int, ...] = ()
    _objective: Objective | None = None
    _loss: torch.Tensor | None = None
    _finite: bool | None = None
    _resolved: bool = False

    def __post_init__(self) -> None:
        self._versions = self._count()

    @property
    def whole(self) -> bool:
        """Whether its inputs still hold what the network was called with."""
        return self._versions == self._count()

    @property
    def size(self) -> int:
        """Samples in it: the first extent of its first tensor."""
        tensors = self._tensors()
        return tensors[0].shape[0] if tensors and tensors[0].dim() else 1

    @property
    def finite(self) -> bool:
        """Whether the network's outputs were; True where looking would mean to wait for a device."""
        if self._finite is None:
            outputs = self.seen.outputs
            self._finite = all(each.device.type != "cpu" or bool(each.isfinite().all()) for each in outputs)
        return self._finite

    @property
    def objective(self) -> Objective | None:
        """The loss as a function of the network's output; None where it could not be recognised."""
        self._resolve()
        return self._objective

    @property
    def loss_tensor(self) -> torch.Tensor | None:
        """The loss that training saw, without waiting for the device."""
        self._resolve()
        return self._loss

    @property
    def loss(self) -> float | None:
        """The loss that training saw."""
        return None if self.loss_tensor is None else float(self.loss_tensor)

    def _resolve(self) -> None:
        if self._resolved:
            return
        self._finite = self.finite  # outputs are let go below
        self._resolved, seen = True, self.seen
        self._objective = objective_of(seen)
        self.partial = len(seen.gradients) > 1 and self._objective is not None and seen.is_partial()
        if seen.cheap:
            self._loss = seen.computed()
        elif self._objective is not None and seen.whole:
            with torch.no_grad():
                self._loss = self._objective(seen.output)
        else:
            self._loss = seen.total
        seen.forget()

    @property
    def inputs(self) -> list[torch.Tensor]:
        """Its tensors."""
        return self._tensors()

    def _tensors(self) -> list[torch.Tensor]:
        return tensors_in((self.args, self.kwargs))

    def _count(self) -> tuple[int, ...]:
        return tuple(-1 if tensor.is_inference() else tensor._version for tensor in self._tensors())  # noqa: SLF001


@dataclass(slots=True, eq=False, weakref_slot=True)
class Replay:
    """Recent batches of one network.

    Args:
        module: The network itself, without wrappers.
        batches: What is held, oldest first; one a step (the last of a step that accumulated several).
        forwards: Forward passes made so far, a backward pass counted as two more.
        differentiates: Whether the network takes derivatives within its forward pass, as those of physical laws do,
            and so cannot be computed without a graph.
    """

    module: torch.nn.Module
    batches: deque[Batch] = field(default_factory=lambda: deque(maxlen=KEPT))
    forwards: int = 0
    busy: bool = False
    differentiates: bool = False

    @property
    def ready(self) -> bool:
        """Whether the loss of at least one recent batch can be computed again."""
        return any(self._usable())

    def add(self, batch: Batch) -> None:
        """Hold a batch; of one update only the last is held.

        Args:
            batch: A call that a gradient came back from.
        """
        if self.batches and self.batches[-1].update == batch.update:
            self.batches.pop()
        self.batches.append(batch)

    def recall(
        self,
        args: tuple[object, ...],
        objective: Objective,
        *,
        update: int,
        autocast: tuple[str, torch.dtype] | None = None,
    ) -> None:
        """Hold a batch of before a checkpoint again, as if it had just been seen.

        Args:
            args: The network's inputs.
            objective: The loss as a function of its output.
            update: Updates done when it was first seen.
            autocast: Device kind and type that products are computed in, or None.
        """
        batch = Batch(args, {}, SeenCall([]), update, autocast)
        batch._objective, batch._resolved, batch._finite = objective, True, True  # noqa: SLF001 - a batch of ours
        self.add(batch)

    def losses(self, newest: int = 2, skip: int = 0) -> list[float]:
        """Compute losses at the present weights, without gradient.

        Args:
            newest: How many batches, counted from the newest.
            skip: How many of the newest to leave out: 1 for batches other than the last gradient's.

        Returns:
            A loss a batch, in the loss's own unit, newest first; fewer than asked where fewer are held.
        """
        held = list(self._usable())
        chosen = held[skip : skip + newest]
        found = []
        for batch in chosen:
            with torch.no_grad():
                found.append(self._loss(batch))
        return [float(loss) for loss in found]  # one wait for the device, at the end

    def loss_with_graph(self, which: int = 0) -> torch.Tensor:
        """Compute the loss of one batch at the present weights, ready for gradients and Hessian products.

        Args:
            which: 0 for the newest.

        Returns:
            A scalar.

        Raises:
            IndexError: Fewer batches are held.
        """
        held = list(self._usable())
        self.forwards += 2
        with torch.enable_grad():
            return self._loss(held[which])

    def run(self, batch: Batch) -> object:
        """Call the network once more with a batch, at the present weights, leaving no trace.

        Args:
            batch: One that is held.

        Returns:
            The network's output, whatever it is.

        Raises:
            RuntimeError: The network cannot be computed, with a graph or without.
        """
        self.forwards += 1
        was_busy, self.busy = self.busy, True
        try:
            with torch.set_grad_enabled(torch.is_grad_enabled() or self.differentiates):
                return self._call(batch)
        except RuntimeError:
            if torch.is_grad_enabled() or self.differentiates:
                raise
            with torch.enable_grad():
                output = self._call(batch)
            self.differentiates = True
            return output
        finally:
            self.busy = was_busy

    def _call(self, batch: Batch) -> object:
        with undisturbed(self.module, seed=batch.update), _autocast(batch.autocast):
            return self.module(*batch.args, **batch.kwargs)

    def _loss(self, batch: Batch) -> torch.Tensor:
        objective = batch.objective
        assert objective is not None  # noqa: S101 - only usable batches come here
        was_busy, self.busy = self.busy, True
        try:
            return objective(self.run(batch))
        finally:
            self.busy = was_busy

    def _usable(self) -> Iterator[Batch]:
        return (batch for batch in reversed(self.batches) if batch.whole and batch.objective is not None)


@contextlib.contextmanager
def undisturbed(module: torch.nn.Module, *, seed: int = 0) -> Iterator[None]:
    """Let a network be computed without leaving a trace: buffers, attributes and random state are as before.

    Args:
        module: The network.
        seed: Where random numbers start meanwhile.

    Yields:
        Nothing.
    """
    attributes = [(each, dict(each.__dict__)) for each in module.modules()]
    buffers = [(each, dict(each._buffers)) for each, _ in attributes if each._buffers]  # noqa: SLF001
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - layers may draw from the old generator
    try:
        with drawing_from(seed, module.parameters()):
            for each, kept in buffers:
                for name, value in kept.items():
                    each._buffers[name] = None if value is None else value.clone()  # noqa: SLF001
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        for each, kept in buffers:
            each._buffers.clear()  # noqa: SLF001
            each._buffers.update(kept)  # noqa: SLF001
        for each, known in attributes:
            _put_back(each.__dict__, known)


def _put_back(now: dict[str, object], before: dict[str, object]) -> None:
    """Undo what a forward pass assigned; equality would not do, for tensors have none."""
    for name in [name for name in now if name not in before]:
        del now[name]
    for name, value in before.items():
        if name not in now or now[name] is not value:
            now[name] = value


@contextlib.contextmanager
def _autocast(wanted: tuple[str, torch.dtype] | None) -> Iterator[None]:
    with torch.autocast(wanted[0], dtype=wanted[1]) if wanted else contextlib.nullcontext():
        yield
