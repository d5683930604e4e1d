"""The trace of the Hessian: the sum of all curvatures, from products alone.

For a random vector z of signs, E[z . H z] = tr H (Hutchinson 1989; Rademacher signs have the least variance of all
distributions with independent entries of variance 1). Each probe costs a product; the spread over probes gives the
standard error. A matrix of few rows is gone through row by row and exact.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from thalweg.core.curvature import Estimate
from thalweg.curvature.flat import inner
from thalweg.curvature.product import Product

__all__ = ["trace"]


def trace(product: Product, parameters: Sequence[Tensor], *, probes: int = 16, seed: int = 0) -> Estimate:
    """Sum the eigenvalues of a matrix that is known by its products.

    Args:
        product: The matrix.
        parameters: The weights it belongs to.
        probes: Random vectors, at least 2; where the matrix has no more rows than that, the trace is exact.
        seed: Of the probes, which are drawn without touching torch's random state.

    Returns:
        The trace with its standard error.

    Example:
        >>> matrix = torch.diag(torch.tensor([4.0, -1.0, 2.0]))
        >>> trace(lambda vector: matrix @ vector, [torch.zeros(3)]).value
        5.0
    """
    size, sample = sum(parameter.numel() for parameter in parameters), parameters[0]
    if size <= probes:
        rows = torch.eye(size, dtype=sample.dtype, device=sample.device)
        return Estimate(value=math.fsum(inner(row, product(row).detach()) for row in rows))
    random = torch.Generator().manual_seed(seed)
    values = []
    for _ in range(max(2, probes)):
        signs = torch.randint(2, (size,), generator=random).to(sample) * 2 - 1
        values.append(inner(signs, product(signs).detach()))
    spread = torch.tensor(values, dtype=torch.float64)
    error = float(spread.std()) / math.sqrt(len(values))
    return Estimate(value=float(spread.mean()), standard_error=error, samples=len(values))
