"""What comes out when somebody differentiates a convolution and makes one of the known mistakes.

Each mistake is really made, in numbers, in the variants that students make: the whole calculation with a wrong setting
(stride 1 from the start), or a right start and a wrong step (no gaps between the entries of dO/dy), and the result is
laid beside the answer. Entries are found by their place, so that results of a wrong shape are results too.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from thalweg.core.derivation import ConvolutionCase, HeadStage
from thalweg.core.errors import SpecError
from thalweg.derivation.case import is_number
from thalweg.derivation.gradients import Gradients, work_out
from thalweg.derivation.number import Exact
from thalweg.derivation.substitution import Point
from thalweg.derivation.wrong_heads import wrong_gradients
from thalweg.derivation.wrong_ways import (
    Guess,
    Places,
    axis_orders,
    axis_subsets,
    grid,
    guess,
    mirrored,
    ones_at,
    to_filter,
    to_input,
)

__all__ = ["EXPLANATIONS", "guesses"]

EXPLANATIONS = {
    "forgotten mean factor": "the mean's factor 1/n is missing: every entry is n times too large",
    "unflipped filter": "the filter was not turned round: the gradient goes back with the filter flipped along every "
    "axis",
    "flipped filter": "the filter was turned round in the forward pass; only the way back flips it",
    "transposed": "rows and columns are exchanged, in the result or in what it was made of",
    "forgotten stride": "the stride was left out: between the entries of dO/dy belong stride - 1 zeros, and the window "
    "moves by the stride",
    "padding left in": "the gradient of the padded input was given, or cut off at the wrong place: the padding is "
    "cropped from every border",
    "forgotten padding": "the padding was left out of the forward pass",
    "forgotten dilation": "the dilation was left out: the filter's entries stand apart",
    "forgotten bias": "the bias was not added",
    "forgotten factor": "a factor of the head is missing: its own, or the 2 that a square leaves",
    "forgotten activation": "the derivative of the activation was left out of the chain rule",
    "forgotten maximum": "max pooling hands the gradient to the largest entry of each window alone; the others get 0",
    "forgotten target": "the target was left out: the derivative has y - t in it, that of softmax with cross-entropy "
    "p - t",
    "off by one": "everything stands one place too far on",
    "summed up": "entries were added up that stand side by side: there is a derivative for each entry of what it is "
    "taken by",
    "forgotten sum": "a bias reaches every place of its channel, so the gradients at all of them are added up",
    "another result": "this is another result of the same case: dO/dx has an entry for each x, dO/df for each f, "
    "dO/dy for each y",
    "wrong sign": "every sign is turned: the error is y - t, and the step downhill takes the minus later",
    "forgotten head": "the gradient dO/dy was left out: what was given is the gradient of the plain sum of y",
}
"""The mistakes by name, each with what went wrong and what is right."""

_Values = Mapping[str, Fraction]


def guesses(case: ConvolutionCase, part: str, names: _Values) -> Iterator[Guess]:
    """Make every mistake once, likely ones first.

    Args:
        case: The case.
        part: What was asked: `y`, `dO_dy`, `dO_dx`, `dO_df` or `dO_db`.
        names: A number for every symbol.

    Yields:
        What each variant of each mistake gives.
    """
    here = _with_numbers(case, names)
    if part == "y":  # which no head can change, and none shall stand in the way of another size
        here = replace(here, head=(HeadStage(kind="sum", text="sum"),))
    right = _worked(here)
    for mistake, outer in wrong_gradients(here, work_out(here).y) if part != "y" else ():
        found = _Worked(here, work_out(here, outer))
        yield guess(mistake, found.of(part), found.shape(part))
    for mistake, changed in _other_cases(here):
        try:
            found = _worked(changed)
        except (SpecError, IndexError, ValueError, ZeroDivisionError):  # the head does not fit the wrong output
            continue
        if mistake == "flipped filter" and part != "y":
            mistake = "unflipped filter"  # noqa: PLW2901 - on the way back it is the flip that should be there
        yield guess(mistake, found.of(part), found.shape(part))
    yield from _scaled(here, part, right)
    if part == "dO_dx":
        yield from to_input(here, right.places("dO_dy"), right.places("f"))
    elif part == "dO_df":
        yield from to_filter(here, right.places("dO_dy"), right.places("x"), right.places("dO_df"))
    elif part == "y":
        yield from _wrong_outputs(here, right)
    yield from _turned(right.of(part), right.shape(part), case.axes)
    yield from _misplaced(right, part, case.axes)


class _Worked:
    """A case in numbers, worked out."""

    def __init__(self, case: ConvolutionCase, found: Gradients) -> None:
        self.case = case
        point = Point({})
        self.parts = {
            name: [point.value(entry) for entry in getattr(found, name)]
            for name in ("x", "f", "y", "dO_dy", "dO_dx", "dO_df", "dO_db")
        }

    def of(self, part: str) -> list[Exact]:
        return self.parts[part]

    def shape(self, part: str) -> tuple[int, ...]:
        case = self.case
        return {
            "y": (case.out_channels, *case.output),
            "dO_dy": (case.out_channels, *case.output),
            "x": (case.in_channels, *case.extents),
            "dO_dx": (case.in_channels, *case.extents),
            "f": (case.out_channels, case.in_channels // case.groups, *case.kernel),
            "dO_df": (case.out_channels, case.in_channels // case.groups, *case.kernel),
            "dO_db": (case.out_channels,),
        }[part]

    def places(self, part: str) -> Places:
        return dict(zip(grid(self.shape(part)), self.of(part), strict=True))


def _worked(case: ConvolutionCase) -> _Worked:
    return _Worked(case, work_out(case))


def _with_numbers(case: ConvolutionCase, names: _Values) -> ConvolutionCase:
    def put(entries: Sequence[str]) -> tuple[str, ...]:
        return tuple(entry if is_number(entry) else str(names[entry]) for entry in entries)

    head = tuple(
        replace(
            stage,
            factor=put([stage.factor])[0],
            values=put(stage.values),
            offset=put([stage.offset])[0],
            offsets=put(stage.offsets),
        )
        for stage in case.head
    )
    bias = None if case.bias is None else put(case.bias)
    return replace(case, x=put(case.x), f=put(case.f), bias=bias, head=head)


def _other_cases(case: ConvolutionCase) -> Iterator[tuple[str, ConvolutionCase]]:
    """The whole calculation, done right for a wrong case."""
    for position, stage in enumerate(case.head):
        size = len(stage.values)
        plain = {
            "mean": replace(stage, kind="sum"),
            "mean_squared_error": replace(stage, kind="squared_error"),
            "binary_cross_entropy": replace(stage, factor=str(Fraction(stage.factor) * max(size, 1))),
        }.get(stage.kind)
        if plain is not None:
            yield "forgotten mean factor", _with_stage(case, position, plain)
    yield from _other_windows(case)
    yield from _other_heads(case)


def _other_windows(case: ConvolutionCase) -> Iterator[tuple[str, ConvolutionCase]]:
    """Filter, input or window are not what they should be."""
    strided = [axis for axis, step in enumerate(case.stride) if step > 1]
    for axes in axis_subsets(strided):
        yield "forgotten stride", _resized(case, stride=ones_at(case.stride, axes))
    padded = [axis for axis, pair in enumerate(case.padding) if pair != (0, 0)]
    flipped = replace(case, f=_flipped(case, range(case.axes)))
    yield "flipped filter", flipped
    for order in axis_orders(case.axes):
        for moved in _exchanged(case, order):
            yield "transposed", moved
    if case.out_channels == case.in_channels // case.groups > 1:
        yield "transposed", replace(case, f=_with_channels_exchanged(case))
    for axes in axis_subsets(padded):
        padding = tuple((0, 0) if axis in axes else pair for axis, pair in enumerate(case.padding))
        yield "forgotten padding", _resized(case, padding=padding)
    spread = [axis for axis, apart in enumerate(case.dilation) if apart > 1]
    for axes in axis_subsets(spread):
        yield "forgotten dilation", _resized(case, dilation=ones_at(case.dilation, axes))
    if case.bias is not None:
        yield "forgotten bias", replace(case, bias=None)


def _other_heads(case: ConvolutionCase) -> Iterator[tuple[str, ConvolutionCase]]:
    """A factor of the head is left out."""
    for position, stage in enumerate(case.head):
        if stage.factor != "1":
            yield "forgotten factor", _with_stage(case, position, replace(stage, factor="1"))
        if stage.kind in {"squared_error", "mean_squared_error"}:
            half = replace(stage, factor=str(Fraction(stage.factor) / 2))
            yield "forgotten factor", _with_stage(case, position, half)


def _with_stage(case: ConvolutionCase, position: int, stage: HeadStage) -> ConvolutionCase:
    return replace(case, head=(*case.head[:position], stage, *case.head[position + 1 :]))


def _resized(
    case: ConvolutionCase,
    *,
    stride: tuple[int, ...] | None = None,
    padding: tuple[tuple[int, int], ...] | None = None,
    dilation: tuple[int, ...] | None = None,
) -> ConvolutionCase:
    """The case with another window, and what the head reads adapted where that is possible."""
    stride, padding, dilation = stride or case.stride, padding or case.padding, dilation or case.dilation
    output = tuple(
        max(0, (extent + before + after - apart * (taps - 1) - 1) // step + 1)
        for extent, (before, after), apart, taps, step in zip(
            case.extents, padding, dilation, case.kernel, stride, strict=True
        )
    )
    size = case.out_channels * math.prod(output)
    head = tuple(
        replace(stage, values=(*stage.values, *("0",) * size)[:size]) if stage.kind == "cross_entropy" else stage
        for stage in case.head
    )
    pools = any(stage.kind in {"max_pool", "average_pool"} for stage in case.head)
    return replace(
        case, stride=stride, padding=padding, dilation=dilation, output=output, head=case.head if pools else head
    )


def _flipped(case: ConvolutionCase, axes: Sequence[int]) -> tuple[str, ...]:
    lead = (case.out_channels, case.in_channels // case.groups)
    entries = dict(zip(grid((*lead, *case.kernel)), case.f, strict=True))
    return tuple(entries[place[:2] + mirrored(place[2:], case.kernel, axes)] for place in entries)


def _exchanged(case: ConvolutionCase, order: tuple[int, ...]) -> Iterator[ConvolutionCase]:
    """Filter or input with axes exchanged before anything is calculated."""
    lead = (case.out_channels, case.in_channels // case.groups)
    kernel = tuple(case.kernel[axis] for axis in order)
    entries = dict(zip(grid((*lead, *case.kernel)), case.f, strict=True))
    turned = {place[:2] + tuple(place[2 + axis] for axis in order): entry for place, entry in entries.items()}
    yield _resized(replace(case, f=tuple(turned[place] for place in grid((*lead, *kernel))), kernel=kernel))
    extents = tuple(case.extents[axis] for axis in order)
    pixels = dict(zip(grid((case.in_channels, *case.extents)), case.x, strict=True))
    moved = {place[:1] + tuple(place[1 + axis] for axis in order): entry for place, entry in pixels.items()}
    yield _resized(
        replace(case, x=tuple(moved[place] for place in grid((case.in_channels, *extents))), extents=extents)
    )


def _with_channels_exchanged(case: ConvolutionCase) -> tuple[str, ...]:
    shape = (case.out_channels, case.in_channels // case.groups, *case.kernel)
    entries = dict(zip(grid(shape), case.f, strict=True))
    return tuple(entries[place[1], place[0], *place[2:]] for place in entries)


def _scaled(case: ConvolutionCase, part: str, right: _Worked) -> Iterator[Guess]:
    """Right but for a factor."""
    for stage in case.head:
        if stage.kind == "average_pool":
            factor = Fraction(math.prod(stage.kernel))
            if part != "y":
                yield guess("forgotten mean factor", [value * factor for value in right.of(part)], right.shape(part))


def _turned(values: Sequence[Exact], shape: tuple[int, ...], axes: int) -> Iterator[Guess]:
    """The right result with its axes exchanged, spatial ones or those of the channels too."""
    places = dict(zip(grid(shape), values, strict=True))
    for start in sorted({max(0, len(shape) - axes), 0}, reverse=True):
        for order in axis_orders(len(shape) - start):
            sizes = shape[:start] + tuple(shape[start + axis] for axis in order)
            moved = {place[:start] + tuple(place[start + axis] for axis in order): places[place] for place in places}
            yield guess("transposed", [moved[place] for place in grid(sizes)], sizes)


def _misplaced(right: _Worked, part: str, axes: int) -> Iterator[Guess]:
    """The right result one place further on, added up, with every sign turned, or in place of another."""
    values, shape = right.of(part), right.shape(part)
    yield guess("wrong sign", [-value for value in values], shape)
    places = right.places(part)
    for axis in range(max(0, len(shape) - axes), len(shape)) if part != "dO_db" and len(values) > 1 else ():
        for step in (1, -1):
            moved = []
            for place in places:
                at = place[axis] - step
                inside = 0 <= at < shape[axis]
                moved.append(places[*place[:axis], at, *place[axis + 1 :]] if inside else Fraction(0))
            yield guess("off by one", moved, shape)
    yield guess("summed up", [_total(values)], ())
    if len(shape) > axes:
        size = math.prod(shape[-axes:])
        yield guess("summed up", [_total(values[place::size]) for place in range(size)], shape[-axes:])
    outer = right.of("dO_dy")
    if part == "dO_db":
        yield guess("forgotten sum", outer, right.shape("dO_dy"))
        places_each = len(outer) // len(values)
        for start in range(places_each):
            yield guess("forgotten sum", outer[start::places_each], shape)
    for other in ("dO_dx", "dO_df", "dO_dy", "y"):
        if other != part and len(values) > 1:  # single numbers are too often alike
            yield guess("another result", right.of(other), right.shape(other))


def _total(values: Sequence[Exact]) -> Exact:
    total: Exact = Fraction(0)
    for value in values:
        total = total + value
    return total


def _wrong_outputs(case: ConvolutionCase, right: _Worked) -> Iterator[Guess]:
    """A forward pass that was done for another window and cut to the right size."""
    shape = right.shape("y")
    for mistake, changed in _other_windows(case):
        if changed.output != case.output and all(map(int.__le__, case.output, changed.output)):
            places = _worked(changed).places("y")
            yield guess(mistake, [places[place] for place in grid(shape)], shape)
