"""What stands on a sheet of answers: which part each list is, and lists put together from single lines.

A sheet is a mapping (`{"dO_dx": ...}`), one list, rows between commas or gaps, or equations: `dO/dx = [[...]]`, or one
a line, `∂O/∂x₁ = c·f₁`.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thalweg.core.errors import SpecError
from thalweg.core.files import printable
from thalweg.derivation.notation import MISSING, cells_filled, plain_letters, rows_opened, split_outside

__all__ = ["PARTS", "Places", "parts_of", "rows_of"]

PARTS = ("y", "dO_dy", "dO_dx", "dO_df", "dO_db")
"""What an answer may hold, in the order of the derivation."""

_STEMS = {"x": "dO_dx", "input": "dO_dx", "f": "dO_df", "w": "dO_df", "k": "dO_df", "filter": "dO_df",
          "weight": "dO_df", "weights": "dO_df", "kernel": "dO_df", "y": "dO_dy", "output": "dO_dy", "b": "dO_db",
          "bias": "dO_db"}  # fmt: skip
_LABEL = re.compile(
    r"(?:(?:d[A-Za-z]*_d|d|grad_?)(?P<by>[A-Za-z]+?)|(?P<grad>[A-Za-z]+)[._]grad|(?P<plain>y|output))"
    r"(?P<at>_?\d+(?:_\d+)*|[\[(][\d\s,\]\[]+[\])])?$",
    re.IGNORECASE,
)
_WIDE = re.compile(r"\t+| {2,}")
_NUMBERS = re.compile(r"[-+]?[\d.]+(?:[eE/][-+]?\d+)?(?:\s+[-+]?[\d.]+(?:[eE/][-+]?\d+)?)+$")


@dataclass(frozen=True, slots=True)
class Places:
    """Entries given one by one, each with the numbers of its place as they were written."""

    entries: tuple[tuple[str, str], ...]

    def filled(self, shape: Sequence[int]) -> object:
        """Put the entries where they belong.

        Args:
            shape: Sizes of the whole.

        Returns:
            All entries in one row; what was not given is missing.

        Raises:
            SpecError: A place lies outside.
        """
        size = math.prod(shape)
        plain = [each for each in shape if each != 1] or [1]
        split = [(_numbers(at, plain), at, text) for at, text in self.entries]
        first = 0 if any(0 in numbers for numbers, _, _ in split) else 1
        row: list[object] = [MISSING] * size
        for numbers, at, text in split:
            place = [number - first for number in numbers]
            if len(place) == 1:
                place = [*_unraveled(place[0], plain)] if 0 <= place[0] < size else [-1]
            if len(place) != len(plain) or not all(0 <= one < most for one, most in zip(place, plain, strict=True)):
                raise SpecError(f"the answer speaks of place {at}, where there are {'x'.join(map(str, shape))}")
            flat = 0
            for one, most in zip(place, plain, strict=True):
                flat = flat * most + one
            row[flat] = text
        return row


def parts_of(given: object) -> dict[str, object]:
    """Take an answer apart.

    Args:
        given: dO/dx as nested lists or as text; a mapping of parts; or equations.

    Returns:
        Lists, texts or `Places` by the names of `PARTS`.

    Raises:
        SpecError: A part is unknown, or nothing is there.

    Example:
        >>> parts_of("∂O/∂f = [f₁, f₂]"), parts_of("c*f1, c*f2")
        ({'dO_df': '[f1, f2]'}, {'dO_dx': ['c*f1', 'c*f2']})
        >>> parts_of("dL/dx1 = f1; dL/dx2 = f2")
        {'dO_dx': Places(entries=(('1', 'f1'), ('2', 'f2')))}
    """
    if isinstance(given, str):
        given = _from_text(given)
    if not isinstance(given, Mapping):
        given = {"dO_dx": given}
    named: dict[str, object] = {}
    for key, value in given.items():
        name, at = _label(str(key))
        if at:
            before = named.get(name)
            named[name] = Places((*(before.entries if isinstance(before, Places) else ()), (at, str(value))))
        else:
            named[name] = value
    if not named:
        raise SpecError(f"the answer is empty; give dO/dx as a nested list, or a mapping with {', '.join(PARTS)}")
    return named


def _from_text(text: str) -> object:
    if text.lstrip().startswith("{") and (":" in text or "}" not in text):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"the answer begins like JSON but is none: {printable(str(error))}") from None
    text = plain_letters("\n".join(line.split("#")[0].rstrip() for line in text.splitlines())).strip()
    if text.startswith("{") and text.endswith("}"):
        text = f"[{text[1:-1]}]".replace("{", "[").replace("}", "]")
    lines = [line for line in split_outside(text, "\n") if line]
    if len(lines) == 1 or "=" in text:
        lines = [line for line in split_outside(text, "\n;") if line]
    equations = [part for line in lines for part in _apart(line)]
    if any(len(split_outside(part, "=")) > 1 for part in equations):
        return _equations(equations)
    return cells_filled(rows) if isinstance(rows := rows_of(text), str) else rows


def rows_of(text: str) -> str | list[str] | list[list[str]]:
    """Rows of plain text, between line ends or semicolons, their entries between commas, gaps or spaces.

    Args:
        text: In plain letters.

    Returns:
        The rows; one row as a list of its entries; text with its brackets where it has some, or is a single entry.

    Example:
        >>> rows_of("1 2; 3 4"), rows_of("1, 1/2"), rows_of("[1; 2]"), rows_of("3x3")
        ([['1', '2'], ['3', '4']], ['1', '1/2'], '[[1],[2]]', '3x3')
    """
    lines = [line for line in split_outside(text, "\n") if line]
    if len(lines) == 1:
        lines = [line for line in split_outside(text, "\n;") if line]
    rows = [_entries(line, several=len(lines) > 1) for line in lines]
    if any(len(row) > 1 for row in rows) or len(rows) > 1:
        if len(rows) == 1:
            return rows[0]
        return rows if max(map(len, rows)) > 1 else [row[0] for row in rows]
    return rows_opened(text)


def _apart(line: str) -> list[str]:
    """Equations on one line between commas."""
    parts = split_outside(line, ",")
    return parts if all("=" in part for part in parts) else [line]


def _equations(parts: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    last = ""
    for part in parts:
        sides = split_outside(part, "=")
        if len(sides) == 1 and last:
            found[last] = f"{found[last]} {part}"  # a line that goes on
            continue
        last = sides[0] if len(sides) > 1 else "dO_dx"
        found[last] = sides[-1]
    return found


def _entries(line: str, *, several: bool) -> list[str]:
    """The entries of a row: between commas, tabs, wide gaps; between spaces only where no sign stands beside them."""
    for sign in ",;":
        parts = split_outside(line.strip(sign), sign)
        if len(parts) > 1:
            return [part.strip("\"'") for part in parts]
    if "[" in line:
        return [line]
    if not several:
        return line.split() if _NUMBERS.match(line) else [line]
    wide = _WIDE.split(line)
    if len(wide) > 1 or re.search(r" [-+*/] ", line):
        return wide
    return [part for part in split_outside(line, " ") if part]


def _label(key: str) -> tuple[str, str]:
    """Which part a key or the left side of an equation names, and the numbers of a place in it."""
    text = re.sub(r"\s+", "", plain_letters(key))
    text = text.replace("/", "_").replace("'", "").replace("nabla", "grad").replace("∇", "grad")
    text = re.sub(r"\bd\(?([A-Za-z]+)\)?_d", r"d\1_d", text)
    found = _LABEL.match(text)
    if found is not None:
        stem = (found["by"] or found["grad"] or "").lower().lstrip("_")
        name = "y" if found["plain"] else _STEMS.get(stem, "")
        if name:
            return name, (found["at"] or "").strip("_[]()").replace("][", "_").replace(",", "_")
    raise SpecError(f"the answer has a part {printable(key)!r}; possible are {', '.join(PARTS)}")


def _numbers(at: str, shape: Sequence[int]) -> list[int]:
    """The numbers of a place; `21` is row 2, column 1 where a number so large is no place of its own."""
    parts = [int(part) for part in at.split("_") if part]
    if len(parts) == 1 and len(at) == len(shape) > 1 and parts[0] > math.prod(shape):
        return [int(digit) for digit in at]
    if len(parts) == 1 and len(at) == len(shape) > 1 and at.startswith("0"):
        return [int(digit) for digit in at]
    return parts


def _unraveled(flat: int, shape: Sequence[int]) -> list[int]:
    place: list[int] = []
    for most in reversed(shape):
        flat, rest = divmod(flat, most)
        place.insert(0, rest)
    return place
