"""A worked-out sheet of mathematics as data: sections of sentences, formulas, matrices and sketches.

`derive` says everything once, as a `Paper`; the writers beside this file turn it into text, LaTeX, Markdown and a page.
"""

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Cell", "Equations", "Grid", "Matrix", "Paper", "Part", "Section", "Sketch", "Verdict", "Words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Equations:
    """Formulas, one below the other.

    Args:
        lines: In the notation of `thalweg.core.formula`.
        left_out: How many more there are than are listed.
    """

    lines: tuple[str, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A vector or matrix with a name.

    Args:
        name: Such as `dO_dx`; a symbol of the notation of formulas.
        rows: Its entries; a vector has one row.
        place: Where in a larger tensor it lies, such as `channel 2`; empty where it is all.
        index: The numbers of that place, which its entries' names begin with.
        taps: For the matrix of a convolution, the number of the filter entry in each place, -1 for none.
    """

    name: str
    rows: tuple[tuple[str, ...], ...]
    place: str = ""
    index: tuple[int, ...] = ()
    taps: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One square of a sketch.

    Args:
        text: What stands in it: a formula, or nothing.
        tap: Number of the filter entry it meets, which chooses its colour; -1 for none.
        padding: Whether it is a zero that was added around.
        chosen: Whether it is the output looked at.
    """

    text: str
    tap: int = -1
    padding: bool = False
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Squares in rows with a title."""

    title: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """Grids side by side.

    Args:
        grids: In reading order.
        caption: What they show, in a sentence.
        joints: Signs between the grids; empty where they only stand in a row.
        brief: Whether a terminal leaves it out.
    """

    grids: tuple[Grid, ...]
    caption: str
    joints: tuple[str, ...] = ()
    brief: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check gave: good, bad, or not done (None), and the sentence; `sentences` where there are several."""

    good: bool | None
    text: str
    sentences: tuple[str, ...] = ()


Part: TypeAlias = Words | Equations | Matrix | Sketch | Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A title, the answer, and how it comes about."""

    title: str
    lead: tuple[Part, ...]
    sections: tuple[Section, ...]
