"""One run of stages as SVG: boxes with what they hold, lines that bend only between levels, a frame around repeats."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from thalweg.rendering.diagrams.grouping import Box, Run, Stage
from thalweg.rendering.diagrams.layout import Placement, place_boxes
from thalweg.rendering.diagrams.straightening import ENTRY, spread_ports
from thalweg.rendering.markup import escape, middle_cut, shown, text_width

__all__ = ["GAP", "Piece", "arrow_head", "draw_run", "draw_wire", "shape_label"]

_BOX = 228.0
_ROW = 18.0
_NAME = 15.0
GAP = 46.0
"""Room between two levels, in pixels: for an arrow and its shape."""
_STEM = 16.0  # how far a line goes straight down before it bends, beside its shape
_BESIDE = 22.0
_FRAME_HEAD = 30.0


@dataclass(slots=True)
class Piece:
    """A run laid out: shapes relative to the place where its value enters from above.

    Args:
        parts: SVG elements.
        labels: SVG elements that lie over all others.
        left: Leftmost place.
        right: Rightmost place.
        height: From the head of its first level to its foot.
        exit_x: Where its value leaves.
        exit_y: Where its value leaves.
        shape: The shape of that value.
        heads: Where lines from the piece above arrive, and whether they end there with an arrow.
    """

    parts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    left: float = 0.0
    right: float = 0.0
    height: float = 0.0
    exit_x: float = 0.0
    exit_y: float = 0.0
    shape: str = ""
    heads: list[tuple[float, float, bool]] = field(default_factory=list)


def _height(box: Box) -> float:
    return _ROW * len(box.rows) + _NAME + 12


def draw_run(run: Run) -> Piece:
    """Stack the stages of a run; one that stands for several gets a frame with its number.

    Args:
        run: Stages and how often they repeat.

    Returns:
        Its shapes, and where lines enter and leave.
    """
    whole = Piece()
    y, entry = (_FRAME_HEAD if run.times > 1 else 0.0), 0.0
    for index, stage in enumerate(run.stages):
        piece = _draw_stage(stage)
        shift = f'<g transform="translate({entry:.1f},{y:.1f})">'
        whole.parts.append(f"{shift}{''.join(piece.parts)}</g>")
        whole.labels.append(f"{shift}{''.join(piece.labels)}</g>")
        if index:
            for x, top, ends in piece.heads:
                whole.parts.append(draw_wire(whole.exit_x, whole.exit_y, entry + x, y + top, y - GAP, y, arrow=ends))
            whole.labels.append(shape_label(whole.exit_x, whole.exit_y, whole.shape))
        else:
            whole.heads = [(entry + x, y + top, ends) for x, top, ends in piece.heads]
        whole.left, whole.right = min(whole.left, entry + piece.left), max(whole.right, entry + piece.right)
        whole.exit_x, whole.exit_y, whole.shape = entry + piece.exit_x, y + piece.exit_y, piece.shape
        whole.height = y + piece.height
        y, entry = whole.height + GAP, whole.exit_x
    if run.times > 1:
        _frame(whole, run)
    return whole


def _frame(piece: Piece, run: Run) -> None:
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
        f'<text translate="no" class="dim small halo" x="{left + 9:.1f}" y="{piece.height - 7:.1f}">'
        f"{escape(named)}</text>"
    )
    piece.left, piece.right = left, right


def _draw_stage(stage: Stage) -> Piece:
    boxes = {box.key: box for box in stage.boxes}
    placement = place_boxes(
        dict.fromkeys(boxes, _BOX), {box.key: box.sources for box in stage.boxes}, gap=_BESIDE, lane=10.0
    )
    tops, bottoms = _bands(boxes, placement)
    piece = Piece(height=bottoms[-1])
    for box in stage.boxes:
        x, top = placement.x[box.key, placement.level[box.key]], tops[placement.level[box.key]]
        piece.parts.append(_draw_box(box, x, top))
        if box.key != stage.boxes[-1].key and box.shape:
            said = f"output {box.shape}" if box.output else box.shape
            piece.labels.append(shape_label(x, top + _height(box), said))
        piece.left, piece.right = min(piece.left, x - _BOX / 2), max(piece.right, x + _BOX / 2)
    for x in placement.x.values():
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
    tops, bottoms = [-GAP], [-GAP]
    for level in range(1, placement.levels + 1):
        high = max((_height(box) for key, box in boxes.items() if placement.level[key] == level), default=0.0)
        tops.append(bottoms[-1] + GAP)
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
        ports = spread_ports(starts, x, reach=_BOX / 2 - 14, apart=16)
        for source in dict.fromkeys(reads):
            own = placement.level.get(source, 0)
            if source == ENTRY and level == 1:
                yield None, (ports[source], tops[1]), "arrow"
                continue
            start = tops[own] + _height(boxes[source]) if own == level - 1 and source in boxes else bottoms[level - 1]
            yield (
                source,
                (x, tops[level]),
                draw_wire(starts[source], start, ports[source], tops[level], bottoms[level - 1], tops[level]),
            )


def _curve(x0: float, y0: float, x1: float, y1: float, bend: float, end: float) -> str:
    """Straight down to `bend`, over to `x1` by `end`, straight down to `y1`."""
    if abs(x0 - x1) < 0.5:  # noqa: PLR2004 - pixels
        return f"M{x0:.1f},{y0:.1f}V{y1:.1f}"
    bend = max(bend, y0) + _STEM
    middle = (bend + end) / 2
    down = f"V{bend:.1f}"
    return f"M{x0:.1f},{y0:.1f}{down}C{x0:.1f},{middle + 4:.1f} {x1:.1f},{middle - 4:.1f} {x1:.1f},{end:.1f}V{y1:.1f}"


def draw_wire(x0: float, y0: float, x1: float, y1: float, bend: float, end: float, *, arrow: bool = True) -> str:
    """Draw a line from one box down to another: straight, then over, then straight with an arrowhead.

    Args:
        x0: Where it begins.
        y0: Where it begins.
        x1: Where it ends.
        y1: Where it ends.
        bend: Foot of the level it leaves; it may not bend before.
        end: Head of the level it enters; it must be in its place there.
        arrow: Whether it ends in a box.

    Returns:
        SVG paths.
    """
    short = 5 if arrow else 0
    line = f'<path class="wire" d="{_curve(x0, y0, x1, y1 - short, bend, end - short)}"/>'
    return line + (arrow_head(x1, y1) if arrow else "")


def arrow_head(x: float, y: float) -> str:
    """Draw the tip of a line that points down.

    Args:
        x: Where it points.
        y: Where it points.

    Returns:
        An SVG path.
    """
    return f'<path class="arrow" d="M{x:.1f},{y:.1f}l-4.5,-8h9z"/>'


def shape_label(x: float, y: float, shape: str) -> str:
    """Write a shape beside the line that leaves a box.

    Args:
        x: Where the line leaves.
        y: The foot of the box.
        shape: Such as `64x8x8`.

    Returns:
        An SVG text.
    """
    words = re.sub(r"(?<=\d)x(?=\d)", "×", shape)
    return f'<text class="dim small halo" x="{x + 8:.1f}" y="{y + 15:.1f}">{escape(words)}</text>'


def _draw_box(box: Box, x: float, y: float) -> str:
    left, height = x - _BOX / 2, _height(box)
    names = "; ".join(f"{row.name}: {row.text}" for row in box.rows)
    look = "box out" if box.output else "box"
    place = f'x="{left:.1f}" y="{y:.1f}" width="{_BOX:.0f}" height="{height:.1f}"'
    parts = [f'<g><title translate="no">{escape(names)}</title><rect class="{look}" {place} rx="6"/>']
    at = y + 6
    for index, row in enumerate(box.rows):
        tall, look = (_ROW, "more") if index else (_ROW + _NAME, "first")
        number = f"{row.parameters:,}" if row.parameters else ""
        taken = 30 + (text_width(number) + 8 if number else 0)
        label = middle_cut(shown(row.text), _BOX - (30 if index == 0 else taken), 12)
        parts.append(
            f'<rect class="{row.family}" x="{left + 6:.1f}" y="{at + 1:.1f}" width="5" height="{tall - 3:.1f}" rx="2"/>'
            f'<text translate="no" class="{look}" x="{left + 18:.1f}" y="{at + 13:.1f}">'
            f"{escape(label)}</text>"
        )
        base = at + (28 if index == 0 else 13)
        if number:
            parts.append(f'<text class="number" x="{left + _BOX - 9:.1f}" y="{base:.1f}">{number}</text>')
        if index == 0:
            name = middle_cut(shown(row.name), _BOX - taken, 11)
            said = "" if name == label else escape(name)
            parts.append(f'<text translate="no" class="dim small" x="{left + 18:.1f}" y="{base:.1f}">{said}</text>')
        at += tall
    return "".join(parts) + "</g>"
