"""A stand-in for an optimizer whose step cannot be hooked where it is wanted.

Lightning hands the optimizer a closure that does forward and backward pass within the step, Keras has optimizers of its
own. The stand-in has what the seat looks at (parameter groups, hooks, state) and is told by the callback when an update
begins and ends. It shares the real groups, so that a rate set there is used.
"""

import copy
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from torch.utils.hooks import RemovableHandle

__all__ = ["StandIn"]

Hook = Callable[..., object]


class StandIn:
    """Looks like an optimizer to the seat.

    Args:
        real: The optimizer itself; everything else is asked of it.
        groups: Its parameter groups, where it has none of torch's form.
    """

    def __init__(self, real: Any, groups: list[dict[str, Any]] | None = None) -> None:  # noqa: ANN401 - any optimizer
        self.real = real
        self._groups = groups
        self._optimizer_step_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
        self._optimizer_step_post_hooks: OrderedDict[int, Hook] = OrderedDict()
        self._begun = False

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The real groups."""
        return self.real.param_groups if self._groups is None else self._groups

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the real one has
        if "real" not in self.__dict__:  # while it is being copied
            raise AttributeError(name)
        return getattr(self.__dict__["real"], name)

    def __copy__(self) -> Any:  # noqa: ANN401 - what the real one is
        """A copy is one of the real optimizer: who copies wants to try steps of its own."""
        return copy.copy(self.real)

    def register_step_pre_hook(self, hook: Hook) -> RemovableHandle:
        """As of a torch optimizer.

        Args:
            hook: Called before an update.

        Returns:
            What removes it.
        """
        handle = RemovableHandle(self._optimizer_step_pre_hooks)
        self._optimizer_step_pre_hooks[handle.id] = hook
        return handle

    def register_step_post_hook(self, hook: Hook) -> RemovableHandle:
        """As of a torch optimizer.

        Args:
            hook: Called after an update.

        Returns:
            What removes it.
        """
        handle = RemovableHandle(self._optimizer_step_post_hooks)
        self._optimizer_step_post_hooks[handle.id] = hook
        return handle

    def begin(self) -> None:
        """Say that gradients are there and an update comes."""
        self._begun = True
        for hook in list(self._optimizer_step_pre_hooks.values()):
            hook(self, (self,), {})

    def end(self) -> None:
        """Say that the update has happened."""
        if self._begun:
            self._begun = False
            for hook in list(self._optimizer_step_post_hooks.values()):
                hook(self, (self,), {})

    @classmethod
    def of(cls, real: Any, groups: list[dict[str, Any]] | None = None) -> "StandIn":  # noqa: ANN401 - any optimizer
        """Make a stand-in that is called what the real one is called.

        Args:
            real: The optimizer.
            groups: Its parameter groups, where it has none of torch's form.

        Returns:
            The stand-in.

        Example:
            >>> import torch
            >>> type(StandIn.of(torch.optim.AdamW([torch.zeros(1)]))).__name__
            'AdamW'
        """
        made: StandIn = type(type(real).__name__, (cls,), {})(real, groups)
        return made
