"""How the rate runs from the moment of a repair to the end: a short ramp, then a decay to zero over a known horizon.

Where nobody said how long training will be, the rate stays until the loss has stopped falling (the noise floor), and is
then quartered, again and again: the noise of the last updates is what keeps the loss up there.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Horizon", "NoiseFloor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The course of the rate over a known number of updates.

    Args:
        begin: Update at which it begins.
        end: Update at which the rate is zero.
        warm: Share of the way in which the rate rises.

    Example:
        >>> course = Horizon(begin=100, end=1100, warm=0.1)
        >>> [round(course.share(step), 3) for step in (100, 199, 200, 650, 1099, 2000)]
        [0.01, 1.0, 1.0, 0.498, 0.0, 0.0]
    """

    begin: int
    end: int
    warm: float = 0.1

    def share(self, step: int) -> float:
        """Share of the peak rate.

        Args:
            step: Updates done.

        Returns:
            Linear from nearly 0 to 1 while warming up, then half a cosine to 0 (Loshchilov and Hutter 2016).
        """
        at = min(1.0, (step - self.begin + 1) / max(1, self.end - self.begin))
        if at < self.warm:
            return at / self.warm
        return 0.5 * (1 + math.cos(math.pi * (at - self.warm) / (1 - self.warm)))


@dataclass(slots=True)
class NoiseFloor:
    """Sees when the loss has stopped falling at this rate.

        halves of a window of losses: floor when mean(second) > mean(first) - 0.5 standard errors of the difference

    Args:
        window: Updates looked at.
        seen: Losses since the last change.
    """

    window: int = 300
    seen: list[float] = field(default_factory=list)

    def reached(self, loss: float) -> bool:
        """Take one more loss in.

        Args:
            loss: Training loss of an update.

        Returns:
            True when a whole window shows no fall; it then begins anew.

        Example:
            >>> floor = NoiseFloor(window=4)
            >>> [floor.reached(loss) for loss in (1.0, 1.1, 1.0, 1.1, 1.0)]
            [False, False, False, True, False]
        """
        self.seen.append(loss)
        if len(self.seen) < self.window:
            return False
        half = self.window // 2
        first, second = self.seen[:half], self.seen[half:]
        spread = (_variance(first) / len(first) + _variance(second) / len(second)) ** 0.5
        if sum(second) / len(second) > sum(first) / len(first) - 0.5 * spread:
            self.seen = []
            return True
        self.seen = second
        return False

    def state(self) -> dict[str, object]:
        """Give what a checkpoint must hold.

        Returns:
            Plain data.
        """
        return {"window": self.window, "seen": list(self.seen)}

    def restore(self, state: Mapping[str, object]) -> None:
        """Go back to a state.

        Args:
            state: What `state` gave.
        """
        self.window, self.seen = int(state["window"]), list(state["seen"])  # type: ignore[call-overload]


def _variance(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)
