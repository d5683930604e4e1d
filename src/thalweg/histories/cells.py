"""Cells of other people's tables as numbers: `NA`, decimal commas, percent signs, tensors printed by accident."""

import math
import re
from collections.abc import Sequence

import numpy as np

from thalweg.histories.recording import Floats

__all__ = ["DIGITS", "MISSING", "number", "numbers"]

MISSING = frozenset({"", "na", "n/a", "none", "null", "-", "--", "nil", "<na>", "missing", "#n/a"})
"""What stands for a value that was not recorded; `nan` is not among them, for it was."""

DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٫−", "01234567890123456789.-")
"""Persian and Arabic digits, the decimal sign between them, and the minus of print, as programs write them."""

_WRAPPED = re.compile(r"(?:[A-Za-z_.]+\d*)?[\[(]+\s*([-+0-9.einfaINFNAE]+)\s*(?:[,\])].*)?", re.DOTALL)
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d\d(?:\.\d+)?)")
_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?(?:\s?%)?")
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SPECIAL = {"1.#qnan": math.nan, "-1.#ind": math.nan, "1.#inf": math.inf, "-1.#inf": -math.inf, "-nan": math.nan}


def number(cell: str, *, decimal_comma: bool = False) -> float | None:
    """Read one cell.

    Args:
        cell: Its text.
        decimal_comma: The table writes 0,5 for a half.

    Returns:
        The number; None for a value that was not recorded.

    Raises:
        ValueError: The cell is neither.

    Example:
        >>> [number(cell) for cell in ("0.5", " NA", "-inf", "95 %", "tensor(0.25, device='cuda:0')", "01:30")]
        [0.5, None, -inf, 0.95, 0.25, 90.0]
        >>> number("0,5", decimal_comma=True)
        0.5
    """
    text = cell.strip().translate(DIGITS)
    if text.lower() in MISSING:
        return None
    if decimal_comma and _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return _odd(text)


def _odd(text: str) -> float:
    """Read what `float` does not: percentages, grouped thousands, printed tensors, clock times."""
    if text.endswith("%"):
        return float(text[:-1]) / 100
    if text.lower() in _SPECIAL:
        return _SPECIAL[text.lower()]
    if _GROUPED.fullmatch(text):
        return float(text.replace(",", ""))
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = clock.groups(default="0")
        return 3600.0 * float(hours) + 60.0 * float(minutes) + float(seconds)  # of any number of digits
    if wrapped := _WRAPPED.fullmatch(text):
        return float(wrapped[1])
    raise ValueError(text)


def numbers(cells: Sequence[str], *, decimal_comma: bool = False) -> tuple[Floats, "np.typing.NDArray[np.bool_]"]:
    """Read a column.

    Args:
        cells: Its cells.
        decimal_comma: The table writes 0,5 for a half.

    Returns:
        The values, and which of them were recorded.

    Raises:
        ValueError: A cell is not a number.

    Example:
        >>> values, recorded = numbers(["1", "", "nan"])
        >>> values[recorded]
        array([ 1., nan])
    """
    try:
        values = np.array(list(map(float, cells)), dtype=np.float64)
    except ValueError:
        read = [number(cell, decimal_comma=decimal_comma) for cell in cells]
        values = np.array([math.nan if each is None else each for each in read], dtype=np.float64)
        return values, np.array([each is not None for each in read], dtype=np.bool_)
    return values, np.ones(len(values), dtype=np.bool_)
