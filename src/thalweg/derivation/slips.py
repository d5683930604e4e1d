"""A slip in a single entry: a sign turned, a term missing or too many; and how much of an answer is right."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from thalweg.derivation.expression import Bracket, Expression
from thalweg.derivation.number import is_equal
from thalweg.derivation.student import Entry
from thalweg.derivation.substitution import Point

__all__ = ["find_slip"]

_MOST_TERMS = 200


def find_slip(entry: Entry, wanted: Expression, points: Sequence[Point]) -> tuple[str, str] | None:
    """Say what is wrong with one entry, where one slip explains it.

    Args:
        entry: What the student wrote.
        wanted: What belongs there.
        points: Where both are compared.

    Returns:
        The mistake's name and a sentence without its end; None where no slip explains it.

    Example:
        >>> from thalweg.derivation.expression import symbol
        >>> a, b = symbol("a"), symbol("b")
        >>> find_slip(Entry(text="a", expression=a), a + b, [Point({"a": 2, "b": 5})])
        ('missing term', 'the term b is missing')
    """
    mine = [point.value(entry.expression) for point in points]
    right = [point.value(wanted) for point in points]
    if all(is_equal(one, -two) for one, two in zip(mine, right, strict=True)):
        return "wrong sign", "its sign is turned"
    terms = list(_terms(wanted))
    if not 1 < len(terms) <= _MOST_TERMS:
        terms = []
    for term in terms:
        values = [point.value(term) for point in points]
        for times, mistake, words in (
            (1, "missing term", f"the term {term} is missing"),
            (2, "wrong sign", f"the sign of {term} is turned"),
            (-1, "term too many", f"the term {term} was added twice"),
        ):
            if all(
                is_equal(one, two + value * Fraction(-times))
                for one, two, value in zip(mine, right, values, strict=True)
            ):
                return mistake, words
    return None


def _terms(whole: Expression) -> Iterator[Expression]:
    """The terms of a sum, brackets multiplied out one after the other."""
    for factor, rest in whole.terms:
        bracket = next((base for base, power in rest if isinstance(base, Bracket) and power == 1), None)
        if bracket is None:
            yield Expression(((factor, rest),))
            continue
        others = Expression(((factor, tuple(item for item in rest if item[0] is not bracket)),))
        for term in _terms(bracket.inside):
            yield others * term
