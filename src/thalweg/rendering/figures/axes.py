"""Axes of a figure: round ticks, their labels, and the way from data to pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Axis", "format_tick", "log_ticks", "nice_ticks"]


def nice_ticks(low: float, high: float, about: int = 5) -> tuple[float, ...]:
    """Choose round numbers that cover a range: steps of 1, 2 or 5 times a power of ten.

    Args:
        low: Smallest value.
        high: Largest value.
        about: How many steps are wanted.

    Returns:
        Ticks from at most `low` to at least `high`.

    Example:
        >>> nice_ticks(0.13, 0.92)
        (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    """
    if not high > low:
        margin = abs(low) * 0.1 or 1.0
        low, high = low - margin, high + margin
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(index * step, 12 - math.floor(math.log10(step))) for index in range(first, last + 1))


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Choose ticks for a logarithmic axis: powers of ten, and 2 and 5 times them where there are few.

    Args:
        low: Smallest value, above zero.
        high: Largest value.

    Returns:
        Ticks that cover the range; every few decades when it is long.

    Example:
        >>> log_ticks(0.004, 0.3)
        (0.001, 0.01, 0.1, 1.0)
    """
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    last = max(last, first + 1)
    if last - first == 1:
        return tuple(factor * 10.0**first for factor in (1, 2, 5, 10))
    step = max(1, math.ceil((last - first) / 7))
    return tuple(10.0**power for power in range(first, last + step, step))


def format_tick(value: float, step: float) -> str:
    """Write a tick with as many decimals as its step needs.

    Args:
        value: The tick.
        step: Distance to the next tick.

    Returns:
        Such as `0.25`, `1,200` or `3e-05`.

    Example:
        >>> format_tick(0.2, 0.2), format_tick(12000.0, 2000.0), format_tick(3e-05, 1e-05)
        ('0.2', '12,000', '3e-05')
    """
    size = max(abs(value), abs(step))
    if value and (size >= 1e6 or size < 1e-3):  # noqa: PLR2004 - longer than a label should be
        return f"{value:.3g}".replace("e+0", "e").replace("e+", "e")
    decimals = max(0, -math.floor(math.log10(abs(step)) + 1e-9)) if step else 0
    return f"{value:,.{decimals}f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis: its range in data, its place in pixels, its ticks.

    Args:
        low: Data value at `start`.
        high: Data value at `end`.
        start: Pixel of the low end.
        end: Pixel of the high end.
        ticks: Where ticks stand, in data.
        log: Whether the axis is logarithmic.

    Example:
        >>> Axis(low=0, high=10, start=0, end=100, ticks=(0, 5, 10)).place(5)
        50.0
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    log: bool = False

    def place(self, value: float) -> float:
        """Find the pixel of a value, which may lie outside the axis.

        Args:
            value: In data units.

        Returns:
            The pixel; nan where a logarithmic axis has no place.
        """
        low, high = self.low, self.high
        if self.log:
            if value <= 0:
                return math.nan
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def labels(self) -> tuple[str, ...]:
        """Write the ticks.

        Returns:
            One label a tick.
        """
        if self.log:
            return tuple(format_tick(tick, tick) for tick in self.ticks)
        if len(self.ticks) == 1 and not self.ticks[0].is_integer():  # no step says how many decimals
            return (f"{self.ticks[0]:.3g}",)
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else 1.0
        return tuple(format_tick(tick, step) for tick in self.ticks)


def value_axis(values: Sequence[float], start: float, end: float, *, about: int = 5, log: bool = False) -> Axis:
    """Make an axis whose ticks enclose the values.

    Args:
        values: Finite values; for a logarithmic axis those above zero count.
        start: Pixel of the low end.
        end: Pixel of the high end.
        about: How many steps are wanted.
        log: Whether the axis is logarithmic.

    Returns:
        The axis; from 0 to 1 when there are no values.
    """
    usable = [value for value in values if value > 0] if log else list(values)
    low, high = (min(usable), max(usable)) if usable else (0.1 if log else 0.0, 1.0)
    ticks = log_ticks(low, high) if log else nice_ticks(low, high, about)
    return Axis(low=ticks[0], high=ticks[-1], start=start, end=end, ticks=ticks, log=log)
