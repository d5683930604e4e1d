"""A network as SVG, without Graphviz: boxes in levels, branches side by side, shapes on the arrows, repeats folded.

The drawing carries its own style for light and dark screens and can be saved as a file. A tall network is broken into
columns where a single value passes.
"""

from thalweg.core.layer_cost import Ledger
from thalweg.core.network_spec import NetworkSpec
from thalweg.rendering.diagrams.families import FAMILIES
from thalweg.rendering.diagrams.grouping import Run, group
from thalweg.rendering.diagrams.stage import GAP, Piece, arrow_head, draw_run, draw_wire, shape_label
from thalweg.rendering.markup import escape, middle_cut, short_number, shown, text_width
from thalweg.rendering.palette import figure_style

__all__ = ["draw_svg"]

_COLUMN_GAP = 64.0
_TALL = 1300.0
_WIDE = 1180.0


def draw_svg(spec: NetworkSpec, ledger: Ledger) -> str:
    """Draw a network.

    Args:
        spec: The network.
        ledger: Its counts; layers without a row are drawn without numbers.

    Returns:
        A complete `<svg>` element.

    Example:
        >>> from thalweg.core.network_spec import LayerSpec
        >>> from thalweg.core.shape import Shape
        >>> relu = LayerSpec(name="relu1", kind="relu", inputs=("x",))
        >>> spec = NetworkSpec(name="n", inputs={"x": Shape(3)}, layers=(relu,), outputs=("relu1",))
        >>> draw_svg(spec, Ledger(network="n", input_shapes={}, rows=()))[:4]
        '<svg'
    """
    runs = group(spec, ledger)
    pieces = [draw_run(run) for run in runs]
    columns = _break_columns(pieces)
    body, width, height = _assemble(columns)
    legend, legend_width = _legend(runs)
    macs = "uncounted" if ledger.macs is None else short_number(ledger.macs)
    facts = f"{ledger.parameters:,} parameters, {ledger.buffers:,} buffers, {macs} multiply-accumulates for one sample"
    title = f"{spec.name}: {len(spec.layers)} layers"
    needed = max(width, legend_width, text_width(facts) + 32, text_width(shown(spec.name)[:40], 16) + 32)
    indent, width = (needed - width) / 2, needed
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw tw-network" role="img" width="{width:.0f}" '
        f'height="{height + 78:.0f}" viewBox="0 0 {width:.0f} {height + 78:.0f}" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title><desc>{escape(_describe(spec, runs, facts))}</desc>{_style()}"
        f'<rect class="paper" width="100%" height="100%" rx="8"/>'
        f'<text translate="no" class="head" x="16" y="26">{escape(middle_cut(shown(spec.name), width - 32, 16))}</text>'
        f'<text class="dim" x="16" y="45">{escape(facts)}</text>{legend}'
        f'<g transform="translate({indent:.1f},78)">{body}</g></svg>'
    )


def _style() -> str:
    light = {family: colours[0] for family, colours in FAMILIES.items()}
    dark = {family: colours[1] for family, colours in FAMILIES.items()}
    fills = "".join(f".tw .{family}{{fill:var(--tw-{family})}}" for family in FAMILIES)
    rules = (
        ".tw .paper{fill:var(--tw-paper)}.tw text.head{font-size:16px;font-weight:600}"
        ".tw .box{fill:var(--tw-box);stroke:var(--tw-edge)}.tw .out{stroke:var(--tw-ink);stroke-width:2}"
        ".tw .first{font-weight:600}.tw text.number{text-anchor:end;fill:var(--tw-dim)}"
        ".tw .wire{fill:none;stroke:var(--tw-wire);stroke-width:1.6}.tw .arrow{fill:var(--tw-wire)}"
        ".tw .frame{fill:none;stroke:var(--tw-wire);stroke-dasharray:5 4}.tw .pill{fill:var(--tw-ink)}"
        ".tw text.times{fill:var(--tw-paper);font-weight:700}"
    )
    return figure_style(
        {**light, "box": "#ffffff", "edge": "#c9c6bc", "wire": "#5b6a70"},
        {**dark, "box": "#212d32", "edge": "#43525a", "wire": "#9fb0b7"},
        rules + fills,
    )


