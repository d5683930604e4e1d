"""An exact algebra that keeps the look of a textbook: sums of products whose brackets stay where they were put.

A term is a fraction times powers of factors; a factor is a symbol, a function such as e^q, or a bracket around a sum.
Like terms are merged and numbers folded, nothing is multiplied out. sympy would do more than is needed here and takes
longer to import than a derivation takes.
"""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import TypeAlias

__all__ = [
    "ONE",
    "ZERO",
    "Bracket",
    "Expression",
    "Factor",
    "Factors",
    "Function",
    "Symbol",
    "Term",
    "add",
    "number",
    "symbol",
]


class Symbol:
    """A name, with the rank that says where it stands in a product: c before x before f."""

    __slots__ = ("_hash", "key", "name")

    def __init__(self, name: str, rank: int = 5, index: int = 0) -> None:
        self.name = name
        self.key = (rank, index, name)
        self._hash = hash(self.key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Symbol) and self.name == other.name


class Function:
    """`exp`, `log`, `Max`, or `Heaviside`, at its arguments."""

    __slots__ = ("_hash", "arguments", "key", "name")

    def __init__(self, name: str, *arguments: "Expression") -> None:
        self.name = name
        self.arguments = arguments
        self.key = (_FUNCTION_RANK, 0, name)
        self._hash = hash((name, arguments))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Function)
            and self._hash == other._hash
            and self.name == other.name
            and self.arguments == other.arguments
        )


class Bracket:
    """A sum of two terms or more that is a factor of a product."""

    __slots__ = ("_hash", "inside", "key")

    def __init__(self, inside: "Expression") -> None:
        self.inside = inside
        self.key = (_BRACKET_RANK, 0, "")
        self._hash = hash((Bracket, inside))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bracket) and self._hash == other._hash and self.inside == other.inside


Factor: TypeAlias = Symbol | Function | Bracket
Factors: TypeAlias = tuple[tuple[Factor, int], ...]
Term: TypeAlias = tuple[Fraction, Factors]

_BRACKET_RANK = 8
_FUNCTION_RANK = 9


class Expression:
    """A sum of terms, none of them zero, in the order in which they came.

    Args:
        terms: Fraction and factors of each.

    Example:
        >>> x, f = symbol("x1", 2), symbol("f1", 3)
        >>> str((x + number(2) * f) * f * number("1/4"))
        'f1*(x1 + 2*f1)/4'
        >>> (f * x).value is None, (f - f).value
        (True, Fraction(0, 1))
    """

    __slots__ = ("_hash", "_text", "terms")

    def __init__(self, terms: tuple[Term, ...]) -> None:
        self.terms = terms
        self._hash = hash(terms)
        self._text = ""

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self._hash == other._hash and self.terms == other.terms

    @property
    def value(self) -> Fraction | None:
        """The number that this is, or None where a symbol or function is left."""
        if not self.terms:
            return Fraction(0)
        if len(self.terms) == 1 and not self.terms[0][1]:
            return self.terms[0][0]
        return None

    def __add__(self, other: "Expression") -> "Expression":
        return add((self, other))

    def __sub__(self, other: "Expression") -> "Expression":
        return add((self, -other))

    def __neg__(self) -> "Expression":
        return Expression(tuple((-factor, rest) for factor, rest in self.terms))

    def __mul__(self, other: "Expression") -> "Expression":
        for one, two in ((self, other), (other, self)):
            plain = one.value
            if plain is not None:
                return two.scaled(plain)
        (first, left), (second, right) = self.single(), other.single()
        return _unwrapped(first * second, _merged(left, right))

    def __truediv__(self, other: "Expression") -> "Expression":
        factor, rest = other.single()
        return self * Expression(((1 / factor, tuple((base, -power) for base, power in rest)),))

    def __pow__(self, power: int) -> "Expression":
        if power == 0:
            return ONE
        factor, rest = self.single()
        return Expression(((factor**power, tuple((base, power * each) for base, each in rest)),))

    def scaled(self, factor: Fraction) -> "Expression":
        """Multiply every term with a number.

        Args:
            factor: The number.

        Returns:
            The product.
        """
        if factor == 1:
            return self
        if not factor:
            return ZERO
        return Expression(tuple((factor * each, rest) for each, rest in self.terms))

    def single(self) -> Term:
        """See the whole as one term: what all terms share goes before a bracket.

        Returns:
            A fraction and factors.
        """
        if len(self.terms) <= 1:
            return self.terms[0] if self.terms else (Fraction(0), ())
        shared = dict(self.terms[0][1])
        for _, rest in self.terms[1:]:
            powers = dict(rest)
            shared = {
                base: (min if power > 0 else max)(power, powers[base])
                for base, power in shared.items()
                if base in powers and (power > 0) == (powers[base] > 0)
            }
        content = Fraction(
            math.gcd(*(factor.numerator for factor, _ in self.terms)),
            math.lcm(*(factor.denominator for factor, _ in self.terms)),
        )
        if self.terms[0][0] < 0:
            content = -content
        common = _sorted(shared)
        inverse = tuple((base, -power) for base, power in common)
        inside = Expression(tuple((factor / content, _merged(rest, inverse)) for factor, rest in self.terms))
        return content, _merged(common, ((Bracket(inside), 1),))

    def __str__(self) -> str:
        if not self._text:
            self._text = "".join(_written(term, first=place == 0) for place, term in enumerate(self.terms)) or "0"
        return self._text


