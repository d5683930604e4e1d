"""A network as SVG, without Graphviz: boxes in levels, branches side by side, shapes on the arrows, repeats folded.

The drawing carries its own style for light and dark screens and can be saved as a file. A tall network is broken into
columns where a single value passes.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from thalweg.core.layer_cost import Ledger
from thalweg.core.network_spec import NetworkSpec
from thalweg.rendering.families import FAMILIES
from thalweg.rendering.grouping import Box, Run, Stage, group
from thalweg.rendering.layout import ENTRY, Placement, place_boxes
from thalweg.rendering.markup import escape, middle_cut, short_number, shown, text_width
from thalweg.rendering.palette import figure_style

__all__ = ["draw_svg"]

_BOX = 228.0
_ROW = 18.0
_NAME = 15.0
_GAP = 46.0  # between two levels: room for an arrow and its shape
_STEM = 16.0  # how far a line goes straight down before it bends, beside its shape
_BESIDE = 22.0
_FRAME_HEAD = 30.0
_COLUMN_GAP = 64.0
_TALL = 1300.0
_WIDE = 1180.0


@dataclass(slots=True)
class _Piece:
    """A run laid out: shapes relative to the place where its value enters from above."""

    parts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    left: float = 0.0
    right: float = 0.0
    height: float = 0.0
    exit_x: float = 0.0
    exit_y: float = 0.0
    shape: str = ""
    heads: list[tuple[float, float, bool]] = field(default_factory=list)
    """Where lines from the piece above arrive, and whether they end there with an arrow."""


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
    pieces = [_draw_run(run) for run in runs]
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
        f'<text class="head" x="16" y="26">{escape(middle_cut(shown(spec.name), width - 32, 16))}</text>'
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


def _height(box: Box) -> float:
    return _ROW * len(box.rows) + _NAME + 12


def _draw_run(run: Run) -> _Piece:
    """Stack the stages of a run; one that stands for several gets a frame with its number."""
    whole = _Piece()
    y, entry = (_FRAME_HEAD if run.times > 1 else 0.0), 0.0
    for index, stage in enumerate(run.stages):
        piece = _draw_stage(stage)
        shift = f'<g transform="translate({entry:.1f},{y:.1f})">'
        whole.parts.append(f"{shift}{''.join(piece.parts)}</g>")
        whole.labels.append(f"{shift}{''.join(piece.labels)}</g>")
        if index:
            for x, top, ends in piece.heads:
                whole.parts.append(_wire(whole.exit_x, whole.exit_y, entry + x, y + top, y - _GAP, y, arrow=ends))
            whole.labels.append(_shape_label(whole.exit_x, whole.exit_y, whole.shape))
        else:
            whole.heads = [(entry + x, y + top, ends) for x, top, ends in piece.heads]
        whole.left, whole.right = min(whole.left, entry + piece.left), max(whole.right, entry + piece.right)
        whole.exit_x, whole.exit_y, whole.shape = entry + piece.exit_x, y + piece.exit_y, piece.shape
        whole.height = y + piece.height
        y, entry = whole.height + _GAP, whole.exit_x
    if run.times > 1:
        _frame(whole, run)
    return whole


def _frame(piece: _Piece, run: Run) -> None:
    left, right = piece.left - 14, piece.right + 14
    piece.height += 24
    pill = f"×{run.times}"
    wide = text_width(pill) + 16
    named = middle_cut(shown(run.label), piece.exit_x - left - 18, 11)
    piece.parts.insert(
        0,
        f'<rect class="frame" x="{left:.1f}" y="8" width="{right - left:.1f}" height="{piece.height - 8:.1f}" rx="10">'
        f"<title>{escape(run.label)}: {run.times} times, {run.parameters:,} parameters together</title></rect>",
    )
    piece.labels.append(
        f'<rect class="pill" x="{left + 8:.1f}" y="-2" width="{wide:.1f}" height="20" rx="10"/>'
        f'<text class="times middle" x="{left + 8 + wide / 2:.1f}" y="12.5">{pill}</text>'
        f'<text class="dim small halo" x="{left + 9:.1f}" y="{piece.height - 7:.1f}">{escape(named)}</text>'
    )
    piece.left, piece.right = left, right


def _draw_stage(stage: Stage) -> _Piece:
    boxes = {box.key: box for box in stage.boxes}
    placement = place_boxes(
        dict.fromkeys(boxes, _BOX), {box.key: box.sources for box in stage.boxes}, gap=_BESIDE, lane=10.0
    )
    tops, bottoms = _bands(boxes, placement)
    piece = _Piece(height=bottoms[-1])
    for box in stage.boxes:
        x, top = placement.x[box.key, placement.level[box.key]], tops[placement.level[box.key]]
        piece.parts.append(_draw_box(box, x, top))
        if box.key != stage.boxes[-1].key and box.shape:
            said = f"output {box.shape}" if box.output else box.shape
            piece.labels.append(_shape_label(x, top + _height(box), said))
        piece.left, piece.right = min(piece.left, x - _BOX / 2), max(piece.right, x + _BOX / 2)
    for (_, _), x in placement.x.items():
        piece.left, piece.right = min(piece.left, x - 6), max(piece.right, x + 6)
    wires = list(_stage_wires(stage, placement, tops, bottoms))
    piece.heads = [(*target, path == "arrow") for source, target, path in wires if source is None]
    piece.parts[:0] = [path for source, _, path in wires if source is not None]
    last = stage.boxes[-1]
    piece.exit_x = placement.x[last.key, placement.level[last.key]]
    piece.exit_y = tops[placement.level[last.key]] + _height(last)
    piece.shape = last.shape
    return piece


def _bands(boxes: dict[str, Box], placement: Placement) -> tuple[list[float], list[float]]:
    """Top and bottom of each level; level 0 is where the stage is entered."""
    tops, bottoms = [-_GAP], [-_GAP]
    for level in range(1, placement.levels + 1):
        high = max((_height(box) for key, box in boxes.items() if placement.level[key] == level), default=0.0)
        tops.append(bottoms[-1] + _GAP)
        bottoms.append(tops[-1] + high)
    return tops, bottoms


def _stage_wires(
    stage: Stage, placement: Placement, tops: list[float], bottoms: list[float]
) -> Iterator[tuple[str | None, tuple[float, float], str]]:
    """Every line of a stage; those from the entry to the first level are left to the piece above (source None)."""
    boxes = {box.key: box for box in stage.boxes}
    for source, last in placement.lanes.items():
        first = placement.level.get(source, 0)
        for level in range(first, last):
            x0, x1 = placement.x[source, level], placement.x[source, level + 1]
            start = tops[level] + _height(boxes[source]) if level == first and source in boxes else bottoms[level]
            if source == ENTRY and level == 0:
                yield None, (x1, tops[1]), ""
                yield source, (x1, tops[1]), f'<path class="wire" d="M{x1:.1f},{tops[1]:.1f}V{bottoms[1]:.1f}"/>'
                continue
            path = _curve(x0, start, x1, bottoms[level + 1], bottoms[level], tops[level + 1])
            yield source, (x1, tops[level + 1]), f'<path class="wire" d="{path}"/>'
    for box in stage.boxes:
        level, x = placement.level[box.key], placement.x[box.key, placement.level[box.key]]
        reads = [source if source in boxes else ENTRY for source in box.sources]
        starts = {source: placement.x[source, level - 1] for source in reads}
        ports = _ports(starts, x)
        for source in dict.fromkeys(reads):
            own = placement.level.get(source, 0)
            if source == ENTRY and level == 1:
                yield None, (ports[source], tops[1]), "arrow"
                continue
            start = tops[own] + _height(boxes[source]) if own == level - 1 and source in boxes else bottoms[level - 1]
            yield source, (x, tops[level]), _wire(
                starts[source], start, ports[source], tops[level], bottoms[level - 1], tops[level]
            )


def _ports(starts: dict[str, float], x: float) -> dict[str, float]:
    """Let lines arrive straight from above where they can, each at its own place along the box's top."""
    ports: dict[str, float] = {}
    reach = _BOX / 2 - 14
    order = sorted(starts, key=lambda source: starts[source])
    for index, source in enumerate(order):
        spread = (index - (len(order) - 1) / 2) * 16
        far = abs(starts[source] - x) > reach
        ports[source] = x + (math.copysign(min(reach, 40 + abs(spread)), starts[source] - x) if far else starts[source] - x)
    values = [ports[source] for source in order]
    if any(late - early < 12 for early, late in zip(values, values[1:], strict=False)):  # noqa: PLR2004 - arrowheads touch
        step = min(16.0, 2 * reach / max(1, len(order) - 1))
        ports = {source: x + (index - (len(order) - 1) / 2) * step for index, source in enumerate(order)}
    return ports


