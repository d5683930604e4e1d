"""A step's gradients: their sum over ranks, their size, and their clipping, whether they lie here whole or in rows."""

import math
from collections.abc import Iterable

import torch

from thalweg.modules.sharded import is_sharded, local
from thalweg.training.ranks import Ranks

__all__ = ["GradientSum", "clip_gradients", "gradient_norm"]


class GradientSum:
    """Adds the gradients of all ranks up, in one message; afterwards they are parts of its room, and not copied back.

    Args:
        ranks: They.
    """

    def __init__(self, ranks: Ranks) -> None:
        self._ranks = ranks
        self._trained: list[torch.nn.Parameter] = []
        self._room = torch.empty(0)
        self._parts: list[torch.Tensor] = []

    def add(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Put the sum over the ranks in place of each gradient; it is to be let go of before the next backward pass.

        Args:
            parameters: The network's; those without a gradient have none on any rank.
        """
        trained = [each for each in parameters if each.grad is not None]
        if self._ranks.size == 1 or not trained:
            return
        if list(map(id, trained)) != list(map(id, self._trained)):
            self._lay_out(trained)
        own = [each.grad for each in trained if each.grad is not None]
        torch._foreach_copy_(self._parts, own)
        self._ranks.add_up(self._room)
        for each, part in zip(trained, self._parts, strict=True):
            each.grad = part

    def _lay_out(self, trained: list[torch.nn.Parameter]) -> None:
        """Give each gradient a part of the room, in the memory order of its weights, which is that of autograd's."""
        self._trained, self._parts, place = trained, [], 0
        self._room = self._ranks.room(sum(each.numel() for each in trained), trained[0])
        for each in trained:
            order = torch.empty_like(each, device="meta").stride()  # dense, whatever lies between the weights
            self._parts.append(self._room[place : place + each.numel()].as_strided(each.shape, order, place))
            place += each.numel()


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
