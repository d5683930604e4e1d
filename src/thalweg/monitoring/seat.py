"""The seat: a place on a model and its optimizer from where an update can be seen, scaled or skipped, by hooks alone.

A forward hook on the model notes its inputs and outputs, a hook on the outputs the gradient that comes back, hooks on
the optimizer's step show passengers the moment before and after the weights move. Nothing of the user's is replaced;
only a closure that the loop hands to `step` is called through the seat, which so learns when the gradients are there.
As long as no passenger interferes, the weights are those of an unwatched run to the bit. Whatever goes wrong in here
ends the watching with one line in the log, never the training.
"""

import functools
import logging
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils._pytree import tree_map
from torch.utils.hooks import RemovableHandle

from thalweg.monitoring.backward_roots import BackwardRoots, now
from thalweg.monitoring.loss_seen import LossModules, Objective, SeenCall
from thalweg.monitoring.moment import Moment, Passenger
from thalweg.monitoring.replay import Batch, Replay
from thalweg.monitoring.seat_hooks import Closure, CompiledCall, Hook, OnGradient, led
from thalweg.monitoring.tensors_held import detached, float_leaves
from thalweg.monitoring.unwrapped import inner_module, inner_optimizer

__all__ = ["Seat"]

_LOG = logging.getLogger("thalweg")
_MOST = 16
"""Calls of the network held for one update: of more, as accumulation makes, the loss is that of the last."""
_IDLE = 100
"""After so many backward passes without an update it is said that there was none."""


