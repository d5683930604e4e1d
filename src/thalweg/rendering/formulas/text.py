"""Formulas in characters: `x₁·f₁ + x₂·f₂` where a terminal has such letters, the canonical text where it has not."""

import re
from collections.abc import Iterable

from thalweg.core.formula import (
    Call,
    Equation,
    Formula,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Rows,
    Sum,
    parse_formula,
)
from thalweg.rendering.formulas.names import GREEK, Symbol, number_text, split_name

__all__ = ["formula_text", "is_long", "name_text", "wrap_formula"]

_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_HIGH = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SUM, _PRODUCT, _POWER, _ATOM = range(4)


def formula_text(formula: "Formula | str", *, plain: bool = False) -> str:
    """Write a formula for a terminal.

    Args:
        formula: A tree, or canonical text.
        plain: Use ASCII alone, in canonical form.

    Returns:
        One line; spaces stand around plus and minus only, so that it can be broken there.

    Example:
        >>> formula_text("c*(f1 + f3)"), formula_text("x_2_1**2/9"), formula_text("c*(f1 + f3)", plain=True)
        ('c·(f₁ + f₃)', 'x[2,1]²/9', 'c*(f1 + f3)')
    """
    return _Writer(plain=plain).write(parse_formula(formula) if isinstance(formula, str) else formula)


def is_long(formula: Formula, most: int) -> bool:
    """Tell whether a formula is too long to be kept on one line.

    Args:
        formula: A tree.
        most: Signs that a line has room for.

    Returns:
        Whether it has more.

    Example:
        >>> is_long(parse_formula("x1 + x2"), 6), is_long(parse_formula("x1 + x2"), 7)
        (True, False)
    """
    return len(formula_text(formula)) > most


def name_text(name: str, *, plain: bool = False) -> str:
    """Write a symbol for a terminal.

    Args:
        name: As it stands in a formula.
        plain: Use ASCII alone.

    Returns:
        With one index below the line, several in brackets.

    Example:
        >>> name_text("x12"), name_text("x_2_1_3"), name_text("dO_dy4"), name_text("alpha")
        ('x₁₂', 'x[2,1,3]', '∂O/∂y₄', 'α')
    """
    if plain:
        return name
    symbol = split_name(name)
    return _symbol(symbol) if symbol.by is None else f"∂{_symbol(symbol)}/∂{_symbol(symbol.by)}"


def _symbol(symbol: Symbol) -> str:
    stem = GREEK.get(symbol.stem, symbol.stem)
    if len(symbol.indices) > 1:
        return f"{stem}[{','.join(symbol.indices)}]"
    return stem + "".join(symbol.indices).translate(_LOW)


class _Writer:
    def __init__(self, *, plain: bool) -> None:
        self.plain = plain

    def write(self, formula: Formula, least: int = _SUM) -> str:
        """Write a part; brackets where it binds less than what stands around it."""
        text, level = self.part(formula)
        return f"({text})" if level < least else text

    def part(self, formula: Formula) -> tuple[str, int]:  # noqa: C901, PLR0911 - one answer a kind
        match formula:
            case Number():
                return number_text(formula), _ATOM
            case Name():
                return name_text(formula.name, plain=self.plain), _PRODUCT if "_d" in formula.name else _ATOM
            case Call():
                return self.call(formula), _ATOM
            case Rows():
                return f"[{self.list(formula.items)}]", _ATOM
            case Equation():
                return " = ".join(map(self.write, formula.sides)), _SUM
            case Negative():
                return f"-{self.write(formula.operand, _PRODUCT)}", _SUM
            case Sum():
                return self.sum(formula), _SUM
            case Product():
                sign = "*" if self.plain else "·"
                return sign.join(self.write(each, _PRODUCT) for each in formula.factors), _PRODUCT
            case Quotient():
                above, below = self.write(formula.numerator, _PRODUCT), self.write(formula.denominator, _POWER)
                return f"{above}/{below}", _PRODUCT
            case Power():
                return self.power(formula), _POWER

    def call(self, formula: Call) -> str:
        match formula.name, formula.arguments:
            case "Heaviside", (of, Number(value=at)) if not self.plain:  # an indicator, as it is written on paper
                return f"[{self.write(of)} {'≥' if at else '>'} 0]"
            case _:
                return f"{formula.name}({self.list(formula.arguments)})"

    def list(self, items: Iterable[Formula]) -> str:
        return ", ".join(map(self.write, items))

    def sum(self, formula: Sum) -> str:
        first, *rest = formula.terms
        text = [self.write(first, _SUM if isinstance(first, Negative) else _PRODUCT)]
        for term in rest:
            sign, of = ("-", term.operand) if isinstance(term, Negative) else ("+", term)
            text.append(f" {sign} {self.write(of, _PRODUCT)}")
        return "".join(text)

    def power(self, formula: Power) -> str:
        base, exponent = self.write(formula.base, _ATOM), str(formula.exponent)
        return f"{base}**{exponent}" if self.plain else base + exponent.translate(_HIGH)


