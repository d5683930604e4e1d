"""Gradient-weighted class activation (Grad-CAM, Selvaraju et al. 2017): where in a layer the evidence for a class lies.

    weight_k = mean over positions of d score / d A_k        map = sum over channels of weight_k A_k

Where global average pooling and one dense layer follow, this is the class activation map of Zhou et al. (2016) times a
positive number. Its positive part is what is shown; the sign is kept here, since places that speak against a class
must not rank equal to places that say nothing. Behind a flattening dense layer positions have weights of their own,
which the mean over positions throws away: there, hold the map against occlusion.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from thalweg.core.errors import SpecError
from thalweg.explanation.activation import forward, untouched, watching
from thalweg.explanation.scores import Head, class_scores

__all__ = ["class_activation", "enlarged"]

_MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


def class_activation(module: nn.Module, layer: str, x: Tensor, classes: Tensor, *, head: Head = 0) -> Tensor:
    """The class activation map of a batch.

    Args:
        module: The network, giving logits.
        layer: The layer whose maps are weighted: the last one with spatial axes, as a rule.
        x: The batch, `(N, channels, *extents)`.
        classes: The class to explain for each sample, int64 `(N,)`.
        head: Which of several outputs.

    Returns:
        `(N, *extents of the layer)`; positive where the maps speak for the class.

    Raises:
        SpecError: The layer does not exist, gives no maps, or nothing leads from it to the scores.

    Example:
        >>> net = nn.Sequential(nn.Identity(), nn.Flatten(2), nn.AdaptiveAvgPool1d(1), nn.Flatten())
        >>> x = torch.tensor([[[[0.0, 4.0], [0.0, 0.0]]]])
        >>> class_activation(net, "0", x, torch.tensor([1])).tolist()
        [[[0.0, 1.0], [0.0, 0.0]]]
    """
    with untouched(module), watching(module, (layer,)) as seen:
        source = x.detach().clone().requires_grad_()  # a way back even where every weight is frozen
        score = class_scores(forward(module, source, head), classes).sum()
        maps = seen.get(layer)
        if maps is None or maps.ndim < 3:  # noqa: PLR2004 - batch, channels, positions
            raise SpecError(f"layer {layer!r} gives no maps: class activation needs a layer with spatial axes")
        if not maps.requires_grad:
            raise SpecError(f"nothing leads from layer {layer!r} to the scores, so it has no class activation")
        gradients: tuple[Tensor | None, ...] = torch.autograd.grad(score, maps, allow_unused=True)
    gradient = gradients[0]
    if gradient is None:
        return torch.zeros_like(maps[:, 0]).detach()
    weights = gradient.mean(tuple(range(2, gradient.ndim)), keepdim=True)
    return (weights * maps).sum(1).detach().float()


def enlarged(maps: Tensor, extents: Sequence[int]) -> Tensor:
    """Bring maps to another size, on straight lines between neighbours.

    Args:
        maps: `(N, *extents)`.
        extents: The wanted extents.

    Returns:
        `(N, *extents)`.

    Example:
        >>> enlarged(torch.tensor([[0.0, 4.0]]), (4,)).tolist()
        [[0.0, 1.0, 3.0, 4.0]]
    """
    mode = _MODES[maps.ndim - 1]
    return functional.interpolate(maps[:, None], size=tuple(extents), mode=mode, align_corners=False)[:, 0]
