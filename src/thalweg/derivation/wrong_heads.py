"""The head run backwards with a mistake in it: a derivative left out, a maximum that pays all, a forgotten target."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from thalweg.core.derivation import ConvolutionCase, HeadStage
from thalweg.derivation.expression import ONE, Expression, add
from thalweg.derivation.stages import Backward, run_stage, stage_symbol, windows

__all__ = ["wrong_gradients"]

_ACTIVATIONS = {"relu", "sigmoid", "tanh"}
_ERRORS = {"squared_error", "mean_squared_error"}


def wrong_gradients(case: ConvolutionCase, y: Sequence[Expression]) -> Iterator[tuple[str, list[Expression]]]:
    """Make every mistake of the way back through the head once.

    Args:
        case: With the head.
        y: What enters it.

    Yields:
        The mistake's name, and the wrong gradient at y.
    """
    ways: list[Backward] = []
    wrong: list[list[tuple[str, Backward]]] = []
    values, extents, channels = list(y), case.output, case.out_channels
    for stage in case.head:
        wrong.append(list(_wrong_ways(stage, values, channels, extents)))
        values, way, left = run_stage(stage, values, channels, extents)
        ways.append(way)
        extents = left or (1,) * case.axes
        channels = max(len(values) // max(1, _product(extents)), 1)
    for place, mistakes in enumerate(wrong):
        for mistake, way in mistakes:
            gradient = [ONE]
            for number, right in reversed(list(enumerate(ways))):
                gradient = (way if number == place else right)(gradient)
            yield mistake, gradient


def _product(sizes: Sequence[int]) -> int:
    found = 1
    for size in sizes:
        found *= size
    return found


def _wrong_ways(
    stage: HeadStage, given: Sequence[Expression], channels: int, extents: tuple[int, ...]
) -> Iterator[tuple[str, Backward]]:
    if stage.kind in _ACTIVATIONS:
        yield "forgotten activation", list
    if stage.kind == "max_pool":
        places = windows(stage, channels, extents)

        def to_all(outer: Sequence[Expression]) -> list[Expression]:
            parts: list[list[Expression]] = [[] for _ in given]
            for gradient, window in zip(outer, places, strict=True):
                for place in window:
                    parts[place].append(gradient)
            return [add(each) for each in parts]

        yield "forgotten maximum", to_all
    if stage.kind in _ERRORS:
        plain = replace(stage, values=("0",) * len(stage.values))
        yield "forgotten target", run_stage(plain, given, channels, extents)[1]
    if stage.kind == "cross_entropy":
        right = run_stage(stage, given, channels, extents)[1]
        factor = stage_symbol(stage.factor)

        def without(outer: Sequence[Expression]) -> list[Expression]:
            targets = (outer[0] * factor * stage_symbol(value) for value in stage.values)
            return [add((each, target)) for each, target in zip(right(outer), targets, strict=True)]

        yield "forgotten target", without
