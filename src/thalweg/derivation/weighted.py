"""What an output of a layer with weights depends on: convolution, transposed convolution, dense."""

import itertools
import math

from thalweg.core.layer_kinds.settings import per_axis
from thalweg.derivation.reading import Asked, Found, Term, first_terms, pairs, reads_of, whole

__all__ = ["convolved", "dense", "transposed"]


def convolved(asked: Asked) -> Found:
    """A convolution: taps that meet an input, for each channel of the group.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    groups, out = asked.settings["groups"], asked.output.channels
    into = asked.shapes[0].channels // groups
    first = asked.channel // (out // groups) * into
    axes = pairs(asked)
    terms = (
        Term(weight=(asked.channel, channel, *(tap for tap, _ in pairs)), at=(first + channel, *(p for _, p in pairs)))
        for channel in range(into)
        for pairs in itertools.product(*axes)
    )
    products = into * math.prod(map(len, axes))
    kernel = math.prod(per_axis(asked.settings["kernel_size"], asked.output.axes))
    empty = [axis for axis in axes if not axis]
    reads = () if empty else (reads_of(asked, 0, (first, first + into - 1), [[p for _, p in axis] for axis in axes]),)
    notes = (f"Of {groups} groups, this channel reads the {into} input channels of its own.",) if groups > 1 else ()
    return Found(
        rule="A weighted sum: the filter of this output channel, laid over the input at this place, plus the bias."
        if asked.settings["bias"]
        else "A weighted sum: the filter of this output channel, laid over the input at this place.",
        combine="sum",
        terms=first_terms(terms),
        products=products,
        padding=into * kernel - products,
        reads=reads,
        bias=(asked.channel,) if asked.settings["bias"] else None,
        notes=notes,
    )


def transposed(asked: Asked) -> Found:
    """A transposed convolution: output o takes from input i where o = i*stride - padding + tap*dilation.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    settings, shape = asked.settings, asked.shapes[0]
    groups, out = settings["groups"], asked.output.channels // settings["groups"]
    into = shape.channels // groups
    first = asked.channel // out * into
    names = ("kernel_size", "stride", "padding", "dilation")
    axes = []
    for place, size, kernel, stride, padding, dilation in zip(
        asked.place, shape.extents, *(per_axis(settings[name], shape.axes) for name in names), strict=True
    ):
        reached = ((tap, place + padding - tap * dilation) for tap in range(kernel))
        axes.append([(t, p // stride) for t, p in reached if p % stride == 0 and 0 <= p // stride < size][::-1])
    terms = (
        Term(
            weight=(first + channel, asked.channel % out, *(tap for tap, _ in pairs)),
            at=(first + channel, *(position for _, position in pairs)),
        )
        for channel in range(into)
        for pairs in itertools.product(*axes)
    )
    reads = (
        (reads_of(asked, 0, (first, first + into - 1), [[p for _, p in axis] for axis in axes]),) if all(axes) else ()
    )
    return Found(
        rule="A weighted sum over the inputs that spread onto this place; the filter is indexed input channel first.",
        combine="sum",
        terms=first_terms(terms),
        products=into * math.prod(map(len, axes)),
        reads=reads,
        bias=(asked.channel,) if settings["bias"] else None,
        notes=() if all(axes) else ("No input reaches this place: it holds the bias alone, or 0.",),
    )


def dense(asked: Asked) -> Found:
    """A dense layer: every feature.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    features = asked.shapes[0].channels
    return Found(
        rule=f"A weighted sum of all {features:,} features.",
        combine="sum",
        terms=first_terms(Term(weight=(asked.channel, feature), at=(feature,)) for feature in range(features)),
        products=features,
        reads=(whole(asked),),
        bias=(asked.channel,) if asked.settings["bias"] else None,
    )
