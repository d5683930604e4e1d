"""The notation of formulas, read into a small tree: what `derive` writes, renderers draw and students type.

    equation   = expression { "=" expression }         dO_dx1 = dO_dy1*dy1_dx1 = c*f1
    expression = ["-"] term { ("+" | "-") term }
    term       = power { ("*" | "/") power }           2*c*(f1 + f3)/9
    power      = primary [ "**" ["-"] integer ]        (1 + exp(-q))**2
    primary    = number | name | name "(" expression { "," expression } ")" | "(" expression ")" | rows
    rows       = "[" expression { "," expression } "]" | "(" expression "," expression { "," expression } ")"
    number     = 3 | 0.25 | 2.5e-3

Names are symbols: `x1`, `f2`, `c`; `y3` is an output entry, `dO_dy3` the derivative of O by it, `dy1_df2` that of y1.
Functions: `exp(a)`, `log(a)`, `Max(a, b, ...)`, `Heaviside(a, 0)`, the indicator of a > 0 (1 or 0; 0 at a tie), and
`Heaviside(a, 1)`, that of a >= 0. What `derive` writes uses just these, has no rows, and can be read by sympy. People
may also write `sigmoid`, `tanh`, `relu`, their derivatives `sigmoid_slope(a)`, `max`, `^`, `c f1` and `2(f1 + f3)`: a
missing sign is a multiplication; and rows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from thalweg.core.errors import SpecError
from thalweg.core.files import printable

__all__ = [
    "FUNCTIONS",
    "Call",
    "Equation",
    "Formula",
    "Name",
    "Negative",
    "Number",
    "Power",
    "Product",
    "Quotient",
    "Rows",
    "Sum",
    "parse_formula",
]

FUNCTIONS = {
    "exp": "exp",
    "log": "log",
    "ln": "log",
    "sigmoid": "sigmoid",
    "sigmoid_slope": "sigmoid_slope",
    "tanh": "tanh",
    "tanh_slope": "tanh_slope",
    "relu": "relu",
    "relu_slope": "relu_slope",
    "ReLU": "relu",
    "max": "Max",
    "Max": "Max",
    "Heaviside": "Heaviside",
}
"""Every function by each of its spellings."""

LONGEST = 400_000
"""Characters of a formula; longer text is refused before it is read."""

_DIGITS = 4_000  # Python reads no whole number of many more
_DEEPEST = 60
_POWER = 64
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|[-+*/^()\[\],=]))",
    re.ASCII,
)
_ALIKE = str.maketrans({"−": "-", "–": "-", "·": "*", "×": "*", "⋅": "*", "÷": "/"})


@dataclass(frozen=True, slots=True)
class Number:
    """A number, exact; `decimals` counts its digits after the point, None where none was written."""

    value: Fraction
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """A symbol such as `x1` or `c`."""

    name: str


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms added up; a term that is taken away is a `Negative`."""

    terms: "tuple[Formula, ...]"


@dataclass(frozen=True, slots=True)
class Negative:
    """Something with a minus in front."""

    operand: "Formula"


@dataclass(frozen=True, slots=True)
class Product:
    """Factors multiplied."""

    factors: "tuple[Formula, ...]"


@dataclass(frozen=True, slots=True)
class Quotient:
    """One thing over another."""

    numerator: "Formula"
    denominator: "Formula"


