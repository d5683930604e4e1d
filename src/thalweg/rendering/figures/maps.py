"""Feature maps and small pictures as SVG: squares in grey, so that they print and need no picture file."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thalweg.core.report import Drawing
from thalweg.rendering.markup import cut_label, escape, escape_lines, shown
from thalweg.rendering.palette import figure_style
from thalweg.rendering.said_drawing import noted

__all__ = ["MapTile", "draw_maps"]

_GREYS = 24
_SIDE, _GAP, _WORDS = 112, 16, 34
_MOST = 40
"""Squares along a side; larger maps are averaged down to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapTile:
    """One map with its label.

    Args:
        label: What it is.
        values: `(height, width)`; drawn from its own lowest (black) to its own highest value (white).
        note: A second, dimmer line, such as its size.
    """

    label: str
    values: np.ndarray
    note: str = ""


def draw_maps(caption: str, rows: Sequence[Sequence[MapTile]]) -> Drawing:
    """Draw rows of maps.

    Args:
        caption: What they are.
        rows: Maps, row by row.

    Returns:
        The drawing, with its labels in words.

    Example:
        >>> tile = MapTile(label="picture", values=np.eye(3), note="3 x 3")
        >>> draw_maps("Maps", [[tile]]).alternative
        'picture – 3 x 3.'
    """
    width = max(len(row) for row in rows) * (_SIDE + _GAP)
    body = []
    for line, row in enumerate(rows):
        for place, tile in enumerate(row):
            x, y = _GAP / 2 + place * (_SIDE + _GAP), 4 + line * (_SIDE + _WORDS + 8)
            whole, label = cut_label(shown(tile.label), _SIDE + _GAP - 6)
            whole_note, note = cut_label(shown(tile.note), _SIDE + _GAP)
            body.append(
                f'<g transform="translate({x:.1f},{y})">{_squares(tile.values)}'
                f'<text x="0" y="{_SIDE + 14}"{whole}>{label}</text>'
                f'<text class="dim small" x="0" y="{_SIDE + 28}"{whole_note}>{note}</text></g>'
            )
    height = len(rows) * (_SIDE + _WORDS + 8) + 4
    words = [noted(shown(tile.label), shown(tile.note)) for row in rows for tile in row]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" aria-label="{escape(caption)}"><desc>{escape_lines(words)}</desc>'
        f"{figure_style()}{''.join(body)}</svg>"
    )
    return Drawing(caption=caption, svg=svg, alternative="\n".join(words))


def _squares(values: np.ndarray) -> str:
    """One path a grey, made of runs along the rows."""
    map_ = _shrunk(np.nan_to_num(np.asarray(values, dtype=np.float64)))
    low, span = float(map_.min()), float(np.ptp(map_))
    greys = np.round((map_ - low) / (span or 1.0) * (_GREYS - 1)).astype(int)
    runs: dict[int, list[str]] = {}
    for y, row in enumerate(greys):
        edges = [0, *(np.flatnonzero(np.diff(row)) + 1).tolist(), len(row)]
        for start, end in itertools.pairwise(edges):
            runs.setdefault(int(row[start]), []).append(f"M{start},{y}h{end - start}v1h{start - end}z")
    scale = _SIDE / max(greys.shape)
    paths = "".join(f'<path fill="{_grey(shade)}" d="{"".join(parts)}"/>' for shade, parts in sorted(runs.items()))
    frame = f'<path class="axis" fill="none" d="M0,0h{greys.shape[1] * scale:.1f}v{greys.shape[0] * scale:.1f}H0z"/>'
    return f'<g transform="scale({scale:.4f})" shape-rendering="crispEdges">{paths}</g>{frame}'


def _grey(shade: int) -> str:
    return "#" + f"{round(255 * shade / (_GREYS - 1)):02x}" * 3


def _shrunk(map_: np.ndarray) -> np.ndarray:
    factor = -(-max(map_.shape) // _MOST)
    if factor <= 1:
        return map_
    high, wide = (max(factor, size // factor * factor) for size in map_.shape)
    padded = np.pad(map_, [(0, max(0, high - map_.shape[0])), (0, max(0, wide - map_.shape[1]))], mode="edge")
    kept = padded[:high, :wide]
    return np.asarray(kept.reshape(high // factor, factor, wide // factor, factor).mean(axis=(1, 3)))
