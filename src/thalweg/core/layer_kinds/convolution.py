"""Convolution and transposed convolution with one, two or three spatial axes; depthwise is `groups` = channels."""

from collections.abc import Mapping
from typing import cast

from thalweg.core.errors import ShapeError
from thalweg.core.layer_kinds.kind import LayerKind
from thalweg.core.layer_kinds.settings import count, padding, per_axis, positions, switch
from thalweg.core.layer_kinds.windows import extents_after
from thalweg.core.network_spec import Setting
from thalweg.core.shape import Shape

__all__ = ["KINDS"]


def _check_groups(settings: Mapping[str, Setting], shape: Shape) -> None:
    groups = cast("int", settings["groups"])
    for name, channels in (("input", shape.channels), ("output", cast("int", settings["out_channels"]))):
        if channels % groups:
            raise ShapeError(f"{channels} {name} channels cannot be split into {groups} groups (reads {shape})")


def _convolved(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    _check_groups(settings, shapes[0])
    return Shape(cast("int", settings["out_channels"]), extents_after(settings, shapes[0]))


def _transposed(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    # A convolution's shape rule backwards: (in - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.
    shape = shapes[0]
    _check_groups(settings, shape)
    names = ("kernel_size", "stride", "padding", "output_padding", "dilation")
    numbers = (per_axis(settings[name], shape.axes) for name in names)
    extents = []
    for extent, kernel, stride, pad, extra, dilation in zip(shape.extents, *numbers, strict=True):
        if extra >= max(stride, dilation):
            raise ShapeError(
                f"output_padding is {extra}; it must be smaller than stride {stride} or dilation {dilation}"
            )
        size = (extent - 1) * stride - 2 * pad + dilation * (kernel - 1) + extra + 1
        if size < 1:
            raise ShapeError(f"reads {shape}: padding {pad} leaves {size} positions on an axis of {extent}")
        extents.append(size)
    return Shape(cast("int", settings["out_channels"]), tuple(extents))


def _kinds(axes: int) -> tuple[LayerKind, LayerKind]:
    convolution = LayerKind(
        name=f"conv{axes}d",
        stem="conv",
        axes=axes,
        weighted=True,
        infer=_convolved,
        settings={
            "out_channels": count(),
            "kernel_size": positions(),
            "stride": positions(1),
            "padding": padding(),
            "dilation": positions(1),
            "groups": count(1),
            "bias": switch(default=True),
        },
    )
    transposed = LayerKind(
        name=f"conv_transpose{axes}d",
        stem="conv_transpose",
        axes=axes,
        weighted=True,
        infer=_transposed,
        settings={
            "out_channels": count(),
            "kernel_size": positions(),
            "stride": positions(1),
            "padding": positions(0, least=0),
            "output_padding": positions(0, least=0),
            "groups": count(1),
            "bias": switch(default=True),
            "dilation": positions(1),
        },
    )
    return convolution, transposed


KINDS = tuple(kind for axes in (1, 2, 3) for kind in _kinds(axes))
