"""From a layer's settings to one window for each spatial axis, for convolution and pooling alike."""

from collections.abc import Mapping

from thalweg.core.errors import ShapeError
from thalweg.core.layer_kinds.settings import per_axis
from thalweg.core.network_spec import Setting
from thalweg.core.shape import Shape
from thalweg.core.window import Window, extent_after, same_padding

__all__ = ["extents_after", "margins", "places", "windows"]


def windows(settings: Mapping[str, Setting], extents: tuple[int, ...]) -> tuple[Window, ...]:
    """Read the window of every axis from complete settings.

    Args:
        settings: `kernel_size`, `stride` (None: as the kernel), `padding`, and `dilation` where there is one.
        extents: Size of each input axis, in positions; `same` padding with a stride depends on it.

    Returns:
        One window for each axis.

    Example:
        >>> windows({"kernel_size": 3, "stride": 2, "padding": "same", "dilation": 1}, (224,))
        (Window(kernel=3, stride=2, padding=0, padding_end=1, dilation=1),)
    """
    axes = len(extents)
    kernels = per_axis(settings["kernel_size"], axes)
    stride = settings.get("stride", 1)
    strides = kernels if stride is None else per_axis(stride, axes)
    dilations = per_axis(settings.get("dilation", 1), axes)
    paddings = _paddings(settings.get("padding", 0), extents, kernels, strides, dilations)
    return tuple(
        Window(
            kernel=kernel,
            stride=step,
            padding=before,
            padding_end=None if before == after else after,
            dilation=dilation,
        )
        for kernel, step, (before, after), dilation in zip(kernels, strides, paddings, dilations, strict=True)
    )


def _paddings(
    padding: Setting,
    extents: tuple[int, ...],
    kernels: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> list[tuple[int, int]]:
    if padding == "valid":
        return [(0, 0)] * len(extents)
    if padding == "same":
        return [same_padding(*axis) for axis in zip(extents, kernels, strides, dilations, strict=True)]
    return margins(padding, len(extents))


def margins(padding: Setting, axes: int) -> list[tuple[int, int]]:
    """What a padding of numbers adds before and after each axis.

    Args:
        padding: A number, one an axis, or a pair an axis.
        axes: Spatial axes.

    Returns:
        Positions before and after, an axis; as many pairs as were given.

    Example:
        >>> margins(1, 2), margins((1, 2), 2), margins(((0, 1), (2, 3)), 2)
        ([(1, 1), (1, 1)], [(1, 1), (2, 2)], [(0, 1), (2, 3)])
    """
    if isinstance(padding, tuple) and padding and isinstance(padding[0], tuple):
        return list(padding)
    return [(each, each) for each in per_axis(padding, axes)]


def places(extent: int, window: Window, *, ceil_mode: bool = False) -> int:
    """Count the places of a pooling window; with `ceil_mode` a last, cut one counts when it starts inside.

    Args:
        extent: Size of the input axis, in positions.
        window: The window on that axis.
        ceil_mode: Whether a window that reaches over the end counts, as in PyTorch.

    Returns:
        Size of the output axis, in positions.

    Raises:
        ShapeError: The window is wider than the padded axis.

    Example:
        >>> places(112, Window(kernel=3, stride=2)), places(112, Window(kernel=3, stride=2), ceil_mode=True)
        (55, 56)
    """
    whole = extent_after(extent, window)
    if not ceil_mode:
        return whole
    found = -(-(extent + window.padding_total - window.reach) // window.stride) + 1
    starts = (found - 1) * window.stride
    return found if starts < extent + window.padding else whole  # a window in the padding alone does not count


def extents_after(settings: Mapping[str, Setting], shape: Shape) -> tuple[int, ...]:
    """The spatial extents after a convolution or pooling with these complete settings.

    Args:
        settings: The layer's complete settings.
        shape: The shape it reads.

    Returns:
        Size of each output axis, in positions.

    Raises:
        ShapeError: A window is wider than its axis; the message names the axis.
    """
    found = []
    for axis, (extent, window) in enumerate(zip(shape.extents, windows(settings, shape.extents), strict=True)):
        try:
            found.append(places(extent, window, ceil_mode=settings.get("ceil_mode") is True))
        except ShapeError as error:
            raise ShapeError(f"reads {shape}: on spatial axis {axis + 1} of {shape.axes} {error}") from None
    return tuple(found)