class Seat:
    """A place on a model and its optimizer.

    Args:
        model: The model that the loop calls, wrapped and compiled as it may be.
        optimizer: What updates it; wrappers that keep the real one as `.optimizer` are looked through.
        passengers: Who looks on, in the order they are asked.

    Attributes:
        scale: Multiplies the learning rate of every group during each update, whatever scheduler the user has.
        skip: Set by a passenger before an update: the optimizer then finds no gradients, and does nothing this once.
        module: The network itself, without wrappers.
        replay: Recent batches.
        step: Updates done.
        called: Whether the network was called with a gradient to come.
        fed: Whether an input of it came with a graph: what made that trains as well.
    """

    def __init__(
        self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, passengers: Sequence[Passenger] = ()
    ) -> None:
        self.scale, self.skip, self.step = 1.0, False, 0
        self.passengers: list[Passenger] = list(passengers)
        self.module = inner_module(model)
        self.optimizer = inner_optimizer(optimizer)
        self.replay = Replay(self.module)
        self.closed_because = ""
        self.called = self.fed = False
        self.first = self.last = self.seconds = 0.0
        self._calls: deque[Batch] = deque(maxlen=_MOST)
        self._idle = 0
        self._pending: weakref.ref[Batch] | None = None
        self._looking: LossModules | None = None
        self._roots = BackwardRoots()
        self._depth = 0
        self._moment: Moment | None = None
        self._rates: list[tuple[dict[str, object], object, object]] = []
        self._gradients: list[tuple[torch.Tensor, torch.Tensor]] = []
        me = weakref.ref(self)
        self._handles: list[RemovableHandle | CompiledCall] = [
            model.register_forward_pre_hook(Hook(me, "_before_forward"), with_kwargs=True),
            model.register_forward_hook(Hook(me, "_after_forward"), with_kwargs=True),
            # The optimizer keeps the seat alive, so that `thalweg.watch(model, optimizer)` needs no variable.
            self.optimizer.register_step_pre_hook(Hook(lambda: self, "_before_step")),
            self.optimizer.register_step_post_hook(Hook(lambda: self, "_after_step")),
        ]
        if getattr(model, "_compiled_call_impl", None) is not None:
            self._handles.append(CompiledCall(model, weakref.ref(self)))

    @property
    def taken(self) -> bool:
        """Whether the hooks are in place."""
        return bool(self._handles)

    @property
    def overhead(self) -> float | None:
        """Share of the loop's own time that the seat and its passengers took; None before anything happened."""
        own = self.last - self.first - self.seconds
        return self.seconds / own if own > 0 else None

    def close(self, why: str = "") -> None:
        """Remove every hook and put back what an update under way has changed; closing twice does no harm.

        Args:
            why: The reason, where it was not asked for.
        """
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._put_back()
        self._stop_looking(roots=True)
        self._calls.clear()
        self._pending, self._moment = None, None
        self.replay.batches.clear()
        for each in self.passengers:
            getattr(each, "close", _nothing)()
        self.closed_because = self.closed_because or why

    def end(self, why: str) -> None:
        """Close, and say why.

        Args:
            why: The reason.
        """
        _LOG.warning("thalweg watches no longer: %s", why)
        self.close(why)

    def tell_loss(self, objective: Objective, value: torch.Tensor | None = None) -> None:
        """Say what the loss of the forward pass just made is, where the loop is ours and knows.

        Args:
            objective: The loss as a function of the network's output.
            value: Its value, where it is there already.
        """
        batch = self._pending() if self._pending else None
        if batch is not None:
            batch.seen.told = objective
            batch.seen.value = None if value is None else value.detach()
        self._stop_looking(roots=True)

    def begin_again(self) -> None:
        """Forget the passes of the update to come: the loop makes them anew."""
        self._calls.clear()
        self._pending = None
        self._stop_looking(roots=True)

    def state(self) -> dict[str, object]:
        """Give what a checkpoint must hold; recent batches are not in it.

        Returns:
            Plain data, and tensors where passengers keep some.
        """
        return {
            "step": self.step,
            "scale": self.scale,
            "forwards": self.replay.forwards,
            "passengers": {type(each).__name__: dict(each.state()) for each in self.passengers},
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """Go back to a state.

        Args:
            state: What `state` gave.
        """
        self.step, self.scale = int(state["step"]), float(state["scale"])  # type: ignore[call-overload, arg-type]
        self.replay.forwards = int(state.get("forwards", 0))  # type: ignore[call-overload]
        known = state.get("passengers")
        for each in self.passengers:
            if isinstance(known, Mapping) and type(each).__name__ in known:
                each.restore(known[type(each).__name__])

    # What the hooks call ------------------------------------------------------------------------------------------

    def _before_forward(self, *_: object) -> None:
        if self.replay.busy:
            return
        self._depth = 0  # an exception may have left an update half done
        self._put_back()
        self._stop_looking()

    def _after_forward(self, _: object, args: tuple[object, ...], kwargs: dict[str, object], output: object) -> None:
        if self.replay.busy or not torch.is_grad_enabled() or torch.compiler.is_compiling():
            return
        leaves = [leaf for leaf in float_leaves(output) if leaf.requires_grad]
        if not leaves:
            return
        numbers = {id(leaf): number for number, leaf in enumerate(float_leaves(output))}
        seen = SeenCall(detached(output))
        self.called = True
        args, kwargs = tree_map(self._without_graph, (args, dict(kwargs)))
        batch = Batch(args, kwargs, seen, self.step, _autocast_now(leaves[0].device.type))
        for leaf in leaves:  # the graph holds the batch until its gradient comes, or is dropped with it
            leaf.register_hook(OnGradient(weakref.ref(self), batch, numbers[id(leaf)]))  # type: ignore[no-untyped-call]
        self._pending = weakref.ref(batch)
        self._looking = LossModules(leaves, seen)
        self._roots.listen()

    def _without_graph(self, given: object) -> object:
        if not isinstance(given, torch.Tensor) or given.grad_fn is None:
            return given
        self.fed = True
        return given.detach()  # what is held must keep no graph alive, and a backward pass frees it anyway

    def _on_gradient(self, batch: Batch, number: int, gradient: torch.Tensor) -> None:
        self._stop_looking()
        if self.replay.busy:
            return
        root = now()
        if root is not None:
            batch.seen.roots.setdefault(root.number, root)
        known = batch.seen.gradients
        if any(batch is each for each in self._calls):  # several outputs, or several backward passes of one
            known[number] = known[number] + gradient.detach() if number in known else gradient.detach()
            return
        known[number] = gradient.detach()
        batch.update = self.step
        self._calls.append(batch)
        self.replay.add(batch)
        self._idle += 1
        if self._idle == _IDLE and self.step == 0:
            _LOG.warning(
                "thalweg has seen %d backward passes and no step() of the %s it watches: give watch the optimizer "
                "whose step() the loop calls, such as optimizer.base_optimizer of SAM",
                _IDLE,
                type(self.optimizer).__name__,
            )

    def _before_step(self, _: object, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:  # noqa: ANN401
        self._depth += 1
        if self._depth > 1 or self.replay.busy:
            return None  # an optimizer's step that calls its parent's
        self._stop_looking(roots=True)
        self._put_back()
        if any(callable(each) for each in (*args[1:], kwargs.get("closure"))):
            lead = functools.partial(led, Closure(weakref.ref(self), self._versions()))
            return (args[0], *map(lead, args[1:])), {name: lead(each) for name, each in kwargs.items()}
        self._begin_update()
        return None

    def _after_closure(self, moved: Closure) -> None:
        """The gradients of an optimizer that asks for them within its step are there."""
        if self.replay.busy:
            return
        moved.calls += 1
        if moved.calls > 1 or self._versions() != moved.versions:
            self.end(
                "the optimizer asks for several gradients a step, as LBFGS does, or moves the weights before it asks, "
                "as SAM does: its updates cannot be watched"
            )
            return
        self._stop_looking(roots=True)
        self._begin_update()

    def _versions(self) -> list[int]:
        return [each._version for group in self.optimizer.param_groups for each in group["params"]]  # noqa: SLF001

    def _begin_update(self) -> None:
        moment = Moment(
            step=self.step,
            module=self.module,
            optimizer=self.optimizer,
            replay=self.replay,
            loss=self._loss_of([*self._calls]),
            rate=self._rate(),
        )
        self._moment = moment
        for each in tuple(self.passengers):
            each.before_update(moment)
        moment.rate = self._rate()
        self._change_update()

    def _after_step(self, *_: object) -> None:
        self._depth = max(0, self._depth - 1)
        if self._depth or self.replay.busy or self._moment is None:
            return
        moment, self._moment = self._moment, None
        self._put_back()
        self.step += 1
        self._idle = 0
        self._calls.clear()
        for each in tuple(self.passengers):
            each.after_update(moment)

    # The update ---------------------------------------------------------------------------------------------------

    def _rate(self) -> float:
        rates = [group["lr"] for group in self.optimizer.param_groups if "lr" in group]
        return float(rates[0]) * self.scale if rates else float("nan")

    def _change_update(self) -> None:
        if self.scale != 1.0:
            for group in self.optimizer.param_groups:
                if "lr" in group:
                    group["lr"], own = group["lr"] * self.scale, group["lr"]
                    self._rates.append((group, own, group["lr"]))
        if self.skip:
            for group in self.optimizer.param_groups:
                for weight in group["params"]:
                    if weight.grad is not None:
                        self._gradients.append((weight, weight.grad))
                        weight.grad = None

    def _put_back(self) -> None:
        for group, own, ours in self._rates:
            if group["lr"] is ours:  # else a scheduler has set it since
                group["lr"] = own
        for weight, gradient in self._gradients:
            if weight.grad is None:
                weight.grad = gradient
        self._rates, self._gradients = [], []
        self.skip = False

    def _loss_of(self, calls: list[Batch]) -> Callable[[], float | None]:
        def fetch() -> float | None:
            losses = [batch.loss for batch in calls]
            known = [loss for loss in losses if loss is not None]
            return sum(known) / len(known) if known and len(known) == len(losses) else None

        return fetch

    def _stop_looking(self, *, roots: bool = False) -> None:
        if self._looking is not None:
            self._looking.close()
            self._looking = None
        if roots:
            self._roots.rest()


def _nothing() -> None:
    """A passenger need not have anything to close."""


def _autocast_now(kind: str) -> tuple[str, torch.dtype] | None:
    return (kind, torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else None
