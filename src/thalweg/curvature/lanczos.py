"""Extreme eigenvalues of a matrix that is known by its products only: Lanczos with restarts.

Products with one vector after another span a space in which the ends of the spectrum show first (Lanczos 1950). Two
things make the textbook recurrence usable: every new vector is made orthogonal to all before it, twice, since in
floating point it drifts and shows eigenvalues several times (Paige 1971); and when the basis is full it shrinks to the
best vectors and grows again (thick restart, Wu and Simon 2000), so that memory is bounded. A Ritz pair (t, y) comes
with its residual |H y - t y|: an eigenvalue lies that close to t for certain, and usually far closer,
within residual^2 / gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from thalweg.core.errors import PlanError
from thalweg.curvature.flat import inner
from thalweg.curvature.product import Product

__all__ = ["Eigenpair", "Extremes", "Krylov", "extreme_eigenvalues"]

BASIS_BYTES = 600_000_000
"""Memory that the basis may take."""
LEAST_BASIS, WIDEST_BASIS = 12, 80
BETWEEN_LOOKS = 5
"""Products between two looks at the residuals."""
ROUNDING = 1e-2
"""A residual of `tolerance * ROUNDING` times the largest eigenvalue is good enough for the small ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eigenpair:
    """An eigenvalue with its direction.

    Args:
        value: The eigenvalue.
        residual: `|H y - value y|`: an eigenvalue lies within this of `value`.
        vector: The direction `y`, of length 1.
    """

    value: float
    residual: float
    vector: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Extremes:
    """Both ends of a spectrum.

    Args:
        top: The largest eigenvalues, largest first.
        bottom: The smallest eigenvalues, smallest first.
        products: Products that it took.
        converged: Whether every residual is within the tolerance.
    """

    top: tuple[Eigenpair, ...]
    bottom: tuple[Eigenpair, ...]
    products: int
    converged: bool


def extreme_eigenvalues(
    product: Product,
    parameters: Sequence[Tensor],
    count: int = 1,
    *,
    bottom: int | None = None,
    tolerance: float = 1e-3,
    most_products: int = 200,
    seed: int = 0,
) -> Extremes:
    """Find the largest and the smallest eigenvalues of a symmetric matrix.

    Args:
        product: The matrix, such as `hessian_product(...)`.
        parameters: The weights it belongs to: their number, type and device are taken.
        count: How many of the largest.
        bottom: How many of the smallest; as many as of the largest by default.
        tolerance: Residual wanted, relative to the eigenvalue; its error is usually the square of that.
        most_products: Stop after so many products, converged or not.
        seed: Of the first vector, which is drawn without touching torch's random state.

    Returns:
        The eigenpairs with their residuals.

    Raises:
        PlanError: Nothing is asked for, or the matrix gives numbers that are not finite.

    Example:
        >>> point = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> matrix = torch.diag(torch.tensor([4.0, -1.0, 2.0]))
        >>> found = extreme_eigenvalues(lambda vector: matrix @ vector, [point])
        >>> round(found.top[0].value, 5), round(found.bottom[0].value, 5)
        (4.0, -1.0)
    """
    low = count if bottom is None else bottom
    size = sum(parameter.numel() for parameter in parameters)
    if size == 0 or count < 0 or low < 0 or count + low == 0:
        raise PlanError(f"{count} largest and {low} smallest eigenvalues of {size} weights cannot be looked for")
    count, low = min(count, size), min(low, size)
    sample = parameters[0]
    widest = min(size, max(_affordable(size, sample), 2 * (count + low) + 8))
    krylov = Krylov(product, sample, size, widest, seed)
    while True:
        krylov.grow(min(widest, krylov.width + min(BETWEEN_LOOKS, most_products - krylov.products)))
        values, vectors, residuals = krylov.ritz()
        wanted = [*range(low), *range(len(values) - min(count, len(values)), len(values))]
        radius = max(abs(float(values[0])), abs(float(values[-1])))
        limits = [max(tolerance * abs(float(values[index])), tolerance * ROUNDING * radius) for index in wanted]
        good = len(values) >= count + low and krylov.closed in {0, *range(max(count, low), size + 1)}
        good = good and all(float(residuals[index]) <= limit for index, limit in zip(wanted, limits, strict=True))
        if good or krylov.exhausted or krylov.products >= most_products:
            break
        if krylov.width == widest:
            spare = (widest - count - low) // 3
            krylov.restart(keep_low=low + (spare if low else 0), keep_high=count + (spare if count else 0))
    return Extremes(
        top=tuple(krylov.pair(values, vectors, len(values) - 1 - index) for index in range(min(count, len(values)))),
        bottom=tuple(krylov.pair(values, vectors, index) for index in range(min(low, len(values)))),
        products=krylov.products,
        converged=good or krylov.exhausted,
    )