def wrap_formula(text: str, width: int, *, indent: int = 4, begin: str = "") -> list[str]:
    """Break a written formula before its operators, so that no line is wider than the terminal.

    Args:
        text: What `formula_text` wrote; it may hold equals signs with spaces around.
        width: Columns there are.
        indent: Spaces before every line but the first.
        begin: What stands before the first line, such as `y₁ = `.

    Returns:
        The lines; a single name that is wider than the terminal stays whole.

    Example:
        >>> wrap_formula("x₁·f₁ + x₂·f₂ + x₄·f₃ + x₅·f₄", 25, begin="y₁ = ")
        ['y₁ = x₁·f₁ + x₂·f₂', '    + x₄·f₃ + x₅·f₄']
    """
    lines, rest, line = [], text, begin
    sides = re.split(r" (?== )", text)
    if len(sides) > 1 and len(begin) + len(text) > width:  # every further side begins a line
        for number, side in enumerate(sides):
            start = begin if number == 0 else " " * (indent - 1 if indent else 0) + " "
            lines += wrap_formula(side, width, indent=indent + 2 * (number > 0), begin=start)
        return _joined(lines, width)
    while len(line) + len(rest) > width:
        cut = _best_break(rest, width - len(line))
        if cut is None:
            if line.strip() and line != " " * indent and line != begin:
                lines.append(line.rstrip())
                line = " " * indent
                continue
            break
        lines.append(line + rest[:cut].rstrip())
        line, rest = " " * indent, rest[cut:].lstrip()
    return [*lines, (line + rest).rstrip()]


def _joined(lines: list[str], width: int) -> list[str]:
    """Put a short left side and what it equals on one line again."""
    if len(lines) > 1 and len(lines[0]) + 1 + len(lines[1].strip()) <= width and lines[1].lstrip().startswith("="):
        return [f"{lines[0]} {lines[1].strip()}", *lines[2:]]
    return lines


def _best_break(text: str, room: int) -> int | None:
    """Where to break: outside of brackets if that leaves a line well filled, otherwise as little inside as can be."""
    found: list[tuple[int, int, int]] = []
    depth = 0
    for place, letter in enumerate(text[: room + 1]):
        depth += (letter in "([") - (letter in ")]")
        if place and letter == " " and text[place + 1 : place + 3] in {"+ ", "- ", "= "}:
            found.append((depth, 0, place))
        elif place < room and (letter in "·," or (letter in "*/" and "*" not in text[place - 1 : place + 2 : 2])):
            found.append((depth, 1, place + 1))
    filled = [each for each in found if each[2] * 5 >= room * 2] or found
    if not filled:
        return None
    kind = min(each[1] for each in filled)
    least = min(each[0] for each in filled if each[1] == kind)
    return max(each[2] for each in filled if each[:2] == (least, kind))
