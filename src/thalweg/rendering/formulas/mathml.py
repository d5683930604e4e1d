"""Formulas in presentation MathML, which browsers show without a script.

No browser breaks a line inside `<math>`, so that a long sum comes as several of them in a row, one a term: between them
the text around it wraps, on a phone as on paper.
"""

from collections.abc import Iterator, Sequence

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
from thalweg.rendering.formulas.layout import matrix_rows, stands_alone
from thalweg.rendering.formulas.names import GREEK, Symbol, number_text, split_name
from thalweg.rendering.formulas.text import is_long
from thalweg.rendering.markup import escape

__all__ = ["formula_mathml", "mathml_pieces", "matrix_mathml", "name_mathml"]

_SUM, _PRODUCT, _ATOM = range(3)
_BREAK = "\n"
_LONG, _SHORT = 40, 24
_KNOWN = {"Max": "max", "sigmoid": "σ", "relu": "ReLU"}
_OPEN, _CLOSE = '<mo stretchy="false">(</mo>', '<mo stretchy="false">)</mo>'
_TIMES, _DOT = "<mo>&#8290;</mo>", "<mo>·</mo>"
_SIGNS = {"+": '<mo form="infix">+</mo>', "-": '<mo form="infix">−</mo>'}


def formula_mathml(formula: "Formula | str") -> str:
    """Write a formula as one `<math>` element.

    Args:
        formula: A tree, or canonical text.

    Returns:
        The element.

    Example:
        >>> formula_mathml("x1/2")
        '<math><mfrac><mrow><msub><mi>x</mi><mn>1</mn></msub></mrow><mrow><mn>2</mn></mrow></mfrac></math>'
    """
    return f"<math>{''.join(mathml_pieces(formula))}</math>"


def mathml_pieces(formula: "Formula | str") -> list[str]:
    """Write a formula in pieces between which a line may be broken: before the signs outside of fractions and powers.

    Args:
        formula: A tree, or canonical text.

    Returns:
        The content of a `<math>` each.

    Example:
        >>> [piece.count("<mo") for piece in mathml_pieces("y1 = c*f1 - f3")]
        [0, 2, 1]
    """
    tree = parse_formula(formula) if isinstance(formula, str) else formula
    return "".join(_written(tree, _SUM)).split(_BREAK)


def name_mathml(name: str) -> str:
    """Write a symbol in MathML.

    Args:
        name: As it stands in a formula.

    Returns:
        The content of a `<math>`: letters, and indices below.

    Example:
        >>> name_mathml("x_2_1")
        '<msub><mi>x</mi><mrow><mn>2</mn><mo>,</mo><mn>1</mn></mrow></msub>'
    """
    symbol = split_name(name)
    if symbol.by is None:
        return _symbol(symbol)
    above, below = (f"<mrow><mo>∂</mo>{_symbol(each)}</mrow>" for each in (symbol, symbol.by))
    return f"<mfrac>{above}{below}</mfrac>"


def _symbol(symbol: Symbol) -> str:
    stem = f"<mi>{escape(GREEK.get(symbol.stem, symbol.stem))}</mi>"
    if not symbol.indices:
        return stem
    indices = "<mo>,</mo>".join(f"<mn>{escape(index)}</mn>" for index in symbol.indices)
    return f"<msub>{stem}{indices if len(symbol.indices) == 1 else f'<mrow>{indices}</mrow>'}</msub>"


def _written(formula: Formula, least: int) -> Iterator[str]:
    inner, level = _part(formula)
    if level < least:
        keep = not is_long(formula, _SHORT)  # a short bracket stays in one piece
        yield from (_OPEN, *(word.replace(_BREAK, "") if keep else word for word in inner), _CLOSE)
    else:
        yield from inner


def _part(formula: Formula) -> tuple[Iterator[str], int]:  # noqa: C901, PLR0911 - one answer a kind
    match formula:
        case Number():
            return iter((f"<mn>{number_text(formula)}</mn>",)), _ATOM
        case Name():
            return iter((name_mathml(formula.name),)), _ATOM
        case Rows():
            return iter((_rows(formula),)), _ATOM
        case Equation():
            return _equation(formula), _SUM
        case Quotient() | Call() | Power() if is_long(formula, _LONG):
            return _linear(formula), _ATOM if isinstance(formula, Call) else _PRODUCT
        case Call():
            return iter((_call(formula),)), _ATOM
        case Negative():
            return iter(('<mo form="prefix">−</mo>', *_written(formula.operand, _PRODUCT))), _SUM
        case Sum():
            return _sum(formula), _SUM
        case Product():
            return _product(formula), _PRODUCT
        case Quotient():
            return iter((f"<mfrac>{_row(formula.numerator)}{_row(formula.denominator)}</mfrac>",)), _PRODUCT
        case Power():
            return iter((_power(formula),)), _ATOM


