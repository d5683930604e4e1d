"""Layers in which positions meet that no window joins: resizing one value to another's size, and attention.

`resize` takes the size to reach from a second value, as the decoder of a U-Net takes it from its skip, so that one
network serves pictures of any size. `attention` (Vaswani et al. 2017) sums the values of all positions, weighted by how
well each position's key fits the query; non-local networks (Wang et al. 2018) are built on it. `attention_pool` sums
all positions into one by given scores, which is how a global-context block (Cao et al. 2019) sees the whole picture.
"""

from collections.abc import Mapping

from thalweg.core.errors import ShapeError
from thalweg.core.layer_kinds.kind import LayerKind
from thalweg.core.layer_kinds.settings import choice, switch
from thalweg.core.network_spec import Setting
from thalweg.core.shape import Shape

__all__ = ["KINDS"]


def _need_axes(shapes: tuple[Shape, ...]) -> None:
    for shape in shapes:
        if not shape.extents:
            raise ShapeError(f"reads {shape}, which has no spatial axis")
        if shape.axes != shapes[0].axes:
            raise ShapeError(f"reads {shapes[0]} and {shape}, which differ in their number of spatial axes")


def _resized(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    del settings
    _need_axes(shapes)
    return Shape(shapes[0].channels, shapes[1].extents)


def _attended(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    del settings
    _need_axes(shapes)
    query, key, value = shapes
    if query.channels != key.channels:
        raise ShapeError(f"the query has {query.channels} channels and the key {key.channels}; they must be equal")
    if key.extents != value.extents:
        raise ShapeError(f"the key ({key}) and the value ({value}) differ in size; each position needs both")
    return Shape(value.channels, query.extents)


def _summed(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    del settings
    _need_axes(shapes)
    value, scores = shapes
    if scores.channels != 1 or scores.extents != value.extents:
        raise ShapeError(f"the scores are {scores}; one number for each position of {value} is wanted")
    return Shape(value.channels, (1,) * value.axes)


KINDS = (
    LayerKind(
        name="resize",
        stem="resize",
        least_inputs=2,
        most_inputs=2,
        infer=_resized,
        settings={"mode": choice("linear", "nearest")},
    ),
    LayerKind(
        name="attention",
        stem="attention",
        least_inputs=3,
        most_inputs=3,
        infer=_attended,
        # Scores over the square root of the key's channels, as in transformers; non-local networks leave them.
        settings={"scaled": switch(default=False)},
    ),
    LayerKind(name="attention_pool", stem="attention_pool", least_inputs=2, most_inputs=2, infer=_summed),
)
