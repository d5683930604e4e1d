"""`predictions.csv`: the probabilities behind the scores, a row a file, so that the network need not run again."""

import csv
import io
from collections.abc import Iterable, Sequence

import numpy as np

from thalweg.core.errors import RunError

__all__ = ["csv_line", "predictions_from_csv", "predictions_to_csv"]


def csv_line(cells: Iterable[object]) -> str:
    r"""Write one row of CSV.

    Args:
        cells: Names and numbers; a line break inside a name, of whatever kind, is quoted.

    Returns:
        The row and a line feed; bytes of a name that are not UTF-8 are written as escapes such as `\udcff`.

    Example:
        >>> csv_line(["a,b", 1, "two\rlines"])
        '"a,b",1,"two\rlines"\n'
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)  # the writer quotes what its line end is made of
    return _spelled(out.getvalue().removesuffix("\r\n")) + "\n"


def _spelled(name: str) -> str:
    """A name as it stands in a UTF-8 file."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def predictions_to_csv(
    files: Sequence[str], classes: Sequence[str], probabilities: np.ndarray, labels: np.ndarray
) -> str:
    """Write probabilities as CSV.

    Args:
        files: Paths relative to the source.
        classes: Class names in index order.
        probabilities: `(files, classes)`.
        labels: True class of each file, `(files,)`.

    Returns:
        The file's text; names that are not UTF-8 are written with escapes.
    """
    lines = [csv_line(("file", "class", "predicted", *(f"p_{name}" for name in classes)))]
    for file, row, label in zip(files, probabilities, labels, strict=True):
        answer = classes[int(np.argmax(row))]
        lines.append(csv_line((file, classes[int(label)], answer, *(format(value, ".6g") for value in row))))
    return "".join(lines)


def predictions_from_csv(
    text: str, classes: Sequence[str], files: Sequence[str]
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Read `predictions.csv` back.

    Args:
        text: The file's text.
        classes: Class names in index order.
        files: Files of the split, in the order of the rows.

    Returns:
        Files, probabilities `(files, classes)` and true labels `(files,)`.

    Raises:
        RunError: The file is not of this run.
    """
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = next(reader, [])
    except csv.Error:
        header = []
    if header[3:] != [_spelled(f"p_{name}") for name in classes]:
        raise RunError("predictions.csv does not hold the classes of this run: thalweg resume writes it again")
    position = {_spelled(name): index for index, name in enumerate(classes)}
    try:
        rows = [(row[0], position[row[1]], [float(value) for value in row[3:]]) for row in reader]
    except (IndexError, KeyError, ValueError, csv.Error) as error:
        place = f"predictions.csv, line {reader.line_num}"
        raise RunError(f"{place}: {error} is not of this run: thalweg resume writes it again") from None
    if [name for name, _, _ in rows] != list(map(_spelled, files)):
        raise RunError("predictions.csv does not hold the files of this run: thalweg resume writes it again")
    shares = np.asarray([row for _, _, row in rows], dtype=np.float64).reshape(len(rows), len(classes))
    return list(files), shares, np.asarray([label for _, label, _ in rows], dtype=np.int64)
