"""A confusion matrix made ready for the page: shares of the row, shades, and the most frequent confusions."""

from dataclasses import dataclass

from thalweg.core.report import Matrix, Picture

__all__ = ["MatrixCell", "MatrixRow", "frequent_confusions", "matrix_rows", "row_share"]

WIDEST_GRID = 40
"""More classes than this make a grid nobody can read; the confusions are listed instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCell:
    """One cell: how many files of the row's class were taken for the column's.

    Args:
        true: The row's class.
        predicted: The column's class.
        count: Files.
        share: Share of the row, 0 to 1; 0 for an empty row.
        right: Whether this is the diagonal.
        pictures: Some of the files, to be opened.
        key: Where it stands, as `row,column`.
    """

    true: str
    predicted: str
    count: int
    share: float
    right: bool
    pictures: tuple[Picture, ...]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """A true class with its cells and its number of files."""

    label: str
    files: int
    cells: tuple[MatrixCell, ...]


def row_share(counts: tuple[int, ...], column: int) -> float:
    """Share of a row that one cell takes.

    Args:
        counts: The row.
        column: Which cell.

    Returns:
        0 to 1; 0 when the row is empty.

    Example:
        >>> row_share((3, 1), 0), row_share((0, 0), 1)
        (0.75, 0.0)
    """
    total = sum(counts)
    return counts[column] / total if total else 0.0


def matrix_rows(matrix: Matrix) -> tuple[MatrixRow, ...]:
    """Make every cell of a confusion matrix.

    Args:
        matrix: Labels, counts and pictures.

    Returns:
        One row a true class.

    Example:
        >>> rows = matrix_rows(Matrix(caption="", labels=("cat", "dog"), counts=((3, 1), (0, 4))))
        >>> rows[0].cells[1].share, rows[1].files
        (0.25, 4)
    """
    return tuple(
        MatrixRow(
            label=true,
            files=sum(counts),
            cells=tuple(
                MatrixCell(
                    true=true,
                    predicted=predicted,
                    count=counts[column],
                    share=row_share(counts, column),
                    right=row == column,
                    pictures=matrix.pictures.get(f"{row},{column}", ()),
                    key=f"{row},{column}",
                )
                for column, predicted in enumerate(matrix.labels)
            ),
        )
        for row, (true, counts) in enumerate(zip(matrix.labels, matrix.counts, strict=True))
    )


def frequent_confusions(matrix: Matrix, limit: int = 40) -> tuple[MatrixCell, ...]:
    """Find the mistakes made most often.

    Args:
        matrix: Labels, counts and pictures.
        limit: How many are wanted at most.

    Returns:
        Cells off the diagonal that are not empty, the fullest first.

    Example:
        >>> [cell.count for cell in frequent_confusions(Matrix(caption="", labels=("a", "b"), counts=((3, 1), (2, 4))))]
        [2, 1]
    """
    cells = [cell for row in matrix_rows(matrix) for cell in row.cells if cell.count and not cell.right]
    return tuple(sorted(cells, key=lambda cell: -cell.count)[:limit])
