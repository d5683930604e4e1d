"""What an output depends on where positions meet without a window: resizing to another value's size, and attention."""

import itertools
from collections.abc import Iterator, Sequence

from thalweg.derivation.reading import Asked, Found, Term, first_terms, reads_of, whole

__all__ = ["attended", "resized", "summed"]


def resized(asked: Asked) -> Found:
    """Resizing to the size of a second value, of which nothing but the size is read.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    axes = []
    for place, size, extent in zip(asked.place, asked.output.extents, asked.shapes[0].extents, strict=True):
        if asked.settings["mode"] == "nearest":
            axes.append([place * extent // size])
        else:
            half = (2 * place + 1) * extent - size  # the place (o + 1/2) extent / size - 1/2, times 2 size
            ends = (half // (2 * size), -(-half // (2 * size)))
            axes.append(sorted({min(max(each, 0), extent - 1) for each in ends}))
    channels = (asked.channel, asked.channel)
    terms = tuple(Term(at=(asked.channel, *at)) for at in itertools.product(*axes))
    nearest = asked.settings["mode"] == "nearest"
    return Found(
        rule="The nearest input, as it is." if nearest else "Between its neighbours, weighted by their nearness.",
        combine="same" if nearest else "all",
        terms=terms,
        products=len(terms),
        reads=(reads_of(asked, 0, channels, axes),),
        notes=("Of the second value only the size is read.",),
    )


def attended(asked: Asked) -> Found:
    """Attention of a query to keys, which brings their values.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    query, key, value = asked.shapes
    here = [[place] for place in asked.place]
    spots = [range(size) for size in value.extents]
    terms = itertools.chain(
        _terms(0, range(query.channels), here),
        _terms(1, range(key.channels), spots),
        _terms(2, [asked.channel], spots),
    )
    return Found(
        rule="The mean of one channel of all values, weighted by the softmax of this query times every key.",
        combine="all",
        terms=first_terms(terms),
        products=query.channels + key.size + value.size // value.channels,
        reads=(
            reads_of(asked, 0, (0, query.channels - 1), here),
            whole(asked, 1),
            reads_of(asked, 2, (asked.channel, asked.channel), spots),
        ),
    )


def summed(asked: Asked) -> Found:
    """Pooling by scores.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    value, scores = asked.shapes
    spots = [range(size) for size in value.extents]
    terms = itertools.chain(_terms(0, [asked.channel], spots), _terms(1, [0], spots))
    return Found(
        rule="The mean of one channel over all positions, weighted by the softmax of their scores.",
        combine="all",
        terms=first_terms(terms),
        products=2 * scores.size,
        reads=(reads_of(asked, 0, (asked.channel, asked.channel), spots), whole(asked, 1)),
    )


def _terms(source: int, channels: Sequence[int], axes: Sequence[Sequence[int]]) -> Iterator[Term]:
    return (Term(at=place, source=source) for place in itertools.product(channels, *axes))
