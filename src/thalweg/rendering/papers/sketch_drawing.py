"""Squares of a derivation as SVG: input, filter and output side by side, in the colours of the filter entries."""

import math

from thalweg.core.errors import SpecError
from thalweg.core.report import Drawing
from thalweg.rendering.formulas.text import formula_text, name_text
from thalweg.rendering.markup import escape, text_width
from thalweg.rendering.papers.band import COLOURS, tap_style
from thalweg.rendering.papers.paper import Cell, Grid, Sketch

__all__ = ["draw_sketch"]

_SIDE, _GAP, _TITLE, _JOINT = 34.0, 3.0, 24.0, 30.0
_ROOM = 900.0
_STYLE = (
    ".tw .square{fill:var(--tw-paper);stroke:var(--tw-axis)}.tw .padding{stroke-dasharray:3 2}"
    ".tw .chosen{fill:none;stroke:var(--tw-ink);stroke-width:2}.tw .joint{font-size:20px}"
)


def draw_sketch(sketch: Sketch) -> Drawing:
    """Draw grids of squares in a row, in further rows where they are many.

    Args:
        sketch: The grids and their caption, in English.

    Returns:
        The drawing.

    Example:
        >>> grid = Grid(title="filter f", rows=((Cell(text="f1", tap=0), Cell(text="f2", tap=1)),))
        >>> draw_sketch(Sketch(grids=(grid,), caption="Two entries.")).svg.count("<rect")
        2
    """
    joints = [*sketch.joints, *[""] * len(sketch.grids)]
    parts, x, y, tall, width = [], 8.0, 6.0, 0.0, 0.0
    sizes = [_size(grid) for grid in sketch.grids]
    tallest = max((height for _, height, _ in sizes), default=0.0)
    for grid, (across, height, side), joint in zip(sketch.grids, sizes, joints, strict=False):
        if x > 8 and x + across > _ROOM:  # noqa: PLR2004 - the row's start
            x, y, tall = 8.0, y + tall + 14, 0.0
        down = y if not sketch.joints else y + (tallest - height) / 2
        parts.append(f'<g transform="translate({x:.1f},{down:.1f})">{_grid(grid, side)}</g>')
        x, tall = x + across + 16, max(tall, height)
        width = max(width, x - 8)
        if joint:
            middle = y + _TITLE + (tallest - _TITLE) / 2 + 6
            parts.append(f'<text class="joint middle dim" x="{x:.1f}" y="{middle:.1f}">{escape(joint)}</text>')
            x += _JOINT
    wide, high = math.ceil(width), math.ceil(y + max(tall, tallest if sketch.joints else 0) + 8)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw" role="img" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}" aria-label="{escape(sketch.caption)}">{tap_style(_STYLE)}{"".join(parts)}</svg>'
    )
    return Drawing(caption=sketch.caption, svg=svg, alternative=sketch.caption)


def _size(grid: Grid) -> tuple[float, float, float]:
    """Width, height, and width of a square, which is as wide as the longest text in one."""
    longest = max((text_width(_written(cell.text)) for row in grid.rows for cell in row), default=0.0)
    side = max(_SIDE, longest + 12)
    columns = max(map(len, grid.rows), default=0)
    return max(columns * side, text_width(grid.title)), _TITLE + len(grid.rows) * _SIDE, side


def _grid(grid: Grid, side: float) -> str:
    formula = grid.title[1:].isdigit()
    title = name_text(grid.title) if formula else grid.title
    still = ' translate="no"' if formula else ""
    parts = [f'<text class="dim"{still} x="0" y="14">{escape(title)}</text>']
    for row, cells in enumerate(grid.rows):
        for column, cell in enumerate(cells):
            parts.append(_cell(cell, column * side, _TITLE + row * _SIDE, side))
    return "".join(parts)


def _cell(cell: Cell, x: float, y: float, side: float) -> str:
    kind = f"tap{cell.tap % COLOURS}" if cell.tap >= 0 else "square"
    dashed = " padding" if cell.padding else ""
    size = f'width="{side - _GAP:.1f}" height="{_SIDE - _GAP:.1f}" rx="4"'
    parts = f'<rect class="{kind}{dashed}" x="{x:.1f}" y="{y:.1f}" {size}/>'
    if cell.chosen:
        parts += f'<rect class="chosen" x="{x:.1f}" y="{y:.1f}" {size}/>'
    if not cell.text:
        return parts
    faint = " dim" if cell.padding else ""
    place = f'x="{x + (side - _GAP) / 2:.1f}" y="{y + _SIDE / 2 + 3:.1f}"'
    return f'{parts}<text class="middle{faint}" translate="no" {place}>{escape(_written(cell.text))}</text>'


def _written(text: str) -> str:
    try:
        return formula_text(text) if text else ""
    except SpecError:  # not in the notation: shown as it is
        return text