def _affordable(size: int, sample: Tensor) -> int:
    return max(LEAST_BASIS, min(WIDEST_BASIS, BASIS_BYTES // max(1, size * sample.element_size())))


def _unit(vector: Tensor) -> Tensor:
    """A vector at length one; the squares of one as short as 1e-23 are zero in single precision."""
    long: Tensor = vector / vector.abs().max()
    unit: Tensor = long / long.norm()
    return unit


class Krylov:
    """An orthonormal basis, and the matrix seen from inside it.

    Args:
        product: The matrix.
        sample: A tensor of the wanted type and device.
        size: Rows of the matrix.
        widest: Vectors that the basis may hold.
        seed: Of random directions.
        start: The first direction; random by default.
    """

    def __init__(
        self, product: Product, sample: Tensor, size: int, widest: int, seed: int, start: Tensor | None = None
    ) -> None:
        self.product = product
        self.basis = torch.zeros(widest + 1, size, dtype=sample.dtype, device=sample.device)
        self.inside = torch.zeros(widest, widest, dtype=torch.float64)
        self.width = self.products = self.closed = 0
        self.beta = 0.0
        self.exhausted = False
        self._random = torch.Generator().manual_seed(seed)
        self.basis[0] = self._drawn(0) if start is None else _unit(start)

    def _drawn(self, width: int) -> Tensor:
        """A random direction orthogonal to the first vectors of the basis."""
        vector = torch.randn(self.basis.shape[1], generator=self._random, dtype=torch.float64).to(self.basis)
        self._orthogonalise(vector, width)
        drawn: Tensor = vector / vector.norm()
        return drawn

    def _orthogonalise(self, vector: Tensor, width: int) -> Tensor:
        """Take the part inside the basis away, twice, and return what it was (Kahan: twice is enough)."""
        found = torch.zeros(width, dtype=vector.dtype, device=vector.device)
        for _ in range(2):
            part = self.basis[:width] @ vector
            vector -= part @ self.basis[:width]
            found += part
        return found

    def grow(self, width: int) -> None:
        """Add vectors until the basis has a width, or holds everything.

        Args:
            width: Vectors wanted.

        Raises:
            PlanError: A product is not finite.
        """
        size = self.basis.shape[1]
        while self.width < width and not self.exhausted:
            vector = self.product(self.basis[self.width]).detach().to(self.basis.dtype).clone()
            self.products += 1
            if not bool(vector.isfinite().all()):
                raise PlanError("a Hessian product is not finite: the loss has no curvature here (NaN or infinity)")
            length = float(vector.norm())
            column = self._orthogonalise(vector, self.width + 1).double().cpu()
            self.inside[: self.width + 1, self.width] = column
            self.inside[self.width, : self.width + 1] = column
            self.width += 1
            self.beta = float(vector.norm())
            if self.width == size:
                self.exhausted, self.beta = True, 0.0
            elif self.beta <= 4 * torch.finfo(vector.dtype).eps * max(length, float(self.inside.abs().max())):
                self.closed += 1
                self.beta = 0.0  # an invariant space: go on in a fresh direction, lest a part of the matrix stay unseen
                self.basis[self.width] = self._drawn(self.width)
            else:
                self.basis[self.width] = vector / self.beta

    def ritz(self) -> tuple[Tensor, Tensor, Tensor]:
        """Diagonalise the matrix as seen from inside the basis.

        Returns:
            Eigenvalues in rising order, their coordinates in columns, and the recurrence's residuals.
        """
        values, vectors = torch.linalg.eigh(self.inside[: self.width, : self.width])
        return values, vectors, (self.beta * vectors[-1]).abs()

    def pair(self, values: Tensor, vectors: Tensor, index: int) -> Eigenpair:
        """Write one Ritz pair as a direction among the weights; its residual is measured with a product of its own.

        Args:
            values: Of `ritz`.
            vectors: Of `ritz`.
            index: Which of them.

        Returns:
            The pair.
        """
        vector = vectors[:, index].to(self.basis) @ self.basis[: self.width]
        vector = vector / inner(vector, vector) ** 0.5
        product, value = self.product(vector).detach().to(vector), float(values[index])
        self.products += 1
        return Eigenpair(value=value, residual=float((product - value * vector).norm()), vector=vector)

    def restart(self, *, keep_low: int, keep_high: int) -> None:
        """Shrink the basis to its best vectors and the direction it was about to take.

        Args:
            keep_low: How many of the smallest to keep.
            keep_high: How many of the largest to keep.
        """
        values, vectors, _ = self.ritz()
        kept = [*range(keep_low), *range(self.width - keep_high, self.width)]
        following = self.basis[self.width].clone()
        self.basis[: len(kept)] = vectors[:, kept].T.to(self.basis) @ self.basis[: self.width]
        self.basis[len(kept)] = following
        self.inside.zero_()
        self.inside[: len(kept), : len(kept)] = torch.diag(values[kept])
        self.width = len(kept)
