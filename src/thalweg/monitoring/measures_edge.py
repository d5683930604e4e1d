"""The critical step: how far the rate is from where the loss along the actual update comes back to its start.

An update u takes the weights from w to w + u. On batches other than the gradient's own,

    L(w + t u)  falls at first and, at t = t_c, is back at L(w).

On a quadratic t_c = 2 a / b with slope -a and curvature b along u: twice the best step. The *critical step* is t_c
times the learning rate in use, which does not depend on that rate as long as the direction does not; rate / critical
step says how near the edge an update goes. A handful of forward passes bracket it; the next measurement begins where
the last one ended, so that it costs three losses.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from thalweg.modules.numbers import fetched
from thalweg.monitoring.replay import Replay

__all__ = ["Edge", "EdgeSearch"]

_REACH = 1e12
"""Multiples of an update beyond which no edge is looked for."""
_STILL = 3e-6
"""Of a loss in single precision: less is no movement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What a look along an update found.

    Args:
        multiple: t_c; a bound where `open` says so.
        open: Empty where it was bracketed; `above` where no rise was met up to it, `below` where no fall down to it.
        decrease: How much the loss fell at t = 1, in its unit; nan where that was not looked at.
        slope: Slope of the loss at t = 0 by the parabola through the points, negative downhill; nan where unknown.
        curvature: Second derivative in t by the same parabola; nan where unknown.
    """

    multiple: float
    open: str
    decrease: float
    slope: float
    curvature: float


class EdgeSearch:
    """Looks along updates for the critical step.

    Args:
        replay: Batches; the newest, which the gradient came from, is left out.
        batches: How many to take the mean of.
    """

    def __init__(self, replay: Replay, *, batches: int = 2) -> None:
        self.replay, self.batches = replay, batches
        self._guess: float | None = None
        self._start: list[float] = []

    def before(self) -> bool:
        """Compute the losses before the update.

        Returns:
            Whether there is any batch to do so on.
        """
        self._start = self.replay.losses(self.batches, skip=1)
        return bool(self._start) and all(math.isfinite(each) for each in self._start)

    def after(
        self,
        weights: Sequence[torch.Tensor],
        before: Sequence[torch.Tensor],
        moved: Sequence[torch.Tensor],
        rate: float,
    ) -> Edge | None:
        """Look along the update that has happened; the weights are afterwards what it made them, to the bit.

        Args:
            weights: The weights, moved.
            before: Copies of what they were.
            moved: Their change.
            rate: The learning rate that made it.

        Returns:
            What was found, or None where the update is nothing or the losses cannot be computed.
        """
        if not self._start or not bool(fetched([each.any() for each in moved]).any()):
            return None
        now = [each.detach().clone() for each in weights]
        try:
            return self._look(weights, before, moved, rate)
        finally:
            _set(weights, now)

    def _look(
        self,
        weights: Sequence[torch.Tensor],
        before: Sequence[torch.Tensor],
        moved: Sequence[torch.Tensor],
        rate: float,
    ) -> Edge | None:
        start = sum(self._start) / len(self._start)
        points: dict[float, float] = {0.0: start}

        def rises(t: float) -> float:
            """How far the loss is above its start, at t: +1 above, -1 below, 0 where it did not move."""
            if t not in points:
                with torch.no_grad():
                    shifted = torch._foreach_add(list(before), torch._foreach_mul(list(moved), t))  # noqa: SLF001
                _set(weights, shifted)
                losses = self.replay.losses(len(self._start), skip=1)
                points[t] = sum(losses) / len(losses) if len(losses) == len(self._start) else math.nan
            change = points[t] - start
            if not math.isfinite(points[t]):
                return 1.0
            return 0.0 if abs(change) < _STILL * max(abs(start), 1e-3) else math.copysign(1.0, change)

        known = self._guess is not None
        guess = self._guess / rate if self._guess is not None and rate > 0 else 1.0
        low, high = _bracket(rises, guess, known=known)
        if low is None and high is None:
            return None
        multiple, open_ = _between(points, start, low, high)
        if rate > 0 and math.isfinite(multiple):
            self._guess = multiple * rate
        slope, curvature = _parabola(points, start, low, high)
        return Edge(
            multiple=multiple,
            open=open_,
            decrease=start - points[1.0] if 1.0 in points else math.nan,
            slope=slope,
            curvature=curvature,
        )

    def state(self) -> dict[str, object]:
        """Where the next search begins."""
        return {"guess": self._guess}

    def restore(self, state: dict[str, object]) -> None:
        """Go back to a state.

        Args:
            state: What `state` gave.
        """
        guess = state.get("guess")
        self._guess = float(guess) if isinstance(guess, int | float) else None


def _bracket(rises: Callable[[float], float], guess: float, *, known: bool) -> tuple[float | None, float | None]:
    """Find a multiple where the loss lies below its start and one where it lies above, a factor of 3 to 8 apart."""
    stride, most = (3.0, 4) if known else (8.0, 16)
    near = 1.0 if known and 0.2 <= guess <= 3 else guess * 0.6  # noqa: PLR2004 - the update itself, where it tells
    low: float | None = None
    high: float | None = None
    t = near
    for _ in range(most):
        sign = rises(t)
        if sign > 0:
            high = t
        elif sign < 0 or low is None or t > low:
            low = t if sign < 0 or high is None else low
        if low is not None and high is not None:
            break
        t = t / stride if high is not None else t * stride
        if not 1 / _REACH < t < _REACH:
            break
        if sign == 0 and high is not None:  # too near to the start to tell
            break
    return low, high


def _between(points: dict[float, float], start: float, low: float | None, high: float | None) -> tuple[float, str]:
    if high is None:
        return (low or math.nan), "above"
    if low is None:
        return high, "below"
    slope, curvature = _parabola(points, start, low, high)
    if curvature > 0 and slope < 0:
        crossing = -2 * slope / curvature
        if low <= crossing <= high:
            return crossing, ""
    below, above = start - points[low], points[high] - start
    if not math.isfinite(above):
        return math.sqrt(low * high), ""
    share = below / (below + above) if below + above > 0 else 0.5
    return low * (high / low) ** share, ""


def _parabola(points: dict[float, float], start: float, low: float | None, high: float | None) -> tuple[float, float]:
    """Slope at 0 and second derivative of the parabola through the start and both ends of the bracket."""
    if low is None or high is None or not math.isfinite(points.get(high, math.nan)) or low not in points:
        return math.nan, math.nan
    one, other = (points[low] - start) / low, (points[high] - start) / high
    bend = (other - one) / (high - low)
    return one - bend * low, 2 * bend


def _set(weights: Sequence[torch.Tensor], values: Sequence[torch.Tensor]) -> None:
    with torch.no_grad():
        torch._foreach_copy_([each.detach() for each in weights], list(values))
