"""What people write, in the letters that formulas are read in: f₁, f_{1}, x², ∂O/∂x, ½, σ(y), printed matrices.

Only the letters change here, no meaning: `plain_letters` goes from text to text. LaTeX has a file of its own, and what
stands in brackets, rows or equations is taken apart in `student`.
"""

import re
import unicodedata
from collections.abc import Iterator

from thalweg.core.formula import FUNCTIONS
from thalweg.derivation.latex import from_latex

__all__ = ["MISSING", "cells_filled", "plain_letters", "rows_opened", "split_outside"]

MISSING = "missing__"
"""The name that stands where an answer has an empty place or a question mark."""

_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_LETTERS = {
    **{letter: str(digit) for digit, letter in enumerate(_SUBSCRIPTS)},
    **{digits[at]: str(at) for digits in ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩") for at in range(10)},
    "₊": "+", "₋": "-", "∂": "d", "𝜕": "d", "∙": "*", "∗": "*", "•": "*", "⁄": "/", "∕": "/", "‐": "-", "‑": "-",
    "—": "-", "﹣": "-", "＋": "+", "，": ",", "،": ",", "؛": ";", "；": ";", "（": "(", "）": ")", "［": "[",
    "］": "]", "＝": "=", "٫": ".", "≥": ">=", "⩾": ">=", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u200b": "",
    "\u200e": "", "\u200f": "", "\ufeff": "", "\u2062": "*", "′": "'", "’": "'", "𝟙": "1", "½": "(1/2)", "¼": "(1/4)",
    "¾": "(3/4)", "⅓": "(1/3)", "⅔": "(2/3)", "⅛": "(1/8)", "⅙": "(1/6)", "…": "?",
}  # fmt: skip
_GREEK = {"lamda": "lambda_", "sigma": "sigmoid"}
_TABLE = str.maketrans(_LETTERS)
_POWER = re.compile(f"⁻?[{_SUPERSCRIPTS}]+")
_LEFT, _RIGHT = "⎡⎢⎣⎛⎜⎝┌│├└|", "⎤⎥⎦⎞⎟⎠┐│┤┘|"
_CALL = re.compile(
    r"\b(?:(?:np|numpy|jnp|torch|tf|sp|sympy)\s*\.\s*)?(?:array|asarray|tensor|Tensor|constant|Matrix|ImmutableMatrix)"
    r"\s*(?=\()"
)
_SETTING = re.compile(r",\s*(?:dtype|device|requires_grad|grad_fn)\s*=\s*[\w.'\"<>]+")
_INDICATOR = re.compile(
    "|".join(
        rf"(?:\b[1IHu]_?\s*)?{opening}\s*((?:[^()\[\]{{}}<>=]|\([^()<>=]*\))+?)\s*>(=?)\s*0(?:\.0*)?\s*{closing}"
        for opening, closing in ((r"\[", r"\]"), (r"\(", r"\)"), (r"\{", r"\}"))
    )
)
_PLACE = re.compile(
    r"(?<![A-Za-z_])([bfgktwxyFKWXY])((?:\[\s*\d+\s*\])+|\[\s*\d+(?:\s*,\s*\d+)+\s*\]|\(\s*\d+(?:\s*,\s*\d+)+\s*\))"
)
_SLOPE = re.compile(r"\b(sigmoid|tanh|relu|ReLU)\s*'\s*(?=\()")
_NUMBERS = re.compile(r"(?<=[\d.])\s+(?=[-+]?\.?\d)")
_OPEN, _SHUT = "([{", ")]}"


def plain_letters(text: str) -> str:
    r"""Write an answer in the letters of formulas.

    Args:
        text: As somebody typed, printed or copied it.

    Returns:
        The same in ASCII as far as it is known; what is not stays as it is and is refused where it is read.

    Example:
        >>> plain_letters("c·(f₁ + f_{12})² ÷ ۲")
        'c·(f1 + f_12)**2 ÷ 2'
        >>> plain_letters(r"\frac{\partial O}{\partial x_1} = \frac{1}{2}\left(f_1 + f_2\right)")
        'dO_dx_1 = ((1)/(2)) (f_1 + f_2 )'
        >>> plain_letters("∂O/∂x = c · ⎡ f₁  f₁ + f₂ ⎤")
        'dO_dx = c · [[f1,f1 + f2]]'
    """
    text = _POWER.sub(lambda found: f"**({_digits(found[0])})", text) if re.search(f"[{_SUPERSCRIPTS}]", text) else text
    text = re.sub(r"\*\*\((\d+)\)", r"**\1", text)
    text = _printed(text).translate(_TABLE)
    text = "".join(_greek(letter) if "\u0370" <= letter <= "\u03ff" else letter for letter in text)
    text = from_latex(text)
    text = re.sub(r"_\{\s*([^{}]*?)\s*\}", lambda found: "_" + re.sub(r"[\s,]+", "_", found[1]), text)
    text = _CALL.sub("", _SETTING.sub("", text))
    text = re.sub(r"\bd\s*(\w+)\s*/\s*d\s*([A-Za-z]\w*)", r"d\1_d\2", text)
    text = _INDICATOR.sub(_indicator, text) if ">" in text else text
    text = _PLACE.sub(lambda found: "_".join([found[1], *re.findall(r"\d+", found[2])]), text)
    text = re.sub(r"(?<=[\[(,])\s*['\"]|['\"](?=\s*[,\])])", "", text)  # entries in quotation marks
    text = re.sub(r"\be\s*(?:\^|\*\*)\s*\(", "exp(", text)
    text = re.sub(r"\bsigma\s*(?=['(])", "sigmoid", text)
    text = re.sub(rf"(?<=[\d_])(?=(?:{'|'.join(FUNCTIONS)})\s*[(^'*])", " ", text)  # f1exp(y1)
    text = _SLOPE.sub(lambda found: f"{found[1].lower()}_slope", text)
    return _NUMBERS.sub(", ", text) if "[" in text else text


def split_outside(text: str, signs: str) -> list[str]:
    """Split a text at signs that stand outside all brackets.

    Args:
        text: What is split.
        signs: Where.

    Returns:
        The parts, stripped; one where no such sign stands.

    Example:
        >>> split_outside("max(0, f1), f2", ",")
        ['max(0, f1)', 'f2']
    """
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in _OPEN) - (letter in _SHUT)
        if depth == 0 and letter in signs:
            parts.append(text[start:place].strip())
            start = place + 1
    return [*parts, text[start:].strip()]


