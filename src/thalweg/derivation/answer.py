"""Comparing a student's answer with the derivation: right in any equivalent form, or the first wrong entry and why.

Two formulas are taken as equal when they agree, exactly, at several random rational points, many where there are kinks;
an accidental agreement is as unlikely as guessing a number of many digits.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from thalweg.core.derivation import AnswerCheck, ConvolutionCase
from thalweg.core.errors import SpecError
from thalweg.derivation.case import names_of
from thalweg.derivation.expression import Expression
from thalweg.derivation.geometry import unravel
from thalweg.derivation.gradients import Gradients
from thalweg.derivation.mistakes import EXPLANATIONS, guesses
from thalweg.derivation.naming import CONVENTIONS, Names
from thalweg.derivation.number import Exact
from thalweg.derivation.self_check import random_values
from thalweg.derivation.sheet import PARTS
from thalweg.derivation.slips import find_slip
from thalweg.derivation.stages import stage_symbol
from thalweg.derivation.student import Entry, StudentTensor, UnevenError, read_student
from thalweg.derivation.substitution import Point
from thalweg.derivation.wrong_ways import Guess

__all__ = ["check_answer"]

_POINTS = 3
_POINTS_AT_KINKS = 12
_LONGEST = 160
_USUAL = frozenset({
    "unflipped filter",
    "forgotten stride",
    "transposed",
    "forgotten mean factor",
    "padding left in",
})  # go before rarer mistakes that would give the same here


def check_answer(case: ConvolutionCase, found: Gradients, given: object) -> AnswerCheck:
    """Compare an answer entry by entry.

    Args:
        case: The case.
        found: What is right.
        given: What the student says; dO/dx, or a mapping of parts.

    Returns:
        Whether all is right, else the first wrong entry and the likely mistake.

    Raises:
        SpecError: The answer cannot be read.
    """
    right: AnswerCheck | None = None
    refused: list[SpecError] = []
    for convention in CONVENTIONS:
        names = _names(case, found, convention)
        try:
            answer = read_student(given, names, {part: _shape(case, part) for part in PARTS})
        except UnevenError as error:
            return _lacking(str(error), 0)
        except SpecError as error:
            refused.append(error)
            continue
        if not names.fits:
            continue
        judged = _compared(case, found, answer)
        right = right or judged
        if judged.right:
            return judged
    if right is None:
        raise refused[0]
    return right


def _lacking(first_wrong: str, compared: int) -> AnswerCheck:
    words = "an entry, or a bracket, is missing or too many."
    return AnswerCheck(
        right=False, first_wrong=first_wrong, likely_mistake="missing entry", explanation=words, compared=compared
    )


def _names(case: ConvolutionCase, found: Gradients, convention: tuple[bool, int]) -> Names:
    """The case's own names, those of places of y and of its gradient, and of places where numbers stand."""
    own = {name: stage_symbol(name) for name in names_of(case)}
    symbols, tensors = dict(own), {}
    for stem, shape, texts, entries in (
        ("x", case.x_shape, case.x, found.x),
        ("f", case.f_shape, case.f, found.f),
        ("y", case.y_shape, (), found.y),
        ("dO_dy", case.y_shape, (), found.dO_dy),
    ):
        names = tuple(f"{stem}{place + 1}" for place in range(len(entries)))
        if names == texts or not own.keys() & names:
            symbols |= {name: entry for name, entry in zip(names, entries, strict=True) if name not in own}
            tensors[stem] = (shape, names)
    return Names(symbols, tensors, convention)


def _compared(case: ConvolutionCase, found: Gradients, answer: Mapping[str, StudentTensor]) -> AnswerCheck:
    points = _points(case)
    compared = 0
    for part, tensor in answer.items():
        shape = _shape(case, part)
        right: list[Expression] = getattr(found, part)
        if not _fits(tensor.shape, shape):
            wrong = f"{part} has the shape {_sizes(tensor.shape)}, {_sizes(shape)} is wanted"
            return _judged(case, part, tensor, None, points, compared, wrong)
        by_hand = not names_of(case) and not all(isinstance(points[0].value(each), Fraction) for each in right)
        rounded = tensor.rounded_to(by_hand=by_hand)
        for place, (entry, wanted) in enumerate(zip(tensor.entries, right, strict=True)):
            compared += 1
            if not _agrees(entry, wanted, points, rounded):
                where = part + "".join(f"[{at}]" for at in unravel(place, shape))
                if entry.missing:
                    wrong = f"{where} is missing; {_cut(str(wanted))} belongs there"
                    return _lacking(wrong, compared)
                wrong = f"{where} is {_cut(entry.text)} instead of {_cut(str(wanted))}"
                return _judged(case, part, tensor, right, points, compared, wrong, place)
    return AnswerCheck(right=True, compared=compared)


def _points(case: ConvolutionCase) -> list[Point]:
    if not names_of(case):
        return [Point({})]
    kinked = any(stage.kind in {"relu", "max_pool"} for stage in case.head)
    return [Point(random_values(case, seed + 100)) for seed in range(_POINTS_AT_KINKS if kinked else _POINTS)]


