"""Curvature along the way an optimizer really goes, and curvature as it feels it.

Along a step d the loss is L + g.d + d.Hd/2: the step lowers it as long as it is shorter than the critical one, where
both parts cancel. Plain gradient descent of rate r is stable where the largest eigenvalue is below 2/r. Adam divides
every weight's step by its own scale, so it feels another matrix, D^-1/2 H D^-1/2 with

    D = (1 - b1^t) (sqrt(v / (1 - b2^t)) + eps)

and is stable where that one's largest eigenvalue is below (2 + 2 b1) / ((1 - b1) r), 38/r for b1 = 0.9
(Cohen et al. 2022, "Adaptive gradient methods at the edge of stability").
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from thalweg.core.errors import PlanError
from thalweg.curvature.flat import flatten, inner
from thalweg.curvature.product import HessianProduct, Product

__all__ = ["AlongUpdate", "adam_scale", "along_update", "preconditioned", "sharpness_along", "stable_limit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlongUpdate:
    """The loss along one update.

    Args:
        slope: `g . d`, in nats: what the update would change without curvature; below zero for a descent.
        bend: `d . H d`, in nats.
        sharpness: `d . H d / d . d`, the curvature along the update.
        critical: How many times the update could be as long before the quadratic model says that the loss is back
            where it was; infinite where the loss does not bend up.
        critical_gradient: The same for a step along the gradient: its rate of no return, `2 / sharpness along g`.
    """

    slope: float
    bend: float
    sharpness: float
    critical: float
    critical_gradient: float


def sharpness_along(product: Product, direction: Tensor) -> float:
    """Curvature along a direction.

        d . H d / d . d

    Args:
        product: The Hessian.
        direction: Any length but zero.

    Returns:
        The curvature, between the smallest and the largest eigenvalue.

    Raises:
        PlanError: The direction has no length.

    Example:
        >>> matrix = torch.diag(torch.tensor([4.0, 2.0]))
        >>> sharpness_along(lambda vector: matrix @ vector, torch.tensor([1.0, 1.0]))
        3.0
    """
    length = inner(direction, direction)
    if not length > 0 or not math.isfinite(length):
        raise PlanError("a direction of length zero, or not finite, has no curvature along it")
    return inner(direction, product(direction).detach()) / length


def along_update(product: HessianProduct, update: Tensor) -> AlongUpdate:
    """Measure the loss along an update that an optimizer made or would make.

    Args:
        product: The Hessian at the weights before the update.
        update: New weights less old ones, as one vector.

    Returns:
        Slope, bend and the critical length.
    """
    gradient = product.gradient()
    slope, bend = inner(gradient, update), inner(update, product(update).detach())
    steep = sharpness_along(product, gradient) if inner(gradient, gradient) > 0 else 0.0
    return AlongUpdate(
        slope=slope,
        bend=bend,
        sharpness=sharpness_along(product, update),
        critical=-2 * slope / bend if bend > 0 else math.inf,
        critical_gradient=2 / steep if steep > 0 else math.inf,
    )


def adam_scale(optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor]) -> Tensor:
    """The scale D by which Adam divides every weight's step, from its own second moment and bias correction.

    Args:
        optimizer: Adam, AdamW, NAdam, RAdam, RMSprop or Adagrad, after at least one step.
        parameters: The weights, in the order of the Hessian's.

    Returns:
        One positive number a weight.

    Raises:
        PlanError: The optimizer keeps no second moment, or has not made a step yet.
    """
    groups = {id(weight): group for group in optimizer.param_groups for weight in group["params"]}
    return flatten([_scale(optimizer, groups, parameter) for parameter in parameters])


def _scale(optimizer: torch.optim.Optimizer, groups: dict[int, dict[str, object]], parameter: Tensor) -> Tensor:
    state, group = optimizer.state.get(parameter, {}), groups.get(id(parameter), {})
    names = ("max_exp_avg_sq", "exp_avg_sq", "square_avg", "sum")
    moment = next((state[name] for name in names if isinstance(state.get(name), Tensor)), None)
    if moment is None:
        raise PlanError(f"{type(optimizer).__name__} keeps no second moment of its gradients, or has made no step yet")
    eps = float(group.get("eps", 1e-8))  # type: ignore[arg-type]
    betas = group.get("betas")
    if betas is None:
        return moment.sqrt() + eps  # type: ignore[no-any-return]  # RMSprop and Adagrad correct nothing
    first, second = (float(beta) for beta in betas)  # type: ignore[attr-defined]
    step = float(state["step"])
    scale: Tensor = (1 - first**step) * ((moment / (1 - second**step)).sqrt() + eps)
    return scale


def stable_limit(optimizer: torch.optim.Optimizer) -> float:
    """The largest (preconditioned) curvature at which an optimizer's present rate is stable on a quadratic.

        SGD: 2/r     heavy ball: 2(1 + m)/r     Nesterov: (2 + 2m)/(1 + 2m)/r     Adam: (2 + 2 b1)/((1 - b1) r)

    Args:
        optimizer: SGD or one of Adam's kind.

    Returns:
        The limit, for the first group's rate.

    Raises:
        PlanError: The rate is zero.
    """
    group = optimizer.param_groups[0]
    rate, momentum = float(group["lr"]), float(group.get("momentum", 0.0))
    if not rate > 0:
        raise PlanError("at a learning rate of zero every curvature is stable")
    if group.get("betas") is not None:
        first = float(group["betas"][0])
        return (2 + 2 * first) / ((1 - first) * rate)
    if group.get("nesterov"):
        return (2 + 2 * momentum) / (1 + 2 * momentum) / rate
    return 2 * (1 + momentum) / rate


def preconditioned(product: Product, scale: Tensor) -> Callable[[Tensor], Tensor]:
    """The Hessian as an optimizer feels it that divides every weight's step by a scale.

        D^-1/2 H D^-1/2

    Args:
        product: The Hessian.
        scale: D, one positive number a weight.

    Returns:
        The product; its eigenvalues are those of `D^-1 H`.

    Example:
        >>> matrix = torch.diag(torch.tensor([4.0, 2.0]))
        >>> felt = preconditioned(lambda vector: matrix @ vector, torch.tensor([4.0, 1.0]))
        >>> felt(torch.tensor([1.0, 1.0])).tolist()
        [1.0, 2.0]
    """
    root = scale.rsqrt()
    return lambda vector: root * product(root * vector)