def _digits(raised: str) -> str:
    return "".join("-" if letter == "⁻" else str(_SUPERSCRIPTS.index(letter)) for letter in raised)


def _indicator(found: re.Match[str]) -> str:
    """1 where something is larger than 0."""
    of, tie = next((found[at], found[at + 1]) for at in (1, 3, 5) if found[at] is not None)
    return f" Heaviside({of}, {int(bool(tie))})"


def _greek(letter: str) -> str:
    """A small letter by its name: α is alpha, and σ is what it stands for here, the sigmoid."""
    kind, _, name = unicodedata.name(letter, "").lower().rpartition(" ")
    return f" {_GREEK.get(name, name)}" if kind == "greek small letter" else letter


def _printed(text: str) -> str:
    """A matrix between tall brackets, with wide gaps between its columns, as a list of lists."""
    lines = text.splitlines()
    if not any(_walls(line) for line in lines):
        return text
    before, after, rows = "", "", []
    for line in lines:
        walls = _walls(line)
        if walls is None:
            after += line.strip()
            continue
        first, last = walls
        before += line[:first].strip() and f"{line[:first].strip()} "
        after += line[last + 1 :].strip()
        cells = [cell.strip() for cell in re.split(r"\s{2,}|\t|,", line[first + 1 : last].strip())]
        rows.append(f"[{','.join(cells)}]")
    return f"{before}[{','.join(rows)}]{after}"


def _walls(line: str) -> tuple[int, int] | None:
    ends = [place for place, letter in enumerate(line) if letter in _LEFT or letter in _RIGHT]
    return (ends[0], ends[-1]) if len(ends) > 1 else None


def cells_filled(text: str) -> str:
    """Put the name of what is missing where a list has an empty place or a question mark.

    Args:
        text: In plain letters.

    Returns:
        The same without gaps.

    Example:
        >>> cells_filled("[[f1, , ?]]")
        '[[f1, missing__, missing__]]'
    """
    text = re.sub(r"(?<=[\[,])\s*(?:\?+|\.{3}|_+|-|None|null|nan)\s*(?=[,\]])", f" {MISSING}", text)
    text = re.sub(r"(?<=[\[,])\s*(?=,)", f" {MISSING}", text)
    return re.sub(r",\s*(?=\])", "", text)  # a comma at the end of a list is only a habit


def rows_opened(text: str) -> str:
    """Rows between semicolons, as MATLAB writes them, and lists beside each other, as numpy prints them, with commas.

    Args:
        text: In plain letters.

    Returns:
        Nested lists.

    Example:
        >>> rows_opened("c*[f1, f2; f3, f4]"), rows_opened("[[1, 2] [3, 4]]"), rows_opened("[[f1 f2] [f3 f4]]")
        ('c*[[f1, f2],[f3, f4]]', '[[1, 2],[3, 4]]', '[[f1,f2],[f3,f4]]')
    """
    if ";" in text:
        text = re.sub(r"\[([^\[\]]*;[^\[\]]*)\]", lambda found: f"[[{_rows(found[1])}]]", text)
    several = re.search(r"\]\s*\[", text)
    text = re.sub(r"\]\s*\[", "],[", text)
    if several and not re.search(r",(?!\[)", text):
        text = re.sub(r"\[([^\[\]]+)\]", lambda found: f"[{','.join(_words(found[1]))}]", text)
    return text


def _rows(text: str) -> str:
    return "],[".join(part for part in split_outside(text, ";") if part)


def _words(text: str) -> Iterator[str]:
    """Entries between spaces; a space beside a sign parts nothing."""
    text = re.sub(r"\s*([-+*/^])\s+|\s+([*/^])\s*", lambda found: found[1] or found[2], text.strip())
    return iter(split_outside(text, " "))
