"""Layers that read several values: add, multiply, concatenate."""

from collections.abc import Mapping

from thalweg.core.errors import ShapeError
from thalweg.core.layer_kinds.kind import LayerKind
from thalweg.core.network_spec import Setting
from thalweg.core.shape import Shape

__all__ = ["KINDS"]


def _equal(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    del settings
    for shape in shapes[1:]:
        if shape != shapes[0]:
            raise ShapeError(
                "the shapes it reads differ; a convolution on one way can give the other's channels and size"
            )
    return shapes[0]


def _scaled(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    # Equal shapes, or a gate of one number a channel (extents all 1) as squeeze-and-excitation uses it.
    del settings
    largest = max(shapes, key=lambda shape: shape.size)
    for shape in shapes:
        gate = shape.channels == largest.channels and shape.axes == largest.axes and set(shape.extents) <= {1}
        if shape != largest and not gate:
            raise ShapeError("the shapes it reads differ, and none is a gate with one number a channel")
    return largest


def _stacked(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    del settings
    for shape in shapes[1:]:
        if shape.extents != shapes[0].extents:
            raise ShapeError(
                "the spatial sizes it reads differ; the same strides and padding='same' on every way keep them"
            )
    return Shape(sum(shape.channels for shape in shapes), shapes[0].extents)


KINDS = (
    LayerKind(name="add", stem="add", least_inputs=2, most_inputs=None, infer=_equal),
    LayerKind(name="multiply", stem="multiply", least_inputs=2, most_inputs=None, infer=_scaled),
    LayerKind(name="concatenate", stem="concatenate", least_inputs=1, most_inputs=None, infer=_stacked),
)
