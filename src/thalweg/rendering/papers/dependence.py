"""What one output of a layer depends on, as a paper: the sum written out, what is read, and what lies behind it."""

import math
from collections.abc import Iterator, Sequence

from thalweg.core.dependence import Dependence
from thalweg.rendering.markup import shown
from thalweg.rendering.papers.paper import Equations, Matrix, Paper, Part, Section, Words

__all__ = ["dependence_paper"]

_MOST_TERMS = 36
_MOST_CHANNELS = 4
_AXES = {0: (), 1: ("position",), 2: ("row", "column"), 3: ("slice", "row", "column")}


def dependence_paper(answer: Dependence) -> Paper:
    """Lay out a dependence.

    Args:
        answer: What `derive --layer` answered.

    Returns:
        The paper.
    """
    first = "channel" if len(answer.at) > 1 else "feature"
    words = zip((first, *_AXES[len(answer.at) - 1]), answer.at, strict=True)
    place = ", ".join(f"{word} {at}" for word, at in words)
    sections = [
        Section(title="What it reads", parts=tuple(Words(text=text) for text in _reads(answer))),
        Section(title="Behind it, in the network's input", parts=(Words(text=_seen(answer)),)),
        Section(title="Its weights", parts=tuple(_weights(answer))),
        Section(title="To be noted", parts=tuple(Words(text=note) for note in answer.notes)),
    ]
    return Paper(
        title=f"What {shown(answer.layer)} of {shown(answer.network)} depends on",
        lead=(
            Words(text=f"{answer.kind} gives {_sizes(answer.output_shape)}; looked at: {place} (counted from 0)."),
            Words(text=answer.rule),
            *_sum(answer),
        ),
        sections=tuple(section for section in sections if section.parts),
    )


def _sizes(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))


def _sum(answer: Dependence) -> Iterator[Part]:
    output = "y_" + "_".join(map(str, answer.at))
    terms = answer.terms[:_MOST_TERMS]
    more = answer.products - len(terms)
    how, _, number = answer.combine.partition(" ")
    if not terms and answer.bias is None:
        yield Equations(lines=(f"{output} = 0",))
    elif how in {"sum", "mean", "same", "product"}:
        parts = (*terms, "rest" if more > 0 else "", answer.bias or "")
        joined = (" + " if how in {"sum", "mean"} else "*").join(filter(None, parts))
        yield Equations(lines=(f"{output} = ({joined})/{number}" if how == "mean" else f"{output} = {joined}",))
    elif how == "max":
        parts = (*terms, *(["rest"] if more > 0 else []))
        yield Equations(lines=(f"{output} = Max({', '.join(parts)})" if len(parts) > 1 else f"{output} = {terms[0]}",))
    else:
        listed = ", ".join(terms)
        yield Equations(lines=(f"[{listed}]",))
    if more > 0:
        yield Words(text=f"The first {len(terms)} are written out; the rest, {more:,} more, goes on in the same way.")
    counted = f"{answer.products:,} {_what(answer, answer.products)}"
    if answer.padding:
        counted += f"; {answer.padding:,} more would stand there, but meet padding and contribute nothing"
    yield Words(text=f"{counted}.")


def _what(answer: Dependence, count: int) -> str:
    word = "product" if answer.weight_name else "input"
    return word if count == 1 else f"{word}s"


def _reads(answer: Dependence) -> Iterator[str]:
    for read in answer.reads:
        words = [
            f"{read.symbol} is {shown(read.name)} ({_sizes(read.shape)})",
            _span("channel" if read.ranges else "feature", *read.channels),
        ]
        for word, ends, step in zip(_AXES[len(read.ranges)], read.ranges, read.step, strict=True):
            span = _span(word, *ends)
            words.append(f"{span} in steps of {step}" if step > 1 else span)
        yield ": ".join((words[0], ", ".join(words[1:]))) + "."


def _span(word: str, first: int, last: int) -> str:
    return f"{word} {first}" if first == last else f"{word}s {first} to {last}"


def _seen(answer: Dependence) -> str:
    seen = answer.seen
    if seen is None:
        return (
            "Nothing can be said of the network's input here: there is more than one, it has no axes, or none is read."
        )
    words, outside = [], False
    for word, (first, last), extent in zip(_AXES[len(seen.ranges)], seen.ranges, seen.extents, strict=True):
        outside |= first < 0 or last >= extent
        words.append(f"{_span(word, max(first, 0), min(last, extent - 1))} of {extent}")
    more = " Its window reaches over the border: what lies outside is padding." if outside else ""
    size = _sizes([last - first + 1 for first, last in seen.ranges])
    where = ", ".join(words)
    return f"It sees {where} (a window of {size}); all channels as far as the layers before join them.{more}"


def _weights(answer: Dependence) -> Iterator[Part]:
    if not answer.weight_name:
        return
    weight = shown(answer.weight_name)
    bias = f"{weight.removesuffix('weight')}bias"
    alone = f"In the state dict they are {weight}."
    yield Words(text=f"In the state dict they are {weight}, and the bias is {bias}." if answer.bias else alone)
    if not answer.weights:
        return
    if answer.bias_value is not None:
        yield Equations(lines=(f"{answer.bias} = {answer.bias_value:.6g}",))
    (read,) = answer.reads
    area = math.prod((last - first) // step + 1 for (first, last), step in zip(read.ranges, read.step, strict=True))
    channels = len(answer.weights) // area
    wide = (read.ranges[-1][1] - read.ranges[-1][0]) // read.step[-1] + 1 if read.ranges else area
    for channel in range(min(channels, _MOST_CHANNELS)):
        numbers = [f"{number:.4f}" for number in answer.weights[channel * area : (channel + 1) * area]]
        rows = tuple(tuple(numbers[start : start + wide]) for start in range(0, area, wide))
        yield Matrix(name="w", rows=rows, place=f"as met in channel {read.channels[0] + channel}")
    if channels > _MOST_CHANNELS:
        yield Words(text=f"{_MOST_CHANNELS} of {channels} input channels are shown; --json has all.")
