"""Networks whose weights lie in shards: each of several processes keeps its rows of every weight, and no other.

torch's `fully_shard` (FSDP2) gathers a layer's weights just before the layer computes, forward and backward, lets them
go right after it, and adds gradients up so that each process gets those of its rows. The optimizer then knows rows
alone: weights, gradients and the optimizer's memory take 1 / n of their room on each of n processes.

Layers with many weights are gathered one by one, all others together at the network's start: a message costs more than
a few weights. Everything here but `local` is a matter of all processes at once, in the same order.
"""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["can_shard", "fill", "hollow", "is_sharded", "kind_of", "load_whole", "local", "shard", "whole"]

ALONE = 1 << 16
"""Weights from which on a layer is gathered by itself."""


def can_shard() -> bool:
    """Whether this torch knows how: sums instead of means (gloo has no other) came with 2.9.

    Returns:
        Whether `shard` works.
    """
    try:
        from torch.distributed.fsdp import FSDPModule
    except ImportError:
        return False
    return hasattr(FSDPModule, "set_force_sum_reduction_for_comms")


def shard(network: nn.Module, kind: str) -> None:
    """Cut the weights of a network into rows, in place; this process keeps its own.

    Every layer that is cut by itself, and the network, become FSDP modules; names of weights stay. Gradients are added
    up over the processes, not averaged.

    Args:
        network: The same on all processes; best on the CPU, which it leaves layer by layer.
        kind: Where to compute: `cpu` or `cuda`; weights and buffers end there.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    for weight in network.parameters():  # rows lie together in no other memory order
        weight.data = weight.data.contiguous()
    mesh = init_device_mesh(kind, (torch.distributed.get_world_size(),))
    for layer in _large_layers(network):
        _adding_up(fully_shard(layer, mesh=mesh, reshard_after_forward=True))
    _adding_up(fully_shard(network, mesh=mesh, reshard_after_forward=True))


def _adding_up(module: Any) -> None:  # noqa: ANN401 - torch changes its class
    module.set_gradient_divide_factor(1.0)
    module.set_force_sum_reduction_for_comms(enable=True)


def _large_layers(network: nn.Module) -> list[nn.Module]:
    """Layers that are worth a message of their own; those inside others that have weights, too, go with these."""
    found: list[nn.Module] = []
    inside: set[int] = set()
    for module in network.modules():
        own = sum(weight.numel() for weight in module.parameters(recurse=False))
        if module is network or not own or id(module) in inside:
            continue
        inside.update(id(each) for each in module.modules())
        if sum(weight.numel() for weight in module.parameters()) >= ALONE:
            found.append(module)
    return found


def is_sharded(network: nn.Module) -> bool:
    """Whether a network's weights lie in shards.

    Args:
        network: The network.

    Returns:
        True after `shard`.

    Example:
        >>> is_sharded(nn.Linear(2, 1))
        False
    """
    return hasattr(network, "set_gradient_divide_factor")


def kind_of(module: nn.Module) -> type[nn.Module]:
    """The class of a layer before `shard` gave it one of its own.

    Args:
        module: A layer.

    Returns:
        Such as `torch.nn.Linear`.

    Example:
        >>> kind_of(nn.Linear(2, 1)).__name__
        'Linear'
    """
    return type(module).__mro__[2] if is_sharded(module) else type(module)


def local(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor.

    Args:
        tensor: A weight, its gradient or an optimizer's memory of it.

    Returns:
        Its rows, which share the memory; the tensor itself where it is no shard.

    Example:
        >>> local(torch.ones(2))
        tensor([1., 1.])
    """
    rows = getattr(tensor, "to_local", None)
    return tensor if rows is None else rows()


@torch.no_grad()
def whole(tensor: Tensor) -> Tensor:
    """All of a tensor, from all processes.

    Args:
        tensor: As for `local`.

    Returns:
        It, the same everywhere.

    Example:
        >>> whole(torch.ones(2))
        tensor([1., 1.])
    """
    gather = getattr(tensor.detach(), "full_tensor", None)
    return tensor if gather is None else gather()


@torch.no_grad()
def fill(tensor: Tensor, values: Tensor) -> None:
    """Put values in place; of a shard this process takes its rows.

    Args:
        tensor: Where to.
        values: All of them.

    Example:
        >>> room = torch.zeros(2)
        >>> fill(room, torch.ones(2))
        >>> room
        tensor([1., 1.])
    """
    rows = getattr(tensor, "to_local", None)
    if rows is None:
        tensor.copy_(values)
        return
    rank, size = torch.distributed.get_rank(), torch.distributed.get_world_size()
    parts = torch.chunk(values, size, dim=0)  # as fully_shard cuts them
    if rank < len(parts):
        rows().copy_(parts[rank])


def hollow(network: nn.Module) -> nn.Module:
    """A copy of a network without room for its weights, to be given some with `load_state_dict(..., assign=True)`.

    Args:
        network: Not yet in shards.

    Returns:
        The copy; its parameters have shapes only. Buffers, which are small and of which not all are in a state, are
        copied.

    Example:
        >>> hollow(nn.Linear(2, 1)).weight.device
        device(type='meta')
    """
    shapes: dict[int, object] = {}
    for weight in network.parameters():
        shapes[id(weight)] = nn.Parameter(torch.empty_like(weight, device="meta"), requires_grad=weight.requires_grad)
    return copy.deepcopy(network, shapes)


def load_whole(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give a network, in shards or not, all values of a state.

    Args:
        network: Changed in place.
        state: Every parameter and buffer by name.

    Raises:
        RuntimeError: Names or shapes are others; the last line says which.
    """
    own = network.state_dict()
    odd = next((name for name in (*own, *state) if name not in own or name not in state), None)
    odd = odd or next((name for name in own if own[name].shape != state[name].shape), None)
    if odd is not None:
        raise RuntimeError(f"{odd} is missing there or here, or has another shape")
    for name, value in own.items():
        fill(value, state[name])
