"""A network's weights as one point in space: to one vector and back, and a step away from them that is taken back."""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

__all__ = ["displaced", "flatten", "inner", "unflatten"]


def flatten(tensors: Sequence[Tensor]) -> Tensor:
    """Lay tensors one after the other.

    Args:
        tensors: Any shapes, one device and type.

    Returns:
        A vector with all their numbers, each tensor in row-major order whatever its layout in memory.

    Example:
        >>> flatten([torch.zeros(2, 2), torch.ones(1)]).tolist()
        [0.0, 0.0, 0.0, 0.0, 1.0]
    """
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def unflatten(vector: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Cut a vector into tensors.

    Args:
        vector: As many numbers as `like` has together.
        like: Tensors whose shapes are wanted.

    Returns:
        Views of the vector.

    Example:
        >>> [tuple(part.shape) for part in unflatten(torch.zeros(5), [torch.zeros(2, 2), torch.zeros(1)])]
        [(2, 2), (1,)]
    """
    parts = torch.split(vector, [tensor.numel() for tensor in like])
    return [part.view(tensor.shape) for part, tensor in zip(parts, like, strict=True)]


def inner(one: Tensor, other: Tensor) -> float:
    """Inner product, summed in double precision: a sum over millions of floats loses what small residuals are made of.

    Args:
        one: A vector.
        other: A vector of the same length.

    Returns:
        Their inner product.
    """
    return float(torch.dot(one.double(), other.double()))


@contextlib.contextmanager
def displaced(parameters: Sequence[Tensor], step: Tensor) -> Iterator[None]:
    """Stand at `parameters + step` for a while; afterwards the old numbers are back to the bit.

    Args:
        parameters: The weights, changed in place.
        step: The way from them, as one vector.

    Yields:
        Nothing; inside, the weights are moved.
    """
    before = [parameter.detach().clone() for parameter in parameters]
    try:
        with torch.no_grad():
            for parameter, part in zip(parameters, unflatten(step, parameters), strict=True):
                parameter.add_(part)
        yield
    finally:
        with torch.no_grad():
            for parameter, old in zip(parameters, before, strict=True):
                parameter.copy_(old)
