"""Lazy layers, which learn their sizes from the first batch: given them from a batch of one that has no values."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

__all__ = ["with_sizes"]


def with_sizes(module: nn.Module, batches: tuple[Tensor, ...]) -> nn.Module:
    """Give a module's lazy layers their sizes, in a copy that has no values.

    Args:
        module: Any module; it stays as it was.
        batches: What it is called with, without values.

    Returns:
        The module itself where nothing is lazy.

    Example:
        >>> with_sizes(nn.LazyLinear(2), (torch.empty(1, 7, device="meta"),)).weight.shape
        torch.Size([2, 7])
    """
    own: list[Tensor] = [*module.parameters(), *module.buffers()]
    if not any(is_lazy(each) for each in own):
        return module
    memo: dict[int, Any] = {id(each): _without_values(each) for each in own}
    sized = copy.deepcopy(module, memo).eval()
    with torch.no_grad(), torch.device("meta"):
        sized(*batches)
    return sized


def _without_values(tensor: Tensor) -> Tensor:
    if isinstance(tensor, UninitializedParameter):
        return UninitializedParameter(tensor.requires_grad, device="meta")  # type: ignore[arg-type, call-arg]
    if isinstance(tensor, UninitializedBuffer):
        return UninitializedBuffer(device="meta")  # type: ignore[call-arg]
    empty = torch.empty_like(tensor, device="meta", requires_grad=False)
    return nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty
