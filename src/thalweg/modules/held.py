"""Batch normalisation that keeps the statistics it learned, whatever mode the network is in.

A pretrained network's running mean and variance stand for a million photos. In training mode those of a batch of 32
pictures would take their place, and the features would shift before anything is learned. Held, it is a fixed scale and
offset a channel, whose learned factors may still be trained.
"""

from collections.abc import Collection

import torch
from torch import nn

__all__ = ["hold_statistics"]


class _HeldBatchNorm1d(nn.BatchNorm1d):
    def train(self, mode: bool = True) -> "_HeldBatchNorm1d":  # noqa: ARG002 - torch's signature
        return super().train(mode=False)


class _HeldBatchNorm2d(nn.BatchNorm2d):
    def train(self, mode: bool = True) -> "_HeldBatchNorm2d":  # noqa: ARG002 - torch's signature
        return super().train(mode=False)


_HELD: tuple[tuple[type[nn.Module], type[nn.Module]], ...] = (
    (nn.BatchNorm1d, _HeldBatchNorm1d),
    (nn.BatchNorm2d, _HeldBatchNorm2d),
)


def hold_statistics(network: nn.Module, *, only: Collection[str] | None = None) -> int:
    """Make batch normalisations of a network use their running statistics, in training too.

    Args:
        network: The network; its batch normalisations are replaced by ones over the same tensors.
        only: Paths of those meant; None for all.

    Returns:
        How many there are.

    Example:
        >>> net = nn.Sequential(nn.BatchNorm2d(1))
        >>> hold_statistics(net), net.train()(torch.ones(2, 1, 1, 1)).flatten().tolist()[0] > 0.9
        (1, True)
    """
    places = [
        (parent, name, child, held)
        for path, parent in network.named_modules()
        for name, child in parent.named_children()
        for plain, held in _HELD
        if type(child) is plain and (only is None or f"{path}.{name}".lstrip(".") in only)
    ]
    for parent, name, child, held in places:
        setattr(parent, name, _over(child, held))
    return len(places)


def _over(plain: nn.Module, held: type[nn.Module]) -> nn.Module:
    with torch.device("meta"):
        made = held(plain.num_features, eps=plain.eps, momentum=plain.momentum, affine=plain.affine)
    for name, weight in plain.named_parameters(recurse=False):
        setattr(made, name, weight)
    for name, buffer in plain.named_buffers(recurse=False):
        setattr(made, name, buffer)
    return made.train()
