"""How far the gradient of a pixel's answer reaches: squares that hold 50, 90 and 99 % of its energy."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from thalweg.core.context_use import GradientReach
from thalweg.explanation.activation import untouched
from thalweg.explanation.context_use import Place, in_pieces, interval_over_pictures

__all__ = ["SHARES", "gradient_reach"]

SHARES = (0.5, 0.9, 0.99)
"""Of the gradient's energy."""


def gradient_reach(
    module: nn.Module, pixels: Tensor, places: Sequence[Place], *, shares: Sequence[float] = SHARES, batch: int = 8
) -> tuple[GradientReach, ...]:
    """How far from a pixel the gradient of its answer reaches.

    The energy at a distance is the sum of squared gradients of the strongest logit on the ring of that distance, over
    all channels; distances are those of squares, max(|rows|, |columns|).

    Args:
        module: The network, giving logits `(N, classes, height, width)`.
        pixels: `(pictures, channels, height, width)`, as the network takes them.
        places: The pixels to ask.
        shares: Of the energy.
        batch: Places asked at a time.

    Returns:
        A radius for each share, the mean over places, with its interval over pictures.

    References:
        W. Luo, Y. Li, R. Urtasun, R. Zemel, Understanding the effective receptive field in deep convolutional neural
        networks, NeurIPS 2016.

    Example:
        >>> net = nn.Conv2d(1, 2, 3, padding=1)
        >>> place = Place(picture=0, row=4, column=4, truth=0)
        >>> gradient_reach(net, torch.ones(1, 1, 9, 9), [place], shares=(1.0,))[0].radius
        1.0
    """
    radii: list[list[float]] = []
    with untouched(module):
        module.requires_grad_(requires_grad=False)
        for some in in_pieces(places, batch):
            inputs = pixels[[one.picture for one in some]].float().clone().requires_grad_()
            logits = module(inputs)
            tops = [logits[number, :, one.row, one.column].max() for number, one in enumerate(some)]
            (gradient,) = torch.autograd.grad(torch.stack(tops).sum(), inputs)
            energy = gradient.cpu().double().square().sum(1)  # not every device has doubles
            radii.extend(_radii(each, one, shares) for each, one in zip(energy, some, strict=True))
    table = np.array(radii)
    owners = np.array([one.picture for one in places])
    return tuple(
        GradientReach(
            share=share,
            radius=float(np.nanmean(table[:, number])),
            interval=interval_over_pictures(table[:, number], owners, np.ones(len(places))),
        )
        for number, share in enumerate(shares)
    )


def _radii(energy: Tensor, place: Place, shares: Sequence[float]) -> list[float]:
    rows = (torch.arange(energy.shape[0], device=energy.device) - place.row).abs()
    columns = (torch.arange(energy.shape[1], device=energy.device) - place.column).abs()
    distance = torch.maximum(rows[:, None], columns[None, :])
    rings = torch.zeros(int(distance.max()) + 1, dtype=torch.float64, device=energy.device)
    rings.index_add_(0, distance.flatten(), energy.flatten())
    if not float(rings.sum()) > 0:  # a dead place has no reach
        return [float("nan")] * len(shares)
    within = rings.cumsum(0) / rings.sum()
    return [float((within < share - 1e-12).sum()) for share in shares]
