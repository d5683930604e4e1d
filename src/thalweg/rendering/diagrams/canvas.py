"""A sheet of characters on which lines join by themselves: where two meet, the right box-drawing character appears."""

from thalweg.rendering.columns import columns

__all__ = ["Canvas"]

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_JOINTS = " ╵╷│╴┘┐┤╶└┌├─┴┬┼"


class Canvas:
    """Characters by row and column; grows as it is written on.

    Example:
        >>> sheet = Canvas()
        >>> sheet.box(0, 0, 6, 3)
        >>> sheet.text(1, 2, "hi")
        >>> sheet.down(3, 2, 3)
        >>> print(sheet)
        ┌────┐
        │ hi │
        └──┬─┘
           ╵
    """

    def __init__(self) -> None:
        self._letters: dict[tuple[int, int], str] = {}
        self._lines: dict[tuple[int, int], int] = {}

    def text(self, row: int, column: int, text: str) -> None:
        """Write text, one character a cell, over whatever is there.

        Args:
            row: Row, from 0.
            column: Column of the first character.
            text: One line.
        """
        place = column
        for letter in text:
            if letter.isascii() or columns(letter):
                self._letters[row, place] = letter
                place += 1
            else:  # it joins the letter before it, or turns it, and takes no cell
                self._letters[row, place - 1] = self._letters.get((row, place - 1), "") + letter

    def down(self, column: int, first: int, last: int) -> None:
        """Draw a line from the middle of one row to the middle of a later one.

        Args:
            column: Column.
            first: Upper row.
            last: Lower row.
        """
        for row in range(first, last + 1):
            self._join(row, column, (_UP if row > first else 0) | (_DOWN if row < last else 0))

    def across(self, row: int, first: int, last: int) -> None:
        """Draw a line from the middle of one column to the middle of another.

        Args:
            row: Row.
            first: One end.
            last: The other end.
        """
        left, right = min(first, last), max(first, last)
        for column in range(left, right + 1):
            self._join(row, column, (_LEFT if column > left else 0) | (_RIGHT if column < right else 0))

    def box(self, row: int, column: int, width: int, height: int) -> None:
        """Draw a frame.

        Args:
            row: Its first row.
            column: Its first column.
            width: Columns, the frame included.
            height: Rows, the frame included.
        """
        for at in (row, row + height - 1):
            self.across(at, column, column + width - 1)
        for at in (column, column + width - 1):
            self.down(at, row, row + height - 1)

    def _join(self, row: int, column: int, joint: int) -> None:
        self._lines[row, column] = self._lines.get((row, column), 0) | joint

    def __str__(self) -> str:
        cells = {place: _JOINTS[joint] for place, joint in self._lines.items()} | self._letters
        rows: dict[int, dict[int, str]] = {}
        for (row, column), letter in cells.items():
            rows.setdefault(row, {})[column] = letter
        return "\n".join(
            "".join(rows.get(row, {}).get(column, " ") for column in range(max(rows.get(row, {-1: ""})) + 1)).rstrip()
            for row in range(max(rows, default=-1) + 1)
        )
