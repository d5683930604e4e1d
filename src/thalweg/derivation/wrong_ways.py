"""Right beginnings, wrong ways on: a right dO/dy that is carried back to the input or the filter with a mistake in it.

Tensors are dictionaries from places to numbers here, so that a result may reach beyond the sizes it should have.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from thalweg.core.derivation import ConvolutionCase
from thalweg.derivation.number import Exact

__all__ = [
    "Guess",
    "Places",
    "axis_orders",
    "axis_subsets",
    "grid",
    "guess",
    "mirrored",
    "ones_at",
    "to_filter",
    "to_input",
]

Places = dict[tuple[int, ...], Exact]
"""Entries of a tensor by their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a mistake leads to.

    Args:
        mistake: Its name.
        shape: Sizes of the result, without axes of size 1.
        values: Its entries, row by row.
    """

    mistake: str
    shape: tuple[int, ...]
    values: tuple[Exact, ...]


def grid(shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """List the places of a tensor row by row.

    Args:
        shape: Its sizes.

    Returns:
        Every place.
    """
    return itertools.product(*map(range, shape))


def guess(mistake: str, values: Sequence[Exact], shape: Sequence[int]) -> Guess:
    """Put a result down.

    Args:
        mistake: What led to it.
        values: Its entries, row by row.
        shape: Its sizes.

    Returns:
        The guess.
    """
    return Guess(mistake=mistake, shape=tuple(size for size in shape if size != 1), values=tuple(values))


def axis_subsets(axes: Sequence[int]) -> list[tuple[int, ...]]:
    """List the choices of axes: all first, then fewer.

    Args:
        axes: What is chosen from.

    Returns:
        Every choice but none.
    """
    return [part for size in range(len(axes), 0, -1) for part in itertools.combinations(axes, size)]


def axis_orders(axes: int) -> list[tuple[int, ...]]:
    """List every exchange of axes.

    Args:
        axes: How many there are.

    Returns:
        Every order but the one they have.
    """
    return [order for order in itertools.permutations(range(axes)) if order != tuple(range(axes))]


def ones_at(sizes: tuple[int, ...], axes: Sequence[int]) -> tuple[int, ...]:
    """Set some sizes to 1.

    Args:
        sizes: One per axis.
        axes: Which are set.

    Returns:
        The sizes.
    """
    return tuple(1 if axis in axes else size for axis, size in enumerate(sizes))


def mirrored(place: Sequence[int], sizes: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """Turn a place round.

    Args:
        place: One index per axis.
        sizes: Of the tensor.
        axes: Along which it is turned.

    Returns:
        The place that is as far from the other end.
    """
    return tuple(
        size - 1 - at if axis in axes else at for axis, (at, size) in enumerate(zip(place, sizes, strict=True))
    )


def to_input(case: ConvolutionCase, outer: Places, weights: Places) -> Iterator[Guess]:
    """Carry a right dO/dy back to the input the wrong way.

    Args:
        case: The case.
        outer: dO/dy.
        weights: The filter.

    Yields:
        What each variant gives for dO/dx.
    """
    shape = (case.in_channels, *case.extents)
    fronts = tuple(before for before, _ in case.padding)

    def cropped(places: Places, starts: Sequence[int], sizes: Sequence[int]) -> tuple[list[Exact], tuple[int, ...]]:
        whole = (case.in_channels, *sizes)
        return [
            places.get((place[0], *(at + start for at, start in zip(place[1:], starts, strict=True))), Fraction(0))
            for place in grid(whole)
        ], whole

    for axes in axis_subsets(range(case.axes)):
        turned = {place[:2] + mirrored(place[2:], case.kernel, axes): weights[place] for place in weights}
        yield guess("unflipped filter", *cropped(_carried(case, outer, turned), fronts, shape[1:]))
    strided = [axis for axis, step in enumerate(case.stride) if step > 1]
    for axes in axis_subsets(strided):
        steps = ones_at(case.stride, axes)
        places = _carried(case, outer, weights, stride=steps)
        small = tuple(
            max(0, (out - 1) * step + apart * (taps - 1) + 1 - before - after)
            for out, step, apart, taps, (before, after) in zip(
                case.output, steps, case.dilation, case.kernel, case.padding, strict=True
            )
        )
        sizes = [small, tuple(side + sum(pair) for side, pair in zip(small, case.padding, strict=True))]
        dense = _carried(case, _everywhere(case, outer, steps), weights, stride=steps)
        yield guess("forgotten stride", *cropped(dense, fronts, shape[1:]))
        yield guess("forgotten stride", *cropped(places, fronts, shape[1:]))
        yield guess("forgotten stride", *cropped(places, fronts, sizes[0]))
        yield guess("forgotten stride", *cropped(places, (0,) * case.axes, sizes[1]))
    places = _carried(case, outer, weights)
    padded = [axis for axis, pair in enumerate(case.padding) if pair != (0, 0)]
    for axes in axis_subsets(padded):
        starts = tuple(0 if axis in axes else front for axis, front in enumerate(fronts))
        wide = tuple(
            extent + (sum(pair) if axis in axes else 0)
            for axis, (extent, pair) in enumerate(zip(case.extents, case.padding, strict=True))
        )
        full = tuple(
            (out - 1) * step + apart * (taps - 1) + 1 if axis in axes else extent
            for axis, (out, step, apart, taps, extent) in enumerate(
                zip(case.output, case.stride, case.dilation, case.kernel, case.extents, strict=True)
            )
        )
        ends = tuple(sum(case.padding[axis]) if axis in axes else front for axis, front in enumerate(fronts))
        yield guess("padding left in", *cropped(places, starts, wide))
        yield guess("padding left in", *cropped(places, starts, full))
        yield guess("padding left in", *cropped(places, starts, shape[1:]))
        yield guess("padding left in", *cropped(places, ends, shape[1:]))
    spread = [axis for axis, apart in enumerate(case.dilation) if apart > 1]
    for axes in axis_subsets(spread):
        narrow = _carried(case, outer, weights, dilation=ones_at(case.dilation, axes))
        yield guess("forgotten dilation", *cropped(narrow, fronts, shape[1:]))
    for order in axis_orders(case.axes):
        for first, second in _exchanged_places(outer, 1, weights, 2, order):
            yield guess("transposed", *cropped(_carried(case, first, second), fronts, shape[1:]))
    ones: Places = dict.fromkeys(outer, Fraction(1))
    yield guess("forgotten head", *cropped(_carried(case, ones, weights), fronts, shape[1:]))


def _exchanged_places(
    one: Places, lead: int, two: Places, lead_two: int, order: tuple[int, ...]
) -> Iterator[tuple[Places, Places]]:
    """One of two tensors with its axes exchanged."""

    def turned(places: Places, start: int) -> Places:
        return {place[:start] + tuple(place[start + axis] for axis in order): value for place, value in places.items()}

    yield one, turned(two, lead_two)
    yield turned(one, lead), two
    yield turned(one, lead), turned(two, lead_two)


def _everywhere(case: ConvolutionCase, outer: Places, steps: tuple[int, ...]) -> Places:
    """A gradient that is the same for every output, at all the outputs that smaller steps would give."""
    if len(set(outer.values())) != 1:
        return outer
    sizes = [
        (extent + sum(pair) - apart * (taps - 1) - 1) // step + 1
        for extent, pair, apart, taps, step in zip(
            case.extents, case.padding, case.dilation, case.kernel, steps, strict=True
        )
    ]
    return dict.fromkeys(grid((case.out_channels, *sizes)), next(iter(outer.values())))


def _carried(
    case: ConvolutionCase,
    outer: Places,
    weights: Places,
    *,
    stride: tuple[int, ...] | None = None,
    dilation: tuple[int, ...] | None = None,
) -> Places:
    """Carry dO/dy back to the padded input, entry by entry."""
    stride, dilation = stride or case.stride, dilation or case.dilation
    channels, filters = case.in_channels // case.groups, case.out_channels // case.groups
    by_filter: dict[int, list[tuple[tuple[int, ...], Exact]]] = {}
    for place, weight in weights.items():
        by_filter.setdefault(place[0], []).append((place[1:], weight))
    found: Places = {}
    for place, gradient in outer.items():
        for tap, weight in by_filter.get(place[0], []):
            target = (
                place[0] // filters * channels + tap[0],
                *(
                    at * step + offset * apart
                    for at, step, offset, apart in zip(place[1:], stride, tap[1:], dilation, strict=True)
                ),
            )
            share = gradient * weight
            found[target] = found[target] + share if target in found else share
    return found


def _correlated(
    case: ConvolutionCase,
    outer: Places,
    pixels: Places,
    sizes: tuple[int, ...],
    *,
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    fronts: tuple[int, ...],
) -> list[Exact]:
    """Collect the gradient of a filter of some size."""
    channels, filters = case.in_channels // case.groups, case.out_channels // case.groups
    found: list[Exact] = []
    by_filter: dict[int, list[tuple[tuple[int, ...], Exact]]] = {}
    for place, gradient in outer.items():
        by_filter.setdefault(place[0], []).append((place[1:], gradient))
    for out, channel, *tap in grid((case.out_channels, channels, *sizes)):
        total: Exact = Fraction(0)
        for place, gradient in by_filter.get(out, []):
            source = (
                out // filters * channels + channel,
                *(
                    at * step + offset * apart - front
                    for at, step, offset, apart, front in zip(place, stride, tap, dilation, fronts, strict=True)
                ),
            )
            if source in pixels:
                total = total + gradient * pixels[source]
        found.append(total)
    return found


def to_filter(case: ConvolutionCase, outer: Places, pixels: Places, result: Places) -> Iterator[Guess]:
    """Carry a right dO/dy to the filter the wrong way.

    Args:
        case: The case.
        outer: dO/dy.
        pixels: The input.
        result: The right dO/df.

    Yields:
        What each variant gives for dO/df.
    """
    shape = (case.out_channels, case.in_channels // case.groups, *case.kernel)
    fronts = tuple(before for before, _ in case.padding)

    def collect(mistake: str, sizes: tuple[int, ...] = case.kernel, **changed: tuple[int, ...]) -> Guess:
        settings = {"stride": case.stride, "dilation": case.dilation, "fronts": fronts, **changed}
        return guess(mistake, _correlated(case, outer, pixels, sizes, **settings), (*shape[:2], *sizes))

    for axes in axis_subsets(range(case.axes)):
        turned = [result[place[:2] + mirrored(place[2:], case.kernel, axes)] for place in grid(shape)]
        yield guess("unflipped filter", turned, shape)
    for axes in axis_subsets([axis for axis, step in enumerate(case.stride) if step > 1]):
        steps = ones_at(case.stride, axes)
        yield collect("forgotten stride", stride=steps)
        wide_outer = _everywhere(case, outer, steps)
        settings = {"stride": steps, "dilation": case.dilation, "fronts": fronts}
        yield guess("forgotten stride", _correlated(case, wide_outer, pixels, case.kernel, **settings), shape)
        wide = tuple(
            max(1, (extent + sum(pair) - (out - 1) * step - 1) // apart + 1)
            for extent, pair, out, step, apart in zip(
                case.extents, case.padding, case.output, steps, case.dilation, strict=True
            )
        )
        yield collect("forgotten stride", sizes=wide, stride=steps)
    for axes in axis_subsets([axis for axis, pair in enumerate(case.padding) if pair != (0, 0)]):
        yield collect("forgotten padding", fronts=tuple(0 if axis in axes else at for axis, at in enumerate(fronts)))
    for axes in axis_subsets([axis for axis, apart in enumerate(case.dilation) if apart > 1]):
        yield collect("forgotten dilation", dilation=ones_at(case.dilation, axes))
    for order in axis_orders(case.axes):
        for first, second in _exchanged_places(outer, 1, pixels, 1, order):
            settings = {"stride": case.stride, "dilation": case.dilation, "fronts": fronts}
            yield guess("transposed", _correlated(case, first, second, case.kernel, **settings), shape)
    ones: Places = dict.fromkeys(outer, Fraction(1))
    settings = {"stride": case.stride, "dilation": case.dilation, "fronts": fronts}
    yield guess("forgotten head", _correlated(case, ones, pixels, case.kernel, **settings), shape)
