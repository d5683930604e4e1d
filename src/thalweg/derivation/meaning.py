"""What a formula of an answer says: its names, functions and powers as an expression."""

from collections.abc import Callable, Mapping
from fractions import Fraction

from thalweg.core.errors import SpecError
from thalweg.core.files import printable
from thalweg.core.formula import Call, Formula, Name, Negative, Number, Power, Product, Quotient, Sum
from thalweg.derivation.expression import ONE, ZERO, Expression, Function, add, number

__all__ = ["expressed", "nonzero"]

_MOST_BITS = 4096


def expressed(formula: Formula, symbols: Mapping[str, Expression]) -> Expression:  # noqa: C901, PLR0911 - one line a kind
    """Turn a formula into an expression.

    Args:
        formula: Without equation and rows.
        symbols: What its names stand for.

    Returns:
        The expression.

    Raises:
        SpecError: A name is unknown, or something is divided by zero.
    """
    match formula:
        case Number(value):
            return number(value)
        case Name(name):
            if name not in symbols:
                known = ", ".join(list(symbols)[:12])
                raise SpecError(f"the answer speaks of {printable(name)}, which is not in this case; known are {known}")
            return symbols[name]
        case Negative(operand):
            return -expressed(operand, symbols)
        case Sum(terms):
            return add(expressed(term, symbols) for term in terms)
        case Product(factors):
            found = ONE
            for factor in factors:
                found = found * expressed(factor, symbols)
            return found
        case Quotient(above, below):
            return expressed(above, symbols) / nonzero(expressed(below, symbols), "denominator")
        case Power(base, exponent):
            return _power(expressed(base, symbols), exponent)
        case Call(name, arguments):
            return _called(name, [expressed(argument, symbols) for argument in arguments])
        case _:
            raise SpecError("the answer has an equation or a list where a single entry is wanted")


def nonzero(value: Expression, place: str) -> Expression:
    """Refuse to divide by zero.

    Args:
        value: What something is divided by.
        place: Where, for the message.

    Returns:
        The same.

    Raises:
        SpecError: It is zero.
    """
    if value == ZERO:
        raise SpecError(f"the answer divides by zero ({place})")
    return value


def _power(base: Expression, exponent: int) -> Expression:
    value = base.value
    if value is not None:
        bits = max(value.numerator.bit_length(), value.denominator.bit_length()) * abs(exponent)
        if bits > _MOST_BITS:
            raise SpecError("the answer has a power with more digits than can be compared")
        if value == 0:
            if exponent <= 0:
                raise SpecError("the answer divides by zero (a power of 0)")
            return ZERO
    return base**exponent


def _called(name: str, arguments: list[Expression]) -> Expression:
    wanted = {"Max": (1, 1000), "Heaviside": (1, 2)}.get(name, (1, 1))
    if not wanted[0] <= len(arguments) <= wanted[1]:
        raise SpecError(f"the answer gives {name} {len(arguments)} arguments")
    if name == "sigmoid":
        return ONE / (ONE + _called("exp", [-arguments[0]]))
    if name == "tanh":
        return ONE - number(2) / (ONE + _called("exp", [number(2) * arguments[0]]))
    if name in _SLOPES:
        return _SLOPES[name](arguments[0])
    if name == "relu":
        return _called("Max", [ZERO, arguments[0]])
    if name == "exp" and arguments[0] == ZERO:
        return ONE
    return Expression(((Fraction(1), ((Function(name, *arguments), 1),)),))


_SLOPES: Mapping[str, Callable[[Expression], Expression]] = {
    "relu_slope": lambda at: _called("Heaviside", [at, ZERO]),
    "sigmoid_slope": lambda at: _called("sigmoid", [at]) * (ONE - _called("sigmoid", [at])),
    "tanh_slope": lambda at: ONE - _called("tanh", [at]) ** 2,
}
"""Derivatives, as they are written with a stroke: σ'(y)."""
