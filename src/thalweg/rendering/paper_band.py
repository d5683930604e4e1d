"""The matrix that a convolution is, as a drawing: squares in the colours of the filter entries, zeros left empty."""

from thalweg.core.errors import SpecError
from thalweg.core.languages import Speaker, speaker
from thalweg.rendering.formula_text import formula_text, name_text
from thalweg.rendering.markup import escape, text_width
from thalweg.rendering.paper import Matrix
from thalweg.rendering.paper_matrix import shortened

__all__ = ["COLOURS", "draw_band"]

COLOURS = 8
"""Colours of filter entries that the page's style knows; the ninth entry has the first colour again."""

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
    voice = voice or speaker("en")
    label = voice.say(f"Matrix of {height} rows, one an output, and {across} columns, one an input.")
    part = "" if None not in {*kept.rows, *kept.columns} else f" Its first and last rows and columns, {_MOST - 1} each."
    caption = voice.say(f"M: {height} outputs by {across} inputs; empty squares are zeros.{part}")
    return (
        f'<figure><div class="scroll" dir="ltr" tabindex="0"><svg role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {width:g} {bottom:g}" style="width:{width:g}px;min-width:{least:g}px">'
        f"{''.join(parts)}</svg></div>"
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _written(text: str) -> str:
    try:
        return formula_text(text)
    except SpecError:  # not in the notation: shown as it is
        return text
