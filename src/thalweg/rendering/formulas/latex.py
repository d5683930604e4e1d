"""Formulas in LaTeX with amsmath."""

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

__all__ = ["formula_latex", "latex_lines", "matrix_latex", "name_latex", "words_latex"]

_SUM, _PRODUCT, _ATOM = range(3)
_LONG, _SHORT = 75, 40
_KNOWN = {"exp": r"\exp", "log": r"\log", "Max": r"\max", "sigmoid": r"\sigma", "relu": r"\operatorname{ReLU}"}
_ESCAPED = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "·": r"\(\cdot\)", "×": r"\(\times\)", "−": "-", "∂": r"\(\partial\)", "≥": r"\(\ge\)", "≤": r"\(\le\)",
    "→": r"\(\to\)", "…": r"\dots{}", "ᵀ": r"\(^{\mathsf{T}}\)",
}  # fmt: skip
_ESCAPED |= {letter: rf"\(\{name}\)" for name, letter in GREEK.items() if name != "lambda_"}


def formula_latex(formula: "Formula | str") -> str:
    r"""Write a formula in LaTeX, for math mode.

    Args:
        formula: A tree, or canonical text.

    Returns:
        On one line.

    Example:
        >>> print(formula_latex("c*(f1 + f3)/9"))
        \frac{c\,(f_{1} + f_{3})}{9}
        >>> print(formula_latex("exp(q1)/(exp(q1) + 1)"))
        \frac{e^{q_{1}}}{e^{q_{1}} + 1}
    """
    return " ".join(latex_lines(formula))


def latex_lines(formula: "Formula | str") -> list[str]:
    r"""Write a formula in pieces, between which a line may be broken: before the signs outside fractions.

    Args:
        formula: A tree, or canonical text.

    Returns:
        Pieces; each but the first begins with its sign. Brackets may open in one and close in another.

    Example:
        >>> latex_lines("y1 = f1 - f3")
        ['y_{1}', '= f_{1}', '- f_{3}']
    """
    tree = parse_formula(formula) if isinstance(formula, str) else formula
    return "".join(_written(tree, _SUM)).split("\n")


def name_latex(name: str) -> str:
    r"""Write a symbol in LaTeX.

    Args:
        name: As it stands in a formula.

    Returns:
        With its indices below.

    Example:
        >>> print(name_latex("x_2_1"), name_latex("dO_dy4"), name_latex("weight"))
        x_{2,1} \frac{\partial O}{\partial y_{4}} \mathit{weight}
    """
    symbol = split_name(name)
    if symbol.by is None:
        return _symbol(symbol)
    return rf"\frac{{\partial {_symbol(symbol)}}}{{\partial {_symbol(symbol.by)}}}"


def _symbol(symbol: Symbol) -> str:
    stem = symbol.stem
    if stem in GREEK:
        stem = "\\" + stem.rstrip("_")
    elif len(stem) > 1:
        stem = rf"\mathit{{{words_latex(stem)}}}"
    return f"{stem}_{{{','.join(symbol.indices)}}}" if symbol.indices else stem


def words_latex(text: str) -> str:
    r"""Write words in LaTeX, for text mode.

    Args:
        text: Anything printable.

    Returns:
        With every sign that LaTeX would act upon escaped.

    Example:
        >>> print(words_latex("50 % of f_1"))
        50 \% of f\_1
    """
    return "".join(_ESCAPED.get(letter, letter) for letter in text)


def _written(formula: Formula, least: int) -> Iterator[str]:
    r"""Tokens of a part; a line break stands where a line may be broken."""
    inner, level = _part(formula)
    if level < least:
        keep = not is_long(formula, _SHORT)  # a short bracket stays in one piece
        yield from ("(", *(word.replace("\n", " ") if keep else word for word in inner), ")")
    else:
        yield from inner


