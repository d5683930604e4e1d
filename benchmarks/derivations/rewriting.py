"""Random rewriting of right formulas: the same value in another form, as people write it."""

import random
from fractions import Fraction
from typing import Any

from thalweg.core.formula import Call, Formula, Name, Negative, Number, Power, Product, Quotient, Sum, parse_formula

__all__ = ["rewritten"]


def rewritten(entries: Any, draw: random.Random) -> Any:  # noqa: PLR0911 - each form at once
    """Rewrite every entry of nested tuples; numbers become floats, decimals or text now and then."""
    if not isinstance(entries, str):
        return [rewritten(entry, draw) for entry in entries]
    try:
        value = Fraction(entries)
    except ValueError:
        return _written(parse_formula(entries), draw)
    choice = draw.randrange(6)
    if choice == 0:
        return float(value)
    if choice == 1 and value.denominator == 1:
        return int(value)
    if choice == 2:
        factor = draw.randint(2, 9)
        return f"{value.numerator * factor}/{value.denominator * factor}"
    if choice == 3:
        return f"{float(value):.6g}"
    return _written(parse_formula(entries), draw)


def _written(formula: Formula, draw: random.Random) -> str:
    """One more layer of change, now and then, around what the parts have become."""
    text = _form(formula, draw)
    if draw.random() < 0.08:
        return draw.choice((f"({text})*3/3", f"(({text}) + 7 - 7)", f"(2*({text}) - ({text}))", f"-(-({text}))"))
    return text


def _form(formula: Formula, draw: random.Random) -> str:  # noqa: PLR0911 - one line a kind
    match formula:
        case Number(value):
            return _number(value, draw)
        case Name(name):
            return name
        case Negative(operand):
            return draw.choice(("((-1)*({}))", "(-({}))", "(0 - ({}))")).format(_written(operand, draw))
        case Sum(terms):
            parts = [_written(term, draw) for term in terms]
            draw.shuffle(parts)
            return "(" + " + ".join(f"({part})" for part in parts) + ")"
        case Product(factors):
            return _product(list(factors), draw)
        case Quotient(above, below):
            return f"({_written(above, draw)})/({_written(below, draw)})"
        case Power(base, exponent):
            text = _written(base, draw)
            if 1 < exponent < 4 and draw.random() < 0.5:
                return "*".join([f"({text})"] * exponent)
            return f"({text}){draw.choice(('**', '^'))}{exponent}"
        case Call(name, arguments):
            return _called(name, [_written(argument, draw) for argument in arguments], draw)
        case _:
            raise TypeError(formula)


def _product(factors: list[Formula], draw: random.Random) -> str:
    """Factors in another order, or multiplied out into a sum that is one of them."""
    draw.shuffle(factors)
    sums = [factor for factor in factors if isinstance(factor, Sum)]
    if sums and draw.random() < 0.5:
        rest = [factor for factor in factors if factor is not sums[0]]
        outside = "*".join(f"({_written(factor, draw)})" for factor in rest)
        return "(" + " + ".join(f"({_written(term, draw)})*{outside}" for term in sums[0].terms) + ")"
    return draw.choice(("*", " * ", " ")).join(f"({_written(factor, draw)})" for factor in factors)


def _number(value: Fraction, draw: random.Random) -> str:
    choice = draw.randrange(5)
    if choice == 0 and value:
        return f"(1/({value.denominator}/{value.numerator}))"
    if choice == 1:
        return f"({value - 1} + 1)"
    return f"{value.numerator}" if value.denominator == 1 else f"({value.numerator}/{value.denominator})"


def _called(name: str, arguments: list[str], draw: random.Random) -> str:
    if name == "Max":
        draw.shuffle(arguments)
        return f"{draw.choice(('max', 'Max'))}({', '.join(arguments)})"
    if name == "exp" and draw.random() < 0.3:
        return f"(1/exp(-({arguments[0]})))"
    return f"{name}({', '.join(arguments)})"
