"""Reading a small tensor: nested lists of numbers, fractions and names, as text or as Python values, or just a size."""

import keyword
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from thalweg.core.errors import SpecError
from thalweg.core.files import printable
from thalweg.core.formula import FUNCTIONS
from thalweg.derivation.notation import plain_letters
from thalweg.derivation.sheet import rows_of

__all__ = ["LARGEST", "RESERVED", "Tensor", "read_entry", "read_list", "read_tensor"]

LARGEST = 4096
"""Entries of one tensor; a derivation on paper ends long before."""

RESERVED = frozenset(FUNCTIONS) | {
    "E", "I", "N", "O", "Q", "S", "pi", "oo", "nan", "inf", "zoo", "beta", "gamma", "zeta", "re", "im", "arg", "Abs",
    "Min", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh", "abs", "sign", "floor", "root", "diff", "Li", "li",
    "Si", "Ci", "Ei", "Shi", "Chi", "Sum", "Product", "Symbol", "symbols", "test", "var", "det", "trace", "plot", "div",
    "factor", "expand", "degree", "field", "ring", "source", "subsets", "true", "false",
}  # fmt: skip
"""Names with a fixed meaning in the notation or for sympy, which shall be able to read every answer."""

_SIZE = re.compile(r"\s*[0-9]{1,7}(?:\s*[x×]\s*[0-9]{1,7}){0,5}\s*\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,30}\Z")
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,2})?\Z")
_FRACTION = re.compile(r"([-+]?[0-9]{1,40})\s*/\s*(-?[0-9]{1,40})\Z")
_OWN = re.compile(r"(?:y[0-9]+|d[A-Za-z]\w*_d\w+|q[0-9]*)\Z")
_TOKEN = re.compile(r"([\[\](),])")
_OPENING = {"[": "]", "(": ")"}
_SIGNS = {"[", "]", "(", ")", ",", ""}
_DEEPEST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A tensor's sizes and its entries row by row.

    Args:
        shape: Sizes, outermost first.
        entries: Canonical numbers (`-7/2`) or names.
    """

    shape: tuple[int, ...]
    entries: tuple[str, ...]


def read_tensor(given: object, name: str) -> Tensor:
    """Read a tensor from a size, from text or from nested lists.

    Args:
        given: `3x3` (symbols numbered row by row), `[[1, 1/2], [a, 0]]`, nested lists, an array.
        name: What it is, `x` or `f`: the stem of its symbols, and the place in a message.

    Returns:
        Sizes and entries.

    Raises:
        SpecError: It is ragged, empty or too large, or an entry is not a finite number, fraction or name.

    Example:
        >>> read_tensor("2x2", "f").entries
        ('f1', 'f2', 'f3', 'f4')
        >>> read_tensor("[[0.5, 2/4], [a, -1]]", "x")
        Tensor(shape=(2, 2), entries=('1/2', '1/2', 'a', '-1'))
    """
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if isinstance(given, str):
        if _SIZE.match(given):
            return _symbols(given, name)
        given = _from_text(given, name)
        if isinstance(given, Tensor):
            return given
    elif hasattr(given, "tolist"):
        given = given.tolist()
    shape = _shape(given, name)
    return Tensor(shape=shape, entries=tuple(_entries(given, shape, name, "")))


def _from_text(text: str, name: str) -> object:
    """Nested lists from what somebody typed or copied; a size in other letters is one, too."""
    if len(text) > 100 * LARGEST:
        return read_list(text, name)  # which refuses it
    text = re.sub(r"\(\(?\s*([-+]?\d+)\s*\)?\s*/\s*\(?\s*(\d+)\s*\)?\)", r"\1/\2", plain_letters(text).strip())
    rows = rows_of(text[1:-1] if text.startswith("([") and text.endswith("])") else text)  # as array(...) leaves it
    if not isinstance(rows, str):
        return rows
    return _symbols(rows.replace("*", "x"), name) if _SIZE.match(rows.replace("*", "x")) else read_list(rows, name)


def _symbols(text: str, name: str) -> Tensor:
    shape = tuple(int(part) for part in re.split("[x×]", text))
    if 0 in shape:
        raise SpecError(f"{name} {text.strip()}: a size is 0; sizes are whole numbers from 1")
    _refuse_large(math.prod(shape), name)
    return Tensor(shape=shape, entries=tuple(f"{name}{place + 1}" for place in range(math.prod(shape))))


def _refuse_large(count: int, name: str) -> None:
    if count > LARGEST:
        raise SpecError(
            f"{name} has {count:,} entries; a derivation is written out entry by entry, for at most {LARGEST:,}: "
            "take a smaller tensor, the rule is the same"
        )


def read_list(text: str, name: str) -> object:
    """Read brackets and commas into nested lists of text; `1/2` and names need no quotation marks.

    Args:
        text: Such as `[[1, 1/2], [a, 0]]`.
        name: What it is, for messages.

    Returns:
        Lists of lists of words, or one word where there is no bracket.

    Raises:
        SpecError: Brackets do not match, or it is too long.
    """
    if len(text) > 100 * LARGEST:
        _refuse_large(text.count(",") + 1, name)
        raise SpecError(f"{name} is a text of {len(text):,} characters; the limit is {100 * LARGEST:,}")
    words = [found for found in _TOKEN.split(text) if found and not found.isspace()]
    if not words:
        raise SpecError(f"{name} is empty; a size such as 3x3 or a list such as [[1, 0], [0, -1]] is wanted")
    words.reverse()  # so that the next word is the last
    found = _item(words, name, 0)
    if words:
        raise SpecError(_unreadable(words, name))
    return found


def _item(words: list[str], name: str, depth: int) -> object:
    """One entry, or one bracket with all that is in it."""
    word = words.pop() if words else ""
    if word not in _OPENING:
        if not word or word in _SIGNS:
            raise SpecError(_unreadable([*words, word], name))
        return word.strip().strip("\"'")
    if depth == _DEEPEST:
        raise SpecError(f"{name} has more than {_DEEPEST} brackets inside each other")
    items = []
    while words and words[-1] != _OPENING[word]:
        items.append(_item(words, name, depth + 1))
        if not words or words[-1] not in {",", _OPENING[word]}:
            raise SpecError(_unreadable(words, name))
        if words[-1] == ",":
            words.pop()
    if not words:
        raise SpecError(_unreadable(words, name))
    words.pop()
    return items


def _unreadable(words: list[str], name: str) -> str:
    near = _short("".join(words[:-6:-1])) if words and words != [""] else ""
    where = f"not understood near {near!r}" if near else "a bracket is not closed"
    return f"{name}: {where}; a size such as 3x3 or a list such as [[1, 1/2], [a, 0]] is wanted"


def _short(text: str) -> str:
    return printable(text if len(text) <= 40 else text[:37] + "...")  # noqa: PLR2004 - fits on a line


def _shape(given: object, name: str) -> tuple[int, ...]:
    shape: list[int] = []
    here = given
    while isinstance(here, Sequence) and not isinstance(here, str):
        if not here:
            raise SpecError(f"{name} is empty at depth {len(shape) + 1}; every list needs an entry")
        shape.append(len(here))
        if len(shape) > _DEEPEST:
            raise SpecError(f"{name} has more than {_DEEPEST} axes; 1 to 3 spatial ones, channels before them")
        here = here[0]
    _refuse_large(math.prod(shape), name)
    return tuple(shape)


def _entries(given: Any, shape: tuple[int, ...], name: str, place: str) -> list[str]:  # noqa: ANN401 - nested lists
    is_list = isinstance(given, Sequence) and not isinstance(given, str)
    if not shape:
        if is_list:
            raise SpecError(f"{name} is ragged: {name}{place} is a list where the first entries are single")
        return [read_entry(given, f"{name}{place}")]
    if not is_list or len(given) != shape[0]:
        size = f"has {len(given)} entries" if is_list else "is a single entry"
        raise SpecError(f"{name} is ragged: {name}{place} {size}, {shape[0]} are wanted as in the first of its kind")
    return [entry for index, item in enumerate(given) for entry in _entries(item, shape[1:], name, f"{place}[{index}]")]


def read_entry(given: object, place: str) -> str:
    """Read one number, fraction or name into its canonical text.

    Args:
        given: A number, or text.
        place: Where it stands, for the message.

    Returns:
        `-7/2`, `3`, or the name.

    Raises:
        SpecError: It is none of these, is not finite, or is a name with a meaning of its own.

    Example:
        >>> read_entry(0.1, "x[0]"), read_entry("-4/6", "x[1]"), read_entry("a", "x[2]")
        ('1/10', '-2/3', 'a')
    """
    if isinstance(given, bool) or given is None:
        raise SpecError(f"{place} is {given}; a number, a fraction such as 1/3 or a name is wanted")
    text = str(given).strip().replace("−", "-")
    if _NUMBER.match(text):
        return str(Fraction(text))
    quotient = _FRACTION.match(text)
    if quotient:
        if int(quotient[2]) == 0:
            raise SpecError(f"{place} is {text}: nothing can be divided by zero")
        return str(Fraction(int(quotient[1]), int(quotient[2])))
    if text.lower().lstrip("+-") in {"nan", "inf", "infinity"}:
        raise SpecError(f"{place} is {text}; only finite numbers have a derivative to write out")
    if not _NAME.match(text):
        raise SpecError(f"{place} is {_short(text)!r}; a number, a fraction such as 1/3 or a name such as a1 is wanted")
    if text in RESERVED or keyword.iskeyword(text) or _OWN.match(text):
        raise SpecError(
            f"{place}: the name {text} has a meaning of its own in formulas; call it {text}_ or another name"
        )
    return text
