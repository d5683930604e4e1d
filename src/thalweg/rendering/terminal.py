"""Short answers for the terminal: the report's first screen, and a confusion matrix in characters."""

import textwrap
from collections.abc import Callable

from thalweg.core.report import Matrix, Report
from thalweg.rendering.confusion import frequent_confusions, row_share
from thalweg.rendering.markup import shown

__all__ = ["Paint", "answer_text", "matrix_text", "painter"]

_MOST_LINES = 5
_COLOURS = {
    "error": "1;31",
    "warning": "1;33",
    "info": "2",
    "dim": "2",
    "good": "32",
    "name": "1",
    "verdict": "1",
}
"""Each kind of text as a terminal is told it (ECMA-48, select graphic rendition)."""

Paint = Callable[[str, str], str]
"""Gives a text the colour of its kind."""


def painter(colour: bool) -> Paint:
    r"""What colours a text by its kind.

    Args:
        colour: Whether the terminal shows colours.

    Returns:
        A function of a text and `error`, `warning`, `info`, `dim`, `good`, `name` or `verdict`.

    Example:
        >>> painter(True)("too high", "error"), painter(False)("too high", "error")
        ('\x1b[1;31mtoo high\x1b[0m', 'too high')
    """

    def paint(text: str, kind: str) -> str:
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if colour else text

    return paint


def answer_text(report: Report, width: int = 80) -> str:
    """Write what the report's first screen says: at most five lines of thought, wrapped to the terminal.

    Args:
        report: The report.
        width: Columns there are.

    Returns:
        Its answer; a line that must be wrapped goes on indented. Commands and paths are never broken.

    Example:
        >>> print(answer_text(Report(title="t", answer=("84 % are right.", "Nothing was left out."), sections=())))
        84 % are right.
        Nothing was left out.
    """
    lines = [
        piece
        for line in report.answer[:_MOST_LINES]
        for piece in textwrap.wrap(
            shown(line), width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        or [""]
    ]
    return "\n".join(lines)


def matrix_text(matrix: Matrix, width: int = 80) -> str:
    """Write a confusion matrix in characters: rows are true classes; too many classes give their confusions instead.

    Args:
        matrix: Labels and counts.
        width: Columns there are.

    Returns:
        Lines of at most `width` characters.

    Example:
        >>> print(matrix_text(Matrix(caption="Validation", labels=("cat", "dog"), counts=((8, 2), (1, 9)))))
        Validation (rows: true, columns: predicted)
             cat  dog  right
        cat    8    2   80 %
        dog    1    9   90 %
    """
    labels = [shown(label) for label in matrix.labels]
    first = min(max(map(len, labels), default=0), width // 3)
    counts = [[f"{count:,}" for count in row] for row in matrix.counts]
    room = (width - first - 7) // max(1, len(labels)) - 2
    cells = [max(min(len(label), room), *(len(row[column]) for row in counts)) for column, label in enumerate(labels)]
    if first + sum(cells) + 2 * len(cells) + 7 > width or room < 3:  # noqa: PLR2004 - letters of a label
        return _pairs_text(matrix, width)
    title = textwrap.wrap(f"{shown(matrix.caption)} (rows: true, columns: predicted)", width)
    head = " " * first + "".join(f"  {_cut(label, size):>{size}}" for label, size in zip(labels, cells, strict=True))
    lines = [*title, f"{head}  right"]
    for place, (label, row) in enumerate(zip(labels, counts, strict=True)):
        numbers = "".join(f"  {count:>{size}}" for count, size in zip(row, cells, strict=True))
        share = f"{100 * row_share(matrix.counts[place], place):.0f} %" if sum(matrix.counts[place]) else ""
        lines.append(f"{_cut(label, first):<{first}}{numbers}  {share:>5}".rstrip())
    return "\n".join(lines)


def _pairs_text(matrix: Matrix, width: int) -> str:
    lines = textwrap.wrap(f"{shown(matrix.caption)}: the most frequent confusions", width)
    for cell in frequent_confusions(matrix, 10):
        words = f"{shown(cell.true)}, taken for {shown(cell.predicted)}"
        lines.append(_cut(f"{cell.count:>6,}  {words}", width))
    return "\n".join(lines)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(0, room - 1)] + "…"
