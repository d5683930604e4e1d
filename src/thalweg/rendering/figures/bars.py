"""Bars as SVG: how many files a class has in each part."""

from collections.abc import Mapping, Sequence

from thalweg.core.report import Drawing, Table
from thalweg.rendering.markup import escape, escape_lines, middle_cut, shown, text_width
from thalweg.rendering.palette import LINES_LIGHT, figure_style

__all__ = ["draw_bars"]

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


def _wrap(caption: str, alternative: str, width: int, height: int, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" aria-label="{escape(caption)}">'
        f"<desc>{escape_lines(alternative.splitlines())}</desc>{figure_style()}{body}</svg>"
    )
