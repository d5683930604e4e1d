"""What an output of a layer without a filter depends on: pooling, normalisation, activations, joints, reshaping."""

import itertools
import math
from collections.abc import Sequence

from thalweg.core.layer_kinds.settings import per_axis
from thalweg.core.layer_kinds.windows import margins, windows
from thalweg.derivation.reading import Asked, Found, Term, first_terms, one_input, pairs, reads_of

__all__ = [
    "adaptive",
    "added",
    "enlarged",
    "flat",
    "function",
    "global_pooled",
    "group_norm",
    "kept",
    "layer_norm",
    "multiplied",
    "normalised",
    "padded",
    "pooled",
    "softmax",
    "stacked",
    "thinned",
]


def _window(asked: Asked, axes: Sequence[Sequence[int]], combine: str, rule: str, padding: int = 0) -> Found:
    return Found(
        rule=rule,
        combine=combine,
        terms=first_terms(Term(at=(asked.channel, *place)) for place in itertools.product(*axes)),
        products=math.prod(map(len, axes)),
        padding=padding,
        reads=(reads_of(asked, 0, (asked.channel, asked.channel), axes),),
    )


def pooled(asked: Asked) -> Found:
    """Pooling with a window.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    axes = [[position for _, position in axis] for axis in pairs(asked)]
    taps = math.prod(per_axis(asked.settings["kernel_size"], asked.output.axes))
    missing = taps - math.prod(map(len, axes))
    if "max" in asked.layer.kind:
        rule = "The largest of its window, in its own channel; the gradient goes to that one alone."
        return _window(asked, axes, "max", rule, missing)
    divisor = math.prod(map(len, axes))
    if asked.settings["count_include_pad"]:  # as torch: the window, cut where even the padding ends
        divisor = 1
        for place, size, window in zip(
            asked.place, asked.shapes[0].extents, windows(asked.settings, asked.shapes[0].extents), strict=True
        ):
            start = place * window.stride - window.padding
            divisor *= min(start + window.kernel, size + window.padding_total - window.padding) - start
    rule = f"The mean of its window, in its own channel: the sum divided by {divisor}."
    return _window(asked, axes, f"mean {divisor}", rule, missing)


def adaptive(asked: Asked) -> Found:
    """Adaptive pooling: window i reaches from floor(i n / m) to ceil((i + 1) n / m) - 1.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    sizes = zip(asked.place, asked.shapes[0].extents, asked.output.extents, strict=True)
    axes = [range(place * size // out, -(-(place + 1) * size // out)) for place, size, out in sizes]
    return _over(asked, axes)


def global_pooled(asked: Asked) -> Found:
    """Global pooling.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    return _over(asked, [range(size) for size in asked.shapes[0].extents])


def _over(asked: Asked, axes: Sequence[Sequence[int]]) -> Found:
    count = math.prod(map(len, axes))
    if "max" in asked.layer.kind:
        return _window(asked, axes, "max", f"The largest of {count:,} positions of its own channel.")
    return _window(asked, axes, f"mean {count}", f"The mean of {count:,} positions of its own channel.")


def function(asked: Asked) -> Found:
    """A function of one input.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    return one_input(asked, asked.at, f"{asked.layer.kind} of one input, the one at the same place.", "each")


def kept(asked: Asked) -> Found:
    """A layer that hands its input on.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    rule = "The input at the same place"
    rule += {"dropout": "; in training it is dropped by chance, and otherwise enlarged."}.get(asked.layer.kind, ".")
    return one_input(asked, asked.at, rule)


def normalised(asked: Asked) -> Found:
    """Batch normalisation.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    affine = "; then times gamma plus beta of that channel" if asked.settings["affine"] else ""
    found = one_input(asked, asked.at, f"(input - mean) / sqrt(variance + {asked.settings['eps']:g}){affine}.", "each")
    note = (
        "Mean and variance are this channel's: running ones when predicting; in training those of the whole batch, so "
        "that the output then depends on every position of the channel in every sample."
    )
    return Found(
        rule=found.rule, combine="each", terms=found.terms, products=1, reads=found.reads, bias=None, notes=(note,)
    )


def _together(asked: Asked, channels: tuple[int, int], axes: Sequence[Sequence[int]], rule: str) -> Found:
    read = reads_of(asked, 0, channels, axes)
    terms = itertools.product(range(channels[0], channels[1] + 1), *axes)
    count = (channels[1] - channels[0] + 1) * math.prod(map(len, axes))
    return Found(
        rule=rule, combine="all", terms=first_terms(Term(at=place) for place in terms), products=count, reads=(read,)
    )


def softmax(asked: Asked) -> Found:
    """Softmax over the channels.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    channels = (0, asked.output.channels - 1)
    rule = "exp of its own channel over the sum of exp of all channels, at this position."
    return _together(asked, channels, [[place] for place in asked.place], rule)


def layer_norm(asked: Asked) -> Found:
    """Layer normalisation.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    whole = asked.settings["over"] == "sample"
    axes = [range(size) for size in asked.output.extents] if whole else [[place] for place in asked.place]
    where = "the whole sample" if whole else "all channels of this position"
    return _together(asked, (0, asked.output.channels - 1), axes, f"Its own input, normalised over {where}.")


def group_norm(asked: Asked) -> Found:
    """Group normalisation.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    size = asked.output.channels // asked.settings["num_groups"]
    first = asked.channel // size * size
    axes = [range(extent) for extent in asked.output.extents]
    rule = f"Its own input, normalised over all positions of channels {first} to {first + size - 1}."
    return _together(asked, (first, first + size - 1), axes, rule)


def flat(asked: Asked) -> Found:
    """Flatten.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    place = []
    rest = asked.channel
    for size in reversed(asked.shapes[0].as_tuple()):
        rest, here = divmod(rest, size)
        place.append(here)
    return one_input(asked, tuple(reversed(place)), "One input as it is; rows are laid end to end, channel by channel.")


def _several(asked: Asked, combine: str, rule: str) -> Found:
    places = [  # a gate has one number a channel
        (asked.channel, *(min(at, size - 1) for at, size in zip(asked.place, shape.extents, strict=True)))
        for shape in asked.shapes
    ]
    return Found(
        rule=rule,
        combine=combine,
        terms=tuple(Term(at=at, source=source) for source, at in enumerate(places)),
        products=len(places),
        reads=tuple(
            reads_of(asked, source, (at[0], at[0]), [[place] for place in at[1:]]) for source, at in enumerate(places)
        ),
    )


def added(asked: Asked) -> Found:
    """Addition.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    return _several(asked, "sum", "The sum of its inputs at the same place.")


def multiplied(asked: Asked) -> Found:
    """Multiplication, perhaps by a gate.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    return _several(asked, "product", "The product of its inputs at the same place; a gate has one number a channel.")


def stacked(asked: Asked) -> Found:
    """Concatenation.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    channel = asked.channel
    source = 0
    while channel >= asked.shapes[source].channels:
        channel -= asked.shapes[source].channels
        source += 1
    rule = "One input as it is: the channels of the inputs stand one behind the other."
    return one_input(asked, (channel, *asked.place), rule, source=source)


def enlarged(asked: Asked) -> Found:
    """Upsampling.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    factors = per_axis(asked.settings["scale_factor"], asked.output.axes)
    if asked.settings["mode"] == "nearest":
        at = tuple(place // factor for place, factor in zip(asked.place, factors, strict=True))
        return one_input(asked, (asked.channel, *at), "The nearest input, as it is.")
    axes = []
    for place, factor, size in zip(asked.place, factors, asked.shapes[0].extents, strict=True):
        half = 2 * place + 1 - factor  # the place (o + 1/2) / factor - 1/2, times 2 factor
        ends = (half // (2 * factor), -(-half // (2 * factor)))
        axes.append(sorted({min(max(each, 0), size - 1) for each in ends}))
    return _together(asked, (asked.channel, asked.channel), axes, "Between its neighbours, weighted by their nearness.")


def thinned(asked: Asked) -> Found:
    """Subsampling.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    steps = per_axis(asked.settings["stride"], asked.output.axes)
    at = tuple(place * step for place, step in zip(asked.place, steps, strict=True))
    return one_input(asked, (asked.channel, *at), "One input as it is; those between are left out.")


def padded(asked: Asked) -> Found:
    """Padding.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    shape = asked.shapes[0]
    added = margins(asked.settings["padding"], shape.axes)
    channel = asked.channel - per_axis(asked.settings["channels"], 2)[0]
    at = (channel, *(place - before for place, (before, _) in zip(asked.place, added, strict=True)))
    if all(0 <= place < size for place, size in zip(at, shape.as_tuple(), strict=True)):
        return one_input(asked, at, "One input as it is, moved by the padding.")
    return Found(rule="A zero of the padding: it depends on nothing.", combine="sum", terms=(), products=0, padding=1)
