"""Bars as SVG: how many files a class has in each part, and how far confidence can be believed."""

from collections.abc import Mapping, Sequence

from thalweg.core.evaluation import CalibrationBin
from thalweg.core.report import Drawing, Table
from thalweg.rendering.axes import nice_ticks
from thalweg.rendering.markup import escape, escape_lines, middle_cut, shown, text_width
from thalweg.rendering.palette import LINES_LIGHT, figure_style

__all__ = ["draw_bars", "draw_reliability"]

_BAR = 20
_ROW = 30


def draw_bars(caption: str, labels: Sequence[str], parts: Mapping[str, Sequence[int]], *, width: int = 640) -> Drawing:
    r"""Draw a lying bar for each label, made of one piece for each part; the number stands at its end.

    Args:
        caption: What is counted.
        labels: What each bar is, such as class names.
        parts: Counts of each part, in the order of the labels, by the part's name.
        width: Width, in pixels.

    Returns:
        The drawing, with its numbers in words.

    Example:
        >>> draw_bars("Files", ("cat", "dog"), {"train": (8, 9), "validation": (2, 1)}).alternative
        'cat: 8 train, 2 validation.\ndog: 9 train, 1 validation.'
    """
    totals = [sum(counts[index] for counts in parts.values()) for index in range(len(labels))]
    left = min(width * 0.4, 12 + max((text_width(shown(label)) for label in labels), default=0))
    scale = (width - left - 70) / max([1, *totals])
    body, legend = [], []
    x = left
    for index, name in enumerate(parts):
        colour = index % len(LINES_LIGHT)
        legend.append(
            f'<rect class="fill{colour}" x="{x:.1f}" y="4" width="12" height="12" rx="2"/>'
            f'<text x="{x + 18:.1f}" y="14.5">{escape(name)}</text>'
        )
        x += 40 + text_width(shown(name))
    for index, label in enumerate(labels):
        y, x = 30 + _ROW * index, left
        named = escape(middle_cut(shown(label), left - 10))
        body.append(f'<text class="end" translate="no" x="{left - 8:.1f}" y="{y + 14.5:.1f}">{named}</text>')
        for place, (name, counts) in enumerate(parts.items()):
            long = counts[index] * scale
            title = escape(f"{label}, {name}: {counts[index]:,}")
            body.append(
                f'<rect class="fill{place % len(LINES_LIGHT)}" x="{x:.1f}" y="{y}" width="{long:.1f}" '
                f'height="{_BAR}" data-says="{title}"><title>{title}</title></rect>'
            )
            x += long
        body.append(f'<text class="dim" x="{x + 7:.1f}" y="{y + 14.5:.1f}">{totals[index]:,}</text>')
    alternative = "\n".join(
        f"{shown(label)}: {', '.join(f'{counts[index]:,} {name}' for name, counts in parts.items())}."
        for index, label in enumerate(labels)
    )
    svg = _wrap(caption, alternative, width, 36 + _ROW * len(labels), "".join([*legend, *body]))
    rows = tuple(
        (shown(label), *(f"{counts[index]:,}" for counts in parts.values()), f"{totals[index]:,}")
        for index, label in enumerate(labels)
    )
    numbers = Table(caption=caption, header=("class", *parts, "all"), rows=rows)
    return Drawing(caption=caption, svg=svg, alternative=alternative, numbers=numbers)


def draw_reliability(caption: str, bins: Sequence[CalibrationBin], *, size: int = 360) -> Drawing:
    """Draw a reliability diagram: how often predictions of a confidence are right, beside the diagonal of honesty.

    Source: DeGroot and Fienberg 1983; Guo et al. 2017, "On calibration of modern neural networks".

    Args:
        caption: On which split.
        bins: Predictions grouped by confidence; empty groups are left out.
        size: Width and height, in pixels.

    Returns:
        The drawing, with its numbers in words.

    Example:
        >>> group = CalibrationBin(low=0.9, high=1.0, files=50, confidence=0.96, accuracy=0.8)
        >>> draw_reliability("Validation", (group,)).alternative
        'Of 50 files with confidence 0.9 to 1, 80 % are right, where 96 % would be honest.'
    """
    filled = [group for group in bins if group.files]
    low, high, foot = 44.0, float(size - 14), float(size - 44)

    def place_x(share: float) -> float:
        return low + share * (high - low)

    def place_y(share: float) -> float:
        return foot - share * (foot - 28)

    body = [
        f'<path class="grid" d="M{low:.1f},{place_y(tick):.1f}H{high:.1f}"/>'
        f'<text class="dim end" x="{low - 7:.1f}" y="{place_y(tick) + 4:.1f}">{tick:g}</text>'
        f'<text class="dim middle" x="{place_x(tick):.1f}" y="{foot + 17:.1f}">{tick:g}</text>'
        for tick in nice_ticks(0, 1)
    ]
    for group in filled:
        x, wide = place_x(group.low) + 1, (group.high - group.low) * (high - low) - 2
        says = f"{group.files:,} files, confidence {group.confidence:.2f}, {100 * group.accuracy:.0f} % right"
        body.append(
            f'<rect class="fill0" x="{x:.1f}" y="{place_y(group.accuracy):.1f}" width="{wide:.1f}" '
            f'height="{foot - place_y(group.accuracy):.1f}" data-says="{says}"><title>{says}</title></rect>'
            f'<path class="line line1" d="M{x:.1f},{place_y(group.confidence):.1f}h{wide:.1f}"/>'
        )
    body.append(
        f'<path class="diagonal" d="M{low:.1f},{place_y(0):.1f}L{high:.1f},{place_y(1):.1f}"/>'
        f'<path class="axis" d="M{low:.1f},{foot:.1f}H{high:.1f}"/>'
        f'<text class="dim middle" x="{(low + high) / 2:.1f}" y="{foot + 36:.1f}">confidence</text>'
        f'<text class="dim" x="4" y="13">share that is right (bar), mean confidence (line)</text>'
    )
    alternative = "\n".join(
        f"Of {group.files:,} files with confidence {group.low:.3g} to {group.high:.3g}, "
        f"{100 * group.accuracy:.0f} % are right, where {100 * group.confidence:.0f} % would be honest."
        for group in filled
    )
    svg = _wrap(caption, alternative, size, size, "".join(body))
    rows = tuple(
        (
            f"{group.low:.3g} to {group.high:.3g}",
            f"{group.files:,}",
            f"{100 * group.confidence:.1f} %",
            f"{100 * group.accuracy:.1f} %",
        )
        for group in filled
    )
    header = ("confidence", "files", "mean confidence", "right")
    numbers = Table(caption=caption, header=header, rows=rows)
    return Drawing(caption=caption, svg=svg, alternative=alternative, numbers=numbers)


def _wrap(caption: str, alternative: str, width: int, height: int, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" aria-label="{escape(caption)}">'
        f"<desc>{escape_lines(alternative.splitlines())}</desc>{figure_style()}{body}</svg>"
    )
