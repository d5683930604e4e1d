"""Widths at which two networks cost the same: searched with the ledger, nothing is allocated."""

from collections.abc import Callable
from typing import Literal

from thalweg.accounting.ledger import count
from thalweg.core.network_spec import NetworkSpec

__all__ = ["cost_of", "nearest_width", "said_cost"]

Cost = Literal["parameters", "macs"]


def cost_of(spec: NetworkSpec, what: Cost) -> int:
    """Count a network.

    Args:
        spec: The network.
        what: Its weights and biases, or its multiplications for one sample.

    Returns:
        The number.
    """
    ledger = count(spec)
    return ledger.parameters if what == "parameters" else ledger.macs or 0


def nearest_width(make: Callable[[int], NetworkSpec], target: int, what: Cost, *, most: int = 512) -> int:
    """Find the width at which a network costs nearest to a target.

    Args:
        make: The network of a width; its cost grows with it.
        target: What it shall cost.
        what: Counted in parameters or in MACs.
        most: The largest width.

    Returns:
        The width, from 1.

    Example:
        >>> from thalweg.core.shape import Shape
        >>> from thalweg.networks.functional import Input
        >>> from thalweg.networks.layers import Conv2d
        >>> from thalweg.networks.sequential import Sequential
        >>> nearest_width(lambda width: Sequential([Input(1, 8, 8), Conv2d(width, 3, bias=False)]), 50, "parameters")
        6
    """
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if cost_of(make(middle), what) < target:
            low = middle + 1
        else:
            high = middle
    near = [width for width in (low - 1, low) if width >= 1]
    return min(near, key=lambda width: abs(cost_of(make(width), what) - target))


def said_cost(number: float) -> str:
    """Write a cost in three digits.

    Args:
        number: Parameters or MACs.

    Returns:
        Such as `1.23 M`.

    Example:
        >>> said_cost(950), said_cost(12_345), said_cost(1_234_567), said_cost(2.5e9)
        ('950', '12.3 k', '1.23 M', '2.50 G')
    """
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            value = number / size
            return f"{value:.{max(0, 3 - len(str(int(value))))}f} {unit}"
    return f"{number:.0f}"
