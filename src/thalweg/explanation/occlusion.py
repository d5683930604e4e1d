"""Occlusion (Zeiler and Fergus 2014): cover a patch, and see how far the score of a class falls.

It asks the network only for answers, neither for gradients nor for a layer, so that it may contradict class activation.
A patch is a cell of the grid and half of its neighbours, filled with the sample's own mean a channel.
"""

import itertools

import torch
from torch import Tensor, nn

from thalweg.explanation.activation import forward, untouched
from thalweg.explanation.cells import Cells
from thalweg.explanation.scores import Head, class_scores

__all__ = ["occlusion"]

_BATCH = 64


def occlusion(
    module: nn.Module, x: Tensor, classes: Tensor, cells: Cells, *, head: Head = 0, batch_size: int = _BATCH
) -> Tensor:
    """How far the score falls when each patch is covered.

    Args:
        module: The network, giving logits.
        x: The batch, `(N, channels, *extents)`.
        classes: The class to explain for each sample, int64 `(N,)`.
        cells: The grid.
        head: Which of several outputs.
        batch_size: Covered copies that go through the network at once.

    Returns:
        `(N, *counts)`: score of the whole sample less that of the covered one, in logits; positive where the patch
        speaks for the class.

    Example:
        >>> from thalweg.explanation.cells import cells_over
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
        >>> _ = net[1].weight.data.copy_(torch.tensor([[0.0, 0, 0, 0], [0, 1, 0, 0]]))
        >>> x = torch.tensor([[[4.0, 8.0, 0.0, 0.0]]])
        >>> occlusion(net, x, torch.tensor([1]), cells_over((4,), 4)).tolist()
        [[0.0, 5.0, 0.0, 0.0]]
    """
    mean = x.mean(tuple(range(2, x.ndim)), keepdim=True)
    windows = cells.windows(grown=True)
    falls = torch.empty(len(x), len(windows))
    with untouched(module), torch.no_grad():
        whole = class_scores(forward(module, x, head), classes)
        places = list(itertools.product(range(len(x)), range(len(windows))))
        for start in range(0, len(places), batch_size):
            some = places[start : start + batch_size]
            rows = torch.tensor([row for row, _ in some], device=x.device)
            covered = x[rows]
            for copy, (row, number) in zip(covered, some, strict=True):
                copy[(slice(None), *windows[number])] = mean[row]
            scores = class_scores(forward(module, covered, head), classes[rows])
            for (row, number), fall in zip(some, (whole[rows] - scores).tolist(), strict=True):
                falls[row, number] = fall
    return falls.reshape(len(x), *cells.counts)
