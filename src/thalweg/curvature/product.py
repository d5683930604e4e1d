"""Exact products of the Hessian with a vector, by differentiating twice (Pearlmutter 1994).

    H v = d/dw (g(w) . v),   g = dL/dw

The Hessian of a network with a million weights has 10^12 entries; a product costs about as much as two or three
gradients and is exact to rounding, which differences of gradients are not. Over many samples the loss is a weighted sum
over microbatches, and so is the product.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from thalweg.core.errors import PlanError
from thalweg.curvature.flat import flatten, unflatten

__all__ = ["HessianProduct", "Product", "hessian_product"]


class Product(Protocol):
    """A symmetric matrix that is known by what it does to a vector."""

    def __call__(self, vector: Tensor, /) -> Tensor:
        """Multiply.

        Args:
            vector: `(n,)`.

        Returns:
            `(n,)`.
        """
        ...


class HessianProduct:
    """The Hessian of a loss at the present weights; use `hessian_product`.

    Args:
        losses: Each computes the mean loss of one microbatch at the present weights, with its graph.
        weights: What each counts for; they sum to 1.
        parameters: The weights that are moved.
        keep_graph: Whether the graph of the gradient is kept between products.
    """

    def __init__(
        self,
        losses: Sequence[Callable[[], Tensor]],
        weights: Sequence[float],
        parameters: Sequence[Tensor],
        *,
        keep_graph: bool,
    ) -> None:
        self.losses, self.weights = tuple(losses), tuple(weights)
        self.parameters = list(parameters)
        self.keep_graph = keep_graph
        self.products = 0
        self._kept: dict[int, tuple[Tensor, ...]] = {}

    @property
    def size(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.parameters)

    def __call__(self, vector: Tensor, /) -> Tensor:
        """Multiply the Hessian with a vector.

        Args:
            vector: One number a weight.

        Returns:
            The product, of the same length.
        """
        self.products += 1
        total = torch.zeros_like(vector)
        direction = unflatten(vector, self.parameters)
        for number, weight in enumerate(self.weights):
            gradients = [each for each in self._gradients(number) if each.requires_grad]
            if not gradients:
                continue  # the loss is linear in the weights, as on a plateau of dead units
            chosen = [part for part, each in zip(direction, self._gradients_of(number), strict=True) if each]
            rows = torch.autograd.grad(
                gradients,
                self.parameters,
                grad_outputs=[part.to(each.dtype) for part, each in zip(chosen, gradients, strict=True)],
                retain_graph=self.keep_graph,
                allow_unused=True,
                materialize_grads=True,
            )
            total += weight * flatten(rows).to(vector.dtype)
            self._let_go(number)
        return total

    def gradient(self) -> Tensor:
        """The gradient of the whole loss.

        Returns:
            One number a weight.
        """
        total = sum(weight * part for weight, part in zip(self.weights, self.part_gradients(), strict=True))
        return total if isinstance(total, Tensor) else torch.zeros(self.size)

    def part_gradients(self) -> list[Tensor]:
        """The gradients of the microbatches, which tell how noisy the whole is.

        Returns:
            A vector a microbatch.
        """
        return [
            flatten(torch.autograd.grad(loss_of(), self.parameters, allow_unused=True, materialize_grads=True)).detach()
            for loss_of in self.losses
        ]

    def part_losses(self) -> list[float]:
        """The losses of the microbatches, without a graph.

        Returns:
            A number a microbatch.
        """
        with torch.no_grad():
            return [float(loss_of()) for loss_of in self.losses]

    def loss(self) -> float:
        """The whole loss.

        Returns:
            The weighted mean over the microbatches.
        """
        return math.fsum(weight * loss for weight, loss in zip(self.weights, self.part_losses(), strict=True))

    def half(self, number: int) -> "HessianProduct":
        """The Hessian on every other microbatch.

        Args:
            number: 0 or 1.

        Returns:
            The same loss on half the data; the whole where there is one microbatch only.
        """
        if len(self.losses) == 1:
            return self
        weights = self.weights[number::2]
        scaled = [weight / math.fsum(weights) for weight in weights]
        return HessianProduct(self.losses[number::2], scaled, self.parameters, keep_graph=self.keep_graph)

    def _gradients(self, number: int) -> tuple[Tensor, ...]:
        if number not in self._kept:
            loss = self.losses[number]()
            if loss.requires_grad:
                found = torch.autograd.grad(
                    loss, self.parameters, create_graph=True, allow_unused=True, materialize_grads=True
                )
            else:
                found = tuple(torch.zeros_like(parameter) for parameter in self.parameters)
            self._kept[number] = found
        return self._kept[number]

    def _gradients_of(self, number: int) -> list[bool]:
        return [each.requires_grad for each in self._kept[number]]

    def _let_go(self, number: int) -> None:
        if not self.keep_graph:
            self._kept.pop(number, None)


def hessian_product(
    loss_of: Callable[[], Tensor] | Sequence[Callable[[], Tensor]],
    parameters: Iterable[Tensor],
    *,
    weights: Sequence[float] | None = None,
    keep_graph: bool | None = None,
) -> HessianProduct:
    """Make the Hessian of a loss available as a product.

    Args:
        loss_of: Computes the loss at the present weights; or several, one a microbatch. Called again they must give
            the same number: no dropout drawn anew, no running statistics moved (`objective` sees to that).
        parameters: The weights; those without gradient are left out.
        weights: What each microbatch counts for, such as its number of samples; equal by default.
        keep_graph: Keep the gradient's graph between products: fastest, and takes the memory of a backward pass.
            By default yes for one loss, no for several. Where it is kept, the weights must not move in between.

    Returns:
        The Hessian: call it with a vector; it knows its gradient and its loss too.

    Raises:
        PlanError: There is no loss or no weight.

    Example:
        >>> point = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> product = hessian_product(lambda: point[0] ** 2 * point[1], [point])
        >>> product(torch.tensor([1.0, 0.0])).tolist()
        [4.0, 2.0]
    """
    losses = (loss_of,) if callable(loss_of) else tuple(loss_of)
    chosen = [parameter for parameter in parameters if parameter.requires_grad]
    if not losses or not chosen:
        raise PlanError(f"a Hessian needs a loss and a weight to move; here are {len(losses)} and {len(chosen)}")
    shares = [1.0] * len(losses) if weights is None else [float(weight) for weight in weights]
    if len(shares) != len(losses) or not math.fsum(shares) > 0:
        raise PlanError(f"{len(losses)} losses need as many weights with a sum above zero, not {shares}")
    total = math.fsum(shares)
    return HessianProduct(
        losses,
        [share / total for share in shares],
        chosen,
        keep_graph=len(losses) == 1 if keep_graph is None else keep_graph,
    )
