"""Putting numbers for symbols: the exact value of an expression at a point."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from thalweg.core.errors import SpecError
from thalweg.derivation.expression import Bracket, Expression, Factor, Function, Symbol
from thalweg.derivation.number import Exact, exponential, logarithm, sign, to_decimal

__all__ = ["Point", "names_in"]


class Point:
    """Values of symbols, and what expressions are worth there; each expression is worked out once.

    Args:
        values: By the symbol's name.

    Example:
        >>> from thalweg.derivation.expression import symbol
        >>> Point({"a": Fraction(1, 2)}).value(symbol("a") * symbol("a"))
        Fraction(1, 4)
    """

    def __init__(self, values: Mapping[str, Fraction]) -> None:
        self.values = values
        self._known: dict[Expression | Factor, Exact] = {}

    def value(self, expression: Expression) -> Exact:
        """Work out an expression.

        Args:
            expression: With symbols that have values here.

        Returns:
            Its exact value.

        Raises:
            SpecError: A symbol has no value, or something is divided by zero.
        """
        known = self._known.get(expression)
        if known is None:
            known = Fraction(0)
            for factor, rest in expression.terms:
                product: Exact = factor
                for base, power in rest:
                    product = product * self._power(base, power)
                known = known + product
            self._known[expression] = known
        return known

    def digits(self, expression: Expression) -> Decimal:
        """Work out an expression as a decimal number.

        Args:
            expression: With symbols that have values here.

        Returns:
            Its value to 60 digits, whole fractions included.
        """
        return to_decimal(self.value(expression))

    def _power(self, base: Factor, power: int) -> Exact:
        found = self._known.get(base)
        if found is None:
            found = self._known[base] = self._factor(base)
        if power < 0 and sign(found) == 0:
            raise SpecError("a formula divides by zero")
        return found if power == 1 else found**power

    def _factor(self, base: Factor) -> Exact:
        if isinstance(base, Symbol):
            if base.name not in self.values:
                raise SpecError(f"nothing is called {base.name} here")
            return self.values[base.name]
        if isinstance(base, Bracket):
            return self.value(base.inside)
        return self._function(base)

    def _function(self, function: Function) -> Exact:
        arguments = [self.value(each) for each in function.arguments]
        if function.name == "exp":
            return exponential(arguments[0])
        if function.name == "log":
            return logarithm(arguments[0])
        if function.name == "Heaviside":
            side = sign(arguments[0])
            at_zero = arguments[1] if len(arguments) > 1 else Fraction(1, 2)
            return at_zero if side == 0 else Fraction(max(side, 0))
        largest = arguments[0]
        for each in arguments[1:]:
            if sign(each - largest) > 0:
                largest = each
        return largest


def names_in(expression: Expression) -> set[str]:
    """List the symbols of an expression.

    Args:
        expression: Any.

    Returns:
        Their names.
    """
    found: set[str] = set()
    waiting = [expression]
    seen: set[Expression] = set()
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        for _, rest in here.terms:
            for base, _ in rest:
                if isinstance(base, Symbol):
                    found.add(base.name)
                elif isinstance(base, Bracket):
                    waiting.append(base.inside)
                else:
                    waiting.extend(base.arguments)
    return found
