"""Saliency (Simonyan et al. 2013): how strongly the score of a class moves with each value of the input.

One gradient is noisy; SmoothGrad (Smilkov et al. 2017) is the mean of the gradients at noisy copies of the sample.
"""

import torch
from torch import Tensor, nn

from thalweg.explanation.activation import forward, untouched
from thalweg.explanation.scores import Head, class_scores

__all__ = ["saliency"]

NOISE = 0.15
"""Standard deviation of the noise, as a share of the sample's range: the middle of what Smilkov et al. recommend."""


def saliency(
    module: nn.Module,
    x: Tensor,
    classes: Tensor,
    *,
    copies: int = 16,
    noise: float = NOISE,
    seed: int = 0,
    head: Head = 0,
) -> Tensor:
    """The size of the score's gradient at each position, the largest over the channels.

    Args:
        module: The network, giving logits.
        x: The batch, `(N, channels, *extents)`.
        classes: The class to explain for each sample, int64 `(N,)`.
        copies: Noisy copies to average over; 0 for the gradient at the sample itself.
        noise: Standard deviation of the noise, as a share of each sample's range of values.
        seed: Of the noise, which leaves torch's own random state alone.
        head: Which of several outputs.

    Returns:
        `(N, *extents)`, from zero.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(3, 2, bias=False))
        >>> _ = net[1].weight.data.copy_(torch.tensor([[0.0, 0, 0], [0, -3, 1]]))
        >>> saliency(net, torch.ones(1, 1, 3), torch.tensor([1])).tolist()
        [[0.0, 3.0, 1.0]]
    """
    random = torch.Generator().manual_seed(seed)
    axes = tuple(range(1, x.ndim))
    spread = (x.amax(axes, keepdim=True) - x.amin(axes, keepdim=True)) * noise
    total = torch.zeros_like(x)
    with untouched(module):
        for _ in range(max(1, copies)):
            near = x.detach().clone()
            if copies:
                near += spread * torch.randn(x.shape, generator=random).to(x)
            near.requires_grad_()
            score = class_scores(forward(module, near, head), classes).sum()
            (gradient,) = torch.autograd.grad(score, near)
            total += gradient
    return (total / max(1, copies)).abs().amax(1).float()