def _part(formula: Formula) -> tuple[Iterator[str], int]:  # noqa: C901, PLR0911 - one answer a kind
    match formula:
        case Number():
            return iter((number_text(formula),)), _ATOM
        case Name():
            return iter((name_latex(formula.name),)), _ATOM
        case Rows():
            return iter((_rows(formula),)), _ATOM
        case Equation():
            return _equation(formula), _SUM
        case Quotient() | Call() | Power() if is_long(formula, _LONG):
            return _linear(formula), _ATOM if isinstance(formula, Call) else _PRODUCT
        case Call():
            return _call(formula), _ATOM
        case Negative():
            return iter(("-", *_written(formula.operand, _PRODUCT))), _SUM
        case Sum():
            return _sum(formula), _SUM
        case Product():
            return _product(formula), _PRODUCT
        case Quotient():
            return iter((rf"\frac{{{_whole(formula.numerator)}}}{{{_whole(formula.denominator)}}}",)), _PRODUCT
        case Power():
            return _power(formula), _ATOM


def _linear(formula: Quotient | Call | Power) -> Iterator[str]:
    """On one level, where a line may be broken: no fraction and no exponent is wider than the page."""
    match formula:
        case Quotient():
            yield from (*_written(formula.numerator, _PRODUCT), " / ", *_written(formula.denominator, _ATOM))
        case Call(name="Heaviside", arguments=(of, Number(value=at))):
            yield from ("[", *_written(of, _SUM), r" \ge 0]" if at else " > 0]")
        case Call():
            yield (_KNOWN.get(formula.name) or rf"\operatorname{{{words_latex(formula.name)}}}") + "("
            for number, each in enumerate(formula.arguments):
                yield from (",\n" if number else "", *_written(each, _SUM))
            yield ")"
        case Power():
            yield from ("(", *_written(formula.base, _SUM), f")^{{{formula.exponent}}}")


def _whole(formula: Formula) -> str:
    return "".join(_written(formula, _SUM)).replace("\n", " ")


def _sum(formula: Sum) -> Iterator[str]:
    for number, term in enumerate(formula.terms):
        if number == 0:
            yield from _written(term, _SUM if isinstance(term, Negative) else _PRODUCT)
        elif isinstance(term, Negative):
            yield from ("\n- ", *_written(term.operand, _PRODUCT))
        else:
            yield from ("\n+ ", *_written(term, _PRODUCT))


def _product(formula: Product) -> Iterator[str]:
    for number, factor in enumerate(formula.factors):
        words = tuple(_written(factor, _PRODUCT))
        if number:
            # 2 beside 1/2 would read as two and a half
            yield r" \cdot " if words[0].removeprefix(r"\frac{")[:1].isdigit() else r"\,"
        yield from words


def _equation(formula: Equation) -> Iterator[str]:
    for number, side in enumerate(formula.sides):
        yield from ("\n= ", *_written(side, _SUM)) if number else _written(side, _SUM)


def _rows(formula: Rows) -> str:
    return matrix_latex([[_whole(entry) for entry in row] for row in matrix_rows(formula)])


def matrix_latex(rows: Sequence[Sequence[str]]) -> str:
    r"""Write a matrix; unlike amsmath's own `bmatrix`, an array may have more than ten columns.

    Args:
        rows: Entries in LaTeX.

    Returns:
        The matrix in square brackets.

    Example:
        >>> print(matrix_latex([["a", "b"]]))
        \left[\begin{array}{cc} a & b \end{array}\right]
    """
    columns = "c" * max(map(len, rows), default=1)
    inner = r" \\ ".join(" & ".join(row) for row in rows)
    return rf"\left[\begin{{array}}{{{columns}}} {inner} \end{{array}}\right]"


def _call(formula: Call) -> Iterator[str]:
    inner = ", ".join(map(_whole, formula.arguments))
    match formula.name, formula.arguments:
        case "exp", (_,):
            yield f"e^{{{inner}}}"
        case "Heaviside", (of, Number(value=at)):  # an indicator, as it is written on paper
            sign = r"\ge" if at else ">"
            yield rf"\left[{_whole(of)} {sign} 0\right]"
        case name, _:
            known = _KNOWN.get(name) or rf"\operatorname{{{words_latex(name)}}}"
            yield rf"{known}\left({inner}\right)"


def _power(formula: Power) -> Iterator[str]:
    base = formula.base
    yield from _written(base, _SUM) if stands_alone(base) else (r"\left(", _whole(base), r"\right)")
    yield f"^{{{formula.exponent}}}"
