"""Measured numbers as tables and sentences write them, with a dash where there is none; and lengths of time."""

import math

__all__ = ["clock", "column_loss", "decimal", "duration", "significant"]


def decimal(value: float, places: int = 3) -> str:
    """Write a score or share with a fixed number of places.

    Args:
        value: The number; nan where there is none.
        places: Digits behind the point.

    Returns:
        Such as `0.842`, or a dash.

    Example:
        >>> decimal(0.8421), decimal(0.8421, 2), decimal(float("nan"))
        ('0.842', '0.84', '-')
    """
    return "-" if math.isnan(value) else f"{value:.{places}f}"


def column_loss(value: float) -> str:
    """Write a loss for a column of eight signs, also that of a run that diverges.

    Args:
        value: The loss.

    Returns:
        At most seven signs.

    Example:
        >>> column_loss(0.89471), column_loss(2332.2086), column_loss(653242793984.0), column_loss(float("nan"))
        ('0.8947', '2332.2', '6.5e+11', 'nan')
    """
    if abs(value) < 100 or not math.isfinite(value):  # noqa: PLR2004 - two digits before the point
        return f"{value:.4f}"
    return f"{value:.5g}" if abs(value) < 1e5 else f"{value:.1e}"  # noqa: PLR2004 - five digits


def significant(value: float | None) -> str:
    """Write a measurement of any size in four digits.

    Args:
        value: The number, or None where there is none.

    Returns:
        Such as `0.8421` or `1.23e-05`, or a dash.

    Example:
        >>> significant(0.84212), significant(0.0000123), significant(None)
        ('0.8421', '1.23e-05', '-')
    """
    return "-" if value is None else f"{value:.4g}"


def duration(seconds: float) -> str:
    """Say how long something took.

    Args:
        seconds: How long.

    Returns:
        Seconds below a minute, minutes and seconds from there on.

    Example:
        >>> duration(42.4), duration(183)
        ('42 s', '3 min 3 s')
    """
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"  # noqa: PLR2004 - a minute


def clock(seconds: float) -> str:
    """Write a time that is left, as a clock does.

    Args:
        seconds: How long; nan where nobody knows.

    Returns:
        Such as `3:05` or `1:01:40`; empty where nobody knows.

    Example:
        >>> clock(185), clock(3700), clock(float("nan"))
        ('3:05', '1:01:40', '')
    """
    if math.isnan(seconds):
        return ""
    whole = round(seconds)
    if whole >= 3600:  # noqa: PLR2004 - an hour
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"
