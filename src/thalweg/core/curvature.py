"""What is known about the curvature of a loss at a point: numbers with their certainty, and a verdict on the point."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from thalweg.core.finding import Evidence

__all__ = ["CriticalPoint", "CriticalVerdict", "Eigenvalue", "Estimate", "Spectrum"]

CriticalVerdict = Literal["minimum", "maximum", "saddle", "plateau", "noisy", "slope", "undetermined"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Eigenvalue:
    """An eigenvalue and how far the truth can be from it: an eigenvalue lies within `residual` for certain."""

    value: float
    residual: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its standard error; `samples` measurements were averaged, 0 where it is exact."""

    value: float
    standard_error: float = 0.0
    samples: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrum:
    """Both ends of the Hessian's spectrum, and its sum.

    Args:
        top: Largest eigenvalues, largest first.
        bottom: Smallest eigenvalues, smallest first.
        trace: Sum of all eigenvalues; None where it was not measured.
        products: Hessian products that it took.
        converged: Whether every residual is as small as was asked for.
    """

    top: tuple[Eigenvalue, ...]
    bottom: tuple[Eigenvalue, ...]
    trace: Estimate | None = None
    products: int = 0
    converged: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalPoint:
    """What kind of point the weights are at.

    Args:
        verdict: `minimum`, `maximum`, `saddle`, `plateau` (flat all around), `noisy` (the data at hand cannot tell
            its gradient from zero), `slope` (no critical point: the loss goes down from here), or `undetermined`.
        certainty: From 0 to 1.
        shape: What more is known, such as `degenerate` (some direction without curvature) or `valley`.
        reason: The sentence that says why.
        evidence: The numbers behind it.
        reach: How far around the point it holds, in the weights' own length.
        measured: The same numbers by name, for programs.
    """

    verdict: CriticalVerdict
    certainty: float
    shape: str = ""
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()
    reach: float = 1.0
    measured: Mapping[str, float] | None = None

    def __str__(self) -> str:
        """Say the verdict in a few words, such as `saddle (degenerate), 97 % sure`."""
        shape = f" ({self.shape})" if self.shape else ""
        return f"{self.verdict}{shape}, {self.certainty:.0%} sure".replace("%", " %")
