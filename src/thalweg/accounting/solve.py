"""Backwards: which input sizes give a wanted size at a layer, as in `--solve 'flatten=59*64'`.

Every layer gives at least as many positions when more come in, so the answers lie together and halving finds both ends;
sizes in between at which branches do not fit (a decoder's, for example) are left out.
"""

import itertools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.layer_kinds import layer_kind, output_shapes
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape

__all__ = ["Solution", "solve"]

_SIGNS = str.maketrans({"×": "*", "·": "*", "،": ","})
_LARGEST = 1 << 16
_TRIES = 256  # how many sizes in a row may not fit before we give up; networks that halve 8 times accept every 256th


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Which input sizes give what was asked for.

    Args:
        layer: The layer's name.
        wanted: Values it shall give for one sample.
        ranges: First and last size of each run of neighbouring answers, in positions; empty when there is none.
        axes: Spatial axes of the input; all have the same size.
        nearest: What the layer gives instead, just below and just above, where there is no answer.
        per_axis: Where equal sizes give no answer and the question names channels and a size for each axis: the sizes
            of each axis, as `ranges`, the other axes being as the network's input has them.
        beyond: Larger sizes than were looked at give it, too.
    """

    layer: str
    wanted: int
    ranges: tuple[tuple[int, int], ...]
    axes: int
    nearest: tuple[int, ...] = ()
    per_axis: tuple[tuple[tuple[int, int], ...], ...] = ()
    beyond: bool = False


def solve(spec: NetworkSpec, question: str) -> Solution:
    """Find the input sizes that give a wanted size at a layer.

    Args:
        spec: The network; the size of its input does not matter.
        question: A layer's name or kind, `=`, and the values it shall give as a number or product, such as
            `flatten=59*64`; channels and a size for each axis may differ, `flatten=32*5*7`.

    Returns:
        The sizes; with several spatial axes, those at which all axes have the same size, or those of each axis.

    Raises:
        SpecError: The question is not understood, the layer does not exist, or the network has not one spatial input.

    Example:
        >>> pool = LayerSpec(name="pool", kind="max_pool1d", settings={"kernel_size": 2}, inputs=("x",))
        >>> spec = NetworkSpec(name="n", inputs={"x": Shape(3, (8,))}, layers=(pool,), outputs=("pool",))
        >>> solve(spec, "pool=3*5").ranges
        ((10, 11),)
    """
    name, factors = _read(question)
    wanted = math.prod(factors)
    layer = _find(spec, name)
    if len(spec.inputs) != 1:
        raise SpecError(f"network {spec.name!r} has {len(spec.inputs)} inputs; sizes can be solved for one")
    source, shape = next(iter(spec.inputs.items()))
    if not shape.extents:
        raise SpecError(f"network {spec.name!r} reads {shape}, which has no spatial size to solve for")
    front = _needed(spec, layer)

    def gives(size: int) -> int | None:
        inputs = {source: Shape(shape.channels, (size,) * shape.axes)}
        try:
            return output_shapes(replace(front, inputs=inputs))[layer.name].size
        except ShapeError:
            return None

    ranges, nearest = _search(gives, wanted)
    per_axis = () if ranges else _each_axis(front, layer, shape, factors)
    return Solution(
        layer=layer.name,
        wanted=wanted,
        ranges=ranges,
        axes=shape.axes,
        nearest=() if per_axis else nearest,
        per_axis=per_axis,
        beyond=bool(ranges) and ranges[-1][1] == _LARGEST,
    )


def _each_axis(
    front: NetworkSpec, layer: LayerSpec, shape: Shape, factors: tuple[int, ...]
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """The sizes of each axis for channels and sizes that differ, `32*5*7`; of what is flattened, before it is."""
    source = next(iter(front.inputs))
    measured = layer
    while layer.kind == "flatten" and measured.kind == "flatten" and measured.inputs[0] != source:
        measured = next(each for each in front.layers if each.name == measured.inputs[0])
    if len(factors) != shape.axes + 1 or shape.axes < 2:  # noqa: PLR2004 - a single axis is solved already
        return ()

    def gives(axis: int, size: int) -> Shape | None:
        extents = (*shape.extents[:axis], size, *shape.extents[axis + 1 :])
        try:
            return output_shapes(replace(front, inputs={source: Shape(shape.channels, extents)}))[measured.name]
        except ShapeError:
            return None

    def along(axis: int, size: int) -> int | None:
        found = gives(axis, size)
        return found.extents[axis] if found is not None and found.axes == shape.axes else None

    here = gives(0, shape.extents[0])
    if here is None or here.axes != shape.axes:
        return ()
    for channels, sizes in ((factors[0], factors[1:]), (factors[-1], factors[:-1])):
        if channels == here.channels:
            found = [_search(partial(along, axis), size)[0] for axis, size in enumerate(sizes)]
            return tuple(found) if all(found) else ()
    return ()


def _read(question: str) -> tuple[str, tuple[int, ...]]:
    plain = question.translate(_SIGNS).replace("==", "=")
    match = re.fullmatch(r"\s*([\w.-]+)\s*=\s*[(\[]?\s*(\d{1,12}(?:\s*[*x,]\s*\d{1,12}){0,3})\s*[)\]]?\s*", plain)
    if match is None:
        raise SpecError(f"{question!r} is no question; write a layer and what it shall give, such as flatten=59*64")
    factors = tuple(int(number) for number in re.split(r"[*x,]", match[2]))
    if (wanted := math.prod(factors)) < 1:
        raise SpecError(f"{question!r} asks for {wanted} values; 1 or more are wanted")
    return match[1], factors


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _find(spec: NetworkSpec, name: str) -> LayerSpec:
    for layer in spec.layers:
        if layer.name == name:
            return layer
    alike = [layer for layer in spec.layers if _plain(layer.name) == _plain(name)] or [
        layer for layer in spec.layers if _plain(name) in {_plain(layer.kind), _plain(layer_kind(layer.kind).stem)}
    ]
    if len(alike) == 1:
        return alike[0]
    names = ", ".join(layer.name for layer in (alike or spec.layers)[:12])
    what = f"{len(alike)} layers of the kind" if alike else "no layer"
    raise SpecError(f"network {spec.name!r} has {what} {name!r}; ask for one of {names}")


def _needed(spec: NetworkSpec, layer: LayerSpec) -> NetworkSpec:
    needed = {layer.name}
    for each in reversed(spec.layers):
        if each.name in needed:
            needed.update(each.inputs)
    kept = tuple(replace(each, shared=None) for each in spec.layers if each.name in needed)
    return replace(spec, layers=kept, outputs=(layer.name,))


def _search(gives: Callable[[int], int | None], wanted: int) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    def at_least(size: int) -> tuple[int, int] | None:
        for each in range(size, min(size + _TRIES, _LARGEST + 1)):
            value = gives(each)
            if value is not None:
                return each, value
        return None

    def first_with(value: int) -> int:
        low, high = 1, _LARGEST + 1
        while low < high:
            middle = (low + high) // 2
            found = at_least(middle)
            # Below the smallest size that fits nothing fits, so a long row of misfits means: too small.
            small = found is None and middle < _LARGEST - _TRIES
            if small or (found is not None and found[1] < value):
                low = middle + 1
            else:
                high = middle
        return low

    start, end = first_with(wanted), first_with(wanted + 1)
    fitting = _fitting(lambda size: gives(size) == wanted, range(start, min(end, _LARGEST + 1)))
    runs: list[tuple[int, int]] = []
    for size in fitting:
        if runs and runs[-1][1] == size - 1:
            runs[-1] = (runs[-1][0], size)
        else:
            runs.append((size, size))
    if runs:
        return tuple(runs), ()
    below = [value for size in range(max(1, start - _TRIES), start) if (value := gives(size)) is not None]
    above = at_least(start)
    return (), (*below[-1:], *([above[1]] if above else []))


def _fitting(fits: Callable[[int], bool], sizes: range) -> list[int]:
    """Those of many sizes that fit. Which do repeats with the strides, so that of a long row not all need be asked."""
    head = [fits(size) for size in sizes[: 4 * _TRIES]]
    rest = sizes[len(head) :]
    repeats = (step for step in range(1, _TRIES + 1) if head[_TRIES:-step] == head[_TRIES + step :])
    if rest and (period := next(repeats, None)):
        pattern = head[-period:]
        asked = {*range(0, len(rest), max(1, len(rest) // 64)), *range(max(0, len(rest) - period), len(rest))}
        if all(fits(rest[place]) == pattern[place % period] for place in asked):
            known = [*head, *(pattern[place % period] for place in range(len(rest)))]
            return [size for size, fit in zip(sizes, known, strict=True) if fit]
    return [*itertools.compress(sizes, head), *filter(fits, rest)]
