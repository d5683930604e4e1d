"""Curves as SVG: axes with round ticks, a legend, gaps where there is no value, marks with their reason.

No plotting library: the figure must be text that scales, follows the reader's light or dark screen, and can be read
aloud. Long curves keep every peak: each stretch of neighbouring points is replaced by its first, lowest, highest and
last one, which draws the same line at this size.
"""

import math
from collections.abc import Callable, Iterator, Sequence

from thalweg.core.languages import Said, Speaker, speaker
from thalweg.core.report import Curves, Line, Mark
from thalweg.rendering.figures.axes import Axis, value_axis
from thalweg.rendering.figures.curves_in_words import describe_curves
from thalweg.rendering.markup import escape, finite, middle_cut, shown, text_width, unmarked
from thalweg.rendering.palette import DASHES, LINES_LIGHT, figure_style

__all__ = ["draw_curves", "figure_facts", "tabulate_curves", "thin"]

_MARKERS = (
    "M-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0",
    "M-2.7,-2.7h5.4v5.4h-5.4z",
    "M0,-3.6L3.4,2.6H-3.4z",
    "M0,-3.8L3.8,0L0,3.8L-3.8,0z",
    "M0,3.6L3.4,-2.6H-3.4z",
    "M-1.2,-4h2.4v2.8h2.8v2.4h-2.8v2.8h-2.4v-2.8h-2.8v-2.4h2.8z",
    "M-3.4,-1.8L-1.8,-3.4L0,-1.6L1.8,-3.4L3.4,-1.8L1.6,0L3.4,1.8L1.8,3.4L0,1.6L-1.8,3.4L-3.4,1.8L-1.6,0z",
    "M-4,-1.5h8v3h-8z",
)
_LINE = 15
_POINTS_WITH_MARKERS = 40
_MARKERS_A_LINE = 9
"""On a line of more points, for lines are told apart in print, and by those who see no colours, by their markers."""


def draw_curves(figure: Curves, *, width: int = 720, height: int = 320, voice: Speaker | None = None) -> str:
    """Draw curves over one axis.

    Args:
        figure: The curves, their labels and marks.
        width: Width, in pixels.
        height: Height, in pixels, without the legend.
        voice: Who says what the curves do, and writes numbers; the figure's own texts are in its language already.

    Returns:
        A complete `<svg>` element that needs nothing else.

    Example:
        >>> figure = Curves(caption="Loss", x_label="epoch", y_label="nats",
        ...                 lines=(Line(label="training", x=(1, 2), y=(0.7, 0.4)),))
        >>> draw_curves(figure).startswith("<svg")
        True
    """
    voice = voice or speaker("en")
    entries, legend_height = _legend(figure.lines, width)
    marks_height = 18 if figure.marks else 0
    top, bottom = legend_height + marks_height + 28, legend_height + marks_height + height - 46
    x_axis, y_axis = _axes(figure, width, top, bottom)
    name = _in_lines(figure.x_label, 2 * min((x_axis.start + x_axis.end) / 2, width - (x_axis.start + x_axis.end) / 2))
    parts = [
        '<g class="scale">',
        *_frame(figure, x_axis, y_axis, voice.number),
        "</g>",
        *_titles(figure, name, x_axis, y_axis),
        '<g class="events">',
        *_draw_marks(figure.marks, x_axis, y_axis),
        "</g>",
        _window(x_axis.start, top - 5, x_axis.end - x_axis.start + 5, bottom - top + 10),
        *(part for index, line in enumerate(figure.lines) for part in _draw_line(index, line, x_axis, y_axis)),
        "</svg>",
        *entries,
    ]
    total = legend_height + marks_height + height + _LINE * (len(name) - 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw tw-curves" role="img" width="{width}" height="{total}" '
        f'viewBox="0 0 {width} {total}" aria-label="{escape(figure.caption)}" data-left="{x_axis.start:.1f}" '
        f'data-right="{x_axis.end:.1f}" data-top="{top}" data-bottom="{bottom}" data-low="{x_axis.low!r}" '
        f'data-high="{x_axis.high!r}"><desc>{escape(describe_curves(figure, voice))}</desc>{figure_style()}'
        f"{''.join(parts)}</svg>"
    )


