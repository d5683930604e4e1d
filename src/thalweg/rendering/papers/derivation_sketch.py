"""What a convolution looks at, as squares: input, filter and output, and the inputs that each output sees."""

import itertools
import math
from collections.abc import Iterator

from thalweg.core.derivation import ConvolutionCase
from thalweg.rendering.papers.paper import Cell, Grid, Sketch

__all__ = ["sketches"]

_MOST_CELLS = 150
_MOST_VIEWS = 12
_PLANE = 2


def sketches(case: ConvolutionCase) -> Iterator[Sketch]:
    """Draw a case.

    Args:
        case: What is computed.

    Yields:
        Input, filter and output side by side, the first output's inputs marked; then one input for each output.
        Volumes and large pictures are not drawn: squares that nobody can tell apart explain nothing.
    """
    padded = math.prod(size + before + after for size, (before, after) in zip(case.extents, case.padding, strict=True))
    if case.axes > _PLANE or padded * case.in_channels > _MOST_CELLS or math.prod(case.kernel) > _MOST_CELLS:
        return
    places = list(itertools.product(*map(range, case.output)))
    if len(places) * case.out_channels > _MOST_CELLS:
        return
    first = places[0]
    many = case.in_channels > 1 or case.out_channels > 1
    yield Sketch(
        grids=(_input(case, first, "input x"), _filter(case), _output(case)),
        joints=("*", "="),
        caption="Marked: the inputs that y1 sees, and the filter entry that each of them meets"
        + (", in the first channel of each." if many else "."),
    )
    if 1 < len(places) <= _MOST_VIEWS:
        yield Sketch(
            grids=tuple(_input(case, place, f"y{number}") for number, place in enumerate(places, start=1)),
            caption="What each output sees" + (", in the first channel." if many else "."),
            brief=True,
        )


def _plane(sizes: tuple[int, ...]) -> tuple[int, int]:
    return (1, sizes[0]) if len(sizes) == 1 else (sizes[0], sizes[1])


def _input(case: ConvolutionCase, output: tuple[int, ...], title: str) -> Grid:
    taps = {}
    for tap, offset in enumerate(itertools.product(*map(range, case.kernel))):
        at = zip(output, case.stride, case.padding, offset, case.dilation, strict=True)
        taps[tuple(place * step - before + shift * apart for place, step, (before, _), shift, apart in at)] = tap
    ranges = [range(-before, size + after) for size, (before, after) in zip(case.extents, case.padding, strict=True)]
    flat = {place: number for number, place in enumerate(itertools.product(*map(range, case.extents)))}
    cells = [
        Cell(
            text=case.x[flat[place]] if place in flat else "0",
            tap=taps.get(place, -1),
            padding=place not in flat,
        )
        for place in itertools.product(*ranges)
    ]
    return Grid(title=title, rows=_rows(cells, tuple(map(len, ranges))))


def _filter(case: ConvolutionCase) -> Grid:
    size = math.prod(case.kernel)
    cells = [Cell(text=text, tap=tap) for tap, text in enumerate(case.f[:size])]
    return Grid(title="filter f", rows=_rows(cells, case.kernel))


def _output(case: ConvolutionCase) -> Grid:
    cells = [Cell(text=f"y{number + 1}", chosen=number == 0) for number in range(math.prod(case.output))]
    return Grid(title="output y", rows=_rows(cells, case.output))


def _rows(cells: list[Cell], sizes: tuple[int, ...]) -> tuple[tuple[Cell, ...], ...]:
    height, width = _plane(sizes)
    return tuple(tuple(cells[row * width : (row + 1) * width]) for row in range(height))