def _linear(formula: Quotient | Call | Power) -> Iterator[str]:
    """On one level, where a line may be broken: no fraction and no exponent is wider than a phone."""
    match formula:
        case Quotient():
            yield from _written(formula.numerator, _PRODUCT)
            yield "<mo>/</mo>"
            yield from _written(formula.denominator, _ATOM)
        case Call(name="Heaviside", arguments=(of, Number(value=at))):
            yield from ("<mo>[</mo>", *_written(of, _SUM), f"<mo>{'≥' if at else '&gt;'}</mo><mn>0</mn><mo>]</mo>")
        case Call():
            yield from (f"<mi>{_KNOWN.get(formula.name, escape(formula.name))}</mi>", "<mo>&#8289;</mo>", _OPEN)
            for number, each in enumerate(formula.arguments):
                yield from ("<mo>,</mo>", _BREAK) if number else ()
                yield from _written(each, _SUM)
            yield _CLOSE
        case Power():
            exponent = str(formula.exponent).replace("-", "−")
            yield from (_OPEN, *_written(formula.base, _SUM), f"<msup>{_CLOSE}<mn>{exponent}</mn></msup>")


def _row(formula: Formula) -> str:
    return f"<mrow>{''.join(_written(formula, _SUM)).replace(_BREAK, '')}</mrow>"


def _sum(formula: Sum) -> Iterator[str]:
    for number, term in enumerate(formula.terms):
        negative = isinstance(term, Negative)
        if number == 0:
            yield from _written(term, _SUM if negative else _PRODUCT)
        else:
            yield from (_BREAK, _SIGNS["-" if negative else "+"])
            yield from _written(term.operand if isinstance(term, Negative) else term, _PRODUCT)


def _product(formula: Product) -> Iterator[str]:
    for number, factor in enumerate(formula.factors):
        words = tuple(_written(factor, _PRODUCT))
        if number:
            # 2 beside 1/2 would read as two and a half
            yield _DOT if words[0].startswith(("<mn>", "<mfrac><mrow><mn>")) else _TIMES
        yield from words


def _equation(formula: Equation) -> Iterator[str]:
    for number, side in enumerate(formula.sides):
        yield from (_BREAK, '<mo form="infix">=</mo>', *_written(side, _SUM)) if number else _written(side, _SUM)


def _rows(formula: Rows) -> str:
    return matrix_mathml([[_row(entry) for entry in row] for row in matrix_rows(formula)])


def matrix_mathml(rows: Sequence[Sequence[str]]) -> str:
    """Write a matrix.

    Args:
        rows: Entries in MathML.

    Returns:
        A table of the class `matrix`, whose brackets the page's style draws: without a font made for mathematics, which
        most phones lack, no bracket grows with what it holds.

    Example:
        >>> matrix_mathml([["<mi>a</mi>"]])
        '<mtable class="matrix"><mtr><mtd><mi>a</mi></mtd></mtr></mtable>'
    """
    inner = "".join(f"<mtr>{''.join(f'<mtd>{entry}</mtd>' for entry in row)}</mtr>" for row in rows)
    return f'<mtable class="matrix">{inner}</mtable>'


def _call(formula: Call) -> str:
    inner = "<mo>,</mo>".join(map(_row, formula.arguments))
    match formula.name, formula.arguments:
        case "exp", (_,):
            return f"<msup><mi>e</mi>{inner}</msup>"
        case "Heaviside", (of, Number(value=at)):  # an indicator, as it is written on paper
            return f"<mrow><mo>[</mo>{_row(of)}<mo>{'≥' if at else '&gt;'}</mo><mn>0</mn><mo>]</mo></mrow>"
        case name, _:
            shown = _KNOWN.get(name, escape(name))
            return f"<mrow><mi>{shown}</mi><mo>&#8289;</mo><mo>(</mo>{inner}<mo>)</mo></mrow>"


def _power(formula: Power) -> str:
    base = formula.base
    below = _row(base) if stands_alone(base) else f"<mrow><mo>(</mo>{_row(base)}<mo>)</mo></mrow>"
    exponent = str(formula.exponent).replace("-", "−")
    return f"<msup>{below}<mn>{exponent}</mn></msup>"
