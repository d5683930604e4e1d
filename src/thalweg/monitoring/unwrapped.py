"""What loops wrap networks and optimizers in, looked through."""

import torch

__all__ = ["inner_module", "inner_optimizer", "ranks_of"]


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


def ranks_of(model: torch.nn.Module) -> int:
    """How many processes share each update of a network, as far as its wrapper tells.

    Args:
        model: What the loop calls.

    Returns:
        Those of `DistributedDataParallel`, which makes gradients their mean; 1 without it.

    Example:
        >>> ranks_of(torch.nn.Linear(2, 2))
        1
    """
    wrapper: object = model
    while not isinstance(wrapper, torch.nn.parallel.DistributedDataParallel):
        wrapper = getattr(wrapper, "_orig_mod", None)
        if wrapper is None:
            return 1
    return int(wrapper.process_group.size())


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
