"""The precision that a network can be trained in: bfloat16 products where torch's are right, else float32.

On processors that multiply bfloat16, torch 2.13 takes convolutions to oneDNN, whose weight gradients were compared with
float32 over sizes, windows and strides (docs/decisions/0017): most agree to 0.5 %, but two kinds hold memory that
nobody wrote, or are written where they must not be:

- three axes: maps of depth 2 (a `small-3d` on 32 voxels ends in one), and others of one or two positions;
- a stride, where the padding is as wide as the axis itself, or the stride leads past its end: such as 3x3 with stride 2
  on a map one pixel wide.
"""

from dataclasses import replace

from thalweg.core.layer_kinds import complete_settings, output_shapes
from thalweg.core.layer_kinds.windows import windows
from thalweg.core.network_spec import NetworkSpec
from thalweg.training.device import Device

__all__ = ["sound", "wrong_in_bfloat16"]

_FLAT = {"conv1d", "conv2d"}
_DEEP = {"conv3d", "conv_transpose3d"}


def sound(device: Device, spec: NetworkSpec) -> Device:
    """Choose float32 where a network has layers whose gradients are wrong otherwise.

    Args:
        device: Where it is to be trained; only the CPU's bfloat16 is doubted.
        spec: The network.

    Returns:
        The same device, without bfloat16 products where they are not to be trusted.

    Example:
        >>> import torch
        >>> from thalweg.core.shape import Shape
        >>> from thalweg.networks.catalogue import network
        >>> here = Device("cpu", torch.bfloat16)
        >>> [sound(here, network(*each)).precision for each in (
        ...     ("small", Shape(3, (96, 96)), 2), ("small-3d", Shape(1, (32, 32, 32)), 2))]
        ['bfloat16 products', 'float32']
    """
    if device.kind != "cpu" or device.autocast is None or wrong_in_bfloat16(spec) is None:
        return device
    return replace(device, autocast=None)


def wrong_in_bfloat16(spec: NetworkSpec) -> str | None:
    """Find a layer whose weight gradient torch's bfloat16 products may get wrong on a CPU.

    Args:
        spec: The network.

    Returns:
        The first one's name; None where there is none.
    """
    shapes = output_shapes(spec)
    for layer in spec.layers:
        if layer.kind in _DEEP:
            return layer.name
        if layer.kind in _FLAT:
            extents = shapes[layer.inputs[0]].extents
            for extent, window in zip(extents, windows(complete_settings(layer), extents), strict=True):
                padding = max(window.padding, window.padding_total - window.padding)
                beyond = padding >= extent or window.stride >= extent + padding
                if window.kernel > 1 and window.stride > 1 and beyond:
                    return layer.name
    return None
