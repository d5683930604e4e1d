"""How far a measured share may lie from the true one: an accuracy on 50 files is no accuracy without this."""

import math

__all__ = ["wilson"]

_Z_95 = 1.959963984540054
"""The standard normal quantile at 0.975, so that 95 % lie between -z and z."""


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion.

        (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n),   p = successes / n,   z = 1.96

    Unlike the interval of the textbook (p -+ z sqrt(p (1 - p) / n)) it never leaves 0 to 1, has a width at 0 and n
    successes, and covers close to 95 % already at small n.

    Args:
        successes: How often it went right.
        n: How often it was tried, at least once.

    Returns:
        Lower and upper end, 0 to 1.

    Raises:
        ValueError: The numbers are no count of successes among n tries.

    References:
        E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212.
        L. D. Brown, T. T. Cai, A. DasGupta, Interval estimation for a binomial proportion, Statistical Science 16
        (2001), 101-133, which compares it with the others.

    Example:
        >>> [round(end, 3) for end in wilson(45, 50)]
        [0.786, 0.957]
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} tries: a count from 0 to n and at least one try are wanted")
    share = successes / n
    spread = _Z_95**2 / n
    centre = share + spread / 2
    reach = _Z_95 * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    low = 0.0 if successes == 0 else (centre - reach) / (1 + spread)  # exact in mathematics, not in floating point
    high = 1.0 if successes == n else (centre + reach) / (1 + spread)
    return low, high
