"""The three optimizers of a plan, set up the same way: decay on weights only, one fused update where there is one.

torch hides a few methods of its optimizers from its compiler, and loads the compiler (and sympy) to do so: a second of
processor time before the first step of a run that never compiles. Here methods are hidden once a compiler is there, and
`step` is torch's own without that wrapping.

Parts of a network may learn at a share of the rate (`unfreezing`); each group keeps its share under `share`.
"""

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch

from thalweg.core.plan import OptimizerName
from thalweg.modules.sharded import is_sharded
from thalweg.training.unfreezing import Part

__all__ = ["make_optimizer", "set_rate", "spare_compiler"]

_Closure = Callable[[], float] | None
_HIDDEN = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")


class _Unwrapped:
    """torch's own step without the wrapping that loads its compiler; what is taken away sets the gradient mode."""

    torch_step: ClassVar[Callable[..., float | None]]

    @torch.no_grad()
    def step(self, closure: _Closure = None) -> float | None:
        """Update the weights.

        Args:
            closure: Computes the loss anew, or None.

        Returns:
            What the closure gave.
        """
        return self.torch_step(closure)


class SGD(_Unwrapped, torch.optim.SGD):  # type: ignore[misc]
    """torch's, on its own."""

    torch_step = inspect.unwrap(torch.optim.SGD.step)


class Adam(_Unwrapped, torch.optim.Adam):  # type: ignore[misc]
    """torch's, on its own."""

    torch_step = inspect.unwrap(torch.optim.Adam.step)


class AdamW(_Unwrapped, torch.optim.AdamW):  # type: ignore[misc]
    """torch's, on its own; its step is Adam's."""

    torch_step = inspect.unwrap(torch.optim.AdamW.step)


def make_optimizer(
    module: torch.nn.Module,
    name: OptimizerName,
    *,
    learning_rate: float,
    weight_decay: float,
    parts: Sequence[Part] = (),
) -> torch.optim.Optimizer:
    """Set an optimizer up.

    Weight decay spares biases and normalisation scales (every parameter with fewer than two axes): they do not overfit,
    and shrinking a scale only changes the effective learning rate.

    Args:
        module: The network.
        name: `adam` (Kingma and Ba 2014), `adamw` (Loshchilov and Hutter 2017; the second moment forgets ten times
            faster than usual, which suits short runs) or `sgd` with Nesterov momentum 0.9.
        learning_rate: The rate of the first step.
        weight_decay: Decoupled for `adamw`, added to the gradient otherwise.
        parts: Parts of the network that learn at a share of the rate, the first at the whole of it; together all
            parameters that are trained. None treats them alike.

    Returns:
        The optimizer.
    """
    spare_compiler()
    groups: list[dict[str, object]] = []
    named = {key: parameter for key, parameter in module.named_parameters() if parameter.requires_grad}
    for part in parts or (Part(parameters=tuple(named), share=1.0),):
        own = [named[key] for key in part.parameters if key in named]
        for chosen, decay in (([p for p in own if p.ndim > 1], weight_decay), ([p for p in own if p.ndim <= 1], 0.0)):
            if chosen:
                rate = learning_rate * part.share
                groups.append({"params": chosen, "lr": rate, "weight_decay": decay, "share": part.share})
    if name == "sgd":
        whole = not is_sharded(module)  # torch has no fused form for shards
        return SGD(groups, lr=learning_rate, momentum=0.9, nesterov=True, fused=whole)
    if name == "adam":
        return Adam(groups, lr=learning_rate, fused=True)
    return AdamW(groups, lr=learning_rate, betas=(0.9, 0.99), fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Change the learning rate of every group, each to its share.

    Args:
        optimizer: The optimizer.
        rate: The new rate.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("share", 1.0)


def spare_compiler() -> None:
    """Let torch's optimizers hide from its compiler only once that is loaded; whoever loads it sees no difference."""
    for name in _HIDDEN:
        wrapper = getattr(torch.optim.Optimizer, name, None)
        plain = getattr(wrapper, "__wrapped__", None)
        if plain is not None and not hasattr(plain, "__dynamo_disable") and "torch._dynamo" not in sys.modules:
            plain.__dynamo_disable = _hidden_later(plain)  # noqa: SLF001 - where torch's own wrapper looks first


def _hidden_later(plain: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever torch's method takes and gives
        disable = getattr(sys.modules.get("torch._dynamo"), "disable", None)
        if disable is None:
            return plain(*args, **kwargs)
        hidden = disable(plain, True, wrapping=False)
        plain.__dynamo_disable = hidden  # type: ignore[attr-defined]  # noqa: SLF001 - as torch does
        return hidden(*args, **kwargs)

    return call
