"""Weights in a few numbers, to see whether two ranks hold the same to the bit."""

import torch

from thalweg.modules.sharded import local

__all__ = ["checksums"]

_FOLDED = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def checksums(module: torch.nn.Module) -> torch.Tensor:
    """Two sums a tensor over its bits, one of them weighted by place, so that swapped numbers are seen.

    Args:
        module: The network.

    Returns:
        int64, two a parameter or buffer; none for those that lie in shards.

    Example:
        >>> checksums(torch.nn.Linear(2, 1)).shape
        torch.Size([4])
    """
    found = []
    for value in module.state_dict().values():
        if local(value) is not value:
            continue  # rows that no other rank holds
        bits = value.detach().contiguous().reshape(-1).view(_FOLDED[value.element_size()]).to(torch.int64)
        places = torch.arange(1, len(bits) + 1, device=bits.device) % 65_521
        found += [bits.sum(), (bits * places).sum()]
    return torch.stack(found).cpu() if found else torch.zeros(0, dtype=torch.int64)
