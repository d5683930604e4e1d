"""Which input entry meets which filter entry in which output entry: the bookkeeping of a convolution, once and for all.

    y[o, p] = bias[o] + sum over channels i of o's group and taps k of x[i, p stride + k dilation - padding] f[o, i, k]

A place outside the input is a zero of the padding and leaves no product.
"""

import itertools
import math
from collections.abc import Iterator, Sequence

from thalweg.core.derivation import ConvolutionCase

__all__ = ["Product", "flat_index", "products", "taps", "unravel"]

Product = tuple[int, int]
"""Flat places of an input entry and of the filter entry it is multiplied with."""


def products(case: ConvolutionCase) -> list[list[Product]]:
    """List the products of every output entry, in the order of the filter's entries.

    Args:
        case: The convolution.

    Returns:
        One list per output entry, row by row, channels first.
    """
    channels = case.in_channels // case.groups
    filters = case.out_channels // case.groups
    found = []
    for out in range(case.out_channels):
        first = out // filters * channels
        for place in itertools.product(*map(range, case.output)):
            found.append([  # noqa: PERF401 - four loops in one are no easier to read
                (
                    flat_index((first + channel, *position), (case.in_channels, *case.extents)),
                    flat_index((out, channel, *tap), (case.out_channels, channels, *case.kernel)),
                )
                for channel in range(channels)
                for tap, position in taps(case, place)
            ])
    return found


def taps(case: ConvolutionCase, place: Sequence[int]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Find where the filter's taps lie at one output place, without those on the padding.

    Args:
        case: The convolution.
        place: Spatial place of the output entry.

    Yields:
        A tap and the input position it lies on.
    """
    for tap in itertools.product(*map(range, case.kernel)):
        position = tuple(
            at * stride + offset * dilation - before
            for at, stride, offset, dilation, (before, _) in zip(
                place, case.stride, tap, case.dilation, case.padding, strict=True
            )
        )
        if all(0 <= at < extent for at, extent in zip(position, case.extents, strict=True)):
            yield tap, position


def flat_index(place: Sequence[int], shape: Sequence[int]) -> int:
    """Number an entry row by row.

    Args:
        place: Its indices.
        shape: Sizes of the tensor.

    Returns:
        Its place in the flattened tensor, from 0.
    """
    index = 0
    for at, size in zip(place, shape, strict=True):
        index = index * size + at
    return index


def unravel(index: int, shape: Sequence[int]) -> tuple[int, ...]:
    """Find the indices of a numbered entry: `flat_index` the other way round.

    Args:
        index: Its place in the flattened tensor, from 0.
        shape: Sizes of the tensor.

    Returns:
        Its indices.

    Example:
        >>> unravel(5, (2, 3))
        (1, 2)
    """
    place = []
    for size in reversed(shape):
        index, at = divmod(index, size)
        place.append(at)
    return tuple(reversed(place)) if math.prod(shape) else ()
