"""Pictures of a report side by side as one SVG, their captions below: what a page shows in tiles, for slides."""

import base64
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from thalweg.core.errors import PlanError
from thalweg.core.languages import Said
from thalweg.core.report import Comparisons, Picture, PictureGrid
from thalweg.rendering.markup import escape, middle_cut, shown, text_width, unmarked
from thalweg.rendering.palette import figure_style
from thalweg.rendering.words import words_for

__all__ = ["draw_sheet"]

_ROOM, _GAP, _LINE = 760, 14, 15
_SIDE, _SMALL = 176, 112
_STRIP = 2
"""So many times as wide as high, a picture has the room of two."""
_LINES, _MOST = 4, 96
"""Lines of a caption, and pictures of a sheet, at most."""


class _Path(str):
    """A line that is a path."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tile:
    picture: Picture
    lines: tuple[str, ...]
    width: float
    height: float


def draw_sheet(
    block: PictureGrid | Comparisons, *, sizes: Mapping[bytes, tuple[int, int]] | None = None, language: str = "en"
) -> str:
    """Draw the pictures of a block.

    Args:
        block: Pictures, or pairs of truth and answer, with captions in the language.
        sizes: Width and height of each picture, by its bytes; without them it gets a square.
        language: Language of the words that a page adds.

    Returns:
        A complete `<svg>` that holds its pictures.

    Raises:
        PlanError: A picture is neither JPEG nor PNG.

    Example:
        >>> picture = Picture(data=b"...", media_type="image/png", caption="a cat")
        >>> draw_sheet(PictureGrid(caption="Cats", pictures=(picture,))).count("<image ")
        1
    """
    words, right = words_for(language), words_for(language)["direction"] == "rtl"
    parts, y, rows = [], 8.0, _rows(block, words, sizes or {})
    if isinstance(block, Comparisons) and block.legend:
        x = 8.0
        for name, shade in block.legend:
            wide = 34 + text_width(shown(name))
            if x > 8 and x + wide > _ROOM:  # noqa: PLR2004 - the row's start
                x, y = 8.0, y + 20
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="12" height="12" rx="2" fill="{escape(shade)}"/>'
                f'<text x="{x + 18:.1f}" y="{y + 10.5:.1f}">{escape(name)}</text>'
            )
            x += wide
        y += 28
    small = isinstance(block, PictureGrid) and block.small
    width = 0.0
    for row in rows:
        x, tall = 8.0, max(tile.height for tile in row)
        for tile in row:
            parts.append(_image(tile, x, y + tall - tile.height, crisp=small))
            for number, line in enumerate(tile.lines):
                kind, at = ("end", x + tile.width) if right else ("start", x)
                told = f"\u2066{line}\u2069" if isinstance(line, _Path) else f"\u2067{line}\u2069" if right else line
                down = y + tall + 14 + _LINE * number
                parts.append(f'<text class="small {kind}" x="{at:.1f}" y="{down:.1f}">{escape(Said(told))}</text>')
            x += tile.width + _GAP
        width = max(width, x - _GAP + 8)
        y += tall + 12 + _LINE * max(len(tile.lines) for tile in row) + 8
    width, height = round(max(width, 240)), round(max(y, 40))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw" role="img" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" aria-label="{escape(block.caption)}">'
        f"{figure_style()}{''.join(parts)}</svg>"
    )


def _rows(
    block: PictureGrid | Comparisons, words: dict[str, str], sizes: Mapping[bytes, tuple[int, int]]
) -> list[list[_Tile]]:
    if isinstance(block, Comparisons):
        tiles = []
        for pair in block.pictures[: _MOST // 2]:
            tiles.append(_tile(pair.truth, _SIDE, words["truth"], sizes))
            tiles.append(_tile(pair.answer, _SIDE, words["prediction"], sizes))
    else:
        side = _SMALL if block.small else _SIDE
        tiles = [_tile(picture, side, picture.badge, sizes) for picture in block.pictures[:_MOST]]
    rows: list[list[_Tile]] = []
    taken = 0.0
    for tile in tiles:
        if not rows or taken + tile.width > _ROOM:
            rows.append([])
            taken = 0.0
        rows[-1].append(tile)
        taken += tile.width + _GAP
    return rows


def _tile(picture: Picture, side: float, word: str, sizes: Mapping[bytes, tuple[int, int]]) -> _Tile:
    """A very wide picture, such as a line, has the room of two, no picture more height than a square."""
    wide, high = sizes.get(picture.data, (1, 1))
    width = 2 * side + _GAP if wide >= _STRIP * high else side
    height = min(side, width * high / wide)
    caption = ": ".join(filter(None, map(_bare, (word, picture.caption))))
    lines = tuple(textwrap.wrap(caption, int(width / 6.2))[:_LINES])
    if picture.file:  # read from the left, whatever the letters of its folders
        parts = middle_cut(shown(picture.file), width, 11).split("/")
        lines = (*lines, _Path("/".join(f"\u2068{part}\u2069" for part in parts)))
    return _Tile(picture=picture, lines=lines, width=width, height=height)


def _bare(text: str) -> str:
    """Without marks of direction: a line break between two of them would turn the rest around."""
    return unmarked(text) if isinstance(text, Said) else shown(text)


def _image(tile: _Tile, x: float, y: float, *, crisp: bool) -> str:
    picture = tile.picture
    if picture.media_type not in {"image/jpeg", "image/png"}:
        raise PlanError(f"picture {shown(picture.file)} is {shown(picture.media_type)}; a sheet shows JPEG and PNG")
    data = base64.b64encode(picture.data).decode("ascii")
    drawn = ' style="image-rendering:pixelated"' if crisp else ""
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{tile.width:.1f}" height="{tile.height:.1f}"{drawn} '
        f'preserveAspectRatio="xMidYMax meet" href="data:{picture.media_type};base64,{data}"/>'
    )
