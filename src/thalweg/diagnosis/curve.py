"""One recorded curve as rules look at it: finite values, level at the end, noise, trend, and where things happened.

Everything here is free of scale, so that a loss in nats and one in dollars are judged alike, and robust, so that one
wild value does not decide. Noise is told from change by second differences: for a smooth course with independent noise
of standard deviation s they have the standard deviation sqrt(6) s (von Neumann 1941, "Distribution of the ratio of the
mean square successive difference to the variance", gives the idea for first differences).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thalweg.core.finding import Evidence
from thalweg.core.history import STEPWISE
from thalweg.core.signal import Signal

__all__ = ["Curve", "rank_trend"]

Numbers = npt.NDArray[np.float64]

_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_LABELS = {
    "train_loss": "the training loss",
    "val_loss": "the validation loss",
    "batch_loss": "the loss of single batches",
    "train_accuracy": "the training accuracy",
    "val_accuracy": "the validation accuracy",
    "train_error": "the training error",
    "val_error": "the validation error",
    "gradient_norm": "the norm of the gradient",
}
_LONG = 400  # trends of longer curves are judged on this many medians of equal stretches: pairs grow with the square


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The finite values of a signal, in order, and where there were none.

    Args:
        name: Such as `val_loss`.
        steps: Epochs or steps of the finite values.
        values: The finite values.
        broken: Epochs or steps at which the value was nan or infinite.
        last: The last epoch or step recorded, finite or not.
        unit: `epoch` or `step`: what is counted.
    """

    name: str
    steps: Numbers
    values: Numbers
    broken: Numbers
    last: float
    unit: str = "epoch"

    @classmethod
    def of(cls, signal: Signal | None) -> "Curve | None":
        """Take a curve from a history.

        Args:
            signal: The recorded signal, or None.

        Returns:
            The curve; None where nothing was recorded.

        Example:
            >>> curve = Curve.of(Signal(name="train_loss", unit="nats", steps=(1, 2, 3), values=(2.0, 1.0, math.nan)))
            >>> curve.values.tolist(), curve.broken.tolist(), curve.last
            ([2.0, 1.0], [3.0], 3.0)
        """
        if signal is None or not signal.steps:
            return None
        steps = np.asarray(signal.steps, dtype=np.float64)
        values = np.asarray(signal.values, dtype=np.float64)
        finite = np.isfinite(values) & (np.abs(values) < 1e300)  # noqa: PLR2004 - differences must not overflow
        return cls(
            name=signal.name,
            steps=steps[finite],
            values=values[finite],
            broken=steps[~finite],
            last=float(steps[-1]),
            unit="step" if signal.name.startswith(STEPWISE) else "epoch",
        )

    def __len__(self) -> int:
        return len(self.values)

    @property
    def label(self) -> str:
        """The curve's name in words."""
        return _LABELS.get(self.name, self.name.replace("_", " "))

    @property
    def first(self) -> float:
        """The first finite value."""
        return float(self.values[0])

    @property
    def final(self) -> float:
        """The level at the end: the median of the last tenth, at least one and at most 25 values."""
        return float(np.median(self.values[-max(1, min(25, len(self) // 10)) :]))

    @property
    def low(self) -> float:
        """The lowest value of the smoothed curve."""
        return float(self.smooth().min())

    @property
    def high(self) -> float:
        """The highest value of the smoothed curve."""
        return float(self.smooth().max())

    @property
    def noise(self) -> float:
        """Standard deviation of the fluctuation from value to value; 0 for fewer than four values."""
        if len(self) < 4:  # noqa: PLR2004 - two second differences
            return 0.0
        second = np.diff(self.values, 2)
        return float(_MAD_TO_SIGMA * np.median(np.abs(second)) / math.sqrt(6.0))

    @property
    def calm(self) -> float:
        """The noise of the whole or of the later half, whichever is smaller: sharp bends early on are no noise."""
        return min(self.noise, self.part(0.5).noise) if len(self) >= 8 else self.noise  # noqa: PLR2004 - halves of four

    @property
    def from_start(self) -> bool:
        """Whether the record begins where training did: a log that begins at epoch 65 shows the end of a run only."""
        if len(self) < 2:  # noqa: PLR2004 - a distance
            return True
        return bool(self.steps[0] <= 2 * float(np.median(np.diff(self.steps))) + 1)

    def bottom(self) -> tuple[float, float]:
        """Find the lowest value that is no single wild one: the lowest of the three around the smoothed minimum.

        Returns:
            The epoch or step, and the value as it was recorded there.

        Example:
            >>> curve = Curve.of(Signal(name="val_loss", unit="nats", steps=(1, 2, 3, 4), values=(1.2, 1.1, 1.3, 1.6)))
            >>> curve.bottom()
            (2.0, 1.1)
        """
        return self.lowest_near(int(self.smooth().argmin()))

    def lowest_near(self, place: int) -> tuple[float, float]:
        """Take the lowest value at a place and beside it.

        Args:
            place: Index of a value.

        Returns:
            The epoch or step, and the value as it was recorded there.
        """
        first = max(0, place - 1)
        best = first + int(self.values[first : place + 2].argmin())
        return float(self.steps[best]), float(self.values[best])

    def smooth(self) -> Numbers:
        """Take running medians of three, ends as they are: single wild values go, steps stay.

        Returns:
            As many values as the curve has.
        """
        values = self.values
        if len(values) < 3:  # noqa: PLR2004 - nothing has two neighbours
            return values
        middle = np.median(np.stack((values[:-2], values[1:-1], values[2:])), axis=0)
        return np.concatenate((values[:1], middle, values[-1:]))

    def part(self, start: float, end: float = 1.0) -> "Curve":
        """Cut out a stretch.

        Args:
            start: Share of the values before it, from 0 to 1.
            end: Share of the values up to its end.

        Returns:
            The stretch, with at least one value where the curve has any.
        """
        size = len(self)
        first = min(int(start * size), max(0, size - 1))
        stop = max(first + 1, round(end * size))
        return Curve(
            name=self.name,
            steps=self.steps[first:stop],
            values=self.values[first:stop],
            broken=np.empty(0),
            last=self.last,
            unit=self.unit,
        )

    @property
    def trend(self) -> float:
        """How surely the curve rises (above 0) or falls (below 0), as Mann and Kendall's normal score."""
        return rank_trend(self.values)

    def window(self) -> str:
        """Say which epochs or steps the curve covers.

        Returns:
            Such as `epochs 1-10` or `step 7`.

        Example:
            >>> Curve.of(Signal(name="a", unit="1", steps=(1, 2, 3), values=(1.0, 2.0, 3.0))).window()
            'epochs 1-3'
        """
        if not len(self):
            return f"{self.unit}s"
        return self.between(self.steps[0], self.steps[-1])

    def evidence(
        self,
        observed: float,
        threshold: float | None = None,
        source: str = "",
        window: str | None = None,
        *,
        on_curve: bool = False,
    ) -> Evidence:
        """Note an observation on this curve.

        Args:
            observed: The number found.
            threshold: What it was held against.
            source: What both are, and where the threshold comes from.
            window: Where; the whole curve by default.
            on_curve: Whether both numbers are values of this curve.

        Returns:
            The evidence.
        """
        return Evidence(
            signal=self.name,
            window=self.window() if window is None else window,
            observed=float(observed),
            threshold=None if threshold is None else float(threshold),
            source=source,
            on_curve=on_curve,
        )

    def between(self, start: float, end: float) -> str:
        """Say a stretch in words.

        Args:
            start: First epoch or step.
            end: Last epoch or step.

        Returns:
            Such as `epochs 1-10`, `epoch 3`.
        """
        if start == end:
            return f"{self.unit} {start:g}"
        return f"{self.unit}s {start:.10g}-{end:.10g}"


def rank_trend(values: Numbers) -> float:
    """Score a trend by counting pairs in which the later value is larger, against those in which it is smaller.

        z = S / sqrt(n (n - 1) (2 n + 5) / 18)

    Args:
        values: In order.

    Returns:
        A standard normal score under no trend; 0 for fewer than four values.

    References: Mann 1945, "Nonparametric tests against trend".

    Example:
        >>> rank_trend(np.arange(10.0)) > 3.5, rank_trend(np.ones(10))
        (True, 0.0)
    """
    if len(values) < 4:  # noqa: PLR2004 - no order of three values is rare
        return 0.0
    if len(values) > _LONG:
        values = np.array([np.median(stretch) for stretch in np.array_split(values, _LONG)])
    size = len(values)
    pairs = np.sign(values[None, :] - values[:, None])
    score = float(np.triu(pairs, 1).sum())
    return score / math.sqrt(size * (size - 1) * (2 * size + 5) / 18.0)