def _window(x: float, y: float, width: float, height: float) -> str:
    """Open an inner picture that cuts off what lies outside the axes."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<svg class="inside" {place} viewBox="{x:.1f} {y:.1f} {width:.1f} {height:.1f}">'


def _axes(figure: Curves, width: int, top: int, bottom: int) -> tuple[Axis, Axis]:
    wanted = [value for line in figure.lines for value in finite(line.y)]
    if figure.diagonal and figure.y_range is None:
        wanted += [0.0, 1.0]
    y_axis = value_axis(figure.y_range or wanted, bottom, top, log=figure.log_y)
    if figure.y_range and not figure.log_y:
        low, high = figure.y_range
        inside = tuple(tick for tick in y_axis.ticks if low <= tick <= high)
        y_axis = Axis(low=low, high=high, start=bottom, end=top, ticks=inside)
    left = 26 + max((text_width(label) for label in y_axis.labels()), default=0)
    places = [value for line in figure.lines for value in finite(line.x)] + [mark.x for mark in figure.marks]
    places += [mark.until for mark in figure.marks if mark.until is not None]
    x_axis = value_axis(finite(places), left, width - 18, about=max(3, int((width - left) // 90)))
    if places and not figure.diagonal:  # ticks are round, but the axis ends where the data ends
        low, high = min(places), max(places)
        inside = tuple(tick for tick in x_axis.ticks if low <= tick <= high)
        if low == high:
            inside, low, high = (float(low),), low - 1, high + 1
        if all(float(place).is_integer() for place in places):
            inside = tuple(tick for tick in inside if tick.is_integer())
            if low not in inside and (not inside or inside[0] - low >= (high - low) / 20):
                inside = (low, *inside)
        x_axis = Axis(low=low, high=high, start=left + 6, end=x_axis.end, ticks=inside)
    return x_axis, y_axis


def _frame(figure: Curves, x_axis: Axis, y_axis: Axis, numerals: Callable[[str], str]) -> Iterator[str]:
    for tick, label in zip(y_axis.ticks, y_axis.labels(), strict=True):
        y = y_axis.place(tick)
        yield f'<path class="grid" d="M{x_axis.start:.1f},{y:.1f}H{x_axis.end:.1f}"/>'
        yield f'<text class="dim end" x="{x_axis.start - 8:.1f}" y="{y + 4:.1f}">{numerals(label)}</text>'
    yield f'<path class="axis" d="M{x_axis.start:.1f},{y_axis.start:.1f}H{x_axis.end:.1f}"/>'
    steps = [late - early for early, late in zip(x_axis.ticks, x_axis.ticks[1:], strict=False)]
    whole = all(float(tick).is_integer() for tick in x_axis.ticks)
    for tick, label in zip(x_axis.ticks, x_axis.labels(), strict=True):
        x = x_axis.place(tick)
        shown = f"{tick:,.0f}" if whole and steps else label
        yield f'<path class="axis" d="M{x:.1f},{y_axis.start:.1f}v5"/>'
        yield f'<text class="dim middle" x="{x:.1f}" y="{y_axis.start + 19:.1f}">{numerals(shown)}</text>'
    if figure.diagonal:
        low, high = max(x_axis.low, y_axis.low), min(x_axis.high, y_axis.high)
        yield (
            f'<path class="diagonal" d="M{x_axis.place(low):.1f},{y_axis.place(low):.1f}'
            f'L{x_axis.place(high):.1f},{y_axis.place(high):.1f}"/>'
        )


def _in_lines(label: str, room: float) -> tuple[str, ...]:
    """The name of an axis, in two lines of about one length where one is too long for the room."""
    words = unmarked(label).split(" ")
    if text_width(label) <= room or len(words) < 2:  # noqa: PLR2004 - nothing to part
        return (label,)
    pairs = [(" ".join(words[:place]), " ".join(words[place:])) for place in range(1, len(words))]
    pair = min(pairs, key=lambda pair: max(map(text_width, pair)))
    return tuple(Said(f"\u2068{part}\u2069") for part in pair) if isinstance(label, Said) else pair


def _titles(figure: Curves, name: tuple[str, ...], x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    """Names of the axes; the page's script leaves them alone when it draws the frame anew."""
    middle = (x_axis.start + x_axis.end) / 2
    for number, line in enumerate(name):
        down = y_axis.start + 38 + _LINE * number
        yield f'<text class="dim middle" x="{middle:.1f}" y="{down:.1f}">{escape(line)}</text>'
    above = y_axis.end - (28 if figure.marks else 12)
    yield f'<text class="dim" x="4" y="{above:.1f}">{escape(figure.y_label)}</text>'


