"""Weights in a few numbers, to see whether two ranks hold the same to the bit.

Eight bytes at a time are taken as a whole number, and those are added up with wrap-around, along the rows and columns
of a table: two readings of memory and no copy.
"""

import torch

from thalweg.modules.numbers import as_it_lies
from thalweg.modules.sharded import local

__all__ = ["checksums"]

_WIDE = 4096
_FAR = 65_521


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
    found: list[torch.Tensor] = []
    for value in module.state_dict().values():
        if local(value) is not value:
            continue  # rows that no other rank holds
        found += _sums(value.detach())
    return torch.stack(found).cpu() if found else torch.zeros(0, dtype=torch.int64)


def _sums(value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    raw = as_it_lies(value).contiguous().reshape(-1).view(torch.uint8)  # as it lies, the same way on all ranks
    words, rest = len(raw) // 8, raw[len(raw) // 8 * 8 :].to(torch.int64)
    numbers = (raw if raw.storage_offset() % 8 == 0 else raw.clone())[: 8 * words].view(torch.int64)
    table, last = numbers[: words // _WIDE * _WIDE].view(-1, _WIDE), numbers[words // _WIDE * _WIDE :]
    rows, columns = table.sum(1), table.sum(0)
    plain = rows.sum() + last.sum() + rest.sum()
    return plain, _placed(columns) + _FAR * (_placed(rows) + _FAR * (_placed(last) + _FAR * _placed(rest)))


def _placed(numbers: torch.Tensor) -> torch.Tensor:
    return (numbers * torch.arange(1, len(numbers) + 1, device=numbers.device)).sum()
