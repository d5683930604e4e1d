"""Pooling: with a window, to a given size (adaptive), and over everything (global)."""

from collections.abc import Mapping

from thalweg.core.errors import ShapeError
from thalweg.core.layer_kinds.kind import LayerKind
from thalweg.core.layer_kinds.settings import padding, per_axis, positions, switch
from thalweg.core.layer_kinds.windows import extents_after, windows
from thalweg.core.network_spec import Setting
from thalweg.core.shape import Shape

__all__ = ["KINDS"]

_VOLUME = 3


def _pooled(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    shape, padding = shapes[0], settings["padding"]
    if isinstance(padding, tuple) and isinstance(padding[0], tuple) and settings["ceil_mode"]:
        raise ShapeError(f"padding {padding!r} differs between the sides, for which ceil_mode has no rule")
    for extent, window in zip(shape.extents, windows(settings, shape.extents), strict=True):
        # PyTorch's rules: no window in the padding alone, and with three axes none wider than what comes in.
        if padding != "same" and 2 * max(window.padding, window.padding_end or 0) > window.kernel:
            raise ShapeError(f"padding {padding!r} is more than half of the window, {window.kernel}")
        if shape.axes == _VOLUME and window.kernel > extent:
            raise ShapeError(f"reads {shape}: the window ({window.kernel}) is wider than an axis of {extent}")
    return Shape(shape.channels, extents_after(settings, shape))


def _adapted(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    return Shape(shapes[0].channels, per_axis(settings["output_size"], shapes[0].axes))


def _collapsed(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    del settings
    if not shapes[0].extents:
        raise ShapeError(f"reads {shapes[0]}, which has no spatial axis to pool over")
    return Shape(shapes[0].channels)


def _kinds(axes: int) -> tuple[LayerKind, ...]:
    window = {"kernel_size": positions(), "stride": positions(None), "padding": padding()}
    return (
        LayerKind(
            name=f"max_pool{axes}d",
            stem="max_pool",
            axes=axes,
            infer=_pooled,
            settings={**window, "dilation": positions(1), "ceil_mode": switch(default=False)},
        ),
        LayerKind(
            name=f"avg_pool{axes}d",
            stem="avg_pool",
            axes=axes,
            infer=_pooled,
            settings={**window, "ceil_mode": switch(default=False), "count_include_pad": switch(default=True)},
        ),
        *(
            LayerKind(
                name=f"adaptive_{how}_pool{axes}d",
                stem=f"adaptive_{how}_pool",
                axes=axes,
                infer=_adapted,
                settings={"output_size": positions()},
            )
            for how in ("avg", "max")
        ),
    )


KINDS = (
    *(kind for axes in (1, 2, 3) for kind in _kinds(axes)),
    LayerKind(name="global_avg_pool", stem="global_avg_pool", infer=_collapsed),
    LayerKind(name="global_max_pool", stem="global_max_pool", infer=_collapsed),
)
