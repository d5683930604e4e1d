"""Sees a training break: values that are not finite, and a loss that has lost again most of what it had gained.

A single high loss is a hard batch, and a rise that curvature answers by falling (a catapult) ends by itself; both are
waited out. Only a smoothed loss that stays up for `PATIENCE` updates is trouble.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Guard"]

PATIENCE = 30
"""Updates for which the smoothed loss must stay up."""
_LOST = 0.7  # share of the gain since the start that must be lost
_GAINED = 0.15  # share of the first loss that must have been gained before anything can be lost
_ABOVE = 2.0  # times the first loss: trouble, whatever was gained
_SMOOTHING = 0.1
_SLOW = 0.02  # smoothing of the variance
_CLEAR = 1.4  # standard deviations of single losses: the lowest of many smoothed losses lies below by half of this


@dataclass(slots=True)
class Guard:
    """Follows the smoothed training loss.

    Args:
        first: Loss at the start: mean of the first updates.
        smooth: Smoothed loss now.
        best: Lowest smoothed loss so far.
        variance: Of single losses around their trend.
        last: The loss before.
        high: Updates in a row that were trouble.
        seen: Updates followed.
    """

    first: float = math.nan
    smooth: float = math.nan
    best: float = math.inf
    variance: float = 0.0
    last: float = math.nan
    high: int = 0
    seen: int = 0

    def spiked(self, loss: float) -> bool:
        """Take one more loss in.

        Args:
            loss: Training loss of an update; what is not finite counts as very high.

        Returns:
            Whether the loss has been up for too long.

        Example:
            >>> guard = Guard()
            >>> falling = [guard.spiked(2.3 - 0.02 * step) for step in range(100)]
            >>> after = [guard.spiked(2.3) for _ in range(60)]
            >>> any(falling), after[5], after[-1]
            (False, False, True)
        """
        if not math.isfinite(loss):
            loss = 10 * max(self.first if math.isfinite(self.first) else 1.0, 1.0)
        self.seen += 1
        if self.seen > 1:  # by differences of neighbours (von Neumann 1941): a change of level hardly counts
            rate = max(_SLOW, 1 / (self.seen - 1))
            self.variance += rate * (0.5 * (loss - self.last) ** 2 - self.variance)
        self.last = loss
        if self.seen <= 5:  # noqa: PLR2004 - the mean of the first five
            self.first = loss if self.seen == 1 else self.first + (loss - self.first) / self.seen
            self.smooth = self.first
            return False
        self.smooth += _SMOOTHING * (loss - self.smooth)
        self.best = min(self.best, self.smooth)
        self.high = self.high + 1 if self._is_trouble() else 0
        return self.high >= PATIENCE

    @property
    def calm(self) -> bool:
        """Whether the loss is near its best: the moment for a snapshot."""
        return self.high == 0 and self.smooth <= self.best + 0.3 * max(self.first - self.best, 0.0) + 1e-12

    def _is_trouble(self) -> bool:
        gain, clear = self.first - self.best, _CLEAR * math.sqrt(self.variance)
        if gain > _GAINED * abs(self.first):
            return self.smooth > self.best + max(_LOST * gain, clear)
        return self.smooth > _ABOVE * max(abs(self.first), 1e-12) + clear

    def settle(self) -> None:
        """Forget the trouble after a repair; what was gained stays known."""
        self.high, self.smooth = 0, self.best if math.isfinite(self.best) else self.first

    def state(self) -> dict[str, object]:
        """Give what a checkpoint must hold.

        Returns:
            Plain data.
        """
        return {name: getattr(self, name) for name in self.__slots__}

    def restore(self, state: Mapping[str, object]) -> None:
        """Go back to a state.

        Args:
            state: What `state` gave.
        """
        for name in self.__slots__:
            setattr(self, name, state[name])
