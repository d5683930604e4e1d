"""Walks over a map of the loss, moving: dots that follow optimizers step by step.

The whole path is drawn and named, so that the figure says everything at rest: in print, and for readers who want no
motion, the dots stand at their ends. The motion is style only; nothing runs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.core.landscape import LossPlane
from thalweg.core.report import Drawing
from thalweg.rendering.figures.plane import PlaneMap
from thalweg.rendering.markup import escape, escape_lines
from thalweg.rendering.palette import DASHES

__all__ = ["WalkedPath", "draw_walks"]

SECONDS = 12
STOPS = 60
"""Places in an animation; a long walk is thinned to so many."""
_STILL = ("(prefers-reduced-motion:reduce)", "print")
_MARKS = (
    "M-6,0a6,6 0 1,0 12,0a6,6 0 1,0 -12,0",
    "M-5.4,-5.4h10.8v10.8h-10.8z",
    "M0,-7L6.6,5H-6.6z",
    "M0,-7.4L7.4,0L0,7.4L-7.4,0z",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkedPath:
    """One walk: what to call it, and its places step by step."""

    label: str
    points: tuple[tuple[float, ...], ...]


def draw_walks(
    plane: LossPlane, paths: Sequence[WalkedPath], *, caption: str, saddle: tuple[float, float], width: int = 560
) -> Drawing:
    """Draw walks over a map, moving.

    Args:
        plane: The loss.
        paths: The walks; those beyond the eighth look like the first again.
        caption: The figure's caption.
        saddle: Where the saddle is, marked.
        width: Width, in pixels.

    Returns:
        The drawing with its text alternative.
    """
    sheet = PlaneMap(plane, width=width)
    rules, lines, dots, legend = [], [], [], []
    for number, path in enumerate(paths):
        places = [sheet.place(*_inside(plane, point)) for point in path.points]
        style, shape = f"line{number % 8}", _MARKS[number % len(_MARKS)]
        dash = f' stroke-dasharray="{DASHES[number % 8]}"' if DASHES[number % 8] else ""
        lines.append(f'<path class="line {style}"{dash} d="M{"L".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>')
        kept = [places[round(share * (len(places) - 1) / STOPS)] for share in range(STOPS + 1)]
        stops = "".join(
            f"{100 * index / STOPS:.2f}%{{transform:translate({x:.1f}px,{y:.1f}px)}}"
            for index, (x, y) in enumerate(kept)
        )
        rules.append(f"@keyframes tw-walk{number}{{{stops}}}")
        rules.append(f".tw .walker{number}{{animation:tw-walk{number} {SECONDS}s linear infinite}}")
        end = places[-1]
        dots.append(
            f'<g class="walker{number}" transform="translate({end[0]:.1f},{end[1]:.1f})">'
            f'<path class="fill{number % 8}" stroke="var(--tw-paper)" stroke-width="1.5" d="{shape}"/></g>'
        )
        y = sheet.height + 14 + 22 * number
        legend.append(
            f'<path class="line {style}"{dash} d="M{sheet.left:.0f},{y}h34"/>'
            f'<path class="fill{number % 8}" transform="translate({sheet.left + 17:.0f},{y})" d="{shape}"/>'
            f'<text x="{sheet.left + 46:.0f}" y="{y + 4}">{escape(path.label)}</text>'
        )
    still = "".join(f"@media {when}{{.tw g{{animation:none!important}}}}" for when in _STILL)
    mark = _cross(*sheet.place(*saddle), "saddle") + _cross(*sheet.place(*_inside(plane, paths[0].points[0])), "start")
    height = sheet.height + 22 * len(paths) + 8
    words = [_words(path) for path in paths]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" aria-label="{escape(caption)}"><desc>{escape_lines(words)}</desc>'
        f"{sheet.style(''.join(rules) + still)}{sheet.body()}{''.join(lines)}{mark}"
        f"{''.join(dots)}{''.join(legend)}</svg>"
    )
    return Drawing(caption=caption, svg=svg, alternative="\n".join(words))


def _inside(plane: LossPlane, point: Sequence[float]) -> tuple[float, float]:
    """The nearest place of the map; a walk that leaves it goes along its edge."""
    x, y = (value if math.isfinite(value) else 0.0 for value in point)
    return min(max(x, plane.x[0]), plane.x[-1]), min(max(y, plane.y[0]), plane.y[-1])


def _cross(x: float, y: float, label: str) -> str:
    return (
        f'<path d="M{x - 4:.1f},{y - 4:.1f}l8,8m0,-8l-8,8" fill="none" stroke="var(--tw-ink)" stroke-width="2"/>'
        f'<text class="halo small" x="{x + 8:.1f}" y="{y + 14:.1f}">{escape(label)}</text>'
    )


def _words(path: WalkedPath) -> str:
    first, last = path.points[0], path.points[-1]
    return (
        f"{path.label}: from ({first[0]:.3g}, {first[1]:.3g}) to ({last[0]:.3g}, {last[1]:.3g}) "
        f"in {len(path.points) - 1} steps."
    )
