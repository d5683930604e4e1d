"""A student's answer, read: nested lists of numbers, fractions or formulas, in any equivalent form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from thalweg.core.errors import SpecError
from thalweg.core.files import printable
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
from thalweg.derivation.expression import ONE, ZERO, Expression
from thalweg.derivation.meaning import expressed, nonzero
from thalweg.derivation.notation import MISSING, cells_filled, plain_letters, rows_opened
from thalweg.derivation.number import Exact, is_equal, to_decimal
from thalweg.derivation.sheet import PARTS, Places, parts_of
from thalweg.derivation.tensor import LARGEST

__all__ = ["PARTS", "Entry", "StudentTensor", "UnevenError", "read_student"]

_FEWEST_DIGITS = 3  # a decimal with fewer significant digits is meant exactly
_MOST_DIGITS = 12  # floating point wears off the last ones
_DEEPEST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of an answer.

    Args:
        text: As the student wrote it.
        expression: What it says.
        digits: Significant digits of its roughest decimal number; None where all is exact.
        decimals: Digits behind the point where the entry is a decimal number and no more; None elsewhere.
        missing: Nothing stands there.
    """

    text: str
    expression: Expression
    digits: int | None = None
    decimals: int | None = None
    missing: bool = False

    def agrees(self, mine: Exact, right: Exact, rounded_to: int | None = None) -> bool:
        """Tell whether a value of this entry is what it should be.

        Args:
            mine: Value of this entry at some point.
            right: The value it should have there.
            rounded_to: Digits behind the point to which the whole answer is rounded; None where it is not.

        Returns:
            True where both are equal, or where this entry is a decimal number rounded correctly.
        """
        if self.missing:
            return False
        if is_equal(mine, right):
            return True
        apart = (to_decimal(mine) - to_decimal(right)).copy_abs()
        if rounded_to is not None and apart <= Decimal(10) ** -rounded_to / 2:
            return True
        if self.digits is None or self.digits < _FEWEST_DIGITS:
            return False
        size = to_decimal(right).copy_abs()
        return apart <= size / 2 * Decimal(10) ** (1 - min(self.digits, _MOST_DIGITS))  # half of the last digit


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentTensor:
    """One part of an answer.

    Args:
        shape: Its sizes.
        entries: Row by row.
    """

    shape: tuple[int, ...]
    entries: tuple[Entry, ...]

    def rounded_to(self, *, by_hand: bool) -> int | None:
        """Digits behind the point to which its numbers are rounded.

        Args:
            by_hand: Whether no exact answer in decimals exists, so that two digits are rounded ones, too.

        Returns:
            Their number; None where its decimals are too short to be meant as rounded.
        """
        places = [entry.decimals for entry in self.entries if entry.decimals is not None]
        if not places or max(places) < 2:  # noqa: PLR2004 - 0.5 is a half
            return None
        long = max((entry.digits or 0 for entry in self.entries if entry.decimals is not None), default=0)
        return max(places) if by_hand or long >= _FEWEST_DIGITS else None


class UnevenError(SpecError):
    """Rows of different length: an answer from which something is missing."""


def read_student(
    given: object, symbols: Mapping[str, Expression], shapes: Mapping[str, tuple[int, ...]] | None = None
) -> dict[str, StudentTensor]:
    """Read an answer.

    Args:
        given: dO/dx as nested lists or as text; or a mapping of parts, `{"dO_dx": ..., "dO_df": ...}`.
        symbols: What the names in formulas stand for.
        shapes: The sizes that parts should have, for answers that name places, such as `dO/dx2 = c*f1`.

    Returns:
        The parts by name, in the order of the derivation.

    Raises:
        SpecError: An entry is no formula, a part or a name is unknown.
        UnevenError: Rows are not equally long.

    Example:
        >>> from thalweg.derivation.expression import symbol
        >>> found = read_student("c*[[f1, 0.5]]", {"c": symbol("c"), "f1": symbol("f1")})
        >>> found["dO_dx"].shape, [str(entry.expression) for entry in found["dO_dx"].entries]
        ((1, 2), ['c*f1', 'c/2'])
    """
    named = parts_of(given)
    found = {}
    for name in PARTS:
        if name in named:
            value = named[name]
            if isinstance(value, Places):
                value = value.filled((shapes or {}).get(name, ()))
            shape, entries = _read(value, symbols, name, 0)
            found[name] = StudentTensor(shape=shape, entries=tuple(entries))
    return found


