"""Which loss it was, told by the gradient G that came back to the network's output z.

    softmax cross-entropy   G = s (softmax(z) - y)
    sigmoid cross-entropy   G = s (sigmoid(z) - y)
    negative log likelihood of log-probabilities   G = -s y
    and of probabilities                           G = -s y / z
    squared error           G = s (z - y), only where y comes out as whole numbers; of others, where the loss's value V
                            is known: V = sum (z - y)^2 / d tells d, and G = 2 (z - y) / d the labels

A family is recognised when one s a row explains the row and y is a valid target. s also takes up class weights, the
scale of mixed precision and the divisor of accumulated gradients.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch.nn import functional

from thalweg.modules.numbers import wide

__all__ = ["Recognised", "recognise", "recognise_square"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A loss told from its gradient.

    Args:
        family: Which loss.
        weight: Sum of the rows' scales: the share of this output in the whole loss, times the scale of mixed precision.
        loss: The loss as a function of this output, a weighted mean over the rows.
    """

    family: str
    weight: float
    loss: Callable[[torch.Tensor], torch.Tensor]


def recognise(output: torch.Tensor, gradient: torch.Tensor) -> Recognised | None:
    """Tell the loss from the gradient at an output.

    Args:
        output: What the network gave.
        gradient: The gradient of the loss there.

    Returns:
        The loss, or None where no family explains the gradient.

    Example:
        >>> z = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 3.0]], requires_grad=True)
        >>> loss = functional.cross_entropy(z, torch.tensor([0, 2]), label_smoothing=0.1)
        >>> (gradient,) = torch.autograd.grad(loss, z)
        >>> found = recognise(z.detach(), 1024 * gradient)
        >>> found.family, round(float(found.loss(z.detach()) / loss.detach()), 5)
        ('softmax cross-entropy', 1.0)
    """
    if output.shape != gradient.shape or output.dim() == 0 or output.numel() == 0:
        return None
    tolerance = max(1e-4, 4 * max(torch.finfo(output.dtype).eps, torch.finfo(gradient.dtype).eps))
    z, g = wide(output.detach()), wide(gradient.detach())
    if not bool(z.isfinite().all() and g.isfinite().all()) or not bool(g.any()):
        return None
    g = g / g.abs().max()
    scale = float(gradient.detach().abs().max())
    axes = [1] if z.dim() == 2 else [1, z.dim() - 1] if z.dim() > 2 else []  # noqa: PLR2004 - rows and columns
    for axis in axes:
        if z.shape[axis] == 1:
            continue
        for family, find in _BY_ROW.items():
            found = find(_rows(z, axis), _rows(g, axis), tolerance)
            if found is not None:
                return _by_row(family, axis, *found, scale)
    for family, find in _BY_VALUE.items():
        found = find(z.flatten(), g.flatten(), tolerance)
        if found is not None:
            return _by_value(family, *found, scale)
    return None


def recognise_square(output: torch.Tensor, gradient: torch.Tensor, value: float, factor: float) -> Recognised | None:
    """Tell a squared error from its gradient and its value, whatever the labels are.

    Args:
        output: What the network gave.
        gradient: The gradient of the loss there.
        value: The loss, without the factor.
        factor: What the loss was multiplied by before the gradient was asked for.

    Returns:
        The loss, summed, or a mean over numbers or rows, or a half of these; None where it is no such.

    Example:
        >>> z = torch.tensor([[2.0, -1.0], [0.5, 3.0]], requires_grad=True)
        >>> loss = functional.mse_loss(z, torch.tensor([[1.7, 0.3], [0.1, 0.2]]))
        >>> (gradient,) = torch.autograd.grad(loss / 8, z)
        >>> found = recognise_square(z.detach(), gradient, float(loss.detach()), 1 / 8)
        >>> round(float(found.loss(z.detach()) / loss.detach()), 5)
        1.0
    """
    if output.shape != gradient.shape or output.dim() == 0 or output.numel() == 0:
        return None
    if max(torch.finfo(each.dtype).eps for each in (output, gradient)) > _SINGLE:
        return None  # rounding that coarse lets other losses through
    z, g = wide(output.detach()), wide(gradient.detach()) / factor
    square = float(g.square().sum())
    if not (math.isfinite(value) and math.isfinite(square)) or value <= 0 or square <= 0:
        return None
    for divisor in dict.fromkeys((z.numel(), z.shape[0], 1)):
        for half in (1.0, 0.5):  # V = half sum d^2 / divisor and G = 2 half d / divisor
            if abs(divisor * square / (4 * half) / value - 1) < _ROUNDING * _SINGLE:
                return _squares(z - g * divisor / (2 * half), half / divisor)
    return None


