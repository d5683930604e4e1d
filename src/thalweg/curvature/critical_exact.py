"""Critical points of a loss of few weights without noise: the whole Hessian, and a walk around the point.

Where every eigenvalue is plainly above or below zero they decide. Where one vanishes (the monkey saddle, x^4, the floor
of a valley) no second derivative can, and the values on rings around the point do.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from thalweg.core.curvature import CriticalPoint, CriticalVerdict
from thalweg.core.errors import PlanError
from thalweg.core.finding import Evidence
from thalweg.curvature.flat import displaced
from thalweg.curvature.product import HessianProduct

__all__ = ["judge_exactly", "ring_directions"]

NEAR = 0.05
"""The point counts as critical when the next critical one lies within this share of the reach."""
LOOK = 0.1
"""Radius of the ring that decides, as a share of the reach; at least `SPREAD` times as far as the critical point."""
SPREAD = 4.0
FLAT = 0.01
"""Of the loss: what changes less all within reach is a plateau."""
VANISHING = 1e-6
"""An eigenvalue is zero below this share of the largest one."""
STEEP = 30.0
"""A valley is so many times as steep across as along."""
DIRECTIONS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ring:
    """Changes of the loss at one distance all around; `floor` is what rounding alone may show."""

    radius: float
    changes: Tensor
    floor: float

    @property
    def highest(self) -> float:
        return float(self.changes.max())

    @property
    def lowest(self) -> float:
        return float(self.changes.min())

    @property
    def largest(self) -> float:
        return float(self.changes.abs().max())

    @property
    def seen(self) -> bool:
        return self.largest > self.floor


def judge_exactly(product: HessianProduct, *, reach: float, seed: int = 0) -> CriticalPoint:
    """Judge a point of a loss of few weights.

    Args:
        product: The Hessian, with one loss.
        reach: How far around the point to look.
        seed: Of random directions.

    Returns:
        The verdict.

    Raises:
        PlanError: The loss or a derivative is not finite.
    """
    here, gradient = product.loss(), product.gradient().double()
    rows = torch.eye(product.size, dtype=product.parameters[0].dtype)
    matrix = torch.stack([product(row).detach() for row in rows]).double()
    if not math.isfinite(here) or not bool(gradient.isfinite().all() and matrix.isfinite().all()):
        raise PlanError("the loss, its gradient or its curvature is not finite at this point")
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    directions = ring_directions(vectors, seed)
    near = _ring(product, here, directions, LOOK * reach)
    away = _newton(gradient, values, vectors, near)
    if away > NEAR * reach:
        return _not_critical(product, here, values, vectors, gradient, reach, away, directions)
    rings = [_ring(product, here, directions, radius) for radius in _radii(reach, away)]
    ring = next((ring for ring in rings if ring.seen), None)
    if ring is not rings[0] and (ring is None or rings[-1].largest <= FLAT * abs(here)):
        reason = f"nothing that the loss's own rounding would let one see changes within {rings[0].radius:.3g}"
        return _answer("plateau", 0.95, "flat", reason, gradient, values, rings[-1], away, reach)
    verdict, shape, certainty = _kind(values, ring)
    if verdict in {"minimum", "saddle", "maximum"} and away > NEAR * reach / 2:
        certainty = min(certainty, 0.8)
    return _answer(verdict, certainty, shape, _why(verdict, values, ring), gradient, values, ring, away, reach)


def ring_directions(vectors: Tensor, seed: int) -> Tensor:
    """Directions all around a point: evenly spaced in the plane, random beyond, the eigenvectors among them.

    Args:
        vectors: Eigenvectors in columns, `(n, n)`.
        seed: Of the random ones.

    Returns:
        `(k, n)` of length 1, each with its opposite.
    """
    size = vectors.shape[0]
    if size == 2:  # noqa: PLR2004 - a plane can be gone around
        angles = torch.arange(DIRECTIONS // 2, dtype=torch.float64) * 2 * math.pi / DIRECTIONS
        around = torch.stack((angles.cos(), angles.sin()), dim=1)
    else:
        random = torch.Generator().manual_seed(seed)
        around = torch.randn(DIRECTIONS, size, generator=random, dtype=torch.float64)
        around /= around.norm(dim=1, keepdim=True)
    half = torch.cat((vectors.T, around))
    return torch.cat((half, -half))


def _radii(reach: float, away: float) -> Iterator[float]:
    first = max(LOOK * reach, SPREAD * away)
    yield from (radius for radius in (first, 0.3 * reach, reach) if radius >= first)


def _ring(product: HessianProduct, here: float, directions: Tensor, radius: float) -> _Ring:
    values = []
    for direction in directions:
        with displaced(product.parameters, (radius * direction).to(product.parameters[0])):
            values.append(product.loss())
    found = torch.tensor(values, dtype=torch.float64).nan_to_num(nan=math.inf)
    finite = found[found.isfinite()]
    size = max(abs(here), float(finite.abs().max()) if len(finite) else 0.0)
    floor = 64 * torch.finfo(product.parameters[0].dtype).eps * size
    return _Ring(radius=radius, changes=found - here, floor=floor)


def _newton(gradient: Tensor, values: Tensor, vectors: Tensor, ring: _Ring) -> float:
    """Distance of the critical point by the quadratic model; a slope that the ring does not notice counts for none."""
    parts = (vectors.T @ gradient).abs()
    noticed = parts * ring.radius > max(1e-3 * min(ring.largest, 1e300), ring.floor)
    lengths = parts[noticed] / values[noticed].abs()
    return float(lengths.square().sum().sqrt()) if len(lengths) else 0.0


def _kind(values: Tensor, ring: _Ring) -> tuple[CriticalVerdict, str, float]:
    """Verdict, shape and certainty of a critical point."""
    lowest, highest = float(values[0]), float(values[-1])
    zero = VANISHING * max(abs(lowest), abs(highest))
    degenerate = bool((values.abs() <= zero).any()) or highest == lowest == 0.0
    shape = "degenerate" if degenerate else ""
    if lowest < -zero and highest > zero:
        return "saddle", shape, 0.99
    down, up = ring.lowest < -ring.floor, ring.highest > ring.floor
    if down and up:
        return "saddle", shape, 0.95 if degenerate else 0.8
    certainty = 0.9 if degenerate else 0.99
    return ("maximum" if down else "minimum"), shape, certainty


def _not_critical(
    product: HessianProduct,
    here: float,
    values: Tensor,
    vectors: Tensor,
    gradient: Tensor,
    reach: float,
    away: float,
    directions: Tensor,
) -> CriticalPoint:
    ring, size = _ring(product, here, directions, reach), abs(here)
    if ring.largest <= FLAT * size:
        reason = f"all within {reach:.3g} the loss changes by no more than {ring.largest:.3g}, of {size:.3g}"
        certainty = 0.95 if ring.largest <= FLAT * size / 3 else 0.75
        return _answer("plateau", certainty, "nearly flat", reason, gradient, values, ring, away, reach)
    steps = (vectors.T @ gradient) / values.abs().clamp_min(1e-300)
    flat = values.abs() < float(values.abs().max()) / STEEP
    along = float(steps[flat].square().sum() / steps.square().sum()) if bool(flat.any()) else 0.0
    shape = "valley" if along > 0.5 else ""  # noqa: PLR2004 - most of the way
    reason = "the gradient leads down: the quadratic model's critical point is " + (
        f"{away:.3g} away" if math.isfinite(away) else "nowhere near"
    )
    certainty = 0.99 if away > 2 * NEAR * reach else 0.75
    return _answer("slope", certainty, shape, reason, gradient, values, ring, away, reach)


def _why(verdict: str, values: Tensor, ring: _Ring) -> str:
    bends = f"the curvature runs from {float(values[0]):.3g} to {float(values[-1]):.3g}"
    around = f"at a distance of {ring.radius:.3g} the loss changes by {ring.lowest:.3g} to {ring.highest:.3g}"
    return f"the gradient vanishes, {bends}, {around}: {_SHORT[verdict]}"


_SHORT = {
    "saddle": "down one way and up another",
    "minimum": "up every way",
    "maximum": "down every way",
}


def _answer(
    verdict: CriticalVerdict,
    certainty: float,
    shape: str,
    reason: str,
    gradient: Tensor,
    values: Tensor,
    ring: _Ring,
    away: float,
    reach: float,
) -> CriticalPoint:
    measured = {
        "gradient_norm": float(gradient.norm()),
        "lowest_curvature": float(values[0]),
        "highest_curvature": float(values[-1]),
        "distance": away,
        "ring_radius": ring.radius,
        "ring_lowest": ring.lowest,
        "ring_highest": ring.highest,
    }
    at = f"distance {ring.radius:.3g}"
    evidence = (
        Evidence(signal="distance of the critical point", window="here", observed=away, threshold=NEAR * reach),
        Evidence(signal="lowest curvature", window="here", observed=measured["lowest_curvature"], threshold=0.0),
        Evidence(signal="highest curvature", window="here", observed=measured["highest_curvature"], threshold=0.0),
        Evidence(signal="lowest change of the loss", window=at, observed=ring.lowest, threshold=-ring.floor),
        Evidence(signal="highest change of the loss", window=at, observed=ring.highest, threshold=ring.floor),
    )
    return CriticalPoint(
        verdict=verdict,
        certainty=certainty,
        shape=shape,
        reason=reason,
        evidence=evidence,
        reach=reach,
        measured=measured,
    )