def _agrees(entry: Entry, wanted: Expression, points: Sequence[Point], rounded: int | None = None) -> bool:
    return not entry.missing and (
        entry.expression == wanted
        or all(entry.agrees(point.value(entry.expression), point.value(wanted), rounded) for point in points)
    )


def _shape(case: ConvolutionCase, part: str) -> tuple[int, ...]:
    return {
        "y": case.y_shape,
        "dO_dy": case.y_shape,
        "dO_dx": case.x_shape,
        "dO_df": case.f_shape,
        "dO_db": (case.out_channels,),
    }[part]


def _fits(given: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """The right sizes, but for axes of size 1; or all entries in one row."""
    plain = tuple(size for size in wanted if size != 1)
    if tuple(size for size in given if size != 1) == plain:
        return True
    count = 1
    for size in wanted:
        count *= size
    return given == (count,)


def _judged(
    case: ConvolutionCase,
    part: str,
    tensor: StudentTensor,
    right: Sequence[Expression] | None,
    points: Sequence[Point],
    compared: int,
    first_wrong: str,
    place: int = 0,
) -> AnswerCheck:
    """Find the mistake that explains an answer as a whole; `right` is None where the shape is wrong."""
    mistake: str | None = None
    words = "no known mistake gives this answer"
    found = _explanations(case, part, tensor, points)
    if found:
        also = f"; {' and '.join(found[1:])} would give the same here" if found[1:] else ""
        mistake, words = found[0], EXPLANATIONS[found[0]] + also
    elif right is None:
        mistake, words = "wrong shape", "dO/dx has the shape of x, dO/df that of f, dO/dy that of y"
    else:
        ratio = _common_ratio(tensor, right, points)
        if ratio is not None:
            mistake, words = "wrong factor", f"every entry is {ratio} times the right one"
    if mistake in {None, "wrong shape"}:
        mistake, words = _besides_a_factor(case, part, tensor, points[0]) or (mistake, words)
    if mistake is None and right is not None:
        mistake, words = _slip(tensor, right, points, place)
    return AnswerCheck(
        right=False, first_wrong=first_wrong, likely_mistake=mistake, explanation=words + ".", compared=compared
    )


def _slip(
    tensor: StudentTensor, right: Sequence[Expression], points: Sequence[Point], place: int
) -> tuple[str | None, str]:
    """What is wrong with the first wrong entry alone, and how many others are right."""
    count = sum(_agrees(entry, wanted, points) for entry, wanted in zip(tensor.entries, right, strict=True))
    found = find_slip(tensor.entries[place], right[place], points)
    others = f"{count} of {len(right)} entries are right"
    if found is None:
        return None, f"no known mistake gives this answer; {others}"
    return found[0], f"in this entry {found[1]}; {others}"


def _explanations(case: ConvolutionCase, part: str, tensor: StudentTensor, points: Sequence[Point]) -> list[str]:
    """Mistakes whose result is the student's answer, at two points."""
    shape = tuple(size for size in tensor.shape if size != 1)
    left: list[str] | None = None
    for point in points[:2]:
        theirs = [point.value(entry.expression) for entry in tensor.entries]
        here = [
            guess.mistake
            for guess in guesses(case, part, point.values)
            if guess.shape == shape and _same(tensor.entries, theirs, guess)
        ]
        left = list(dict.fromkeys(here if left is None else (name for name in left if name in here)))
        if not left:
            return []
    return sorted(left or [], key=lambda name: name not in _USUAL)


def _besides_a_factor(case: ConvolutionCase, part: str, tensor: StudentTensor, point: Point) -> tuple[str, str] | None:
    """Two mistakes at once: a known one, and a factor on top, such as that of a mean."""
    shape = tuple(size for size in tensor.shape if size != 1)
    theirs = [point.value(entry.expression) for entry in tensor.entries]
    for guess in guesses(case, part, point.values):
        if guess.shape == shape:
            ratio = _ratio(theirs, guess.values)
            if ratio is not None and len({value for value in theirs if isinstance(value, Fraction)}) > 2:  # noqa: PLR2004
                return guess.mistake, f"{EXPLANATIONS[guess.mistake]}; besides, a factor of {ratio} is too much"
    return None


def _same(entries: Sequence[Entry], theirs: Sequence[Exact], guess: Guess) -> bool:
    return len(theirs) == len(guess.values) and all(
        entry.agrees(mine, value) for entry, mine, value in zip(entries, theirs, guess.values, strict=True)
    )


def _common_ratio(tensor: StudentTensor, right: Sequence[Expression], points: Sequence[Point]) -> Fraction | None:
    """The factor between an answer and the right one, where it is the same everywhere."""
    ratios = {
        _ratio([point.value(entry.expression) for entry in tensor.entries], [point.value(each) for each in right])
        for point in points[:2]
    }
    return ratios.pop() if len(ratios) == 1 else None


def _ratio(mine: Sequence[Exact], theirs: Sequence[Exact]) -> Fraction | None:
    """The one factor between two lists of fractions, or None."""
    found: set[Fraction] = set()
    for one, two in zip(mine, theirs, strict=True):
        if not isinstance(one, Fraction) or not isinstance(two, Fraction) or (two == 0) != (one == 0):
            return None
        if two:
            found.add(one / two)
    return found.pop() if len(found) == 1 else None


def _sizes(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