_SINGLE = torch.finfo(torch.float32).eps
_ROUNDING = 100
"""In units of that, which a sum over many numbers may be off by; other losses come as near by a chance of 1e-5."""


def _squares(labels: torch.Tensor, share: float) -> Recognised:
    def loss(output: torch.Tensor) -> torch.Tensor:
        return (wide(output) - labels).square().sum() * share

    return Recognised(family="squared error", weight=1.0, loss=loss)


def _rows(tensor: torch.Tensor, axis: int) -> torch.Tensor:
    return tensor.movedim(axis, -1).reshape(-1, tensor.shape[axis])


_FEW = 4
"""Fewer rows are explained by almost any loss."""

Found: TypeAlias = "tuple[torch.Tensor, torch.Tensor] | None"
"""Target and scale, a row or a value each."""


def _softmax(z: torch.Tensor, g: torch.Tensor, tolerance: float) -> Found:
    """G = s (p - y) with p = softmax(z): hard targets first, then targets with one constant beside the label."""
    if float(g.sum(dim=1).abs().max()) > tolerance * float(g.abs().sum(dim=1).max()):
        return None
    p = torch.softmax(z, dim=1)
    live = g.abs().amax(dim=1) > 0
    label = torch.where(g.amin(dim=1) < 0, g.argmin(dim=1), p.argmax(dim=1))
    hard = functional.one_hot(label, z.shape[1]).to(z.dtype)
    others = 1 - hard
    scale = (g * p * others).sum(dim=1) / (p * p * others).sum(dim=1).clamp_min(1e-30)
    typical = scale[live].median()
    scale = torch.where((p * others).amax(dim=1) < tolerance, typical, scale)  # so sure that the row tells no scale
    scale = torch.where(live, scale, torch.zeros_like(scale))
    if _explains(g, scale[:, None] * (p - hard), scale, tolerance):
        return (hard, scale) if z.shape[1] > 2 or _one_a_label(label[live], scale[live], tolerance) else None  # noqa: PLR2004
    return _smoothed(p, g, live, tolerance) if z.shape[1] > 2 else None  # noqa: PLR2004


def _one_a_label(label: torch.Tensor, scale: torch.Tensor, tolerance: float) -> bool:
    """Of two classes any row is explained by a scale of its own, so rows must share theirs, class weights apart."""
    if len(label) < _FEW:
        return False
    spreads = [scale[label == each].max() - scale[label == each].min() for each in torch.unique(label)]
    return float(max(spreads)) <= 10 * tolerance * float(scale.max())


