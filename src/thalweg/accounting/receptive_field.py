"""Receptive fields: which input positions one output can see, with both ends, through branches and dilation.

Output number i of a layer sees the input positions from `i*stride + first` to `i*stride + last` (the field may reach
over the border into padding). A window with k taps, dilation d, step s and padding p in front turns that into

    first' = first - p*stride,    last' = last + (d*(k - 1) - p)*stride,    stride' = s*stride.

Where branches meet, the field is from the smallest first to the largest last. Layers that read all positions (adaptive
pooling to one, normalisation over a whole sample) make the field the whole input. Batch normalisation sees the batch
only in training and is left out, as everybody does. Recurrences as in Araujo, Norris and Sim (2019), with both ends.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, TypeAlias

from thalweg.core.layer_kinds.settings import per_axis
from thalweg.core.layer_kinds.windows import windows
from thalweg.core.network_spec import LayerSpec
from thalweg.core.shape import Shape

__all__ = ["Field", "field_after"]

_Settings: TypeAlias = Mapping[str, Any]
_Fields: TypeAlias = "tuple[Field, ...]"
_Rule: TypeAlias = "Callable[[_Settings, Shape, _Fields], _Fields]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What one output sees along one axis.

    Args:
        extent: Size of the network input along the axis, in positions.
        first: First position output 0 sees, in input positions; negative where it reaches into padding.
        last: Last position output 0 sees.
        stride: Input positions from one output to the next.
        whole: Whether every output sees everything.
    """

    extent: int
    first: Fraction = Fraction(0)
    last: Fraction = Fraction(0)
    stride: Fraction = Fraction(1)
    whole: bool = False

    @property
    def size(self) -> int:
        """Input positions from the first seen to the last, both included."""
        return self.extent if self.whole else math.floor(self.last - self.first) + 1

    def reach(self, before: Fraction, after: Fraction, step: Fraction) -> "Field":
        """The field after a layer whose output i reads from `i*step + before` to `i*step + after` of what comes in.

        Args:
            before: First position output 0 reads.
            after: Last position output 0 reads.
            step: Positions from one output to the next.

        Returns:
            The field in terms of the network input.
        """
        return Field(
            extent=self.extent,
            first=self.first + before * self.stride,
            last=self.last + after * self.stride,
            stride=self.stride * step,
            whole=self.whole,
        )

    def everything(self) -> "Field":
        """The field of a layer that reads all positions.

        Returns:
            The whole axis.
        """
        return Field(extent=self.extent, stride=self.stride, whole=True)


def field_after(
    layer: LayerSpec, settings: Mapping[str, Any], shapes: Sequence[Shape], fields: Sequence[tuple[Field, ...]]
) -> tuple[Field, ...]:
    """The field of a layer from the fields of what it reads.

    Args:
        layer: The layer.
        settings: Its complete settings.
        shapes: Shapes of what it reads.
        fields: Fields of what it reads, one for each spatial axis.

    Returns:
        One field for each spatial axis; none after flatten, dense layers and global pooling.

    Example:
        >>> layer = LayerSpec(name="c", kind="conv1d", settings={"out_channels": 1, "kernel_size": 3, "dilation": 4})
        >>> settings = {"kernel_size": 3, "stride": 1, "padding": 0, "dilation": 4}
        >>> field_after(layer, settings, [Shape(1, (32,))], [(Field(extent=32),)])[0].size
        9
    """
    if len(fields) > 1:
        return _joined(fields)
    return _RULES.get(layer.kind, _unchanged)(settings, shapes[0], fields[0])


def _unchanged(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    del settings, shape
    return fields


def _none(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    del settings, shape, fields
    return ()


def _whole(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    del shape
    return fields if settings.get("over") == "channels" else tuple(field.everything() for field in fields)


def _windowed(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    return tuple(
        field.reach(Fraction(-window.padding), Fraction(window.reach - 1 - window.padding), Fraction(window.stride))
        for field, window in zip(fields, windows(settings, shape.extents), strict=True)
    )


def _transposed(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    # Output o takes part in input i where o = i*stride - padding + tap*dilation.
    names = ("kernel_size", "stride", "padding", "dilation")
    axes = zip(fields, *(per_axis(settings[name], shape.axes) for name in names), strict=True)
    return tuple(
        field.reach(Fraction(padding - dilation * (kernel - 1), stride), Fraction(padding, stride), Fraction(1, stride))
        for field, kernel, stride, padding, dilation in axes
    )


def _adaptive(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    found = []
    sizes = per_axis(settings["output_size"], shape.axes)
    for field, extent, size in zip(fields, shape.extents, sizes, strict=True):
        # Window i reads from floor(i extent / size) to ceil((i + 1) extent / size) - 1; the widest one counts.
        step = Fraction(extent, size)
        starts = [math.floor(place * step) - place * step for place in range(size)]
        ends = [math.ceil((place + 1) * step) - 1 - place * step for place in range(size)]
        found.append(field.everything() if size == 1 else field.reach(min(starts), max(ends), step))
    return tuple(found)


def _enlarged(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    found = []
    for field, factor in zip(fields, per_axis(settings["scale_factor"], shape.axes), strict=True):
        # Nearest: output o reads floor(o / factor). Linear: the neighbours of (o + 1/2) / factor - 1/2.
        shift = Fraction(0) if settings["mode"] == "nearest" else Fraction(1 - factor, 2 * factor)
        rounds = math.floor if settings["mode"] == "nearest" else math.ceil
        places = [Fraction(place, factor) for place in range(factor)]
        before = min(math.floor(place + shift) - place for place in places)
        after = max(rounds(place + shift) - place for place in places)
        found.append(field.reach(before, after, Fraction(1, factor)))
    return tuple(found)


def _subsampled(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    steps = per_axis(settings["stride"], shape.axes)
    return tuple(
        field.reach(Fraction(0), Fraction(0), Fraction(step)) for field, step in zip(fields, steps, strict=True)
    )


def _padded(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    padding = settings["padding"]
    nested = isinstance(padding, tuple) and isinstance(padding[0], tuple)
    before = [pair[0] for pair in padding] if nested else per_axis(padding, shape.axes)
    return tuple(
        field.reach(Fraction(-each), Fraction(-each), Fraction(1)) for field, each in zip(fields, before, strict=True)
    )


def _joined(fields: Sequence[_Fields]) -> _Fields:
    return tuple(
        Field(
            extent=axis[0].extent,
            first=min(field.first for field in axis),
            last=max(field.last for field in axis),
            stride=max((field.stride for field in axis if not field.whole), default=axis[0].stride),
            whole=any(field.whole for field in axis),
        )
        for axis in zip(*fields, strict=True)
    )


_RULES: Mapping[str, _Rule] = MappingProxyType({
    **dict.fromkeys(("flatten", "linear", "global_avg_pool", "global_max_pool"), _none),
    **dict.fromkeys(("group_norm", "layer_norm"), _whole),
    **{f"{family}{axes}d": _windowed for family in ("conv", "max_pool", "avg_pool") for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": _transposed for axes in (1, 2, 3)},
    **{f"adaptive_{how}_pool{axes}d": _adaptive for how in ("avg", "max") for axes in (1, 2, 3)},
    "upsample": _enlarged,
    "subsample": _subsampled,
    "pad": _padded,
})
