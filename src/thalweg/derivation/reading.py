"""What rules of dependence work on: the question, the terms they find, and the arithmetic of windows they share."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from thalweg.core.dependence import Reads
from thalweg.core.layer_kinds.windows import windows
from thalweg.core.network_spec import LayerSpec
from thalweg.core.shape import Shape

__all__ = ["MOST_TERMS", "Asked", "Found", "Place", "Term", "first_terms", "one_input", "pairs", "reads_of", "whole"]

MOST_TERMS = 4096
"""Terms that are written out; there may be millions."""

Place: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One weight (None: 1) and the input it meets, both by their places; the number of the value read."""

    at: Place
    weight: Place | None = None
    source: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an output depends on, before names and numbers are known.

    Args:
        rule: How it is made, in a sentence.
        combine: As in `Dependence`.
        terms: The first of them.
        products: How many there are.
        padding: How many meet padding.
        reads: What is read, value by value.
        bias: Place of the bias, None without.
        notes: Further sentences.
    """

    rule: str
    combine: str
    terms: tuple[Term, ...]
    products: int
    padding: int = 0
    reads: tuple[Reads, ...] = ()
    bias: Place | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked: one output of a layer, with its complete settings and the shapes around it."""

    layer: LayerSpec
    settings: Mapping[str, Any]
    shapes: Sequence[Shape]
    output: Shape
    at: Place

    @property
    def channel(self) -> int:
        """The output channel."""
        return self.at[0]

    @property
    def place(self) -> Place:
        """The output position, without the channel."""
        return self.at[1:]


def reads_of(asked: Asked, source: int, channels: tuple[int, int], axes: Sequence[Sequence[int]]) -> Reads:
    """Sum up which positions of a value are read.

    Args:
        asked: The question.
        source: Number of the value among those the layer reads.
        channels: First and last channel.
        axes: The positions on each axis.

    Returns:
        Their ranges.
    """
    symbol = "x" if len(asked.shapes) == 1 else f"x{source + 1}"
    return Reads(
        name=asked.layer.inputs[source],
        symbol=symbol,
        shape=asked.shapes[source].as_tuple(),
        channels=channels,
        ranges=tuple((min(axis), max(axis)) for axis in axes),
        step=tuple(axis[1] - axis[0] if len(axis) > 1 else 1 for axis in axes),
    )


def whole(asked: Asked, source: int = 0) -> Reads:
    """Everything of a value.

    Args:
        asked: The question.
        source: Number of the value among those the layer reads.

    Returns:
        All channels and positions.
    """
    shape = asked.shapes[source]
    return reads_of(asked, source, (0, shape.channels - 1), [range(size) for size in shape.extents])


def first_terms(terms: Iterator[Term]) -> tuple[Term, ...]:
    """As many terms as are written out.

    Args:
        terms: All of them, made as they are asked for.

    Returns:
        The first.
    """
    return tuple(itertools.islice(terms, MOST_TERMS))


def pairs(asked: Asked) -> list[list[tuple[int, int]]]:
    """The taps that meet an input, along each axis.

    Args:
        asked: A convolution or pooling layer.

    Returns:
        For each axis, the tap's number and the position it meets; taps in padding are left out.
    """
    found = []
    axes = zip(asked.place, asked.shapes[0].extents, windows(asked.settings, asked.shapes[0].extents), strict=True)
    for place, size, window in axes:
        start = place * window.stride - window.padding
        at = ((tap, start + tap * window.dilation) for tap in range(window.kernel))
        found.append([(tap, position) for tap, position in at if 0 <= position < size])
    return found


def one_input(asked: Asked, at: Place, rule: str, combine: str = "same", source: int = 0) -> Found:
    """An output that depends on one input alone.

    Args:
        asked: The question.
        at: Channel and place of the input.
        rule: What is done with it, in a sentence.
        combine: How it enters.
        source: Number of the value among those the layer reads.

    Returns:
        What the output depends on.
    """
    return Found(
        rule=rule,
        combine=combine,
        terms=(Term(at=at, source=source),),
        products=1,
        reads=(reads_of(asked, source, (at[0], at[0]), [[place] for place in at[1:]]),),
    )
