"""A network drawn with characters, for the terminal: the same grouping and levels as the SVG, in at most 80 columns."""

import re
import textwrap
from dataclasses import dataclass

from thalweg.core.languages import said
from thalweg.core.layer_cost import Ledger
from thalweg.core.network_spec import NetworkSpec
from thalweg.rendering.columns import columns, fenced
from thalweg.rendering.diagrams.canvas import Canvas
from thalweg.rendering.diagrams.grouping import Box, Stage, group
from thalweg.rendering.diagrams.layout import Placement, place_boxes
from thalweg.rendering.diagrams.straightening import ENTRY, spread_ports
from thalweg.rendering.markup import short_number, shown

__all__ = ["draw_text"]

_NARROWEST_BOX = 15
_WIDEST_BOX = 46


def draw_text(spec: NetworkSpec, ledger: Ledger, width: int = 80) -> str:
    """Draw a network with characters.

    Args:
        spec: The network.
        ledger: Its counts; layers without a row are drawn without numbers.
        width: Columns there are.

    Returns:
        Lines of at most `width` characters.

    Example:
        >>> from thalweg.core.network_spec import LayerSpec
        >>> from thalweg.core.shape import Shape
        >>> relu = LayerSpec(name="relu1", kind="relu", inputs=("x",))
        >>> spec = NetworkSpec(name="n", inputs={"x": Shape(3)}, layers=(relu,), outputs=("relu1",))
        >>> print(draw_text(spec, Ledger(network="n", input_shapes={}, rows=()), width=24))
        n: 0 parameters, 0
        buffers, 0 MACs
        ┌──────────────────────┐
        │ input x              │
        └──────────┬───────────┘
                   │ 3
                   ▼
        ┌──────────────────────┐
        │ relu relu1           │
        └──────────────────────┘
                output
    """
    runs = group(spec, ledger)
    sheet = Canvas()
    macs = "uncounted" if ledger.macs is None else short_number(ledger.macs)
    title = f"{shown(spec.name)}: {ledger.parameters:,} parameters, {ledger.buffers:,} buffers, {macs} MACs"
    lines = [_end_cut(line, width) for line in textwrap.wrap(said(title), width, break_on_hyphens=False)]
    for number, line in enumerate(lines):  # a number that is cut would be another number
        sheet.text(number, 0, line)
    shapes = [_stage_form(stage, width) for run in runs for stage in run.stages]
    axis = max((form.left for form in shapes if form), default=0)
    if axis + max((form.right for form in shapes if form), default=0) >= width:
        axis = (width - 1) // 2
        shapes = [_stage_form(stage, width, half=True) for run in runs for stage in run.stages]
    row, entry, forms = len(lines), "", iter(shapes)
    for run in runs:
        for index, stage in enumerate(run.stages):
            told = fenced(said(f"{run.times} times: {shown(run.label)}"))
            rule = f"╌╌ {told} " if run.times > 1 and index == 0 else ""
            row = _draw_stage(sheet, stage, next(forms), row, axis, entry, rule, width)
            entry = stage.boxes[-1].shape or " "
        if run.times > 1:
            sheet.text(row, 0, _rule(f"╌╌ {fenced(said('end of the repeat'))} ", width, axis))
            row += 1
    return str(sheet)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How a stage fits: width of its boxes, columns left and right of its axis."""

    box: int
    placement: Placement
    left: int
    right: int


def _stage_form(stage: Stage, width: int, *, half: bool = False) -> _Form | None:
    """Find the widest boxes with which a stage fits; None when even the narrowest do not."""
    sources = {box.key: box.sources for box in stage.boxes}
    for box in range(min(width, _WIDEST_BOX), _NARROWEST_BOX - 1, -1):
        if len(stage.boxes) > 1 and box % 2 == 0:
            continue
        placement = place_boxes(dict.fromkeys(sources, float(box)), sources, gap=2.0, lane=1.0)
        spans = [
            (round(x) - (box - 1) // 2, round(x) - (box - 1) // 2 + box - 1)
            if placement.level.get(key) == level
            else (round(x), round(x))
            for (key, level), x in placement.x.items()
        ]
        left, right = -min(span[0] for span in spans), max(span[1] for span in spans)
        room = (width - 1) // 2 if half else width
        if left + right < width and (not half or max(left, right) <= room):
            return _Form(box=box, placement=placement, left=max(0, left), right=right)
    return None


def _draw_stage(
    sheet: Canvas, stage: Stage, form: _Form | None, row: int, axis: int, entry: str, rule: str, width: int
) -> int:
    """Draw a stage below `row`, with the line that enters it; gives the first free row."""
    if entry:
        sheet.text(row, axis, f"│ {entry}".rstrip())
        row += 1
    if rule:
        sheet.text(row, 0, _rule(rule, width, axis if entry else None))
        row += 1
    if form is None:
        return _list_stage(sheet, stage, row, width)
    placement, boxes = form.placement, {box.key: box for box in stage.boxes}
    x = {point: axis + round(place) for point, place in placement.x.items()}
    for level in range(1, placement.levels + 1):
        top = _draw_gap(sheet, boxes, placement, x, level, row, form.box)
        row = _draw_level(sheet, boxes, form, x, level, top)
    ends = [box for box in stage.boxes if box.output and placement.level[box.key] == placement.levels]
    for box in ends:
        sheet.text(row, x[box.key, placement.levels] - 3, fenced(said(f"output {box.shape}".rstrip())))
    if not stage.boxes[-1].output:  # it goes on, perhaps beside an output
        sheet.down(x[stage.boxes[-1].key, placement.levels], row - 1, row + bool(ends))
    return row + bool(ends)


def _draw_level(
    sheet: Canvas, boxes: dict[str, Box], form: _Form, x: dict[tuple[str, int], int], level: int, top: int
) -> int:
    """Draw the boxes of a level, the lanes beside them, and what leaves it; gives the row of the next level's lines."""
    placement = form.placement
    feet = {}
    for key, box in boxes.items():
        if placement.level[key] == level:
            feet[key] = top + len(_box_lines(box, form.box)) + 1
            _draw_box(sheet, box, x[key, level] - (form.box - 1) // 2, top, form.box)
    foot = max(feet.values(), default=top)
    below = foot + (level < placement.levels)
    for (key, at), column in x.items():
        if at == level and _reads(key, level, boxes, placement):
            sheet.down(column, feet.get(key, top - 1), below)
            if key in feet:
                sheet.text(below, column + 2, boxes[key].shape)
    return below + 1


def _reads(key: str, level: int, boxes: dict[str, Box], placement: Placement) -> bool:
    """Whether a value goes on below a level."""
    return placement.lanes.get(key, -1) > level or any(
        placement.level[box.key] == level + 1 and key in {s if s in boxes else ENTRY for s in box.sources}
        for box in boxes.values()
    )


def _draw_gap(
    sheet: Canvas,
    boxes: dict[str, Box],
    placement: Placement,
    x: dict[tuple[str, int], int],
    level: int,
    row: int,
    wide: int,
) -> int:
    """Draw the lines that enter a level, each source on a track of its own; gives the row of the boxes' tops."""
    moves: dict[str, list[tuple[int, bool]]] = {}
    for key, last in placement.lanes.items():
        if placement.level.get(key, 0) < level <= last:
            moves.setdefault(key, []).append((x[key, level], False))
    for key, box in boxes.items():
        if placement.level[key] == level:
            starts = {s: float(x[s, level - 1]) for s in dict.fromkeys(s if s in boxes else ENTRY for s in box.sources)}
            ports = spread_ports(starts, float(x[key, level]), reach=(wide - 3) / 2, apart=2.0)
            for source in starts:
                moves.setdefault(source, []).append((round(ports[source]), True))
    bent = [key for key, ends in moves.items() if any(end != x[key, level - 1] for end, _ in ends)]
    bent.sort(
        key=lambda key: any(end == x[other, level - 1] for other in bent if other != key for end, _ in moves[key])
    )
    foot = row + len(bent)
    for key, ends in moves.items():
        start = x[key, level - 1]
        track = row + bent.index(key) if key in bent else row
        sheet.down(start, row - 1, track)
        for end, arrow in ends:
            sheet.across(track, start, end)
            sheet.down(end, track, foot)
            if arrow:
                sheet.text(foot, end, "▼")
            else:
                sheet.down(end, foot, foot + 1)
    return foot + 1 if moves else row


def _draw_box(sheet: Canvas, box: Box, column: int, row: int, wide: int) -> None:
    lines = _box_lines(box, wide)
    sheet.box(row, column, wide, len(lines) + 2)
    for index, (text, number) in enumerate(lines, start=row + 1):
        sheet.text(index, column + 2, text.ljust(wide - 4 - len(number)) + number)


def _box_lines(box: Box, wide: int) -> list[tuple[str, str]]:
    """What a box says, line by line: text and number, each on its own line where they do not fit together."""
    lines = []
    for index, row in enumerate(box.rows):
        number = f"{row.parameters:,}" if row.parameters else ""
        room = wide - 4 - (len(number) + 1 if number else 0)
        text = shown(row.text)
        named = f"{text} {shown(row.name)}" if index == 0 and row.name and row.name != row.text else text
        if len(text) > room:
            text = named = re.sub(r"[123]d ", " ", text).replace(", ", ",")
        if len(text) > room and number:
            lines += [(_end_cut(text, wide - 4), ""), ("", number)]
        else:
            lines.append((named if len(named) <= room else _end_cut(text, room), number))
    return lines


def _list_stage(sheet: Canvas, stage: Stage, row: int, width: int) -> int:
    """List a stage that is too wide to be drawn: each box with what it reads."""
    for box in stage.boxes:
        kinds = " + ".join(shown(line.text) for line in box.rows)
        reads = f" reads {', '.join(map(shown, box.sources))}" if box.sources else ""
        words = f"{shown(box.key)} = {kinds}{reads} -> {box.shape or '?'}"
        for line in textwrap.wrap(words, width, subsequent_indent="    "):
            sheet.text(row, 0, line)
            row += 1
    return row


def _rule(text: str, width: int, axis: int | None) -> str:
    cut = _end_cut(text, width)
    line = cut + "╌" * (width - columns(cut))
    at = -1 if axis is None else len(line) - width + axis  # of two letters on one column the second is ours
    return line if axis is None or columns(text) > axis >= 0 else f"{line[:at]}│{line[at + 1 :]}"


def _end_cut(text: str, room: int) -> str:
    return text if columns(text) <= room else text[: max(0, room - 1)] + "…"
