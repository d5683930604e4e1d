"""The state of a training in memory: weights, buffers such as running means, and what the optimizer remembers."""

import copy
import math
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from thalweg.modules.numbers import fetched, wide

__all__ = ["Snapshot", "fresh_optimizer", "is_finite", "is_untouched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Weights, buffers and optimizer state at a step; taken and put back in place, so that references stay valid.

    Args:
        step: Updates done when it was taken.
        tensors: Copies of parameters and buffers by name.
        memory: Copies of the optimizer's state, one mapping a parameter, by (group, place in the group).
    """

    step: int
    tensors: dict[str, torch.Tensor]
    memory: dict[tuple[int, int], dict[str, object]]

    @classmethod
    def take(cls, module: torch.nn.Module, optimizer: torch.optim.Optimizer | None, step: int = 0) -> "Snapshot":
        """Copy the state.

        Args:
            module: The network.
            optimizer: Its optimizer, or None to leave that out.
            step: Updates done.

        Returns:
            The copy.

        Example:
            >>> net = torch.nn.Linear(1, 1)
            >>> kept = Snapshot.take(net, None)
            >>> _ = net.weight.data.fill_(torch.nan)
            >>> is_finite(net), kept.put_back(net, None), is_finite(net)
            (False, None, True)
        """
        tensors = {name: value.detach().clone() for name, value in _named(module)}
        memory: dict[tuple[int, int], dict[str, object]] = {}
        known = {} if optimizer is None else optimizer.state
        for place, weight in _weights(optimizer):
            if weight in known:
                memory[place] = {name: _copied(value) for name, value in known[weight].items()}
        return cls(step=step, tensors=tensors, memory=memory)

    @torch.no_grad()
    def put_back(self, module: torch.nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        """Make the training what it was.

        Args:
            module: The network the snapshot was taken of.
            optimizer: Its optimizer, or None to leave its state alone.
        """
        for name, value in _named(module):
            value.copy_(self.tensors[name])
        if optimizer is not None:
            optimizer.state.clear()
            for place, weight in _weights(optimizer):
                if place in self.memory:
                    optimizer.state[weight] = {name: _copied(value) for name, value in self.memory[place].items()}

    def pack(self) -> dict[str, torch.Tensor]:
        """Name everything, for a checkpoint.

        Returns:
            Tensors such as `weights/conv1.weight` and `memory/0.1/exp_avg`, and the step.
        """
        packed = {f"weights/{name}": value for name, value in self.tensors.items()}
        for (group, place), values in self.memory.items():
            for name, value in values.items():
                if value is not None:
                    packed[f"memory/{group}.{place}/{name}"] = torch.as_tensor(value)
        return packed | {"step": torch.tensor(self.step)}

    @classmethod
    def unpack(cls, packed: Mapping[str, torch.Tensor]) -> "Snapshot":
        """Read what `pack` named.

        Args:
            packed: The tensors.

        Returns:
            The snapshot.
        """
        memory: dict[tuple[int, int], dict[str, object]] = {}
        for key, value in packed.items():
            kind, _, rest = key.partition("/")
            if kind == "memory":
                place, _, name = rest.partition("/")
                group, _, number = place.partition(".")
                memory.setdefault((int(group), int(number)), {})[name] = value.clone()
        tensors = {key.removeprefix("weights/"): value for key, value in packed.items() if key.startswith("weights/")}
        return cls(step=int(packed["step"]), tensors=tensors, memory=memory)

    @torch.no_grad()
    def distance(self, module: torch.nn.Module) -> float:
        """How far the weights are from here, relative to their size.

            |w - w_snapshot| / |w_snapshot| over all trainable weights

        Args:
            module: The network.

        Returns:
            The ratio; not finite where weights are not.
        """
        trained = [(value, self.tensors[name]) for name, value in module.named_parameters() if value.requires_grad]
        moved = [wide((value - start).abs()).square().sum() for value, start in trained]
        size = [wide(start.abs()).square().sum() for _, start in trained]
        sums = fetched([*moved, *size]).tolist()
        return math.sqrt(sum(sums[: len(moved)]) / max(sum(sums[len(moved) :]), 1e-30))


def is_finite(module: torch.nn.Module) -> bool:
    """Whether all weights and buffers are finite.

    Args:
        module: The network.

    Returns:
        False where one is NaN or infinite.
    """
    return all(bool(value.isfinite().all()) for _, value in _named(module) if value.is_floating_point())


def is_untouched(optimizer: torch.optim.Optimizer) -> bool:
    """Whether an optimizer has made no step; some remember zeros from the beginning, as Adagrad does.

    Args:
        optimizer: Any.

    Returns:
        False where it remembers something else than that it made no step.

    Example:
        >>> is_untouched(torch.optim.Adagrad([torch.zeros(1, requires_grad=True)]))
        True
    """
    return all(float(known.get("step", 1)) == 0 for known in optimizer.state.values() if known)


def fresh_optimizer(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """An optimizer of the same kind over the same weights that remembers nothing and that nobody listens to.

    Args:
        optimizer: Any torch optimizer; it is left alone.

    Returns:
        The copy, without state, hooks and what schedulers attached; its groups can be changed freely.
    """
    fresh = copy.copy(optimizer)
    fresh.__dict__.pop("step", None)  # schedulers wrap it
    fresh.state = defaultdict(dict)
    fresh.param_groups = [dict(group) for group in optimizer.param_groups]
    fresh._optimizer_step_pre_hooks = OrderedDict()  # noqa: SLF001
    fresh._optimizer_step_post_hooks = OrderedDict()  # noqa: SLF001
    return fresh


def _named(module: torch.nn.Module) -> list[tuple[str, torch.Tensor]]:
    return [*module.named_parameters(), *module.named_buffers()]


def _weights(optimizer: torch.optim.Optimizer | None) -> list[tuple[tuple[int, int], torch.Tensor]]:
    groups = optimizer.param_groups if optimizer else []
    return [((a, b), weight) for a, group in enumerate(groups) for b, weight in enumerate(group["params"])]


def _copied(value: object) -> object:
    return value.detach().clone() if isinstance(value, torch.Tensor) else copy.deepcopy(value)