def _draw_marks(marks: tuple[Mark, ...], x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    taken = [-math.inf] * 3
    for mark in sorted((mark for mark in marks if math.isfinite(mark.x)), key=lambda mark: mark.x):
        label = middle_cut(shown(mark.label), (x_axis.end - x_axis.start) / 2, 11)
        x, wide = x_axis.place(mark.x), text_width(label, 11)
        late = x + wide + 4 > x_axis.end
        left = x - wide if late else x
        row = next((row for row, end in enumerate(taken) if left > end + 8), len(taken) - 1)
        taken[row] = left + wide
        y = y_axis.end - 8 + 15 * row
        if mark.until is not None and mark.until > mark.x:
            shade, right = 'style="fill:var(--tw-dim);fill-opacity:.13"', x_axis.place(mark.until)
            yield f'<path {shade} d="M{x:.1f},{y_axis.end:.1f}H{right:.1f}V{y_axis.start:.1f}H{x:.1f}z"/>'
        yield f'<path class="mark" d="M{x:.1f},{y + 4:.1f}V{y_axis.start:.1f}"/>'
        place = "end" if late else ""
        yield f'<text class="small halo {place}" x="{x:.1f}" y="{y:.1f}">{escape(label)}</text>'


def _draw_line(index: int, line: Line, x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    colour = index % len(LINES_LIGHT)
    points = [
        (x_axis.place(x), y_axis.place(y)) if math.isfinite(x) and math.isfinite(y) else (math.nan, math.nan)
        for x, y in thin(line)
    ]
    path, pen_down = [], False
    for x, y in points:
        known = math.isfinite(x) and math.isfinite(y)
        if known:
            path.append(f"{'L' if pen_down else 'M'}{x:.1f},{y:.1f}")
        pen_down = known
    dash = _dash(index, line)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    yield f'<path class="line line{colour}" d="{"".join(path)}"{dashed}/>'
    some = _marked(index, points, x_axis)
    for place, (x, y) in enumerate(points):
        alone = not any(math.isfinite(points[other][1]) for other in (place - 1, place + 1) if 0 <= other < len(points))
        if math.isfinite(y) and (place in some or alone):
            yield f'<path class="fill{colour}" transform="translate({x:.1f},{y:.1f})" d="{_marker(index)}"/>'


def _marked(index: int, points: Sequence[tuple[float, float]], x_axis: Axis) -> set[int]:
    """The points of a line that get a marker: all of a few; else some, elsewhere than on the lines beside it."""
    known = [place for place, (_, y) in enumerate(points) if math.isfinite(y)]
    if len(points) <= _POINTS_WITH_MARKERS or not known:
        return set(known)
    apart = (x_axis.end - x_axis.start) / _MARKERS_A_LINE
    first = x_axis.start + apart * ((0.5 + 0.382 * index) % 1)  # the golden section: no two of a few lines meet
    wanted = [first + apart * number for number in range(_MARKERS_A_LINE)]
    return {min(known, key=lambda place: abs(points[place][0] - x)) for x in wanted}


def _dash(index: int, line: Line) -> str:
    """Dashes of a line that asks for them, and of those after colours and markers are used up."""
    return DASHES[2] if line.dashed else DASHES[index // len(_MARKERS) % len(DASHES)]


def _marker(index: int) -> str:
    return _MARKERS[index % len(_MARKERS)]


def _legend(lines: tuple[Line, ...], width: int) -> tuple[list[str], int]:
    if len(lines) < 2 and not (lines and lines[0].label):  # noqa: PLR2004 - one unnamed line needs no legend
        return [], 0
    parts, x, y = [], 4.0, 14
    for index, line in enumerate(lines):
        wide = 34 + text_width(line.label) + 16
        if x > 4 and x + wide > width:  # noqa: PLR2004 - the row's start
            x, y = 4.0, y + 20
        dash = f' stroke-dasharray="{_dash(index, line)}"' if _dash(index, line) else ""
        colour = index % len(LINES_LIGHT)
        parts.append(
            f'<g class="key"><path class="line line{colour}" d="M{x:.1f},{y - 4}h24"{dash}/>'
            f'<path class="fill{colour}" transform="translate({x + 12:.1f},{y - 4})" d="{_marker(index)}"/>'
            f'<text x="{x + 31:.1f}" y="{y}">{escape(line.label)}</text></g>'
        )
        x += wide
    return parts, y + 8


def thin(line: Line, limit: int = 640) -> list[tuple[float, float]]:
    """Leave out points that would not be seen, keeping peaks and gaps.

    Args:
        line: A curve.
        limit: How many points may stay.

    Returns:
        The points in order, at most about `limit`.

    Example:
        >>> len(thin(Line(label="", x=tuple(range(10_000)), y=tuple(range(10_000))))) <= 640
        True
    """
    points = list(zip(line.x, line.y, strict=True))
    if len(points) <= limit:
        return points
    stretch = math.ceil(len(points) / (limit // 5))
    kept: set[int] = set()
    for start in range(0, len(points), stretch):
        places = range(start, min(start + stretch, len(points)))
        known = [place for place in places if math.isfinite(points[place][1])]
        missing = [place for place in places if not math.isfinite(points[place][1])]
        kept.update(missing[:1])
        if known:
            kept.update((known[0], known[-1]))
            kept.add(min(known, key=lambda place: points[place][1]))
            kept.add(max(known, key=lambda place: points[place][1]))
    return [points[place] for place in sorted(kept)]


def tabulate_curves(figure: Curves, limit: int = 200) -> tuple[tuple[str, ...], list[tuple[str, ...]], int, int]:
    """List the numbers behind a figure, a row for each place on its x axis.

    Args:
        figure: The curves.
        limit: How many rows there may be.

    Returns:
        The header; the rows; the step between listed rows (1: all of them); and how many rows there are in all.

    Example:
        >>> figure = Curves(caption="", x_label="epoch", y_label="loss",
        ...                 lines=(Line(label="training", x=(1, 2), y=(0.75, math.nan)),))
        >>> tabulate_curves(figure)
        (('epoch', 'training'), [('1', '0.75'), ('2', 'nan')], 1, 2)
    """
    columns = [dict(zip(line.x, line.y, strict=True)) for line in figure.lines]
    places = sorted({x for line in figure.lines for x in finite(line.x)})
    step = max(1, math.ceil(len(places) / limit))
    header = (figure.x_label, *(line.label or figure.y_label for line in figure.lines))
    rows = [(f"{x:.10g}", *(f"{column[x]:.4g}" if x in column else "" for column in columns)) for x in places[::step]]
    return header, rows, step, len(places)


def figure_facts(figure: Curves, limit: int = 1600) -> dict[str, object]:
    """Gather what the page's script needs to draw a figure anew: zoomed, or on a logarithmic scale.

    Args:
        figure: The curves.
        limit: About how many points of a line are kept; its peaks always are.

    Returns:
        Plain values for JSON; a gap is None.

    Example:
        >>> figure = Curves(caption="", x_label="epoch", y_label="loss",
        ...                 lines=(Line(label="training", x=(1, 2), y=(0.75, math.nan)),))
        >>> figure_facts(figure)["lines"][0]["y"]
        [0.75, None]
    """
    lines = []
    for line in figure.lines:
        points = thin(line, limit)
        lines.append({
            "label": shown(line.label or figure.y_label),
            "dashed": line.dashed,
            "x": [_short(x) for x, _ in points],
            "y": [_short(y) for _, y in points],
        })
    marks = [
        {"x": _short(mark.x), "until": None if mark.until is None else _short(mark.until), "label": shown(mark.label)}
        for mark in figure.marks
        if math.isfinite(mark.x)
    ]
    return {
        "x_label": shown(figure.x_label),
        "lines": lines,
        "marks": marks,
        "range": figure.y_range,
        "log": figure.log_y,
        "diagonal": figure.diagonal,
    }


def _short(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
