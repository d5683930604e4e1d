"""The loss, seen without the user's help.

Three ways, the surest first:

1. The network itself gives a scalar that the gradient comes from, or a loss module (any `torch.nn.Module` that makes a
   scalar) is called with the network's output.
2. The gradient at the output tells which loss it was, where the loss was a function (`loss_family`).
3. Otherwise the loss is not known, and nothing is measured that needs it.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.hooks import RemovableHandle

from thalweg.monitoring.loss_family import Recognised, recognise

__all__ = [
    "LossModules",
    "Objective",
    "Recognised",
    "SeenCall",
    "detached",
    "float_leaves",
    "objective_of",
    "recognise",
]

Objective: TypeAlias = Callable[[object], torch.Tensor]
"""The loss as a function of what the network gives."""


@dataclass(slots=True, eq=False)
class SeenCall:
    """What was seen of one call of the network.

    Args:
        output: What it gave, detached from the graph.
        gradients: The gradient at each of its floating-point tensors, by number.
        modules: The losses that modules made of them.
        values: Their values.
        told: The loss, where the user's loop said it.
    """

    output: object
    gradients: dict[int, torch.Tensor] = field(default_factory=dict)
    modules: list[Objective] = field(default_factory=list)
    values: list[torch.Tensor] = field(default_factory=list)
    told: Objective | None = None
    _versions: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._versions = [each._version for each in self.outputs]  # noqa: SLF001

    @property
    def outputs(self) -> list[torch.Tensor]:
        """Its floating-point tensors."""
        return float_leaves(self.output)

    @property
    def whole(self) -> bool:
        """Whether nobody has written into the outputs since."""
        return [each._version for each in self.outputs] == self._versions  # noqa: SLF001

    def forget(self) -> None:
        """Let go of outputs and gradients, once the loss is known."""
        self.output, self.gradients, self._versions = [], {}, []


def detached(output: object) -> object:
    """Copy the structure of an output with every tensor detached, so that it keeps no graph alive.

    Args:
        output: What a network gave.

    Returns:
        The same structure; plain objects become the list of their tensors.
    """
    if _is_plain_object(output):
        return [leaf.detach() for leaf in float_leaves(output)]
    return tree_map(lambda leaf: leaf.detach() if isinstance(leaf, torch.Tensor) else None, output)


def _is_plain_object(output: object) -> bool:
    leaves = tree_leaves(output)
    return len(leaves) == 1 and not isinstance(leaves[0], torch.Tensor) and hasattr(leaves[0], "__dict__")


def float_leaves(output: object) -> list[torch.Tensor]:
    """List the tensors of an output, whatever holds them, that a gradient can come back from.

    Args:
        output: What a network gave: a tensor, or tuples, lists and dicts of them.

    Returns:
        Its floating-point tensors in a fixed order.
    """
    leaves = tree_leaves(output)
    if _is_plain_object(output):
        leaves = tree_leaves(dict(vars(leaves[0])))
    return [leaf for leaf in leaves if isinstance(leaf, torch.Tensor) and leaf.is_floating_point()]


def objective_of(seen: SeenCall) -> Objective | None:
    """Find the loss that a call was followed by.

    Args:
        seen: What was seen of it.

    Returns:
        The loss as a function of the network's output, or None.
    """
    if seen.told is not None:
        return seen.told
    outputs = seen.outputs
    for number in seen.gradients:
        if outputs[number].dim() == 0:  # the network computed its loss itself
            return _leaf(number)
    if seen.modules:
        calls = list(seen.modules)
        return lambda output: torch.stack([call(output) for call in calls]).sum()
    if not seen.gradients or not seen.whole:
        return None
    parts: list[tuple[int, Recognised]] = []
    for number, gradient in seen.gradients.items():
        found = recognise(outputs[number], gradient)
        if found is not None:  # an output that is none may lie on the way to another, as features do
            parts.append((number, found))
    if not parts:
        return None
    heaviest = max(part.weight for _, part in parts)
    return lambda output: torch.stack([
        part.loss(float_leaves(output)[number]) * (part.weight / heaviest) for number, part in parts
    ]).sum()


def _leaf(number: int) -> Objective:
    return lambda output: float_leaves(output)[number]


class LossModules:
    """Catches the loss module that is called with the network's output, between forward and backward pass.

    The hook is global, but only there from the end of the network's forward pass until the loss is found, so that the
    network's own layers run as fast as ever.

    Args:
        leaves: The outputs, attached to the graph.
        seen: Where to put what is found.
    """

    def __init__(self, leaves: list[torch.Tensor], seen: SeenCall) -> None:
        self.leaves = [weakref.ref(leaf) for leaf in leaves]
        self.seen = seen
        self.handle: RemovableHandle | None = torch.nn.modules.module.register_module_forward_hook(
            _WhileItLives(weakref.ref(self)), with_kwargs=True
        )
        weakref.finalize(self, take_away, self.handle)  # a loop that ends between a forward pass and its backward one

    def stop(self) -> None:
        """Look no longer."""
        if self.handle is not None:
            take_away(self.handle)
            self.handle = None

    def after(
        self, module: torch.nn.Module, args: tuple[object, ...], kwargs: dict[str, object], result: object
    ) -> None:
        """Look at a call of any module.

        Args:
            module: The module.
            args: What it was called with.
            kwargs: The same, by name.
            result: What it gave.
        """
        try:
            self._look(module, args, kwargs, result)
        except Exception:  # noqa: BLE001 - inside the user's training: whatever it is, the loss is then not seen here
            self.stop()

    def _look(
        self, module: torch.nn.Module, args: tuple[object, ...], kwargs: dict[str, object], result: object
    ) -> None:
        if not (isinstance(result, torch.Tensor) and result.dim() == 0 and result.requires_grad):
            return
        leaves = [leaf() for leaf in self.leaves]
        places = {place: number for place, value in enumerate(args) for number in _places(value, leaves)}
        names = {name: number for name, value in kwargs.items() for number in _places(value, leaves)}
        if not places and not names:
            return
        fixed_args = [_held(value) for value in args]
        fixed_kwargs = {name: _held(value) for name, value in kwargs.items()}
        given: list[tuple[int | str, object]] = [*enumerate(args), *kwargs.items()]
        shapes = {key: value.shape for key, value in given if isinstance(value, torch.Tensor)}

        def objective(output: object) -> torch.Tensor:
            now = float_leaves(output)
            for place, number in places.items():
                fixed_args[place] = now[number].reshape(shapes[place])
            for name, number in names.items():
                fixed_kwargs[name] = now[number].reshape(shapes[name])
            try:
                value: torch.Tensor = module(*fixed_args, **fixed_kwargs)
            finally:  # keep no graph alive
                for place in places:
                    fixed_args[place] = None
                for name in names:
                    fixed_kwargs[name] = None
            return value

        self.seen.modules.append(objective)
        self.seen.values.append(result.detach())


class _WhileItLives:
    """The hook; torch's table of global hooks must keep nothing else alive."""

    def __init__(self, looking: "weakref.ref[LossModules]") -> None:
        self.looking = looking

    def __call__(self, module: torch.nn.Module, args: tuple[object, ...], *rest: Any) -> None:  # noqa: ANN401
        looking = self.looking()
        if looking is not None and len(rest) > 1:  # taken away while torch goes through its hooks, it gets no kwargs
            looking.after(module, args, *rest)


def take_away(handle: RemovableHandle) -> None:
    """Remove a global forward hook wholly; torch keeps its mark in one of its tables, which then grows with each.

    Args:
        handle: What registering it gave.
    """
    handle.remove()
    torch.nn.modules.module._global_forward_hooks_with_kwargs.pop(handle.id, None)  # noqa: SLF001


def _held(value: object) -> object:
    return value.detach() if isinstance(value, torch.Tensor) else value


def _places(value: object, leaves: list[torch.Tensor | None]) -> list[int]:
    """Which output an argument is: the same tensor, or one seen through another shape."""
    if not isinstance(value, torch.Tensor):
        return []
    for number, leaf in enumerate(leaves):
        same = leaf is not None and (
            value is leaf
            or (value.numel() == leaf.numel() and value.dtype == leaf.dtype and value.data_ptr() == leaf.data_ptr())
        )
        if same:
            return [number]
    return []