def _read(
    given: object, symbols: Mapping[str, Expression], place: str, depth: int
) -> tuple[tuple[int, ...], list[Entry]]:
    if hasattr(given, "tolist"):
        given = given.tolist()
    if given is None and depth:
        given = MISSING
    if isinstance(given, str):
        text = rows_opened(cells_filled(plain_letters(given)))
        if depth and text.strip().lower() in {"", "?", "-", "_", "none", "null"}:
            text = MISSING
        return _opened(parse_formula(text), symbols, place, given)
    if isinstance(given, bool) or given is None:
        raise SpecError(f"the answer's {place} is {given}; a number or a formula is wanted")
    if isinstance(given, int | float | Fraction):
        return _opened(_plain(given, place), symbols, place, str(given))
    if not isinstance(given, Sequence):
        raise SpecError(f"the answer's {place} is {printable(str(given)[:40])}; a number or a formula is wanted")
    if not given or depth == _DEEPEST:
        raise SpecError(f"the answer's {place} is empty" if not given else f"the answer's {place} has too many axes")
    return _stacked([_read(item, symbols, f"{place}[{index}]", depth + 1) for index, item in enumerate(given)], place)


def _plain(given: float | Fraction, place: str) -> Formula:
    text = str(given)
    if text.lstrip("-") in {"nan", "inf"}:
        raise SpecError(f"the answer's {place} is {text}; a finite number or a formula is wanted")
    return parse_formula(text)


def _stacked(parts: list[tuple[tuple[int, ...], list[Entry]]], place: str) -> tuple[tuple[int, ...], list[Entry]]:
    usual = max((shape for shape, _ in parts), key=[shape for shape, _ in parts].count)
    for index, (shape, _) in enumerate(parts):
        if shape != usual:
            raise UnevenError(f"{place}[{index}] has {_counted(shape)}, others have {_counted(usual)}")
    entries = [entry for _, inside in parts for entry in inside]
    if len(entries) > 4 * LARGEST:
        raise SpecError(f"the answer's {place} has {len(entries):,} entries; the limit is {4 * LARGEST:,}")
    return (len(parts), *parts[0][0]), entries


def _counted(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a single entry"
    sizes = "x".join(map(str, shape))
    return f"{sizes} entry" if shape == (1,) else f"{sizes} entries"


def _opened(  # noqa: PLR0911 - one line a kind
    formula: Formula, symbols: Mapping[str, Expression], place: str, text: str
) -> tuple[tuple[int, ...], list[Entry]]:
    """Rows in a formula become a tensor, with what stands before or after them in every entry."""
    match formula:
        case Equation(sides):
            return _opened(sides[-1], symbols, place, text.rpartition("=")[2].strip())
        case Rows(items):
            return _stacked(
                [_opened(item, symbols, f"{place}[{index}]", "") for index, item in enumerate(items)], place
            )
        case Negative(operand) if _has_rows(operand):
            return _scaled(_opened(operand, symbols, place, ""), -ONE)
        case Quotient(above, below) if _has_rows(above):
            return _scaled(_opened(above, symbols, place, ""), ONE / nonzero(expressed(below, symbols), place))
        case Product(factors) if sum(map(_has_rows, factors)) == 1:
            inside = next(factor for factor in factors if _has_rows(factor))
            outside = ONE
            for factor in factors:
                if factor is not inside:
                    outside = outside * expressed(factor, symbols)
            return _scaled(_opened(inside, symbols, place, ""), outside)
        case Name(name) if name == MISSING:
            return (), [Entry(text="", expression=ZERO, missing=True)]
        case _:
            expression = expressed(formula, symbols)
            bare = formula.operand if isinstance(formula, Negative) else formula
            decimals = bare.decimals if isinstance(bare, Number) else None
            entry = Entry(
                text=text or str(expression), expression=expression, digits=_digits(formula), decimals=decimals
            )
            return (), [entry]


def _scaled(tensor: tuple[tuple[int, ...], list[Entry]], factor: Expression) -> tuple[tuple[int, ...], list[Entry]]:
    shape, entries = tensor
    made = [(entry.expression * factor, entry) for entry in entries]
    return shape, [
        Entry(text=str(product), expression=product, digits=entry.digits, missing=entry.missing)
        for product, entry in made
    ]


def _has_rows(formula: Formula) -> bool:
    match formula:
        case Rows():
            return True
        case Negative(operand):
            return _has_rows(operand)
        case Quotient(above, _):
            return _has_rows(above)
        case Product(factors):
            return any(map(_has_rows, factors))
        case _:
            return False


def _digits(formula: Formula) -> int | None:
    """Significant digits of the roughest decimal number in a formula."""
    match formula:
        case Number(value, decimals):
            if decimals is None:
                return None
            return len(str(abs(int(value * 10**decimals)))) if value else None
        case Sum(parts) | Product(parts) | Call(_, parts):
            found = [digits for digits in map(_digits, parts) if digits is not None]
            return min(found) if found else None
        case Negative(part) | Power(part, _):
            return _digits(part)
        case Quotient(above, below):
            found = [digits for digits in (_digits(above), _digits(below)) if digits is not None]
            return min(found) if found else None
        case _:
            return None
