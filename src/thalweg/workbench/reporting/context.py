"""How much of a picture a segmenter uses, for the run's report: what is cheap at its end, the rest when it is measured.

The receptive field and the reach of gradients take a few seconds and stand in every report. Filling what lies beyond
radii takes minutes: `thalweg lab context RUN` does it, keeps the numbers in `context.json` of the run and puts the
curves into the section of its report.
"""

import math
import shlex
from collections.abc import Sequence
from dataclasses import replace

from thalweg.core.codec import dumps
from thalweg.core.context_use import ConfusionChange, ContextCurve, ContextUse, street_pairs
from thalweg.core.errors import ThalwegError
from thalweg.core.files import printable, write_atomically
from thalweg.core.report import Block, Curves, Line, Paragraph, Section, Table
from thalweg.core.run_folder import RunFolder
from thalweg.rendering.pages.html import render_html

__all__ = ["CONTEXT_FILE", "agreement_figure", "class_figure", "context_section", "keep_context", "street_changes"]

CONTEXT_FILE = "context.json"
_TITLE = "How much context it uses"
_MOST_LINES = 6
_MOST_PAIRS = 8
_X = "radius that is kept, as a power of two (3 is 8 pixels, 4 is 16)"


def context_section(use: ContextUse, folder: RunFolder) -> Section:
    """The report's section.

    Args:
        use: What was measured, with curves or without.
        folder: The run, to say how the rest is measured.

    Returns:
        The section.
    """
    blocks: list[Block] = [_reach_table(use), Paragraph(text=_in_words(use))]
    if use.curves:
        blocks += [agreement_figure(use), class_figure(use), _needs_table(use), *_removal_blocks(use)]
        blocks += [Paragraph(text=f"{note}.", style="note") for note in use.notes]
        return Section(title=_TITLE, blocks=tuple(blocks))
    blocks += [
        Paragraph(
            text="The context curve (IoU a class while everything beyond a radius is filled) takes minutes; this "
            "measures it and puts it here:"
        ),
        Paragraph(text=f"thalweg lab context {shlex.quote(printable(folder.path))}", style="command"),
    ]
    return Section(title=_TITLE, blocks=tuple(blocks))


def keep_context(use: ContextUse, folder: RunFolder) -> bool:
    """Keep what was measured in the run, and put it into its report.

    Args:
        use: With its curves.
        folder: The run.

    Returns:
        Whether there was a report of masks to put it into; a run's folder that cannot be written is left alone.
    """
    try:
        content = folder.read_report()
        section = context_section(use, folder)
        titles = [each.title for each in content.sections]
        place = titles.index(_TITLE) if _TITLE in titles else titles.index("Network") + 1
        sections = [each for each in content.sections if each.title != _TITLE]
        sections.insert(place, section)
        changed = replace(content, sections=tuple(sections))
        folder.write_json(CONTEXT_FILE, use)
        write_atomically(folder.path / "report.json", dumps(changed))
        folder.write_text("report.html", render_html(changed))
    except (OSError, ValueError, ThalwegError):
        return False
    return True


def _reach_table(use: ContextUse) -> Table:
    height, width = use.extents
    rows = [
        (
            "receptive field: what could matter",
            "the whole picture" if use.whole else "x".join(map(str, use.field)),
            "counted from the layers",
        )
    ]
    for each in use.reach:
        low, high = each.interval
        spread = f"{low:.0f} to {high:.0f}" if math.isfinite(low) and math.isfinite(high) else "-"
        rows.append((
            f"square with {100 * each.share:.0f} % of gradient energy",
            "-" if math.isnan(each.radius) else f"{2 * each.radius + 1:.0f}x{2 * each.radius + 1:.0f}",
            f"radius {each.radius:.0f}, 95 % interval over pictures {spread}",
        ))
    return Table(
        caption=f"What a pixel could see, and what its answer hangs on, in pixels of {width} x {height} pictures",
        header=("what", "pixels", "how"),
        rows=tuple(rows),
    )


def _in_words(use: ContextUse) -> str:
    most = next((each.radius for each in use.reach if each.share == 0.9), math.nan)  # noqa: PLR2004 - as SHARES has it
    seen = min(min(field, extent) for field, extent in zip(use.field, use.extents, strict=True))
    field = "the whole picture" if use.whole or min(use.field) >= max(use.extents) else f"{seen} pixels"
    asked = sum(use.places.values())
    return (
        f"A pixel could see {field}; nine tenths of the gradient's energy come from a square {2 * most + 1:.0f} pixels "
        f"wide ({asked} pixels of {use.pictures} pictures asked). Gradients tell what small changes would change, not "
        f"what the answer needs: that is what the context curve asks."
    )


