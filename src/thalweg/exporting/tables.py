"""Every table of a report as CSV, the numbers behind its curves, drawings and confusion matrix included."""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from thalweg.core.report import Curves, Drawing, Matrix, Report, Table

__all__ = ["file_name", "report_tables"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LONGEST = 60


def report_tables(report: Report) -> Iterator[tuple[str, str]]:
    r"""Write the tables of a report.

    Args:
        report: The report.

    Yields:
        A file's name and its text, in the order of the report.

    Example:
        >>> from thalweg.core.report import Section
        >>> table = Table(caption="Files", header=("class", "files"), rows=(("=cat", "3"),))
        >>> list(report_tables(Report(title="", answer=(), sections=(Section(title="Data", blocks=(table,)),))))
        [('01-data-files.csv', "class,files\n'=cat,3\n")]
    """
    number = 0
    for section in report.sections:
        for block in section.blocks:
            match block:
                case Table():
                    rows: Sequence[Sequence[str]] = (block.header, *block.rows)
                case Matrix():
                    rows = _confusion(block)
                case Curves():
                    rows = _points(block)
                case Drawing(numbers=Table() as numbers):
                    rows = (numbers.header, *numbers.rows)
                case _:
                    continue
            number += 1
            yield file_name(number, section.title, block.caption, "csv"), _csv(rows)


def file_name(number: int, section: str, caption: str, ending: str) -> str:
    """Name a file after what it holds.

    Args:
        number: Its place in the report, from 1.
        section: The section's title.
        caption: The block's caption.
        ending: Without the dot.

    Returns:
        A name that every system takes.

    Example:
        >>> file_name(3, "Training", "Loss, training and validation", "svg")
        '03-training-loss-training-and-validation.svg'
    """
    words = re.findall(r"\w+", f"{section} {caption}".lower())
    stem = words[0] if words else "part"
    for word in words[1:]:
        if len(stem) + len(word) >= _LONGEST:
            break
        stem += f"-{word}"
    while len(stem.encode("utf-8", "replace")) > 2 * _LONGEST:
        stem = stem[:-1]
    return f"{number:02d}-{stem}.{ending}"


def _confusion(matrix: Matrix) -> Sequence[Sequence[str]]:
    rows = [
        (label, *(str(count) for count in counts)) for label, counts in zip(matrix.labels, matrix.counts, strict=True)
    ]
    return [("true class", *matrix.labels), *rows]


def _points(figure: Curves) -> Sequence[Sequence[str]]:
    """Every point, unlike the table of a page, which leaves some out."""
    columns = [dict(zip(line.x, line.y, strict=True)) for line in figure.lines]
    places = sorted({x for line in figure.lines for x in line.x})
    head = (figure.x_label, *(line.label or figure.y_label for line in figure.lines))
    rows = [(f"{x:.10g}", *(f"{column[x]:.10g}" if x in column else "" for column in columns)) for x in places]
    return [head, *rows]


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_inert(cell) for cell in row] for row in rows)
    return out.getvalue()


def _inert(cell: str) -> str:
    """A spreadsheet takes text that begins so for a formula; a number may begin so."""
    if not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell.replace(",", "").rstrip("% "))
    except ValueError:
        return f"'{cell}"
    return cell
