"""The optimizers that experiments compare, by name, with the one setting that is varied: an ordinary torch optimizer.

What they keep for each trained number is known beforehand:

    SGD 0    SGD with momentum 1    RMSprop 1    Adagrad 1    Adam, AdamW 2    Muon 1    Schedule-Free AdamW 2

and a counter of steps for each tensor (4 bytes) where the number of steps matters. Muon (Jordan et al. 2024) makes its
momentum orthogonal, which only a matrix can be: convolutions, biases and scales are left to AdamW, as its authors do.
"""

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from thalweg.core.errors import PlanError

__all__ = ["OPTIMIZERS", "OptimizerChoice", "make_lab_optimizer", "predicted_bytes", "state_bytes"]

Maker = Callable[[Sequence[nn.Parameter], float, Mapping[str, float]], torch.optim.Optimizer]
_COUNTER = 4
"""Bytes of a step counter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerChoice:
    """An optimizer and its settings.

    Args:
        name: One of `OPTIMIZERS`.
        rate: Learning rate.
        settings: Others, by torch's names; `beta1` and `beta2` for `betas`.
    """

    name: str
    rate: float
    settings: Mapping[str, float] = field(default_factory=dict)


class _MuonAndAdamW(torch.optim.Optimizer):
    """Muon for dense matrices, AdamW at a tenth of the rate for everything else, as one optimizer."""

    def __init__(self, parameters: Sequence[nn.Parameter], rate: float, settings: Mapping[str, float]) -> None:
        matrices = [each for each in parameters if each.ndim == 2]  # noqa: PLR2004 - what Muon takes
        others = [each for each in parameters if each.ndim != 2]  # noqa: PLR2004
        self.parts: list[torch.optim.Optimizer] = []
        if matrices:
            self.parts.append(torch.optim.Muon(matrices, lr=rate, **settings))  # type: ignore[arg-type]
        if others:
            self.parts.append(torch.optim.AdamW(others, lr=rate / 10, weight_decay=0.0, fused=True))
        super().__init__(parameters, {"lr": rate})
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Make a step of both.

        Args:
            closure: Not used.
        """
        del closure
        for part in self.parts:
            part.step()
            self.state.update(part.state)


def _adam(kind: type[torch.optim.Optimizer], **usual: Any) -> Maker:  # noqa: ANN401 - whatever torch takes
    def make(weights: Sequence[nn.Parameter], rate: float, settings: Mapping[str, float]) -> torch.optim.Optimizer:
        rest: dict[str, Any] = {key: value for key, value in settings.items() if key not in {"beta1", "beta2"}}
        betas = (settings.get("beta1", 0.9), settings.get("beta2", 0.999))
        return kind(weights, lr=rate, betas=betas, **usual, **rest)  # type: ignore[call-arg]

    return make


def _plain(kind: type[torch.optim.Optimizer], **usual: Any) -> Maker:  # noqa: ANN401 - whatever torch takes
    def make(weights: Sequence[nn.Parameter], rate: float, settings: Mapping[str, float]) -> torch.optim.Optimizer:
        return kind(weights, lr=rate, **{**usual, **settings})  # type: ignore[call-arg]

    return make


def _schedule_free(
    weights: Sequence[nn.Parameter], rate: float, settings: Mapping[str, float]
) -> torch.optim.Optimizer:
    module = importlib.import_module("schedulefree")
    return _adam(module.AdamWScheduleFree)(weights, rate, settings)


_MAKERS: Mapping[str, Maker] = MappingProxyType({
    "SGD": _plain(torch.optim.SGD, fused=True),
    "SGD with momentum": _plain(torch.optim.SGD, fused=True, momentum=0.9),
    "RMSprop": _plain(torch.optim.RMSprop),
    "Adagrad": _plain(torch.optim.Adagrad),
    "Adam": _adam(torch.optim.Adam, fused=True),
    "AdamW": _adam(torch.optim.AdamW, fused=True),
    "Muon": _MuonAndAdamW,
    "Schedule-Free AdamW": _schedule_free,
})
_KEPT: Mapping[str, tuple[int, bool]] = MappingProxyType({
    "SGD": (0, False),
    "SGD with momentum": (1, False),
    "RMSprop": (1, True),
    "Adagrad": (1, True),
    "Adam": (2, True),
    "AdamW": (2, True),
    "Schedule-Free AdamW": (2, False),
})
"""Numbers kept for each trained one, and whether each tensor has a counter of steps."""


def _installed() -> tuple[str, ...]:
    there = {
        "Muon": hasattr(torch.optim, "Muon"),
        "Schedule-Free AdamW": importlib.util.find_spec("schedulefree") is not None,
    }
    return tuple(name for name in _MAKERS if there.get(name, True))


OPTIMIZERS = _installed()
"""Those that can be run here: Muon since torch 2.9, Schedule-Free where `schedulefree` is installed."""


def make_lab_optimizer(module: nn.Module, choice: OptimizerChoice) -> torch.optim.Optimizer:
    """Make an optimizer for a network.

    Args:
        module: The network.
        choice: Which one.

    Returns:
        The optimizer.

    Raises:
        PlanError: It is unknown or not installed.

    Example:
        >>> made = make_lab_optimizer(nn.Linear(2, 1), OptimizerChoice(name="Adam", rate=0.01, settings={"beta1": 0.8}))
        >>> made.param_groups[0]["betas"]
        (0.8, 0.999)
    """
    if choice.name not in OPTIMIZERS:
        raise PlanError(f"there is no optimizer {choice.name!r} here: choose one of {', '.join(OPTIMIZERS)}")
    weights = [each for each in module.parameters() if each.requires_grad]
    return _MAKERS[choice.name](weights, choice.rate, choice.settings)


def predicted_bytes(module: nn.Module, name: str) -> int:
    """Say what an optimizer's state will take.

    Args:
        module: The network.
        name: One of `OPTIMIZERS`.

    Returns:
        Bytes.

    Example:
        >>> predicted_bytes(nn.Linear(9, 1), "Adam")  # two moments of ten numbers, two counters
        88
    """
    total = 0
    for each in module.parameters():
        if each.requires_grad:
            muon = name == "Muon" and each.ndim == 2  # noqa: PLR2004 - what Muon takes
            copies, counts = (1, False) if muon else _KEPT["AdamW" if name == "Muon" else name]
            total += copies * each.numel() * each.element_size() + counts * _COUNTER
    return total


def state_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Measure an optimizer's state.

    Args:
        optimizer: After at least one step.

    Returns:
        Bytes of all tensors it keeps.
    """
    tensors = [value for kept in optimizer.state.values() for value in kept.values() if isinstance(value, torch.Tensor)]
    return sum(each.numel() * each.element_size() for each in tensors)