def _powers(radii: Sequence[int]) -> tuple[float, ...]:
    return tuple(math.log2(radius) for radius in radii)


def _named(curve: ContextCurve) -> str:
    return "trained on crops" if curve.fill == "crops" else f"filled: {curve.fill}"


def agreement_figure(use: ContextUse) -> Curves:
    """Answers that stay, by radius and fill.

    Args:
        use: With its curves.

    Returns:
        The figure; with a control, the share of right answers of each, since two networks cannot agree in all.
    """
    if use.control is not None:
        curves = (*use.curves, use.control)
        return Curves(
            caption="Right answers at the sampled pixels while everything beyond a radius is filled, and of networks "
            "trained on crops of that radius",
            x_label=_X,
            y_label="share of right answers",
            lines=tuple(
                Line(label=_named(curve), x=_powers(curve.radii), y=curve.accuracy, dashed=curve.fill != "crops")
                for curve in curves
            ),
            y_range=(0.0, 1.0),
        )
    return Curves(
        caption="Answers that stay those on the whole picture while everything beyond a radius is filled",
        x_label=_X,
        y_label="share of the answers that stay",
        lines=tuple(
            Line(label=_named(curve), x=_powers(curve.radii), y=curve.agreement, dashed=curve.fill != "mean")
            for curve in use.curves
        ),
        y_range=(0.0, 1.0),
    )


def class_figure(use: ContextUse) -> Curves:
    """IoU by radius of the classes that gain most.

    Args:
        use: With its curves.

    Returns:
        The figure.
    """
    curve = use.control or use.curves[0]
    gained = {
        place: line[-1] - line[0]
        for place, line in enumerate(curve.iou)
        if math.isfinite(line[-1]) and use.places[use.classes[place]]
    }
    shown = sorted(sorted(gained, key=lambda place: -gained[place])[:_MOST_LINES])
    return Curves(
        caption=f"The classes that gain most from context: IoU of the sampled pixels ({_named(curve)})",
        x_label=_X,
        y_label="IoU",
        lines=tuple(
            Line(label=use.classes[place], x=_powers(curve.radii), y=curve.iou[place], dashed=bool(index % 2))
            for index, place in enumerate(shown)
        ),
        y_range=(0.0, 1.0),
    )


def _needs_table(use: ContextUse) -> Table:
    curves = (*use.curves, *((use.control,) if use.control else ()))
    rows = tuple(
        (
            printable(name),
            str(use.places[name]),
            *(f"{line[0]:.2f} to {line[-1]:.2f}" if math.isfinite(line[-1]) else "-" for line in _lines(curves, place)),
        )
        for place, name in enumerate(use.classes)
    )
    first = ", ".join(f"{curve.radii[0]} ({_named(curve)})" for curve in curves)
    return Table(
        caption=f"IoU of the sampled pixels from the smallest radius to the whole picture; the smallest: {first}",
        header=("class", "pixels", *(_named(curve) for curve in curves)),
        rows=rows,
        folded=True,
    )


def _lines(curves: Sequence[ContextCurve], place: int) -> tuple[tuple[float, ...], ...]:
    return tuple(curve.iou[place] for curve in curves)


def street_changes(use: ContextUse) -> tuple[ConfusionChange, ...]:
    """What context changes in the confusions that are dangerous on a street.

    Args:
        use: What was measured.

    Returns:
        Those that the network's classes have and that differ; none without a context module.
    """
    if use.removal is None:
        return ()
    wanted = set(street_pairs(use.classes))
    return tuple(each for each in use.removal.changes if (each.truth, each.predicted) in wanted)


def _removal_blocks(use: ContextUse) -> tuple[Block, ...]:
    removal = use.removal
    if removal is None:
        return ()
    dangerous = street_changes(use)
    others = [each for each in removal.changes if each not in dangerous and each.pixels > 0]
    rows = tuple(
        (
            printable(each.truth),
            printable(each.predicted),
            f"{100 * each.without:.1f}",
            f"{100 * each.with_context:.1f}",
            f"{each.pixels:,}",
        )
        for each in (*dangerous, *others[: max(0, _MOST_PAIRS - len(dangerous))])
    )
    said = (
        f"Mean IoU on these pictures is {removal.mean_iou_with:.3f}, and {removal.mean_iou_without:.3f} with what the "
        f"context module adds replaced by its mean over pictures and positions."
    )
    table = Table(
        caption="Confusions that context removes: people and sidewalks taken for ground first, then the most pixels",
        header=("true class", "answer", "% without context", "% with it", "pixels fewer"),
        rows=rows,
    )
    return (Paragraph(text=said), *((table,) if rows else ()))
