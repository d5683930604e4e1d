"""Numbers with e^q in them, compared exactly.

The powers e^q of different fractions q are linearly independent over the fractions (Lindemann and Weierstrass), so
e behaves like an unknown: an identity between sums, products and quotients of such powers holds if and only if it
holds for every value of the unknown. Here the unknown is an element of a group of prime order r about 2**126 inside the
residues modulo p = 2 r + 1, so e^(a/b) can be taken for every fraction, and two different numbers would look equal only
by an accident of about degree / 2**126 (Schwartz and Zippel). Beside its residue a number carries 60 decimal digits,
which tell its sign. What has neither (a logarithm, e to the power of such a number) is compared by the digits alone.
"""

import decimal
from fractions import Fraction
from typing import TypeAlias

from thalweg.core.errors import SpecError

__all__ = ["Beyond", "Exact", "exponential", "is_equal", "logarithm", "sign", "to_decimal"]

_R = 85070591730234615865843651857942051503  # prime, and so is 2 r + 1; found with sympy.isprime
_P = 2 * _R + 1
_G = pow(31415926535897932384626433832795, 2, _P)  # a square, so of order r
_CONTEXT = decimal.Context(prec=60, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])
_NEAR = decimal.Decimal("1e-40")
_FARTHEST = 10**15  # exponents beyond this have no 60 digits that mean anything


class Beyond:
    """A number that is no fraction.

    Args:
        residue: Its image modulo p, or None where it has none.
        digits: Its value to 60 digits.
    """

    __slots__ = ("digits", "residue")

    def __init__(self, residue: int | None, digits: decimal.Decimal) -> None:
        self.residue = residue
        self.digits = digits

    def __add__(self, other: "Exact") -> "Beyond":
        if not isinstance(other, Fraction | Beyond):
            return NotImplemented  # a dual number knows better
        if other == 0:
            return self
        two = _beyond(other)
        residue = None if self.residue is None or two.residue is None else (self.residue + two.residue) % _P
        return Beyond(residue, _CONTEXT.add(self.digits, two.digits))

    __radd__ = __add__

    def __neg__(self) -> "Beyond":
        return Beyond(None if self.residue is None else -self.residue % _P, _CONTEXT.minus(self.digits))

    def __sub__(self, other: "Exact") -> "Beyond":
        return self + (-other)

    def __rsub__(self, other: Fraction) -> "Beyond":
        return (-self) + other

    def __mul__(self, other: "Exact") -> "Exact":
        if not isinstance(other, Fraction | Beyond):
            return NotImplemented  # a dual number knows better
        if other == 0:
            return Fraction(0)  # zero times a logarithm is zero exactly
        two = _beyond(other)
        residue = None if self.residue is None or two.residue is None else self.residue * two.residue % _P
        return Beyond(residue, _CONTEXT.multiply(self.digits, two.digits))

    __rmul__ = __mul__

    def __truediv__(self, other: "Exact") -> "Exact":
        if not isinstance(other, Fraction | Beyond):
            return NotImplemented  # a dual number knows better
        return self * _inverse(_beyond(other))

    def __rtruediv__(self, other: Fraction) -> "Exact":
        return _inverse(self) * other

    def __pow__(self, power: int) -> "Beyond":
        base = self if power >= 0 else _inverse(self)
        residue = None if base.residue is None else pow(base.residue, abs(power), _P)
        return Beyond(residue, _CONTEXT.power(base.digits, abs(power)))


Exact: TypeAlias = Fraction | Beyond


def _beyond(value: Exact) -> Beyond:
    if isinstance(value, Beyond):
        return value
    return Beyond(value.numerator * pow(value.denominator, -1, _P) % _P, to_decimal(value))


def _inverse(value: Beyond) -> Beyond:
    if sign(value) == 0:
        raise SpecError("a formula divides by zero")
    residue = None if value.residue is None else pow(value.residue, -1, _P)
    return Beyond(residue, _CONTEXT.divide(decimal.Decimal(1), value.digits))


def to_decimal(value: Exact) -> decimal.Decimal:
    """Write a number with 60 digits.

    Args:
        value: The number.

    Returns:
        Its decimal value, rounded.
    """
    if isinstance(value, Beyond):
        return value.digits
    return _CONTEXT.divide(decimal.Decimal(value.numerator), decimal.Decimal(value.denominator))


def exponential(value: Exact) -> Exact:
    """Take e to a power.

    Args:
        value: The exponent.

    Returns:
        e^value; exact where the exponent is a fraction.

    Raises:
        SpecError: The exponent is beyond a million billion.

    Example:
        >>> third = exponential(Fraction(1, 3))
        >>> is_equal(third * third * third, exponential(Fraction(1))), is_equal(third, Fraction(7, 5))
        (True, False)
    """
    if to_decimal(value).copy_abs() > _FARTHEST:
        raise SpecError(f"e to the power of {to_decimal(value):.3g} is beyond what can be compared")
    if isinstance(value, Beyond):
        return Beyond(None, _CONTEXT.exp(value.digits))
    if value == 0:
        return Fraction(1)
    residue = pow(_G, value.numerator * pow(value.denominator, -1, _R) % _R, _P)
    return Beyond(residue, _CONTEXT.exp(to_decimal(value)))


def logarithm(value: Exact) -> Exact:
    """Take the natural logarithm.

    Args:
        value: A positive number.

    Returns:
        Its logarithm, to 60 digits.

    Raises:
        SpecError: The number is not positive.
    """
    if sign(value) <= 0:
        raise SpecError("a formula takes the logarithm of a number that is not positive")
    if value == 1:
        return Fraction(0)
    return Beyond(None, _CONTEXT.ln(to_decimal(value)))


def sign(value: Exact) -> int:
    """Tell on which side of zero a number lies.

    Args:
        value: The number.

    Returns:
        1, 0 or -1; exact except where only digits are known.
    """
    if isinstance(value, Fraction):
        return (value > 0) - (value < 0)
    if value.residue == 0 or (value.residue is None and value.digits.copy_abs() < _NEAR):
        return 0
    return 1 if value.digits > 0 else -1


def is_equal(one: Exact, two: Exact) -> bool:
    """Tell whether two numbers are the same.

    Args:
        one: A number.
        two: Another.

    Returns:
        True where they are equal; exact except where only digits are known.
    """
    if isinstance(one, Fraction) and isinstance(two, Fraction):
        return one == two
    left, right = _beyond(one), _beyond(two)
    if left.residue is not None and right.residue is not None:
        return left.residue == right.residue
    size = max(decimal.Decimal(1), left.digits.copy_abs())
    return _CONTEXT.subtract(left.digits, right.digits).copy_abs() <= _NEAR * size
