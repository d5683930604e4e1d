"""The part of a run's report that is about its data: how it was read, classes and split, what was left out or odd."""

from collections.abc import Iterable

from thalweg.core.dataset import DataSummary, Notice
from thalweg.core.files import printable
from thalweg.core.finding import Finding
from thalweg.core.report import Block, Paragraph, Table
from thalweg.rendering.figures.bars import draw_bars

__all__ = ["data_blocks"]

SHOWN_CHANNELS = 4
_MOST_BARS = 24
"""More classes are a table."""


def data_blocks(summary: DataSummary, findings: tuple[Finding, ...]) -> tuple[Block, ...]:
    """The data's health.

    Args:
        summary: What `data.json` holds.
        findings: What is noteworthy.

    Returns:
        Blocks of the report.
    """
    blocks = [_files_of_classes(summary)]
    for finding in findings:
        style = "note" if finding.severity == "info" else "warning"
        text = f"{finding.code} {finding.name}: {finding.claim}"
        blocks.append(Paragraph(text=text, style=style))  # type: ignore[arg-type]
    if summary.reading is not None:
        blocks[:0] = _reading_blocks(summary)
    if not summary.left_out:
        blocks.append(Paragraph(text="No file was left out."))
    blocks.extend(_notices(f"{len(summary.left_out):,} files were left out", summary.left_out))
    blocks.extend(_notices(f"{len(summary.warnings):,} files are odd, but were used", summary.warnings))
    if summary.duplicates:
        pairs = tuple(
            (group.kind, " = ".join(map(printable, group.files)), "yes" if group.labels_differ else "")
            for group in summary.duplicates
        )
        caption = f"{len(pairs):,} groups of files show the same picture; each group was kept on one side of the split"
        blocks.append(Table(caption=caption, header=("kind", "files", "classes differ"), rows=pairs, folded=True))
    return tuple(blocks)


def _files_of_classes(summary: DataSummary) -> Block:
    """Bars where the parts of a split add up and there is room for all classes, with the same table behind them."""
    parts = list(summary.counts)
    caption = "Usable files a class and split" if summary.masks is None else "Pictures that show a class"
    if summary.masks is None and len(summary.classes) <= _MOST_BARS:
        return draw_bars(caption, summary.classes, {part: summary.counts[part] for part in parts})
    rows = tuple(
        (printable(name), *(f"{summary.counts[part][index]:,}" for part in parts), f"{summary.class_counts[index]:,}")
        for index, name in enumerate(summary.classes)
    )
    return Table(caption=caption, header=("class", *parts, "all"), rows=rows)


def _reading_blocks(summary: DataSummary) -> list[Block]:
    """How signals or volumes were read, brought to size and standardised."""
    reading = summary.reading
    if reading is None:
        return []
    numbers = [
        f"mean {mean:.4g}, standard deviation {deviation:.4g}"
        for mean, deviation in zip(reading.mean[:SHOWN_CHANNELS], reading.deviation, strict=False)
    ]
    more = f" and {len(reading.mean) - SHOWN_CHANNELS} channels more" if len(reading.mean) > SHOWN_CHANNELS else ""
    size = "x".join(map(str, reading.extents))
    resized = f" Brought to {size}." if reading.extents != reading.raw_extents else ""
    return [
        Paragraph(text=f"As {reading.form}s: {reading.note}.{resized}"),
        Paragraph(
            text=f"Standardised by the training part alone ({'; '.join(numbers)}{more}); "
            f"the numbers stand in the network's first layer, so that predict and an exported file do the same."
        ),
    ]


def _notices(caption: str, notices: Iterable[Notice]) -> list[Block]:
    rows = tuple((printable(notice.file) or "the source", printable(notice.reason)) for notice in notices)
    return [Table(caption=caption, header=("file", "reason"), rows=rows, folded=len(rows) > 8)] if rows else []  # noqa: PLR2004
