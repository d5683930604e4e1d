"""What a symbol's name is made of, and how its letters and numbers are spelled: `x12` is x with index 12."""

import re
from dataclasses import dataclass
from decimal import Context
from fractions import Fraction

from thalweg.core.formula import Number

__all__ = ["GREEK", "Symbol", "number_text", "split_name"]

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "lambda_": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
"""Names that are written as Greek letters."""

_INDEXED = re.compile(r"([^\W\d_]+(?:_[^\W\d_]+)*?)_?(\d+(?:_\d+)*)?$")
_DERIVATIVE = re.compile(r"d([^\W\d_]\w*?)_d([^\W\d_]\w*)$")
_DIGITS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A symbol taken apart: its letters, what stands below them, and for a derivative what it is taken by."""

    stem: str
    indices: tuple[str, ...] = ()
    by: "Symbol | None" = None


def split_name(name: str) -> Symbol:
    """Take a symbol's name apart.

    Args:
        name: As it stands in a formula.

    Returns:
        Letters and indices; a name of another make is all letters.

    Example:
        >>> split_name("x_2_1_3").indices, split_name("f12").stem
        (('2', '1', '3'), 'f')
        >>> split_name("dO_dy4").by
        Symbol(stem='y', indices=('4',), by=None)
    """
    found = _DERIVATIVE.match(name)
    if found is None:
        return _indexed(name)
    of, by = map(_indexed, found.groups())
    return Symbol(stem=of.stem, indices=of.indices, by=by)


def _indexed(name: str) -> Symbol:
    match = _INDEXED.match(name)
    if match is None:
        return Symbol(stem=name)
    return Symbol(stem=match[1], indices=tuple(match[2].split("_")) if match[2] else ())


def number_text(number: Number) -> str:
    """Write a number without loss: as a decimal where it was one, otherwise whole.

    Args:
        number: Of a formula; its sign stands outside.

    Returns:
        Digits, with a point where there was one.

    Example:
        >>> number_text(Number(Fraction(1, 4), 2)), number_text(Number(Fraction(12)))
        ('0.25', '12')
    """
    value: Fraction = number.value
    if value.denominator == 1:
        return str(value.numerator)
    exact = Context(prec=_DIGITS).divide(value.numerator, value.denominator)
    return f"{exact:f}" if Fraction(exact) == value else f"{value.numerator}/{value.denominator}"