@dataclass(frozen=True, slots=True)
class Power:
    """A base with a whole exponent."""

    base: "Formula"
    exponent: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `FUNCTIONS` at its arguments; `name` is the canonical spelling."""

    name: str
    arguments: "tuple[Formula, ...]"


@dataclass(frozen=True, slots=True)
class Rows:
    """A bracketed list: a vector, or a matrix when its items are lists themselves."""

    items: "tuple[Formula, ...]"


@dataclass(frozen=True, slots=True)
class Equation:
    """Sides that are equal, from left to right."""

    sides: "tuple[Formula, ...]"


Formula = Number | Name | Sum | Negative | Product | Quotient | Power | Call | Rows | Equation


def parse_formula(text: str) -> Formula:
    """Read a formula into its tree; nothing is ever executed.

    Args:
        text: In the notation of this module.

    Returns:
        The tree.

    Raises:
        SpecError: The text is not a formula; the message says where.

    Example:
        >>> parse_formula("c*(f1 + f3)")
        Product(factors=(Name(name='c'), Sum(terms=(Name(name='f1'), Name(name='f3')))))
        >>> parse_formula("dO_dx1 = -1/2").sides[0]
        Name(name='dO_dx1')
    """
    if len(text) > LONGEST:
        raise SpecError(f"a formula of {len(text):,} characters is longer than the limit of {LONGEST:,}")
    reader = _Reader(text)
    sides = [reader.expression()]
    while reader.takes("="):
        sides.append(reader.expression())
    if reader.kind != "end":
        raise reader.refusal()
    return sides[0] if len(sides) == 1 else Equation(tuple(sides))


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    text = text.translate(_ALIKE)
    place, end = 0, len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None:
            raise SpecError(
                f"formula {_short(text)}: character {printable(text[place:].lstrip()[:1])!r} at place "
                f"{place + 1} belongs to no formula (+ - * / ** brackets, names, numbers, exp, log, sigmoid, tanh, "
                "relu, max)"
            )
        place = found.end()
        yield str(found.lastgroup), found.group(str(found.lastgroup)), found.start(str(found.lastgroup))
    yield "end", "", end


def _short(text: str) -> str:
    shown = printable(text if len(text) <= 60 else text[:57] + "...")  # noqa: PLR2004 - fits on a line
    return repr(shown)


class _Reader:
    """Recursive descent, one method a rule of the grammar."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.depth = 0
        self.kind, self.word, self.place = next(self.tokens)

    def step(self) -> str:
        word = self.word
        self.kind, self.word, self.place = next(self.tokens)
        return word

    def takes(self, *words: str) -> str:
        return self.step() if self.kind == "sign" and self.word in words else ""

    def refusal(self, why: str = "") -> SpecError:
        seen = f"{self.word!r} at place {self.place + 1}" if self.kind != "end" else "its end"
        return SpecError(f"formula {_short(self.text)}: {why or 'not understood'} at {seen}")

    def expression(self) -> Formula:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.refusal(f"more than {_DEEPEST} brackets inside each other")
        terms: list[Formula] = []
        sign = self.takes("-", "+")
        while True:
            term = self.term()
            terms.append(Negative(term) if sign == "-" else term)
            sign = self.takes("+", "-")
            if not sign:
                break
        self.depth -= 1
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def term(self) -> Formula:
        found = self.power()
        while True:
            if self.takes("/"):
                found = Quotient(found, self.signed())
            elif self.takes("*") or self.kind in {"number", "name"} or self.word in {"(", "["}:
                factor = self.signed()
                found = Product((*found.factors, factor)) if isinstance(found, Product) else Product((found, factor))
            else:
                return found

    def signed(self) -> Formula:
        if self.takes("-"):
            return Negative(self.power())
        self.takes("+")
        return self.power()

    def power(self) -> Formula:
        base = self.primary()
        return Power(base, self.exponent()) if self.takes("**", "^") else base

    def exponent(self) -> int:
        bracket = self.takes("(")
        sign = -1 if self.takes("-") else 1
        if self.kind != "number" or not self.word.isdigit() or len(self.word) > 3 or int(self.word) > _POWER:  # noqa: PLR2004 - digits
            raise self.refusal(f"a whole exponent up to {_POWER} is wanted")
        exponent = sign * int(self.step())
        if bracket and not self.takes(")"):
            raise self.refusal("a bracket is not closed")
        return exponent

    def primary(self) -> Formula:
        if self.kind == "number":
            if len(word := self.step()) > _DIGITS:
                raise self.refusal("a number has thousands of digits")
            return _number(word)
        if self.kind == "name":
            name = self.step()
            if name not in FUNCTIONS:
                return Name(name)
            raised = self.exponent() if self.takes("**", "^") else 1  # tanh^2(a), as it is written on paper
            if not self.takes("("):
                raise self.refusal(f"{name} needs its argument in brackets")
            call = Call(FUNCTIONS[name], self.items(")"))
            return call if raised == 1 else Power(call, raised)
        if self.takes("("):
            inside = [self.expression()]
            while self.takes(","):
                inside.append(self.expression())
            if not self.takes(")"):
                raise self.refusal("a bracket is not closed")
            return inside[0] if len(inside) == 1 else Rows(tuple(inside))
        if self.takes("["):
            return Rows(self.items("]"))
        raise self.refusal()

    def items(self, closing: str) -> tuple[Formula, ...]:
        found = [self.expression()]
        while self.takes(","):
            found.append(self.expression())
        if not self.takes(closing):
            raise self.refusal(f"{closing} is missing")
        return tuple(found)


def _number(word: str) -> Number:
    mantissa, _, _ = word.lower().partition("e")
    _, point, digits = mantissa.partition(".")
    return Number(Fraction(word), len(digits) if point or "e" in word.lower() else None)
