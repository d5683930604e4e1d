"""The matrix that a convolution is, as a drawing: squares in the colours of the filter entries, zeros left empty."""

import math
from dataclasses import dataclass

from thalweg.core.errors import SpecError
from thalweg.core.languages import Speaker, speaker
from thalweg.core.report import Drawing
from thalweg.rendering.formulas.text import formula_text, name_text
from thalweg.rendering.markup import escape, text_width
from thalweg.rendering.palette import figure_style
from thalweg.rendering.papers.matrix import shortened
from thalweg.rendering.papers.paper import Matrix

__all__ = ["COLOURS", "TAPS_DARK", "TAPS_LIGHT", "band_drawing", "draw_band", "tap_style"]

COLOURS = 8
"""Colours of filter entries that the page's style knows; the ninth entry has the first colour again."""

TAPS_LIGHT = ("#0072b2", "#e69f00", "#00a078", "#cc79a7", "#8a7a00", "#5c6fd6", "#c65102", "#6b7780")
TAPS_DARK = ("#4aa8de", "#e9b54a", "#35c096", "#e58cb8", "#c9bb4a", "#8f9ee8", "#ee9350", "#a3b1b7")
"""The same colours for a drawing that stands alone."""

_MOST = 100
_MOST_LETTERED = 48
_WIDEST_LETTERS = 90
_LETTER = 11.0


def draw_band(matrix: Matrix, voice: Speaker | None = None) -> str:
    """Draw a matrix whose entries are those of a filter.

    Args:
        matrix: With its taps.
        voice: Who says what is written below; English by default.

    Returns:
        A `<figure>`; entries and names are written in where there is room for letters.

    Example:
        >>> draw_band(Matrix(name="M", rows=(("f1", "0"),), taps=((0, -1),))).count("<rect")
        2
    """
    band = _band(matrix)
    voice = voice or speaker("en")
    label, caption = voice.say(_label(matrix)), voice.say(_caption(matrix, band))
    return (
        f'<figure><div class="scroll" dir="ltr" tabindex="0"><svg role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {band.width:g} {band.height:g}" style="width:{band.width:g}px;min-width:{band.least:g}px">'
        f"{band.body}</svg></div>"
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def band_drawing(matrix: Matrix) -> Drawing:
    """Draw the same for a file of its own.

    Args:
        matrix: With its taps.

    Returns:
        The drawing, in English.

    Example:
        >>> band_drawing(Matrix(name="M", rows=(("f1", "0"),), taps=((0, -1),))).caption
        'M: 1 outputs by 2 inputs; empty squares are zeros.'
    """
    band = _band(matrix)
    width, height = math.ceil(band.width), math.ceil(band.height)
    body = band.body.replace("<text ", '<text translate="no" ')  # formulas are the same in every language
    style = tap_style(".tw .frame{fill:var(--tw-paper);stroke:var(--tw-grid)}.tw .mid{text-anchor:middle}")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" aria-label="{escape(_label(matrix))}">{style}{body}</svg>'
    )
    return Drawing(caption=_caption(matrix, band), svg=svg, alternative=_label(matrix))


def tap_style(rules: str = "") -> str:
    """Write the style of a drawing with the colours of filter entries.

    Args:
        rules: Further rules, each under `.tw`.

    Returns:
        A `<style>` element.

    Example:
        >>> ".tw .tap7{" in tap_style()
        True
    """
    taps = "".join(
        f".tw .tap{number}{{fill:var(--tw-tap{number});fill-opacity:.34;stroke:var(--tw-tap{number})}}"
        for number in range(COLOURS)
    )
    light, dark = ({f"tap{number}": colour for number, colour in enumerate(each)} for each in (TAPS_LIGHT, TAPS_DARK))
    return figure_style(light, dark, f"{taps}{rules}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Band:
    """What is inside a drawing of the matrix; how narrow it can still be read, and whether all of it is there."""

    body: str
    width: float
    height: float
    least: float
    whole: bool


def _label(matrix: Matrix) -> str:
    height, across = len(matrix.rows), len(matrix.rows[0])
    return f"Matrix of {height} rows, one an output, and {across} columns, one an input."


def _caption(matrix: Matrix, band: _Band) -> str:
    height, across = len(matrix.rows), len(matrix.rows[0])
    part = "" if band.whole else f" Its first and last rows and columns, {_MOST - 1} each."
    return f"M: {height} outputs by {across} inputs; empty squares are zeros.{part}"


def _band(matrix: Matrix) -> _Band:
    height, across = len(matrix.rows), len(matrix.rows[0])
    kept = shortened(height, across, most_rows=_MOST, most_columns=_MOST)
    rows, columns = ([number for number in each if number is not None] for each in (kept.rows, kept.columns))
    texts = {entry: _written(entry) for row in rows for entry in matrix.rows[row]}
    widest = max((text_width(text, _LETTER) for entry, text in texts.items() if entry != "0"), default=0.0)
    lettered = len(columns) <= _MOST_LETTERED and widest < _WIDEST_LETTERS
    side, tall = (max(26.0, widest + 8), 26.0) if lettered else (9.0, 9.0)
    left, top = (36.0, 22.0) if lettered else (2.0, 2.0)
    width, bottom = left + len(columns) * side + 1, top + len(rows) * tall + 1
    size = f'width="{width - left:g}" height="{bottom - top:g}"'
    parts = [f'<rect class="frame" x="{left - 1:g}" y="{top - 1:g}" {size}/>']
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            if (tap := matrix.taps[row][column]) < 0:
                continue
            place = f'x="{left + x * side:g}" y="{top + y * tall:g}" width="{side - 1:g}" height="{tall - 1:g}"'
            parts.append(f'<rect class="tap{tap % COLOURS}" {place} rx="2"/>')
            if lettered:
                middle = (left + (x + 0.5) * side - 0.5, top + (y + 0.5) * tall + 3.5)
                parts.append(_text("mid", *middle, texts[matrix.rows[row][column]]))
    if lettered:
        middles = ((left + (x + 0.5) * side, column) for x, column in enumerate(columns))
        parts += [_text("mid dim", at, 14, name_text(f"x{column + 1}")) for at, column in middles]
        middles = ((top + (y + 0.5) * tall + 3.5, row) for y, row in enumerate(rows))
        parts += [_text("end dim", left - 6, at, name_text(f"y{row + 1}")) for at, row in middles]
    least = min(width, (17.0 if lettered else 3.0) * len(columns))
    whole = None not in {*kept.rows, *kept.columns}
    return _Band(body="".join(parts), width=width, height=bottom, least=least, whole=whole)


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _written(text: str) -> str:
    try:
        return formula_text(text)
    except SpecError:  # not in the notation: shown as it is
        return text