def _smoothed(p: torch.Tensor, g: torch.Tensor, live: torch.Tensor, tolerance: float) -> Found:
    """Label smoothing and mixed labels: most classes share one target c, so g_i - g_j = s (p_i - p_j) among them."""
    dp = torch.cat([p - p.roll(shift, 1) for shift in (1, 2)])
    dg = torch.cat([g - g.roll(shift, 1) for shift in (1, 2)])
    clear = (dp.abs() > max(1e-3, 10 * tolerance) * p.max()) & live.repeat(2)[:, None]
    slopes = (dg[clear] / dp[clear]).sort().values
    slopes = slopes[slopes > 0]
    if len(slopes) < _FEW:
        return None
    wide = 1 + 20 * tolerance
    members = torch.searchsorted(slopes, slopes * wide, right=True) - torch.arange(len(slopes), device=slopes.device)
    first, number = int(members.argmax()), int(members.max())
    if number < max(_FEW, len(slopes) // 5):
        return None
    common = slopes[first : first + number].median()
    target = torch.where(live[:, None], p - g / common, p)
    if float(target.min()) < -50 * tolerance or float(target.max()) > 1 + 50 * tolerance:
        return None
    return target.clamp(0, 1), torch.where(live, common, torch.zeros_like(common))


def _log_likelihood(z: torch.Tensor, g: torch.Tensor, tolerance: float) -> Found:
    """G = -s y where exp(z) sums to 1: the network ends in a log-softmax."""
    if float((z.exp().sum(dim=1) - 1).abs().max()) > tolerance or float(g.max()) > 0:
        return None
    scale = -g.sum(dim=1)
    return (-g / scale.clamp_min(1e-30)[:, None], scale) if bool((scale >= 0).all()) else None


def _likelihood(z: torch.Tensor, g: torch.Tensor, tolerance: float) -> Found:
    """G = -s y / z where z sums to 1: the network ends in a softmax, and the logarithm is taken outside."""
    if float((z.sum(dim=1) - 1).abs().max()) > tolerance or float(z.min()) < 0 or float(g.max()) > 0:
        return None
    return _log_likelihood(z.clamp_min(1e-30).log(), g * z, tolerance)


def _sigmoid(z: torch.Tensor, g: torch.Tensor, tolerance: float) -> Found:
    """G = s (p - y) with p = sigmoid(z), y 0 or 1, and a scale for either (positive weights)."""
    if z.numel() < _FEW:
        return None
    p = torch.sigmoid(z)
    target = (g < 0).to(g.dtype)
    off = p - target
    scale = torch.zeros_like(g)
    for side in (target == 1, target == 0):
        if bool(side.any()):
            scale[side] = (g[side] * off[side]).sum() / (off[side] ** 2).sum().clamp_min(1e-30)
    return (target, scale) if _explains(g, scale * off, scale, tolerance) else None


def _probability(z: torch.Tensor, g: torch.Tensor, tolerance: float) -> Found:
    """G = s (z - y) / (z (1 - z)) with z in (0, 1): the network ends in a sigmoid."""
    if float(z.min()) <= 0 or float(z.max()) >= 1:
        return None
    return _sigmoid(torch.logit(z), g * z * (1 - z), tolerance)


def _squared(z: torch.Tensor, g: torch.Tensor, tolerance: float) -> Found:
    """G = s (z - y) where one s makes every target a whole number: any other target would fit any s."""
    if z.numel() < 8:  # noqa: PLR2004 - a few numbers come out whole by chance
        return None
    order = g.abs().argsort(descending=True)
    first, second = order[0], order[-1]
    candidates = [
        (z[a] - low).item() and float(g[a] / (z[a] - low))
        for a in (first, order[1], second)
        for low in (0.0, 1.0, -1.0)
    ]
    for scale in sorted({each for each in candidates if each > 0}, reverse=True):
        target = z - g / scale
        whole = target.round()
        if float((target - whole).abs().max()) < 10 * tolerance and float(whole.abs().max()) < 1e4:  # noqa: PLR2004
            return whole, torch.full_like(g, scale)
    return None


_BY_ROW = {
    "softmax cross-entropy": _softmax,
    "negative log likelihood": _log_likelihood,
    "log of probabilities": _likelihood,
}
_BY_VALUE = {
    "sigmoid cross-entropy": _sigmoid,
    "cross-entropy of probabilities": _probability,
    "squared error": _squared,
}


def _explains(g: torch.Tensor, wanted: torch.Tensor, scale: torch.Tensor, tolerance: float) -> bool:
    if not bool((scale >= 0).all()) or not bool((scale > 0).any()):
        return False
    return float((g - wanted).abs().max()) <= 5 * tolerance * float(scale.max())


def _by_row(family: str, axis: int, target: torch.Tensor, scale: torch.Tensor, unit: float) -> Recognised:
    total = float(scale.sum())

    def loss(output: torch.Tensor) -> torch.Tensor:
        rows = output.movedim(axis, -1).reshape(-1, output.shape[axis]).float()
        if family == "softmax cross-entropy":
            rows = torch.log_softmax(rows, dim=1)
        elif family == "log of probabilities":
            rows = rows.clamp_min(1e-30).log()
        y, weights = target.to(rows), scale.to(rows)
        return -((y * rows).sum(dim=1) * weights).sum() / total

    return Recognised(family=family, weight=total * unit, loss=loss)


def _by_value(family: str, target: torch.Tensor, scale: torch.Tensor, unit: float) -> Recognised:
    total = float(scale.sum())

    def loss(output: torch.Tensor) -> torch.Tensor:
        values = output.flatten().float()
        y, weights = target.to(values), scale.to(values)
        if family == "squared error":
            each = (values - y) ** 2
        elif family == "sigmoid cross-entropy":
            each = functional.binary_cross_entropy_with_logits(values, y, reduction="none")
        else:
            each = functional.binary_cross_entropy(values, y, reduction="none")
        return (each * weights).sum() / total

    return Recognised(family=family, weight=total * unit, loss=loss)
