"""The tensors of what networks take and give, whatever holds them."""

from collections.abc import Mapping

import torch
from torch.utils._pytree import tree_leaves, tree_map

__all__ = ["detached", "float_leaves", "tensors_in"]


def detached(output: object) -> object:
    """Copy the structure of an output with every tensor detached, so that it keeps no graph alive.

    Args:
        output: What a network gave.

    Returns:
        The same structure; objects in it become the lists of their tensors.
    """
    return tree_map(_bare, output)


def _bare(leaf: object) -> object:
    return leaf.detach() if isinstance(leaf, torch.Tensor) else [each.detach() for each in tensors_in(leaf)]


def tensors_in(value: object) -> list[torch.Tensor]:
    """List all tensors of an input or output, whatever holds them.

    Args:
        value: A tensor, or tuples, lists, mappings of any class and plain objects that hold some.

    Returns:
        Its tensors in a fixed order.

    Example:
        >>> from collections import UserDict
        >>> [each.numel() for each in tensors_in((torch.ones(2), UserDict(ids=torch.ones(3)), "text"))]
        [2, 3]
    """
    found: list[torch.Tensor] = []
    for leaf in tree_leaves(value):
        if isinstance(leaf, torch.Tensor):
            found.append(leaf)
        elif isinstance(leaf, Mapping):
            found.extend(tensors_in(dict(leaf)))
        elif isinstance(leaf, tuple):  # a named tuple with a class of its own, as packed sequences are
            found.extend(tensors_in(list(leaf)))
        elif hasattr(leaf, "__dict__") and not isinstance(leaf, type | torch.nn.Module):
            for part in tree_leaves(dict(vars(leaf))):  # an object's own, not those of objects it knows
                found.extend(tensors_in(part) if isinstance(part, torch.Tensor | Mapping) else ())
    return found


def float_leaves(output: object) -> list[torch.Tensor]:
    """List the tensors of an output, whatever holds them, that a gradient can come back from.

    Args:
        output: What a network gave: a tensor, or tuples, lists, mappings and objects with some.

    Returns:
        Its floating-point tensors in a fixed order.
    """
    return [leaf for leaf in tensors_in(output) if leaf.is_floating_point()]
