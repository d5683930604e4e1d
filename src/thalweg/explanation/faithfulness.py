"""Insertion and deletion (Petsiuk et al. 2018): does the network need the places that a map calls important?

Deletion covers the most important cells first with the sample's mean: the probability of the class should fall fast,
and the area under it be small. Insertion begins with a blurred sample and brings the most important cells back first:
the area should be large. Both are worth little without the same curves for cells in random order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from thalweg.explanation.activation import forward, untouched
from thalweg.explanation.cells import Cells
from thalweg.explanation.scores import Head, class_probabilities

__all__ = ["Faithfulness", "area_under", "blurred", "insertion_deletion", "random_orders"]

STEPS = 12
_BATCH = 64
_POOLS = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


@dataclass(frozen=True, slots=True, kw_only=True)
class Faithfulness:
    """The curves of one sample for several orders of its cells.

    Args:
        shares: Share of the cells that were inserted or deleted, from 0 to 1.
        insertion: Probability of the class, `(orders, shares)`.
        deletion: The same while cells are deleted.
    """

    shares: Tensor
    insertion: Tensor
    deletion: Tensor


def insertion_deletion(
    module: nn.Module,
    sample: Tensor,
    class_: int,
    orders: Tensor,
    cells: Cells,
    *,
    steps: int = STEPS,
    head: Head = 0,
    batch_size: int = _BATCH,
) -> Faithfulness:
    """Insert and delete the cells of a sample in some orders.

    Args:
        module: The network, giving logits.
        sample: One sample, `(channels, *extents)`.
        class_: The class whose probability is followed.
        orders: Numbers of the cells, the most important first, int64 `(orders, cells)`.
        cells: The grid.
        steps: In how many steps.
        head: Which of several outputs.
        batch_size: Samples that go through the network at once.

    Returns:
        The curves.
    """
    mean = sample.mean(tuple(range(1, sample.ndim)), keepdim=True).expand_as(sample)
    soft = blurred(sample[None])[0]
    counts = [round(len(cells) * step / steps) for step in range(steps + 1)]
    numbers = cells.numbers().to(sample.device)
    ranks = torch.empty_like(orders).scatter_(1, orders, torch.arange(len(cells)).expand_as(orders))
    found = torch.empty(len(orders), 2, len(counts))
    wanted = [(row, way, at) for row in range(len(orders)) for way in (0, 1) for at in range(len(counts))]
    with untouched(module), torch.no_grad():
        for start in range(0, len(wanted), batch_size):
            some = wanted[start : start + batch_size]
            copies = []
            for row, way, at in some:
                inside = (ranks[row].to(sample.device)[numbers] < counts[at]).unsqueeze(0)
                copies.append(torch.where(inside, sample, soft) if way == 0 else torch.where(inside, mean, sample))
            batch = torch.stack(copies)
            target = torch.full((len(batch),), class_, dtype=torch.int64, device=batch.device)
            shares = class_probabilities(forward(module, batch, head), target).tolist()
            for (row, way, at), share in zip(some, shares, strict=True):
                found[row, way, at] = share
    return Faithfulness(
        shares=torch.tensor(counts) / len(cells), insertion=found[:, 0].clone(), deletion=found[:, 1].clone()
    )


def area_under(shares: Tensor, probabilities: Tensor) -> Tensor:
    """The area under curves over shares from 0 to 1, by trapezoids.

    Args:
        shares: `(points,)`, rising.
        probabilities: `(..., points)`.

    Returns:
        `(...)`, from 0 to 1.

    Example:
        >>> area_under(torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0.0, 1.0, 1.0])).item()
        0.75
    """
    return torch.trapezoid(probabilities, shares, dim=-1)


def random_orders(count: int, cells: int, seed: int) -> Tensor:
    """Some orders of cells that say nothing about the sample.

    Args:
        count: How many orders.
        cells: Number of cells.
        seed: Of the orders.

    Returns:
        int64 `(count, cells)`.

    Example:
        >>> sorted(random_orders(2, 3, seed=1)[1].tolist())
        [0, 1, 2]
    """
    random = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(cells, generator=random) for _ in range(count)])


def blurred(x: Tensor, share: float = 0.2) -> Tensor:
    """Blur a batch by averaging three times, which is nearly a Gaussian.

    Args:
        x: `(N, channels, *extents)`.
        share: Width of the window, as a share of each axis; at least 3 positions.

    Returns:
        The same shape.

    Example:
        >>> blurred(torch.tensor([[[0.0, 0.0, 0.0, 27.0, 0.0, 0.0, 0.0]]]))[0, 0].round().tolist()
        [2.0, 3.0, 6.0, 7.0, 6.0, 3.0, 2.0]
    """
    windows = [2 * max(1, int(share * extent / 2)) + 1 for extent in x.shape[2:]]
    for _ in range(3):
        x = _averaged(x, windows)
    return x


def _averaged(x: Tensor, windows: Sequence[int]) -> Tensor:
    padding = tuple(window // 2 for window in windows)
    pool = _POOLS[x.ndim - 2]
    result: Tensor = pool(x, tuple(windows), stride=1, padding=padding, count_include_pad=False)
    return result
