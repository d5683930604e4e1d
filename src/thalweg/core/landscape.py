"""The answer of `landscape`: curvature at a run's weights, slices through the loss around them, ways to another run."""

from dataclasses import dataclass

from thalweg.core.codec import to_plain
from thalweg.core.curvature import CriticalPoint, Spectrum
from thalweg.core.showing import Showable

__all__ = ["LandscapeResult", "LossLine", "LossPlane", "UpdateCurvature"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossLine:
    """The loss along a way through the weights.

    Args:
        name: Which way.
        unit: What a position of 1 means.
        positions: Where; 0 is the run's own place.
        losses: The loss there, in nats; nan where it is not finite.
    """

    name: str
    unit: str
    positions: tuple[float, ...]
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossPlane:
    """The loss over a plane through the weights.

    Args:
        name: Which plane.
        x_name: First direction, with the unit of a position.
        y_name: Second direction, with the unit of a position.
        x: Positions along the first one.
        y: Positions along the second one.
        losses: Row by row from the lowest `y`; nan where a loss is not finite.
    """

    name: str
    x_name: str
    y_name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    losses: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCurvature:
    """Curvature along the update that the optimizer would make next, and as the optimizer feels it.

    Args:
        optimizer: Its name.
        learning_rate: The rate that the update is scaled to.
        slope: First-order change of the loss by the update, in nats.
        sharpness: Curvature along it.
        critical: How many times the update could be as long before the loss is back where it was; None for any length.
        preconditioned: Largest eigenvalue of the Hessian divided by the optimizer's own scale; for SGD of the plain on
        limit: The largest one at which the rate is stable on a quadratic.
    """

    optimizer: str
    learning_rate: float
    slope: float
    sharpness: float
    critical: float | None
    preconditioned: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LandscapeResult(Showable):
    """The answer of `landscape`.

    Args:
        run: The run folder.
        other: The second run folder, or None.
        samples: Training samples that the loss was computed on.
        loss: The loss at the run's weights, in nats.
        parameters: Weights that were moved.
        modes: How batch normalisation and dropout were taken.
        spectrum: Both ends of the Hessian's spectrum, and its trace.
        critical: What kind of point it is.
        update: Curvature along the optimizer's way; None where the run kept no state of it.
        lines: Slices of one dimension.
        planes: Slices of two dimensions.
        barrier: Highest loss on the straight way between the runs, above the line between its ends, in nats.
        curve_barrier: The same on the bent way that was looked for.
        page: The page that was written, or None.
        seconds: Wall time.
        notes: What could not be measured, and why.
    """

    run: str
    other: str | None
    samples: int
    loss: float
    parameters: int
    modes: str
    spectrum: Spectrum
    critical: CriticalPoint
    update: UpdateCurvature | None
    lines: tuple[LossLine, ...] = ()
    planes: tuple[LossPlane, ...] = ()
    barrier: float | None = None
    curve_barrier: float | None = None
    page: str | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The answer with the field names of the interface.

        Returns:
            Plain data.
        """
        plain: dict[str, object] = to_plain(self)
        return plain
