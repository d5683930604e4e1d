"""Whether a number that somebody gave is one, whole where it must be, and in range; the sentence where it is not."""

import numbers
import sys
from typing import cast

from thalweg.core.errors import PlanError
from thalweg.core.files import printable

__all__ = ["check_range", "wanted_number"]

_MOST_SHOWN = 60  # letters of a wrong value


def check_range(
    option: str, given: object, low: float, high: float, *, open_low: bool = False, whole: bool = False
) -> None:
    """Refuse a number that is out of range.

    Args:
        option: What it was given to.
        given: What was given; None where nothing was.
        low: The least.
        high: The most.
        open_low: Whether it must be more than the least.
        whole: Whether it must be a whole number.

    Raises:
        PlanError: It is none, not whole, or out of range.

    Example:
        >>> check_range("--epochs", 1.5, 1, 100, whole=True)
        Traceback (most recent call last):
        thalweg.core.errors.PlanError: --epochs 1.5: a whole number such as 2 is wanted
    """
    if given is None:
        return
    if not isinstance(given, numbers.Real):
        raise PlanError(wanted_number(option, str(given), whole=whole))
    value = cast("float", given)  # which a Real is in all but its type
    if not low <= value <= high or (open_low and value == low):  # nan is nowhere
        endless = isinstance(value, int) and abs(value) > sys.float_info.max
        plain = f"{value}" if isinstance(value, int) else f"{value:g}"
        shown = f"{str(value)[:12]}..." if endless else plain
        lowest = f"more than {low:g}" if open_low else f"{low:g}"
        raise PlanError(f"{option} {shown} is out of range: {lowest} to {high:,}")
    if whole and not isinstance(given, numbers.Integral):
        raise PlanError(wanted_number(option, str(value), whole=True))


def wanted_number(option: str, given: str, *, whole: bool) -> str:
    """Say which number is wanted.

    Args:
        option: What something was given to.
        given: What it was given.
        whole: Whether the number must be a whole one.

    Returns:
        The value, and one that would be right.

    Example:
        >>> wanted_number("--minutes", "ten", whole=False)
        '--minutes ten: a number such as 0.5 is wanted'
    """
    value = printable(given)[:_MOST_SHOWN] or "(nothing)"
    if not whole:
        return f"{option} {value}: a number such as 0.5 is wanted"
    try:
        near = max(1, round(float(given)))
    except (ValueError, OverflowError):  # no number; not finite
        near = 10
    return f"{option} {value}: a whole number such as {near} is wanted"
