"""A report as data: sections made of a few kinds of blocks, which renderers turn into HTML, text or Markdown.

No block holds HTML. A picture is bytes of a PNG or JPEG with its caption; a drawing is an SVG made by our renderers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = [
    "Block",
    "Compared",
    "Comparisons",
    "Curves",
    "Drawing",
    "KeyNumber",
    "Line",
    "Listing",
    "Mark",
    "Matrix",
    "Paragraph",
    "Picture",
    "PictureGrid",
    "Report",
    "Section",
    "Table",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A sentence or a few; `style` says whether it is plain, a warning, or a command to copy."""

    text: str
    style: Literal["plain", "note", "warning", "command"] = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells under a header; numbers are already formatted with their units."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    folded: bool = False
    """Whether the table is closed until asked for (long lists)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve of a figure."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A vertical mark on a figure, such as the best epoch; a stretch where it has an end.

    Args:
        x: Where it stands, or begins.
        label: A few words that fit into the figure.
        until: Where it ends.
        reason: Why it is there, for the list under the figure; nothing where the label says it all.
    """

    x: float
    label: str
    until: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """A figure of curves over one axis; gaps where a value is nan."""

    caption: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    y_range: tuple[float, float] | None = None
    log_y: bool = False
    diagonal: bool = False
    """Whether to draw y = x as a reference (reliability diagram)."""
    small: bool = False
    """Whether it may be drawn low and narrow, where many stand under one another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One embedded picture with its caption; `file` names where it came from."""

    data: bytes
    media_type: Literal["image/jpeg", "image/png"]
    caption: str
    file: str = ""
    badge: str = ""
    """A short word shown on the picture, such as `wrong`."""

    @property
    def wide(self) -> bool:
        """Whether it is a PNG at least half as wide again as it is high, such as a line: it needs no square frame."""
        if self.media_type != "image/png" or len(self.data) < 24:  # noqa: PLR2004 - signature and header
            return False
        width, height = (int.from_bytes(self.data[at : at + 4], "big") for at in (16, 20))
        return 2 * width >= 3 * height


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureGrid:
    """Pictures side by side."""

    caption: str
    pictures: tuple[Picture, ...]
    small: bool = False
    """Whether they are so simple that they may stand close together, such as filters and feature maps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A confusion matrix: rows are true classes, columns predicted; a cell may open its pictures.

    Args:
        caption: What is confused with what, on which split.
        labels: Class names.
        counts: Files a cell, row by row.
        pictures: Some pictures of a cell, keyed by `"row,column"`.
        unit: What is counted, where it is not files.
    """

    caption: str
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    pictures: Mapping[str, tuple[Picture, ...]] = field(default_factory=dict)
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One picture shown twice, one over the other, with a slider between: what it is, and what it was taken for."""

    truth: Picture
    answer: Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparisons:
    """Pictures with a slider between truth and answer.

    Args:
        caption: What they are.
        pictures: The pairs.
        legend: Names and colours of what is shown, such as `("road", "#804080")`.
    """

    caption: str
    pictures: tuple[Compared, ...]
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """An SVG made by a renderer of this package, with its caption and a text alternative.

    Elements of the SVG that carry `data-says` are read out on hover and with the arrow keys. `numbers` is the table
    behind the drawing.
    """

    caption: str
    svg: str
    alternative: str
    numbers: Table | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A program to read or copy, closed until asked for; `text` keeps its lines and spaces."""

    caption: str
    text: str


Block: TypeAlias = Paragraph | Table | Curves | PictureGrid | Matrix | Comparisons | Drawing | Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A titled part of a report."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyNumber:
    """One of the few numbers of the first screen.

    Args:
        label: What it is.
        value: The number with its unit, formatted.
        note: Its interval, what it is held against, on how many files.
        share: The number from 0 to 1 where it is a share, to be drawn on a scale.
        low: Lower end of its interval, from 0 to 1.
        high: Upper end.
        reference: What it is held against, from 0 to 1, such as the accuracy of always answering one class.
    """

    label: str
    value: str
    note: str = ""
    share: float | None = None
    low: float | None = None
    high: float | None = None
    reference: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole report.

    Args:
        title: What was done, such as `small on elpv`.
        answer: The first screen: at most five lines that say whether it is good and what to do.
        sections: The parts in order.
        provenance: Versions, hardware, seed, command, by name.
        numbers: The few numbers beside the answer.
    """

    title: str
    answer: tuple[str, ...]
    sections: tuple[Section, ...]
    provenance: Mapping[str, str] = field(default_factory=dict)
    numbers: tuple[KeyNumber, ...] = ()
