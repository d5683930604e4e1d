"""A loss over a plane as a map: bands of light and dark, contour lines with their heights written on them, places.

The heights are written on the lines, so that the map says the same in print, to people who see no colours, and as text.
"""

import math
from collections.abc import Sequence

from thalweg.core.landscape import LossPlane
from thalweg.core.report import Drawing
from thalweg.rendering.figures.axes import Axis, nice_ticks
from thalweg.rendering.figures.contours import contour_levels, contour_lines, finer
from thalweg.rendering.markup import escape, text_width
from thalweg.rendering.palette import figure_style

__all__ = ["PlaneMap", "draw_plane"]

_BANDS_LIGHT = ("#8fb6c4", "#a2c3cf", "#b4cfd9", "#c5dbe2", "#d5e6eb", "#e3eff2", "#eff6f8", "#f7fafb", "#fdfefe")
_BANDS_DARK = ("#0f171a", "#142126", "#192a31", "#1f343c", "#254049", "#2c4c57", "#345966", "#3c6675", "#457485")
_TIMES = 4


class PlaneMap:
    """A map of a plane: where its frame lies, and its parts as SVG; for figures that put more on it.

    Args:
        plane: The losses.
        width: Width of the whole figure, in pixels.
        levels: How many contour lines are wanted.
    """

    def __init__(self, plane: LossPlane, *, width: int = 560, levels: int = 8) -> None:
        self.plane = plane
        self.left, self.right, self.top = 62.0, width - 14.0, 26.0
        side = self.right - self.left
        ratio = (plane.y[-1] - plane.y[0]) / (plane.x[-1] - plane.x[0])
        self.bottom = self.top + side * min(1.1, max(0.5, ratio))
        self.width, self.height = width, math.ceil(self.bottom + 46)
        self.x_axis = self._axis(plane.x, self.left, self.right)
        self.y_axis = self._axis(plane.y, self.bottom, self.top)
        self.grid = finer(plane.losses, _TIMES)
        self.levels = contour_levels([value for row in plane.losses for value in row], levels)

    @staticmethod
    def _axis(values: Sequence[float], start: float, end: float) -> Axis:
        inside = tuple(tick for tick in nice_ticks(values[0], values[-1], 4) if values[0] <= tick <= values[-1])
        return Axis(low=values[0], high=values[-1], start=start, end=end, ticks=inside)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Find the pixel of a place in the plane.

        Args:
            x: Along the first direction.
            y: Along the second one.

        Returns:
            The pixel.
        """
        return self.x_axis.place(x), self.y_axis.place(y)

    def style(self, rules: str = "") -> str:
        """The style element with the colours of the bands.

        Args:
            rules: Further CSS rules.

        Returns:
            A `<style>` element.
        """
        light = {f"band{index}": colour for index, colour in enumerate(_BANDS_LIGHT)}
        dark = {f"band{index}": colour for index, colour in enumerate(_BANDS_DARK)}
        bands = "".join(f".tw .band{index}{{fill:var(--tw-band{index})}}" for index in range(len(_BANDS_LIGHT)))
        own = ".tw .contour{fill:none;stroke:var(--tw-ink);stroke-opacity:.55;stroke-width:1}"
        return figure_style(light, dark, bands + own + rules)

    def body(self) -> str:
        """Bands, contour lines and frame.

        Returns:
            SVG elements.
        """
        return "".join((*self._bands(), *self._contours(), *self._frame()))

    def _pixel(self, column: float, row: float) -> tuple[float, float]:
        columns, rows = len(self.grid[0]) - 1, len(self.grid) - 1
        x = self.left + (self.right - self.left) * column / columns
        return x, self.bottom - (self.bottom - self.top) * row / rows

    def _band(self, value: float) -> int:
        if not math.isfinite(value):
            return -1
        above = sum(value > level for level in self.levels)
        return round(above * (len(_BANDS_LIGHT) - 1) / max(1, len(self.levels)))

    def _bands(self) -> list[str]:
        """Cells of one band, runs of them joined into rectangles, as one path a band."""
        paths: dict[int, list[str]] = {}
        for row in range(len(self.grid) - 1):
            cells = [
                self._band(sum(self.grid[row + up][column + right] for up in (0, 1) for right in (0, 1)) / 4)
                for column in range(len(self.grid[0]) - 1)
            ]
            first = 0
            for column in range(1, len(cells) + 1):
                if column == len(cells) or cells[column] != cells[first]:
                    if cells[first] >= 0:
                        x, y = self._pixel(first, row)
                        far, high = self._pixel(column, row + 1)
                        paths.setdefault(cells[first], []).append(f"M{x:.1f},{y:.1f}H{far:.1f}V{high:.1f}H{x:.1f}z")
                    first = column
        return [
            f'<path class="band{band}" shape-rendering="crispEdges" d="{"".join(parts)}"/>'
            for band, parts in sorted(paths.items())
        ]

    def _contours(self) -> list[str]:
        lines: list[str] = []
        labels: list[str] = []
        taken: list[tuple[float, float]] = []
        for level in self.levels:
            for number, line in enumerate(contour_lines(self.grid, level)):
                points = [self._pixel(*point) for point in line]
                lines.append(f'<path class="contour" d="M{"L".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>')
                spot = self._label_place(points, taken) if number < 2 and len(points) > 8 else None  # noqa: PLR2004
                if spot is not None:
                    taken.append(spot)
                    labels.append(
                        f'<text class="small middle halo" x="{spot[0]:.1f}" y="{spot[1] + 4:.1f}">{level:.4g}</text>'
                    )
        return [*lines, *labels]

    def _label_place(self, points: list[tuple[float, float]], taken: list[tuple[float, float]]) -> tuple[float, float] | None:  # fmt: skip  # noqa: E501
        """A point of the line away from labels and from the frame."""
        for share in (0.5, 0.35, 0.65, 0.2, 0.8):
            x, y = points[int(share * (len(points) - 1))]
            free = all(abs(x - other[0]) > 42 or abs(y - other[1]) > 15 for other in taken)  # noqa: PLR2004 - a label
            if free and self.left + 22 < x < self.right - 22 and self.top + 10 < y < self.bottom - 10:
                return x, y
        return None

    def _frame(self) -> list[str]:
        wide, high = self.right - self.left, self.bottom - self.top
        parts = [f'<rect class="axis" x="{self.left}" y="{self.top}" width="{wide}" height="{high:.1f}" fill="none"/>']
        for tick, label in zip(self.x_axis.ticks, self.x_axis.labels(), strict=True):
            x = self.x_axis.place(tick)
            parts.append(f'<path class="axis" d="M{x:.1f},{self.bottom:.1f}v5"/>')
            parts.append(f'<text class="dim middle" x="{x:.1f}" y="{self.bottom + 18:.1f}">{label}</text>')
        for tick, label in zip(self.y_axis.ticks, self.y_axis.labels(), strict=True):
            y = self.y_axis.place(tick)
            parts.append(f'<path class="axis" d="M{self.left - 5},{y:.1f}h5"/>')
            parts.append(f'<text class="dim end" x="{self.left - 8}" y="{y + 4:.1f}">{label}</text>')
        middle = (self.left + self.right) / 2
        parts.append(f'<text class="dim middle" x="{middle:.1f}" y="{self.bottom + 37:.1f}">{escape(self.plane.x_name)}</text>')  # fmt: skip  # noqa: E501
        parts.append(f'<text class="dim" x="4" y="14">{escape(self.plane.y_name)}</text>')
        return parts


def draw_plane(
    plane: LossPlane, *, caption: str, places: Sequence[tuple[float, float, str]] = (), width: int = 560
) -> Drawing:
    """Draw a plane as a map.

    Args:
        plane: The losses, at least 2 x 2.
        caption: The figure's caption.
        places: Marked places, with what to call them.
        width: Width, in pixels.

    Returns:
        The drawing with its text alternative.

    Example:
        >>> plane = LossPlane(name="bowl", x_name="x", y_name="y", x=(-1, 0, 1), y=(-1, 0, 1),
        ...                   losses=((2, 1, 2), (1, 0, 1), (2, 1, 2)))
        >>> draw_plane(plane, caption="A bowl").svg.startswith("<svg")
        True
    """
    sheet = PlaneMap(plane, width=width)
    marks = []
    for x, y, label in places:
        px, py = sheet.place(x, y)
        late = px + 12 + text_width(label) > sheet.right
        side = f'class="end halo" x="{px - 9:.1f}"' if late else f'class="halo" x="{px + 9:.1f}"'
        marks.append(
            f'<path d="M{px - 5:.1f},{py - 5:.1f}l10,10m0,-10l-10,10" fill="none" stroke="var(--tw-paper)" '
            f'stroke-width="5"/><path d="M{px - 5:.1f},{py - 5:.1f}l10,10m0,-10l-10,10" fill="none" '
            f'stroke="var(--tw-ink)" stroke-width="2"/><text {side} y="{py - 7:.1f}">{escape(label)}</text>'
        )
    words = _words(plane)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw" role="img" width="{sheet.width}" height="{sheet.height}" '
        f'viewBox="0 0 {sheet.width} {sheet.height}" aria-label="{escape(caption)}"><desc>{escape(words)}</desc>'
        f"{sheet.style()}{sheet.body()}{''.join(marks)}</svg>"
    )
    return Drawing(caption=caption, svg=svg, alternative=words)


def _words(plane: LossPlane) -> str:
    places = [
        (value, x, y)
        for y, row in zip(plane.y, plane.losses, strict=True)
        for x, value in zip(plane.x, row, strict=True)
        if math.isfinite(value)
    ]
    if not places:
        return "No loss on this plane is finite."
    low, high = min(places), max(places)
    lost = len(plane.x) * len(plane.y) - len(places)
    words = (
        f"Lowest {low[0]:.4g} at ({low[1]:.3g}, {low[2]:.3g}), highest {high[0]:.4g} at ({high[1]:.3g}, {high[2]:.3g})."
    )
    return words + (f" {lost} places have no finite loss and are left blank." if lost else "")
