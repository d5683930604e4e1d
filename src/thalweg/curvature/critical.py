"""What kind of point is this: a minimum, a maximum, a saddle, a plateau, a slope, or merely noisy?

A vanishing gradient alone says nothing: it vanishes at all of them, and on a sample of the data it never vanishes.
Two questions have to be asked. *Is there a way down along the gradient?* Its length has no scale of its own, so what is
asked is how much of the loss it could take away within reach: the quadratic model's gain, sum g_i^2 / (2 |h_i|), with
g_i^2 freed from the noise of sampling (products of the gradients of different samples only, which estimate it without
bias). *And if not, how does the loss bend?* By the eigenvalues at both ends; where they vanish, by looking around.

Negative eigenvalues alone are normal all through training (Sagun et al. 2017): a network's point is called a saddle
only where leaving along the lowest direction, found on one half of the samples, lowers the loss of the other half by
more than the gradient could.
"""

import math
from collections.abc import Callable, Iterable, Sequence

from torch import Tensor

from thalweg.core.curvature import CriticalPoint
from thalweg.curvature.critical_exact import judge_exactly
from thalweg.curvature.critical_sampled import judge_sampled
from thalweg.curvature.flat import flatten, inner
from thalweg.curvature.product import HessianProduct, hessian_product

__all__ = ["critical_point", "usual_reach"]

FEW = 24
"""Up to so many weights, and without sampling, the whole Hessian is computed and the neighbourhood is walked over."""


def critical_point(
    loss_of: Callable[[], Tensor] | Sequence[Callable[[], Tensor]] | HessianProduct,
    parameters: Iterable[Tensor],
    *,
    reach: float | None = None,
    most_products: int = 120,
    seed: int = 0,
) -> CriticalPoint:
    """Say what kind of point the weights are at.

    Args:
        loss_of: Computes the loss at the present weights; or several, one a microbatch (at least four tell the noise
            of the gradient well); or a Hessian product, which has them.
        parameters: The weights. They are moved about, and put back to the bit.
        reach: How far around the point to look, in the weights' own length; by default a tenth of their length, and
            at least 1.
        most_products: Hessian products to spend.
        seed: Of random directions, drawn without touching torch's random state.

    Returns:
        The verdict with its certainty and evidence.

    Raises:
        PlanError: The loss has no gradient or is not finite.

    Example:
        >>> import torch
        >>> point = torch.zeros(2, requires_grad=True)
        >>> print(critical_point(lambda: point[0] ** 3 - 3 * point[0] * point[1] ** 2, [point]))
        saddle (degenerate), 95 % sure
    """
    product = loss_of if isinstance(loss_of, HessianProduct) else hessian_product(loss_of, parameters)
    if reach is None:
        reach = usual_reach(product.parameters)
    if len(product.losses) == 1 and product.size <= FEW:
        return judge_exactly(product, reach=reach, seed=seed)
    return judge_sampled(product, reach=reach, most_products=most_products, seed=seed)


def usual_reach(parameters: Sequence[Tensor]) -> float:
    """How far around a point one usually looks.

        max(1, |w| / 10, 0.02 sqrt(n))

    Args:
        parameters: The weights.

    Returns:
        The radius, in the weights' own length.

    Example:
        >>> import torch
        >>> usual_reach([torch.zeros(4)])
        1.0
    """
    weights = flatten([parameter.detach() for parameter in parameters])
    return max(1.0, math.sqrt(inner(weights, weights)) / 10, 0.02 * math.sqrt(weights.numel()))