def _curve(x0: float, y0: float, x1: float, y1: float, bend: float, end: float) -> str:
    """Straight down to `bend`, over to `x1` by `end`, straight down to `y1`."""
    if abs(x0 - x1) < 0.5:  # noqa: PLR2004 - pixels
        return f"M{x0:.1f},{y0:.1f}V{y1:.1f}"
    bend = max(bend, y0) + _STEM
    middle = (bend + end) / 2
    down = f"V{bend:.1f}"
    return f"M{x0:.1f},{y0:.1f}{down}C{x0:.1f},{middle + 4:.1f} {x1:.1f},{middle - 4:.1f} {x1:.1f},{end:.1f}V{y1:.1f}"


def _wire(x0: float, y0: float, x1: float, y1: float, bend: float, end: float, *, arrow: bool = True) -> str:
    short = 5 if arrow else 0
    line = f'<path class="wire" d="{_curve(x0, y0, x1, y1 - short, bend, end - short)}"/>'
    return line + (_arrow(x1, y1) if arrow else "")


def _arrow(x: float, y: float) -> str:
    return f'<path class="arrow" d="M{x:.1f},{y:.1f}l-4.5,-8h9z"/>'


def _shape_label(x: float, y: float, shape: str) -> str:
    words = re.sub(r"(?<=\d)x(?=\d)", "×", shape)
    return f'<text class="dim small halo" x="{x + 8:.1f}" y="{y + 15:.1f}">{escape(words)}</text>'