def _legend(runs: tuple[Run, ...]) -> tuple[str, float]:
    """Name the families that occur, in their colours."""
    present = {row.family for run in runs for stage in run.stages for box in stage.boxes for row in box.rows}
    parts, x = [], 16.0
    for family in FAMILIES:
        if family in present - {"input", "other"}:
            parts.append(
                f'<rect class="{family}" x="{x:.0f}" y="57" width="11" height="11" rx="2"/>'
                f'<text class="dim small" x="{x + 16:.0f}" y="66">{family}</text>'
            )
            x += 30 + text_width(family, 11)
    return "".join(parts), x


def _describe(spec: NetworkSpec, runs: tuple[Run, ...], facts: str) -> str:
    inputs = ", ".join(f"{name} {shape}" for name, shape in spec.inputs.items())
    repeats = [f"{run.label} {run.times} times" for run in runs if run.times > 1]
    folded = f" Folded repeats: {'; '.join(repeats)}." if repeats else ""
    return f"Input {inputs}; output {', '.join(spec.outputs)}; {facts}.{folded}"


def _break_columns(pieces: list[Piece]) -> list[list[Piece]]:
    """Spread a tall network over as many columns as a page is wide, where that makes it much less tall."""
    widest = max(piece.right - piece.left for piece in pieces) + _COLUMN_GAP
    best = [pieces]
    for count in range(2, max(1, int(_WIDE // widest)) + 1):
        if _tallest(best) <= _TALL:
            break
        columns = _spread(pieces, count)
        if _tallest(columns) < 0.75 * _tallest(best):
            best = columns
    return best


def _tallest(columns: list[list[Piece]]) -> float:
    return max(sum(piece.height + GAP for piece in column) for column in columns)


def _spread(pieces: list[Piece], count: int) -> list[list[Piece]]:
    """Fill columns one after another, each up to its share of what is left."""
    columns: list[list[Piece]] = [[]]
    used, left = 0.0, sum(piece.height + GAP for piece in pieces)
    for piece in pieces:
        share = (left + used) / (count - len(columns) + 1)
        if columns[-1] and len(columns) < count and used + (piece.height + GAP) / 2 > share:
            columns.append([])
            used = 0.0
        columns[-1].append(piece)
        used += piece.height + GAP
        left -= piece.height + GAP
    return columns


def _assemble(columns: list[list[Piece]]) -> tuple[str, float, float]:
    """Put the columns side by side and join what follows one another."""
    parts: list[str] = []
    labels: list[str] = []
    x, tallest = 16.0, 0.0
    before: tuple[float, float, str, float] | None = None
    for number, column in enumerate(columns):
        lefts, rights, entry = [], [], 0.0
        for piece in column:
            lefts.append(entry + piece.left)
            rights.append(entry + piece.right)
            entry += piece.exit_x
        axis, y = x - min(lefts), 18.0 if number == 0 else 34.0
        for place, piece in enumerate(column):
            shift = f'<g transform="translate({axis:.1f},{y:.1f})">'
            parts.append(f"{shift}{''.join(piece.parts)}</g>")
            labels.append(f"{shift}{''.join(piece.labels)}</g>")
            if before:
                x0, y0, shape, foot = before
                labels.append(shape_label(x0, y0, shape))
                for head, top, ends in piece.heads:
                    if place == 0:
                        gutter = x - _COLUMN_GAP / 2
                        parts.append(_detour(x0, y0, foot + 24, gutter, axis + head, y + top, arrow=ends))
                    else:
                        parts.append(draw_wire(x0, y0, axis + head, y + top, y - GAP, y, arrow=ends))
            before = (axis + piece.exit_x, y + piece.exit_y, piece.shape, y + piece.height)
            axis += piece.exit_x
            y += piece.height + GAP
        tallest = max(tallest, y - GAP + 34)
        x += max(rights) - min(lefts) + _COLUMN_GAP
    if before:
        labels.append(shape_label(before[0], before[1], f"output {before[2]}"))
    return "".join([*parts, *labels]), x - _COLUMN_GAP + 16, tallest


def _detour(x0: float, y0: float, low: float, gutter: float, x1: float, y1: float, *, arrow: bool) -> str:
    """From the foot of one column through the gutter to the head of the next."""
    high, turn = 8.0, 8.0
    return (
        f'<path class="wire" d="M{x0:.1f},{y0:.1f}V{low - turn:.1f}q0,{turn} {turn},{turn}H{gutter - turn:.1f}'
        f"q{turn},0 {turn},-{turn}V{high + turn:.1f}q0,-{turn} {turn},-{turn}H{x1 - turn:.1f}"
        f'q{turn},0 {turn},{turn}V{y1 - (5 if arrow else 0):.1f}"/>{arrow_head(x1, y1) if arrow else ""}'
    )
