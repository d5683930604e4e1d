"""Dense layers and the layers that only move values: flatten, upsample, subsample, pad, crop, the two shuffles."""

from collections.abc import Mapping
from typing import cast

from thalweg.core.errors import ShapeError
from thalweg.core.layer_kinds.kind import LayerKind
from thalweg.core.layer_kinds.settings import choice, count, padding, per_axis, positions, switch
from thalweg.core.layer_kinds.windows import margins
from thalweg.core.network_spec import Setting
from thalweg.core.shape import Shape

__all__ = ["KINDS"]


def _dense(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    if shapes[0].extents:
        raise ShapeError(f"reads {shapes[0]}, which has spatial axes; put flatten or global pooling before it")
    return Shape(cast("int", settings["out_features"]))


def _flat(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    del settings
    return Shape(shapes[0].size)


def _need_axes(shape: Shape) -> None:
    if not shape.extents:
        raise ShapeError(f"reads {shape}, which has no spatial axis")


def _enlarged(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    shape = shapes[0]
    _need_axes(shape)
    factors = per_axis(settings["scale_factor"], shape.axes)
    return Shape(shape.channels, tuple(size * factor for size, factor in zip(shape.extents, factors, strict=True)))


def _thinned(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    shape = shapes[0]
    _need_axes(shape)
    steps = per_axis(settings["stride"], shape.axes)
    return Shape(shape.channels, tuple(-(-size // step) for size, step in zip(shape.extents, steps, strict=True)))


def _padded(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    shape = shapes[0]
    extents = tuple(
        size + sum(pair) for size, pair in zip(shape.extents, _pairs(settings, "padding", shape), strict=True)
    )
    return Shape(shape.channels + sum(per_axis(settings["channels"], 2)), extents)


def _pairs(settings: Mapping[str, Setting], name: str, shape: Shape) -> list[tuple[int, int]]:
    value = settings[name]
    if isinstance(value, str):
        raise ShapeError(f"{name} is {value!r}, which means nothing without a window; numbers are wanted")
    pairs = margins(value, shape.axes)
    if len(pairs) != shape.axes:
        raise ShapeError(f"{name} has {len(pairs)} pairs for {shape.axes} spatial axes (reads {shape})")
    return pairs


def _cropped(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    before, after = per_axis(settings["channels"], 2)
    pairs = [(before, after), *_pairs(settings, "cropping", shapes[0])]
    channels, *extents = (size - sum(pair) for size, pair in zip(shapes[0].as_tuple(), pairs, strict=True))
    if channels < 1 or min(extents, default=1) < 1:
        raise ShapeError(f"reads {shapes[0]}: nothing is left of an axis or of the channels after the cropping")
    return Shape(channels, tuple(extents))


def _shuffled(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    _need_axes(shapes[0])
    groups = cast("int", settings["groups"])
    if shapes[0].channels % groups:
        raise ShapeError(f"{shapes[0].channels} channels cannot be split into {groups} groups (reads {shapes[0]})")
    return shapes[0]


def _spread(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    shape, factor = shapes[0], cast("int", settings["upscale_factor"])
    if shape.channels % factor**2:
        raise ShapeError(f"{shape.channels} channels cannot be spread over squares of {factor} by {factor}")
    return Shape(shape.channels // factor**2, tuple(size * factor for size in shape.extents))


KINDS = (
    LayerKind(
        name="linear",
        stem="dense",
        weighted=True,
        infer=_dense,
        settings={"out_features": count(), "bias": switch(default=True)},
    ),
    LayerKind(name="flatten", stem="flatten", infer=_flat),
    LayerKind(
        name="upsample",
        stem="upsample",
        infer=_enlarged,
        settings={"scale_factor": positions(), "mode": choice("nearest", "linear")},
    ),
    LayerKind(name="subsample", stem="subsample", infer=_thinned, settings={"stride": positions()}),
    LayerKind(
        name="pad",
        stem="pad",
        infer=_padded,
        # `channels` adds zero channels before and after, as the parameter-free shortcut (option A) of ResNet-20 does.
        settings={"padding": padding(), "channels": positions((0, 0), least=0)},
    ),
    LayerKind(
        name="crop",
        stem="crop",
        infer=_cropped,
        # The opposite of pad: the skips of the first U-Net lose their border, a channel split its other half.
        settings={"cropping": padding(), "channels": positions((0, 0), least=0)},
    ),
    LayerKind(name="channel_shuffle", stem="channel_shuffle", infer=_shuffled, settings={"groups": count()}),
    LayerKind(name="pixel_shuffle", stem="pixel_shuffle", axes=2, infer=_spread, settings={"upscale_factor": count()}),
)
