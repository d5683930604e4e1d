"""What a reader hands over: curves as the file has them, before anybody decides what an epoch is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["Curve", "Floats", "Recording"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One column, tag or metric.

    Args:
        name: As the file calls it.
        values: What was recorded; a missing point is absent, NaN is a value.
        epochs: Where each value was taken, in epochs as the file counts them (whole, or elapsed); None where unknown.
        steps: The same in steps; None where unknown.
        signal: The signal's name, where the format leaves no doubt; `-` for none of ours; empty to guess from the name.
        percent: True where the format is known to write percentages.
    """

    name: str
    values: Floats
    epochs: Floats | None = None
    steps: Floats | None = None
    signal: str = ""
    percent: bool = False

    def at(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Curve":
        """Keep some points.

        Args:
            chosen: A mask, or places in order.

        Returns:
            The curve with these points alone.
        """
        return Curve(
            name=self.name,
            values=self.values[chosen],
            epochs=None if self.epochs is None else self.epochs[chosen],
            steps=None if self.steps is None else self.steps[chosen],
            signal=self.signal,
            percent=self.percent,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One run as a reader found it.

    Args:
        place: The path, and the run inside it.
        format: What wrote it.
        curves: The curves.
        first_epoch: What the format calls its first epoch: 0 or 1; None where only the numbers can tell.
        first_step: What the format calls its first step: 0 or 1; None where only the numbers can tell.
        elapsed: True where epochs are fractions that have passed (transformers), so that 0.5 lies in the first.
        notes: What was guessed, merged or left out while reading.
        plan: How the run was set up, where that is known.
        environment: What it ran on, where that is known.
        measured: A `signals.jsonl` that belongs to it and lies elsewhere than beside the log.
    """

    place: str
    format: str
    curves: tuple[Curve, ...]
    first_epoch: int | None = None
    first_step: int | None = None
    elapsed: bool = False
    notes: tuple[str, ...] = ()
    plan: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, object] = field(default_factory=dict)
    measured: Path | None = None
