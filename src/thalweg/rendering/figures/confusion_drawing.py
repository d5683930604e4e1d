"""A confusion matrix as SVG, for slides and papers; a page shows it as a table, whose cells open their pictures."""

from thalweg.core.report import Drawing, Matrix
from thalweg.rendering.figures.confusion import MatrixCell, matrix_rows
from thalweg.rendering.markup import cut_label, escape, escape_lines, shown, text_width
from thalweg.rendering.palette import figure_style

__all__ = ["draw_matrix"]

_WIDE, _NARROW, _BARE = 76, 44, 640
"""Sides of cells with few and with many classes, and of the whole grid where there is no room for numbers."""
_FEW, _NUMBERED, _NAMED = 8, 40, 56
"""Classes up to which cells are wide, hold numbers, and have names."""
_LONGEST = 190
_STYLE = (
    ".tw .hit{fill:var(--tw-line0)}.tw .miss{fill:var(--tw-line1)}.tw .cell{stroke:var(--tw-grid);fill:var(--tw-paper)}"
    ".tw .bold{font-weight:600}"
)


def draw_matrix(matrix: Matrix) -> Drawing:
    """Draw a confusion matrix: a row a true class, a column a predicted one, shaded by the share of the row.

    Up to 40 classes have their counts written in; more are drawn as shades alone.

    Args:
        matrix: Labels and counts.

    Returns:
        The drawing, with its numbers in words.

    Example:
        >>> draw_matrix(Matrix(caption="", labels=("cat", "dog"), counts=((3, 1), (0, 4)))).alternative
        'cat, taken for dog: 1 of 4.'
    """
    size, rows = len(matrix.labels), matrix_rows(matrix)
    side = _WIDE if size <= _FEW else _NARROW if size <= _NUMBERED else _BARE / max(size, 1)
    named = size <= _NAMED
    widest = max((text_width(shown(label)) for label in matrix.labels), default=0.0) if named else 0.0
    names = min(_LONGEST, widest)
    left, top = 16 + names, 46.0
    upright = widest > side - 8  # names of columns stand on end where they would meet
    top += (names if upright else 14) if named else 0
    across, height = left + side * size + 12, top + side * size + 34
    width = max(across, left + 130)
    body = [_axis("true class", "↓", 8, 16), _axis("predicted class", "→", left, 34 if named else top - 8)]
    for number, label in enumerate(matrix.labels if named else ()):
        middle = (number + 0.5) * side
        whole, cut = cut_label(shown(label), _LONGEST)
        body.append(
            f'<text class="end" translate="no" x="{left - 8:.1f}" y="{top + middle + 4:.1f}"{whole}>{cut}</text>'
        )
        x, y = left + middle, top - 8
        if upright:
            place = f"translate({x + 4:.1f},{y:.1f})"
            body.append(f'<g transform="{place} rotate(-90)"><text translate="no" x="0" y="0"{whole}>{cut}</text></g>')
        else:
            body.append(f'<text class="middle" translate="no" x="{x:.1f}" y="{y:.1f}"{whole}>{cut}</text>')
    words = []
    for row, line in enumerate(rows):
        for column, cell in enumerate(line.cells):
            body += _cell(cell, left + column * side, top + row * side, side, line.files, numbered=size <= _NUMBERED)
            if cell.count and not cell.right:
                words.append(
                    f"{shown(cell.true)}, taken for {shown(cell.predicted)}: {cell.count:,} of {line.files:,}."
                )
    frame = f'x="{left:.1f}" y="{top:.1f}" width="{side * size:.1f}" height="{side * size:.1f}"'
    body += [
        f'<rect class="axis" fill="none" {frame}/>',
        f'<text class="dim small" x="8" y="{height - 12:.1f}">Shade: share of the row.</text>',
    ]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw" role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" aria-label="{escape(matrix.caption)}">'
        f"<desc>{escape_lines(words)}</desc>{figure_style(rules=_STYLE)}{''.join(body)}</svg>"
    )
    return Drawing(caption=matrix.caption, svg=svg, alternative="\n".join(words))


def _axis(name: str, arrow: str, x: float, y: float) -> str:
    """The name of an axis and where it goes, which another language leaves alone."""
    return f'<text class="bold" x="{x:.1f}" y="{y:.1f}">{name}<tspan>\u00a0\u00a0{arrow}</tspan></text>'


def _cell(cell: MatrixCell, x: float, y: float, side: float, files: int, *, numbered: bool) -> list[str]:
    """A square with its shade, its count, and its share of the row where that is not the count again."""
    if not numbered and not cell.count:
        return []
    place = f'x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}"'
    says = escape(f"{shown(cell.true)}, taken for {shown(cell.predicted)}: {cell.count:,} of {files:,}")
    parts = [f'<rect class="cell" {place}/>'] if numbered else []
    if cell.count:
        kind = "hit" if cell.right else "miss"
        shade = 0.1 + 0.5 * cell.share if numbered else 0.15 + 0.85 * cell.share
        parts.append(f'<rect class="{kind}" style="fill-opacity:{shade:.2f}" {place} data-says="{says}"/>')
    if numbered:
        wide = side >= _WIDE and cell.count > 0
        faint = "" if cell.count else " dim"
        middle, down = x + side / 2, y + side / 2 + (0 if wide else 4)
        parts.append(f'<text class="middle{faint}" x="{middle:.1f}" y="{down:.1f}">{cell.count:,}</text>')
        if wide:
            share = f"{100 * cell.share:.0f} %"
            parts.append(f'<text class="middle small" x="{middle:.1f}" y="{down + 16:.1f}">{share}</text>')
    return parts
