"""Dual numbers: a value and a slope that travel together, the second, independent way to a derivative.

Every number is a + b*e with e*e = 0; whatever is computed forward carries its exact slope along. No chain rule is
written down anywhere, which is why a mistake in the backward pass cannot hide here.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from thalweg.derivation.number import Beyond, Exact, exponential, logarithm, sign

__all__ = ["Dual", "Scalar", "exp", "log", "side"]


@dataclass(frozen=True, slots=True)
class Dual:
    """A value and its slope.

    Args:
        value: The number.
        slope: Its derivative in the direction that is asked about.

    Example:
        >>> x = Dual(Fraction(3), Fraction(1))
        >>> (x * x).slope
        Fraction(6, 1)
    """

    value: Exact
    slope: Exact

    def __add__(self, other: "Scalar") -> "Dual":
        two = _dual(other)
        return Dual(self.value + two.value, self.slope + two.slope)

    __radd__ = __add__

    def __neg__(self) -> "Dual":
        return Dual(-self.value, -self.slope)

    def __sub__(self, other: "Scalar") -> "Dual":
        return self + (-other)

    def __rsub__(self, other: Exact) -> "Dual":
        return (-self) + other

    def __mul__(self, other: "Scalar") -> "Dual":
        two = _dual(other)
        return Dual(self.value * two.value, self.value * two.slope + self.slope * two.value)

    __rmul__ = __mul__

    def __truediv__(self, other: "Scalar") -> "Dual":
        two = _dual(other)
        return Dual(self.value / two.value, (self.slope * two.value - self.value * two.slope) / (two.value * two.value))

    def __rtruediv__(self, other: Exact) -> "Dual":
        return _dual(other) / self


Scalar: TypeAlias = Fraction | Beyond | Dual


def _dual(number: Scalar) -> Dual:
    return number if isinstance(number, Dual) else Dual(number, Fraction(0))


def exp(number: Scalar) -> Scalar:
    """Take e to a power, with its slope.

    Args:
        number: The exponent.

    Returns:
        The power.
    """
    if isinstance(number, Dual):
        power = exponential(number.value)
        return Dual(power, power * number.slope)
    return exponential(number)


def log(number: Scalar) -> Scalar:
    """Take the natural logarithm, with its slope.

    Args:
        number: Something positive.

    Returns:
        The logarithm.
    """
    if isinstance(number, Dual):
        return Dual(logarithm(number.value), number.slope / number.value)
    return logarithm(number)


def side(number: Scalar) -> int:
    """Tell on which side of zero a number lies.

    Args:
        number: With or without a slope.

    Returns:
        1, 0 or -1.
    """
    return sign(number.value if isinstance(number, Dual) else number)