def _draw_box(box: Box, x: float, y: float) -> str:
    left, height = x - _BOX / 2, _height(box)
    names = "; ".join(f"{row.name}: {row.text}" for row in box.rows)
    parts = [
        f"<g><title>{escape(names)}</title>"
        f'<rect class="box{" out" if box.output else ""}" x="{left:.1f}" y="{y:.1f}" width="{_BOX:.0f}" '
        f'height="{height:.1f}" rx="6"/>'
    ]
    at = y + 6
    for index, row in enumerate(box.rows):
        tall = _ROW + (_NAME if index == 0 else 0)
        number = f"{row.parameters:,}" if row.parameters else ""
        taken = 30 + (text_width(number) + 8 if number else 0)
        label = middle_cut(shown(row.text), _BOX - (30 if index == 0 else taken), 12)
        parts.append(
            f'<rect class="{row.family}" x="{left + 6:.1f}" y="{at + 1:.1f}" width="5" height="{tall - 3:.1f}" rx="2"/>'
            f'<text class="{"first" if index == 0 else "more"}" x="{left + 18:.1f}" y="{at + 13:.1f}">'
            f"{escape(label)}</text>"
        )
        base = at + (28 if index == 0 else 13)
        if number:
            parts.append(f'<text class="number" x="{left + _BOX - 9:.1f}" y="{base:.1f}">{number}</text>')
        if index == 0:
            name = middle_cut(shown(row.name), _BOX - taken, 11)
            said = "" if name == label else escape(name)
            parts.append(f'<text class="dim small" x="{left + 18:.1f}" y="{base:.1f}">{said}</text>')
        at += tall
    return "".join(parts) + "</g>"


def _break_columns(pieces: list[_Piece]) -> list[list[_Piece]]:
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


def _tallest(columns: list[list[_Piece]]) -> float:
    return max(sum(piece.height + _GAP for piece in column) for column in columns)


def _spread(pieces: list[_Piece], count: int) -> list[list[_Piece]]:
    """Fill columns one after another, each up to its share of what is left."""
    columns: list[list[_Piece]] = [[]]
    used, left = 0.0, sum(piece.height + _GAP for piece in pieces)
    for piece in pieces:
        share = (left + used) / (count - len(columns) + 1)
        if columns[-1] and len(columns) < count and used + (piece.height + _GAP) / 2 > share:
            columns.append([])
            used = 0.0
        columns[-1].append(piece)
        used += piece.height + _GAP
        left -= piece.height + _GAP
    return columns


def _assemble(columns: list[list[_Piece]]) -> tuple[str, float, float]:
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
                labels.append(_shape_label(x0, y0, shape))
                for head, top, ends in piece.heads:
                    if place == 0:
                        gutter = x - _COLUMN_GAP / 2
                        parts.append(_detour(x0, y0, foot + 24, gutter, axis + head, y + top, arrow=ends))
                    else:
                        parts.append(_wire(x0, y0, axis + head, y + top, y - _GAP, y, arrow=ends))
            before = (axis + piece.exit_x, y + piece.exit_y, piece.shape, y + piece.height)
            axis += piece.exit_x
            y += piece.height + _GAP
        tallest = max(tallest, y - _GAP + 34)
        x += max(rights) - min(lefts) + _COLUMN_GAP
    if before:
        labels.append(_shape_label(before[0], before[1], f"output {before[2]}"))
    return "".join([*parts, *labels]), x - _COLUMN_GAP + 16, tallest


def _detour(x0: float, y0: float, low: float, gutter: float, x1: float, y1: float, *, arrow: bool) -> str:
    """From the foot of one column through the gutter to the head of the next."""
    high, turn = 8.0, 8.0
    return (
        f'<path class="wire" d="M{x0:.1f},{y0:.1f}V{low - turn:.1f}q0,{turn} {turn},{turn}H{gutter - turn:.1f}'
        f"q{turn},0 {turn},-{turn}V{high + turn:.1f}q0,-{turn} {turn},-{turn}H{x1 - turn:.1f}"
        f'q{turn},0 {turn},{turn}V{y1 - (5 if arrow else 0):.1f}"/>{_arrow(x1, y1) if arrow else ""}'
    )
