"""How far a measured share may lie from the true one: an accuracy on 50 files is no accuracy without this."""

import math

__all__ = ["area_interval", "wilson"]

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


def area_interval(area: float, positives: int, negatives: int) -> tuple[float, float]:
    """The 95 % score interval of an area under the ROC curve of two classes.

        |area - t| = z sqrt(t (1 - t) (1 + N (1 - t) / (2 - t) + N t / (1 + t)) / (m n)),   N = (m + n) / 2 - 1

    Both ends t solve this, with m positives and n negatives: Newcombe's fifth method, in which the variance is that at
    the end and not at the estimate. It never leaves 0 to 1 and has a width where the classes are parted without a
    mistake.

    Args:
        area: As measured, 0 to 1.
        positives: Samples of the one class.
        negatives: Samples of the other.

    Returns:
        Lower and upper end; nan where a class is missing.

    References:
        R. G. Newcombe, Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part 2,
        Statistics in Medicine 25 (2006), 559-573.

    Example:
        >>> [round(end, 3) for end in area_interval(0.9, 69, 229)]
        [0.847, 0.935]
    """
    if positives < 1 or negatives < 1 or math.isnan(area):
        return math.nan, math.nan

    def reach(true: float) -> float:
        pairs = (positives + negatives) / 2 - 1
        spread = 1 + pairs * (1 - true) / (2 - true) + pairs * true / (1 + true)
        return _Z_95 * math.sqrt(true * (1 - true) * spread / (positives * negatives))

    ends = []
    for way, wall in ((-1, 0.0), (1, 1.0)):
        near, far = area, wall  # the end lies between: the area holds it, the wall does not
        for _ in range(60):
            middle = (near + far) / 2
            if abs(area - middle) <= reach(middle):
                near = middle
            else:
                far = middle
        ends.append(min(area, near) if way < 0 else max(area, near))
    return ends[0], ends[1]