def add(parts: Iterable[Expression]) -> Expression:
    """Add up, merging like terms in the order of their first coming.

    Args:
        parts: What is added.

    Returns:
        The sum.
    """
    found: dict[Factors, Fraction] = {}
    for part in parts:
        for factor, rest in part.terms:
            found[rest] = found.get(rest, Fraction(0)) + factor
    terms = tuple((factor, rest) for rest, factor in found.items() if factor)
    return _unwrapped(*terms[0]) if len(terms) == 1 else Expression(terms)


def number(value: "int | str | Fraction") -> Expression:
    """Make an expression of a number.

    Args:
        value: Whole, or a fraction such as `1/3`.

    Returns:
        The constant.
    """
    exact = Fraction(value)
    return Expression(((exact, ()),)) if exact else ZERO


def symbol(name: str, rank: int = 5, index: int = 0) -> Expression:
    """Make an expression of a name.

    Args:
        name: Of the symbol.
        rank: Where it stands in a product, small numbers first.
        index: Where it stands among those of its rank.

    Returns:
        The symbol as an expression.
    """
    return Expression(((Fraction(1), ((Symbol(name, rank, index), 1),)),))


def _unwrapped(factor: Fraction, rest: Factors) -> Expression:
    """A bracket alone needs no bracket."""
    if factor == 1 and len(rest) == 1 and rest[0][1] == 1 and isinstance(rest[0][0], Bracket):
        return rest[0][0].inside
    return Expression(((factor, rest),))


def _merged(left: Factors, right: Factors) -> Factors:
    if not left or not right:
        return left or right
    powers = dict(left)
    for base, power in right:
        powers[base] = powers.get(base, 0) + power
    return _sorted(powers)


def _sorted(powers: dict[Factor, int]) -> Factors:
    found = [(base, power) for base, power in powers.items() if power]
    found.sort(key=lambda item: item[0].key)  # stable: brackets and functions keep their order
    return tuple(found)


def _written(term: Term, *, first: bool) -> str:
    factor, rest = term
    above = [_power(base, power) for base, power in rest if power > 0]
    below = [_power(base, -power) for base, power in rest if power < 0]
    size = abs(factor)
    if size.numerator != 1 or not above:
        above.insert(0, str(size.numerator))
    if size.denominator != 1:
        below.insert(0, str(size.denominator))
    text = "*".join(above)
    if below:
        text += "/" + (below[0] if len(below) == 1 else "(" + "*".join(below) + ")")
    if first:
        return f"-{text}" if factor < 0 else text
    return f" - {text}" if factor < 0 else f" + {text}"


def _power(base: Factor, power: int) -> str:
    match base:
        case Symbol():
            text = base.name
        case Function():
            text = _call(base)
        case Bracket():
            text = f"({base.inside})"
    return text if power == 1 else f"{text}**{power}"


def _call(function: Function) -> str:
    return f"{function.name}({', '.join(map(str, function.arguments))})"


ZERO = Expression(())
ONE = Expression(((Fraction(1), ()),))
