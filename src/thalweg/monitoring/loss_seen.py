"""The loss, seen without the user's help.

Four ways, the surest first:

1. The network itself gives a scalar that the gradient comes from, or a loss module (any `torch.nn.Module` that makes a
   scalar) is called with the network's output. Of several such scalars each counts as much as the gradient that comes
   back to it says, and one that none comes back to, such as a metric, not at all.
2. The gradient at the output tells which loss it was, where the loss was a function (`loss_family`).
3. The gradient together with the number at which the backward pass began (`backward_roots`) tells a squared error.
4. Otherwise that number is known alone: nothing is measured that needs the loss as a function.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch.utils.hooks import RemovableHandle

from thalweg.monitoring.backward_roots import Root
from thalweg.monitoring.loss_family import Recognised, recognise, recognise_square
from thalweg.monitoring.tensors_held import float_leaves
from thalweg.monitoring.weak_hook import WeakHook

__all__ = [
    "LossModules",
    "ModuleCall",
    "Objective",
    "Recognised",
    "SeenCall",
    "objective_of",
    "recognise",
]

Objective: TypeAlias = Callable[[object], torch.Tensor]
"""The loss as a function of what the network gives."""


@dataclass(slots=True, eq=False)
class ModuleCall:
    """A loss module that was called with the network's output.

    Args:
        loss: What it computes, as a function of the network's output.
        value: What it gave.
        kind: The module and the output it was called with: twice the same is a mixture, as of mixed labels.
        taken: Numbers of all outputs it was called with.
        weight: The gradient that came back to its value: its share in the whole loss, times what mixed precision and
            accumulation multiply by; None where none came.
    """

    loss: Objective
    value: torch.Tensor
    kind: tuple[int, int]
    taken: tuple[int, ...] = ()
    weight: torch.Tensor | None = None

    def note_weight(self, gradient: torch.Tensor) -> None:
        """Take a gradient of its value in.

        Args:
            gradient: That of one backward pass.
        """
        found = gradient.detach().float().reshape(())
        self.weight = found if self.weight is None else self.weight + found


@dataclass(slots=True, eq=False)
class SeenCall:
    """What was seen of one call of the network.

    Args:
        output: What it gave, detached from the graph.
        gradients: The gradient at each of its floating-point tensors, by number.
        modules: The loss modules that were called with them.
        told: The loss, where the user's loop said it.
        value: Its value, where that was said as well.
        roots: The backward passes that a gradient came from.
    """

    output: object
    gradients: dict[int, torch.Tensor] = field(default_factory=dict)
    modules: list[ModuleCall] = field(default_factory=list)
    told: Objective | None = None
    value: torch.Tensor | None = None
    roots: dict[int, Root] = field(default_factory=dict)
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

    @property
    def counted(self) -> list[ModuleCall]:
        """The loss modules that the gradient comes from."""
        return [] if self.told is not None else [call for call in self.modules if call.weight is not None]

    @property
    def cheap(self) -> bool:
        """Whether the loss is there without computing anything."""
        return self.value is not None or bool(self.counted)

    def computed(self) -> torch.Tensor | None:
        """Give the loss as training computed it, without waiting for the device; None where it is not known so."""
        calls = self.counted
        if not calls:
            return self.value
        return _together([call.value.float().reshape(()) for call in calls], _shares(calls))

    @property
    def total(self) -> torch.Tensor | None:
        """What the backward passes began at, all together: of several, factors are shares of the largest."""
        roots = [*self.roots.values()]
        values = [value for root in roots if (value := root.value) is not None]
        if not values or len(values) < len(roots):
            return None
        if len(roots) == 1:
            return values[0]
        factors = [root.factor for root in roots]
        largest = max(map(abs, factors))
        return torch.stack([value * (by / largest) for value, by in zip(values, factors, strict=True)]).sum()

    def is_partial(self) -> bool:
        """Whether a gradient came to an output that the loss found does not take in: there may be more to it."""
        outputs, came = self.outputs, set(self.gradients)
        if self.told is not None or any(outputs[number].dim() == 0 for number in came):
            return False
        calls = self.counted
        if calls:
            return bool(came - {number for call in calls for number in call.taken})
        return (
            any(recognise(outputs[number], self.gradients[number]) is None for number in came) if self.whole else False
        )

    def forget(self) -> None:
        """Let go of outputs and gradients, once the loss is known."""
        self.output, self.gradients, self._versions = [], {}, []


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
    scalars = [number for number in seen.gradients if outputs[number].dim() == 0]
    if scalars:  # the network computed its loss itself, or the parts of it
        shares = _even([seen.gradients[number].float() for number in scalars])
        return lambda output: _together([float_leaves(output)[number] for number in scalars], shares)
    calls = seen.counted
    if calls:
        weights = _shares(calls)
        return lambda output: _together([call.loss(output).reshape(()) for call in calls], weights)
    if not seen.gradients or not seen.whole:
        return None
    parts: list[tuple[int, Recognised]] = []
    for number, gradient in seen.gradients.items():
        found = recognise(outputs[number], gradient)
        if found is not None:  # an output that is none may lie on the way to another, as features do
            parts.append((number, found))
    if not parts:
        return _square(seen)
    heaviest = max(part.weight for _, part in parts)
    return lambda output: torch.stack([
        part.loss(float_leaves(output)[number]) * (part.weight / heaviest) for number, part in parts
    ]).sum()


def _square(seen: SeenCall) -> Objective | None:
    """The squared error of one output, where one backward pass began at it."""
    total, roots, came = seen.total, [*seen.roots.values()], [*seen.gradients.items()]
    if total is None or len(roots) != 1 or len(came) != 1:
        return None
    ((number, gradient),) = came
    found = recognise_square(seen.outputs[number], gradient, float(total), roots[0].factor)
    return None if found is None else lambda output: found.loss(float_leaves(output)[number])


def _together(values: list[torch.Tensor], shares: list[torch.Tensor]) -> torch.Tensor:
    if len(values) == 1:  # its share is 1, and the number stays what it is, to the bit
        return values[0] * shares[0].sign().to(values[0])
    return torch.stack([value * share.to(value) for value, share in zip(values, shares, strict=True)]).sum()


def _even(weights: list[torch.Tensor]) -> list[torch.Tensor]:
    """Weights as shares of the heaviest: the scale of mixed precision and of accumulation falls out of them."""
    heaviest = torch.stack([each.abs() for each in weights]).max().clamp_min(1e-30)
    return [each / heaviest for each in weights]


def _shares(calls: list[ModuleCall]) -> list[torch.Tensor]:
    """What each call counts; a mixture counts as one loss."""
    whole: dict[tuple[int, int], torch.Tensor] = {}
    weights = [call.weight for call in calls if call.weight is not None]
    for call, weight in zip(calls, weights, strict=True):
        whole[call.kind] = whole[call.kind] + weight if call.kind in whole else weight
    heaviest = torch.stack([each.abs() for each in whole.values()]).max().clamp_min(1e-30)
    return [weight / heaviest for weight in weights]


class LossModules:
    """Catches the loss module that is called with the network's output, between forward and backward pass.

    The hook is global, but only there from the end of the network's forward pass until the loss is found, so that the
    network's own layers run as fast as ever.

    Args:
        leaves: The outputs, attached to the graph.
        seen: Where to put what is found.
    """

    def __init__(self, leaves: list[torch.Tensor], seen: SeenCall) -> None:
        me = weakref.ref(self)

        def gone(_: object) -> None:  # outputs that nobody holds go into no loss: torch compiles nothing beside a hook
            looking = me()
            if looking is not None and all(leaf() is None for leaf in looking.leaves):
                looking.close()

        self.leaves = [weakref.ref(leaf, gone) for leaf in leaves]
        self.seen = seen
        self.handle: RemovableHandle | None = torch.nn.modules.module.register_module_forward_hook(
            WeakHook(me, "after"), with_kwargs=True
        )
        weakref.finalize(self, take_away, self.handle)  # a loop that ends between a forward pass and its backward one

    def close(self) -> None:
        """Look no longer."""
        if self.handle is not None:
            take_away(self.handle)
            self.handle = None

    def after(self, module: torch.nn.Module, args: tuple[object, ...], *rest: Any) -> None:  # noqa: ANN401
        """Look at a call of any module.

        Args:
            module: The module.
            args: What it was called with.
            rest: The same by name, and what it gave.
        """
        if len(rest) < 2:  # noqa: PLR2004 - taken away while torch goes through its hooks, it gets no kwargs
            return
        kwargs, result = rest
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

        numbers = (*places.values(), *names.values())
        call = ModuleCall(objective, result.detach(), (id(module), min(numbers)), numbers)
        result.register_hook(call.note_weight)  # type: ignore[no-untyped-call]
        self.seen.modules.append(call)


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
