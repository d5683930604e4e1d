"""A torch module and a torch-like optimizer around a Keras model on torch, for as long as it is watched."""

from collections.abc import Callable
from typing import Any

import torch

from thalweg.integrations.stand_in import StandIn

__all__ = ["seat_on", "tell_losses"]


class Shell(torch.nn.Module):
    """Calls a Keras model the way torch calls modules, so that hooks fire.

    Args:
        model: The Keras model, whose weights are this module's.
        call: What computes its output.
    """

    def __init__(self, model: torch.nn.Module, call: Callable[..., Any]) -> None:
        super().__init__()
        self.model = model
        self._call = call

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the model takes
        """Compute the model's output."""
        return self._call(*args, **kwargs)


def tell_losses(model: Any, seat: Any) -> Callable[[], None]:  # noqa: ANN401 - a Keras model, a seat
    """Tell the seat the loss of every batch, which Keras computes out of torch's sight.

    Args:
        model: A compiled Keras model with one output.
        seat: Where it is watched from.

    Returns:
        What puts the model back.
    """
    compute, loss = model.compute_loss, getattr(model, "_compile_loss", None)

    def computed(x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, **kept: Any) -> Any:  # noqa: ANN401
        if loss is not None and isinstance(y_pred, torch.Tensor):
            seat.tell_loss(lambda output: loss(y, output, sample_weight))
        return compute(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **kept)

    object.__setattr__(model, "compute_loss", computed)

    def undo() -> None:
        model.__dict__.pop("compute_loss", None)

    return undo


def seat_on(model: Any) -> tuple[Shell, StandIn, list[Callable[[], None]]]:  # noqa: ANN401 - a Keras model
    """Lead a model's calls and its optimizer's updates past the seat.

    Args:
        model: A built and compiled Keras model on torch.

    Returns:
        A module and an optimizer to watch, and what puts everything back.
    """
    optimizer = model.optimizer
    call, apply = model.call, optimizer.apply
    shell = Shell(model, call)
    weights = [variable.value for variable in model.trainable_variables]
    decay = getattr(optimizer, "weight_decay", None) or 0.0
    momentum = getattr(optimizer, "momentum", None) or getattr(optimizer, "beta_1", None) or 0.0
    group: dict[str, Any] = {
        "params": weights,
        "lr": _rate(optimizer),
        "momentum": momentum,
        "weight_decay": float(decay),
    }
    stand_in = StandIn.of(optimizer, [group])

    def applied(gradients: Any, variables: Any = None) -> Any:  # noqa: ANN401 - as Keras's
        own = group["lr"] = _rate(optimizer)
        stand_in.begin()
        try:
            if any(weight.grad is not None for weight in weights):  # else a passenger skips this update
                if group["lr"] != own:
                    _set_rate(optimizer, group["lr"])
                return apply(gradients, variables)
        finally:
            if _rate(optimizer) != own:
                _set_rate(optimizer, own)
            stand_in.end()
        return None

    object.__setattr__(model, "call", shell)
    object.__setattr__(optimizer, "apply", applied)

    def undo() -> None:
        for owner, name in ((model, "call"), (optimizer, "apply")):
            owner.__dict__.pop(name, None)

    return shell, stand_in, [undo]


def _rate(optimizer: Any) -> float:  # noqa: ANN401 - a Keras optimizer
    return float(optimizer.learning_rate)


def _set_rate(optimizer: Any, rate: float) -> None:  # noqa: ANN401 - a Keras optimizer
    """A rate that follows a schedule of Keras's own stays as it is."""
    assign = getattr(getattr(optimizer, "_learning_rate", None), "assign", None)
    if assign is not None:
        assign(rate)
