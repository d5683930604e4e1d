"""The size of a step's gradients, and their clipping, whether they lie here whole or in rows on several ranks."""

import math

import torch

from thalweg.modules.sharded import is_sharded, local
from thalweg.training.ranks import Ranks

__all__ = ["clip_gradients", "gradient_norm"]


def _own(module: torch.nn.Module) -> list[torch.Tensor]:
    return [local(each.grad) for each in module.parameters() if each.grad is not None]


def gradient_norm(module: torch.nn.Module, ranks: Ranks) -> torch.Tensor:
    """Norm of all gradients; where they lie in rows on several ranks, the sum of squares travels.

    Args:
        module: The network, after the backward pass.
        ranks: With whom it is shared.

    Returns:
        A scalar, the same on all ranks.

    Example:
        >>> from thalweg.training.ranks import ALONE
        >>> layer = torch.nn.Linear(1, 1)
        >>> layer(torch.full((1, 1), 3.0)).sum().backward()
        >>> round(float(gradient_norm(layer, ALONE)), 4)
        3.1623
    """
    norm = torch.nn.utils.get_total_norm(_own(module))
    if not is_sharded(module):
        return norm
    (square,) = ranks.total((float(norm) ** 2,))
    return norm.new_tensor(math.sqrt(square))


def clip_gradients(module: torch.nn.Module, limit: float, norm: torch.Tensor) -> None:
    """Shrink all gradients alike where they are too large, as torch's `clip_grad_norm_` does.

    Args:
        module: The network.
        limit: Largest norm.
        norm: Of all gradients.
    """
    if not is_sharded(module):
        torch.nn.utils.clip_grads_with_norm_(module.parameters(), limit, norm)
        return
    share = (limit / (norm + 1e-6)).clamp(max=1.0)
    with torch.no_grad():
        torch._foreach_mul_(_own(module), share)
