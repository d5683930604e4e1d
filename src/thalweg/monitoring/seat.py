"""The seat: a place on a model and its optimizer from where an update can be seen, scaled or skipped, by hooks alone.

A forward hook on the model notes its inputs and outputs, a hook on the outputs the gradient that comes back, hooks on
the optimizer's step show passengers the moment before and after the weights move. Nothing of the user's is wrapped or
replaced. As long as no passenger interferes, the weights are those of an unwatched run to the bit. Whatever goes wrong
in here ends the watching with one line in the log, never the training.
"""

import logging
import time
import weakref
from collections.abc import Callable, Mapping, Sequence

import torch

from thalweg.monitoring.loss_seen import LossModules, Objective, SeenCall, detached, float_leaves
from thalweg.monitoring.moment import Moment, Passenger
from thalweg.monitoring.replay import Batch, Replay

__all__ = ["Seat", "inner_module", "inner_optimizer"]

_LOG = logging.getLogger("thalweg")


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
        self.first = self.last = self.seconds = 0.0
        self._calls: list[Batch] = []
        self._pending: weakref.ref[Batch] | None = None
        self._looking: LossModules | None = None
        self._depth = 0
        self._moment: Moment | None = None
        self._rates: list[tuple[dict[str, object], object, object]] = []
        self._gradients: list[tuple[torch.Tensor, torch.Tensor]] = []
        me = weakref.ref(self)
        self._handles = [
            model.register_forward_pre_hook(_Hook(me, "_before_forward"), with_kwargs=True),
            model.register_forward_hook(_Hook(me, "_after_forward"), with_kwargs=True),
            # The optimizer keeps the seat alive, so that `thalweg.watch(model, optimizer)` needs no variable.
            self.optimizer.register_step_pre_hook(_Hook(lambda: self, "_before_step")),
            self.optimizer.register_step_post_hook(_Hook(lambda: self, "_after_step")),
        ]

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
        self._stop_looking()
        self._calls, self._pending, self._moment = [], None, None
        self.replay.batches.clear()
        for each in self.passengers:
            getattr(each, "close", _nothing)()
        self.closed_because = self.closed_because or why

    def tell_loss(self, objective: Objective, value: torch.Tensor | None = None) -> None:
        """Say what the loss of the forward pass just made is, where the loop is ours and knows.

        Args:
            objective: The loss as a function of the network's output.
            value: Its value, where it is there already.
        """
        batch = self._pending() if self._pending else None
        if batch is not None:
            batch.seen.told = objective
            batch.seen.values = [] if value is None else [value.detach()]
        self._stop_looking()

    def begin_again(self) -> None:
        """Forget the passes of the update to come: the loop makes them anew."""
        self._calls, self._pending = [], None
        self._stop_looking()

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
        batch = Batch(args, dict(kwargs), seen, self.step, _autocast_now(leaves[0].device.type))
        for leaf in leaves:  # the graph holds the batch until its gradient comes, or is dropped with it
            leaf.register_hook(_OnGradient(weakref.ref(self), batch, numbers[id(leaf)]))  # type: ignore[no-untyped-call]
        self._pending = weakref.ref(batch)
        self._looking = LossModules(leaves, seen)

    def _on_gradient(self, batch: Batch, number: int, gradient: torch.Tensor) -> None:
        self._stop_looking()
        if self.replay.busy:
            return
        batch.seen.gradients[number] = gradient.detach()
        if not any(batch is each for each in self._calls):
            batch.update = self.step
            self._calls.append(batch)
            self.replay.add(batch)

    def _before_step(self, _: object, args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        self._depth += 1
        if self._depth > 1 or self.replay.busy:
            return  # an optimizer's step that calls its parent's
        self._stop_looking()
        if any(callable(each) for each in (*args[1:], kwargs.get("closure"))):
            self._end("the optimizer computes its gradients itself (a closure): its updates cannot be watched")
            return
        self._put_back()
        moment = Moment(
            step=self.step,
            module=self.module,
            optimizer=self.optimizer,
            replay=self.replay,
            loss=self._loss_of(list(self._calls)),
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
        self._calls = []
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

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.stop()
            self._looking = None

    def _end(self, why: str) -> None:
        _LOG.warning("thalweg watches no longer: %s", why)
        self.close(why)


class _Hook:
    """A hook that keeps no seat alive, and is nothing in a copy or a pickle of the model."""

    def __init__(self, seat: Callable[[], Seat | None] | None, name: str) -> None:
        self.seat, self.name = seat, name

    def __call__(self, *args: object) -> None:
        if torch.compiler.is_compiling():
            return
        seat = self.seat() if self.seat else None
        if seat is not None and seat.taken:
            _guarded(seat, self.name, *args)

    def __deepcopy__(self, _: object) -> "_Hook":
        return _Hook(None, self.name)

    def __copy__(self) -> "_Hook":
        return _Hook(None, self.name)

    def __reduce__(self) -> tuple[type["_Hook"], tuple[None, str]]:
        return _Hook, (None, self.name)


class _OnGradient:
    """A hook on one output; the graph holds it, and it the batch."""

    def __init__(self, seat: "weakref.ref[Seat]", batch: Batch, number: int) -> None:
        self.seat, self.batch, self.number = seat, batch, number

    def __call__(self, gradient: torch.Tensor) -> None:
        seat = self.seat()
        if seat is not None and seat.taken and not torch.compiler.is_compiling():
            _guarded(seat, "_on_gradient", self.batch, self.number, gradient)


def _guarded(seat: Seat, name: str, *args: object) -> None:
    began = time.perf_counter()
    seat.first = seat.first or began
    try:
        with torch.autograd.set_grad_enabled(torch.is_grad_enabled()):  # a passenger's mode ends with it
            getattr(seat, name)(*args)
    except Exception as error:  # noqa: BLE001 - whatever fails in here, training goes on
        seat._end(f"{type(error).__name__} in {name.strip('_')}: {error}")  # noqa: SLF001
    seat.last = time.perf_counter()
    seat.seconds += seat.last - began


def _nothing() -> None:
    """A passenger need not have anything to close."""


def inner_module(model: torch.nn.Module) -> torch.nn.Module:
    """Look through what wraps a network: compiled shells, data-parallel replicas.

    Args:
        model: What the loop calls.

    Returns:
        The network itself.

    Example:
        >>> net = torch.nn.Linear(2, 2)
        >>> inner_module(torch.nn.DataParallel(net)) is net
        True
    """
    wrappers = (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)
    while True:
        inner = model.module if isinstance(model, wrappers) else getattr(model, "_orig_mod", None)
        if not isinstance(inner, torch.nn.Module):
            return model
        model = inner


def inner_optimizer(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """Look through what wraps an optimizer, such as those of accelerate and Lightning.

    Args:
        optimizer: What the loop steps.

    Returns:
        The optimizer whose hooks are called.

    Raises:
        TypeError: There is none.
    """
    found: object = optimizer
    while not hasattr(found, "_optimizer_step_pre_hooks"):
        found = getattr(found, "optimizer", getattr(found, "_optimizer", None))
        if found is None:
            raise TypeError(f"{type(optimizer).__name__} is no torch optimizer and holds none: nothing can be watched")
    return found  # type: ignore[return-value]


def _autocast_now(kind: str) -> tuple[str, torch.dtype] | None:
    return (kind, torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else None
