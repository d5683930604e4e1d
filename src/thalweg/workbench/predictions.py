"""`predictions.csv`: the probabilities behind the scores, a row a file, so that the network need not run again."""

import csv
import io
from collections.abc import Sequence

import numpy as np

from thalweg.core.errors import RunError

__all__ = ["predictions_from_csv", "predictions_to_csv"]


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
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("file", "class", "predicted", *(f"p_{name}" for name in classes)))
    for file, row, label in zip(files, probabilities, labels, strict=True):
        answer = classes[int(np.argmax(row))]
        writer.writerow((file, classes[int(label)], answer, *(format(value, ".6g") for value in row)))
    return out.getvalue()


def predictions_from_csv(text: str, classes: Sequence[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Read `predictions.csv` back.

    Args:
        text: The file's text.
        classes: Class names in index order.

    Returns:
        Files, probabilities `(files, classes)` and true labels `(files,)`.

    Raises:
        RunError: The file is not of this run.
    """
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    if header[3:] != [f"p_{name}" for name in classes]:
        raise RunError("predictions.csv does not hold the classes of this run")
    position = {name: index for index, name in enumerate(classes)}
    files, rows, labels = [], [], []
    for row in reader:
        files.append(row[0])
        labels.append(position[row[1]])
        rows.append([float(value) for value in row[3:]])
    return files, np.asarray(rows, dtype=np.float64), np.asarray(labels, dtype=np.int64)
