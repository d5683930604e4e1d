"""Measured values as dots with their intervals, one row each with its name beside it: nothing depends on colour."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.core.report import Drawing, Table
from thalweg.rendering.figures.axes import format_tick, nice_ticks
from thalweg.rendering.markup import cut_label, escape, escape_lines, shown, text_width
from thalweg.rendering.palette import figure_style

__all__ = ["Dot", "draw_dots"]

_ROW, _TOP, _FOOT = 24, 12, 46
_NUMBERS = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One row; a heading where there is no value.

    Args:
        label: What was measured.
        value: The value, or None for a heading.
        low: Lower end of its interval, if it has one.
        high: Upper end.
        note: What stands at the end of the row after the value, such as a cost.
        hollow: Whether it is drawn hollow, to tell a reference from the rest.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    hollow: bool = False


def draw_dots(caption: str, unit: str, dots: Sequence[Dot], *, width: int = 720, digits: int = 3) -> Drawing:
    """Draw rows of dots.

    Args:
        caption: What is compared.
        unit: What the axis measures.
        dots: The rows.
        width: Width, in pixels.
        digits: Decimals of the numbers beside the dots.

    Returns:
        The drawing, with its numbers in words.

    Example:
        >>> draw_dots("Accuracy", "share right", [Dot(label="plain", value=0.8, low=0.7, high=0.9)]).alternative
        'plain: 0.800 (0.700 to 0.900).'
    """
    known = [
        end
        for dot in dots
        for end in (dot.value, dot.low, dot.high)
        if dot.value is not None and end is not None and math.isfinite(end)
    ]
    ticks = nice_ticks(min(known, default=0.0), max(known, default=1.0))
    notes = max((text_width(shown(dot.note), 11) for dot in dots), default=0)
    left = min(width * 0.42, 22 + max((text_width(shown(dot.label)) for dot in dots), default=0))
    right = width - min(width * 0.4, _NUMBERS - 60 + notes)
    foot = _TOP + _ROW * len(dots)

    def place(value: float) -> float:
        return left + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (right - left)

    body = []
    for tick in ticks:
        x = place(tick)
        label = format_tick(tick, ticks[1] - ticks[0])
        body.append(
            f'<path class="grid" d="M{x:.1f},{_TOP}V{foot}"/>'
            f'<text class="dim middle" x="{x:.1f}" y="{foot + 16}">{label}</text>'
        )
    body.append(
        f'<text class="dim middle" x="{(left + right) / 2:.1f}" y="{foot + 36}">{escape(unit)}</text>'
        f'<path class="axis" d="M{left:.1f},{foot}H{right:.1f}"/>'
    )
    words, rows = [], []
    for number, dot in enumerate(dots):
        y = _TOP + _ROW * number + _ROW / 2
        if dot.value is None or not math.isfinite(dot.value):
            weight = 'style="font-weight:600"'
            body.append(f'<text {weight} x="6" y="{y + 4:.1f}">{escape(dot.label)}</text>')
            continue
        whole, named = cut_label(shown(dot.label), left - 20)
        body.append(f'<text class="end" x="{left - 10:.1f}" y="{y + 4:.1f}"{whole}>{named}</text>')
        said = f"{dot.value:.{digits}f}"
        if dot.low is not None and dot.high is not None:
            ends = f"M{place(dot.low):.1f},{y - 4:.1f}v8m0,-4H{place(dot.high):.1f}m0,-4v8"
            body.append(f'<path style="stroke:var(--tw-ink);stroke-width:1.5;fill:none" d="{ends}"/>')
        fill = "var(--tw-paper)" if dot.hollow else "var(--tw-line0)"
        between = "" if dot.low is None or dot.high is None else f" ({dot.low:.{digits}f} to {dot.high:.{digits}f})"
        words.append(f"{shown(dot.label)}: {said}{between}{', ' + shown(dot.note) if dot.note else ''}.")
        rows.append((shown(dot.label), said, between.strip(" ()"), shown(dot.note)))
        body.append(
            f'<circle cx="{place(dot.value):.1f}" cy="{y:.1f}" r="4.5" data-says="{escape(words[-1])}" '
            f'style="fill:{fill};stroke:var(--tw-line0);stroke-width:2"/>'
            f'<text class="small" x="{right + 10:.1f}" y="{y + 4:.1f}">{said}'
            f'<tspan class="dim">{escape("  " + dot.note) if dot.note else ""}</tspan></text>'
        )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw" role="img" width="{width}" height="{foot + _FOOT}" '
        f'viewBox="0 0 {width} {foot + _FOOT}" aria-label="{escape(caption)}"><desc>{escape_lines(words)}</desc>'
        f"{figure_style()}{''.join(body)}</svg>"
    )
    numbers = Table(caption=caption, header=("what", unit, "interval", "note"), rows=tuple(rows))
    return Drawing(caption=caption, svg=svg, alternative="\n".join(words), numbers=numbers)
