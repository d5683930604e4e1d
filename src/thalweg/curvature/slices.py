"""Slices through the loss around a point, and ways from one point to another.

A random direction is meaningful only when it is as long, filter by filter, as the weights are: networks with ReLU or
batch normalisation answer the same when a filter is scaled and the next one scaled back, so that without this the same
network looks sharp or flat at will (Li et al. 2018, "Visualizing the loss landscape of neural nets"). Biases and
normalisation scales are left alone, as there.

Two runs are usually connected by a bent way of low loss although the straight one goes over a hill (Garipov et al.
2018): a quadratic Bezier curve between them whose middle point is trained.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from thalweg.curvature.flat import displaced, flatten, inner, unflatten
from thalweg.curvature.product import HessianProduct

__all__ = ["bezier", "connect", "filter_normalised", "line_losses", "plane_losses"]


def filter_normalised(parameters: Sequence[Tensor], seed: int, *, against: Tensor | None = None) -> Tensor:
    """Draw a direction that is as long in every filter as the weights are.

    Args:
        parameters: The weights.
        seed: Of the direction.
        against: A direction to be orthogonal to; the draw is made so before the filters are scaled.

    Returns:
        The direction as one vector; zero for biases and scales.
    """
    random = torch.Generator().manual_seed(seed)
    drawn = [torch.randn(each.shape, generator=random).to(each) if each.ndim > 1 else torch.zeros_like(each)
             for each in parameters]  # fmt: skip
    vector = flatten(drawn).detach()
    if against is not None and inner(against, against) > 0:
        vector = vector - against * (inner(vector, against) / inner(against, against))
    parts = []
    for part, weight in zip(unflatten(vector, parameters), parameters, strict=True):
        if weight.ndim > 1:
            rows, filters = part.reshape(len(part), -1), weight.detach().reshape(len(weight), -1)
            lengths = rows.norm(dim=1, keepdim=True).clamp_min(1e-30)
            parts.append((rows / lengths * filters.norm(dim=1, keepdim=True)).reshape(weight.shape))
        else:
            parts.append(torch.zeros_like(weight))
    return flatten(parts).detach()


def line_losses(product: HessianProduct, direction: Tensor, positions: Sequence[float]) -> tuple[float, ...]:
    """The loss along a direction.

    Args:
        product: The Hessian, which knows the loss; its weights are moved and put back.
        direction: The way, as one vector.
        positions: Multiples of it.

    Returns:
        One loss a position; nan where it is not finite.
    """
    losses = []
    for position in positions:
        with displaced(product.parameters, position * direction):
            loss = product.loss()
        losses.append(loss if math.isfinite(loss) else math.nan)
    return tuple(losses)


def plane_losses(
    product: HessianProduct,
    across: Tensor,
    up: Tensor,
    x: Sequence[float],
    y: Sequence[float],
    *,
    told: Callable[[int, int], None] | None = None,
) -> tuple[tuple[float, ...], ...]:
    """The loss over a plane.

    Args:
        product: The Hessian, which knows the loss; its weights are moved and put back.
        across: First direction.
        up: Second direction.
        x: Multiples of the first one.
        y: Multiples of the second one.
        told: Called with how many rows are done, and of how many.

    Returns:
        Losses row by row.
    """
    rows = []
    for number, height in enumerate(y):
        losses = []
        for position in x:
            with displaced(product.parameters, position * across + height * up):
                loss = product.loss()
            losses.append(loss if math.isfinite(loss) else math.nan)
        rows.append(tuple(losses))
        if told is not None:
            told(number + 1, len(y))
    return tuple(rows)


def bezier(position: float, middle: Tensor, end: Tensor) -> Tensor:
    """A place on the bent way from here to `end`.

        2 t (1 - t) middle + t^2 end

    Args:
        position: t from 0 to 1.
        middle: The bent way's control point, seen from here.
        end: The other end, seen from here.

    Returns:
        The place, seen from here.

    Example:
        >>> bezier(1.0, torch.tensor([5.0]), torch.tensor([2.0])).item()
        2.0
    """
    return 2 * position * (1 - position) * middle + position**2 * end


def connect(product: HessianProduct, end: Tensor, *, steps: int = 60, rate: float = 0.02, seed: int = 0) -> Tensor:
    """Look for a bent way of low loss from here to another place.

    The middle point goes down the gradient of the loss at random places of the way, each step on one microbatch, with
    Adam in units of the weights' own size.

    Args:
        product: The Hessian, which knows losses and gradients; its weights are moved and put back.
        end: The other place, seen from here.
        steps: Steps to make.
        rate: Length of a step, as a share of the typical size of `end`'s numbers.
        seed: Of the random places.

    Returns:
        The middle point, seen from here.
    """
    random = torch.Generator().manual_seed(seed)
    middle = (end / 2).clone()
    size = math.sqrt(inner(end, end) / max(1, end.numel()))
    if not size > 0:
        return middle
    first, second = torch.zeros_like(middle), torch.zeros_like(middle)
    for step in range(1, steps + 1):
        position = 0.1 + 0.8 * float(torch.rand((), generator=random))
        with displaced(product.parameters, bezier(position, middle, end)):
            loss = product.losses[step % len(product.losses)]()
            found = torch.autograd.grad(loss, product.parameters, allow_unused=True, materialize_grads=True)
        gradient = flatten(found).detach() * (2 * position * (1 - position))
        if not bool(gradient.isfinite().all()):
            break
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient.square()
        scale = (second / (1 - 0.99**step)).sqrt() + 1e-12
        middle = middle - rate * size * (1 - step / (steps + 1)) * (first / (1 - 0.9**step)) / scale
    return middle
