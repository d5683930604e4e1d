"""Receptive fields: which input positions one output can see, exactly, with both ends, through branches and dilation.

A layer is a pattern that repeats: a convolution with stride s reads, for each output, taps around a place that moves by
s; an upsampling by 2 reads the same position for two outputs. So what the outputs of a network see repeats too: output
number `i + period` sees what output `i` sees, moved by `step` input positions. A field holds the first and last
position seen by each output of one period; a layer's pattern turns the field of what it reads into its own.

For windows alone the period is 1 and the rule is the familiar one: first' = first - p*stride, last' = last +
(d*(k - 1) - p)*stride, stride' = s*stride (Araujo, Norris and Sim 2019). Where branches meet, the field reaches from
the smallest first to the largest last. It may reach over the border into padding. Layers that read all positions
(adaptive pooling to one, normalisation over a sample) make it the whole input; batch normalisation is left out.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from thalweg.core.layer_kinds.settings import per_axis
from thalweg.core.layer_kinds.windows import margins, windows
from thalweg.core.network_spec import LayerSpec
from thalweg.core.shape import Shape

__all__ = ["Field", "field_after", "field_after_step"]

_Ends: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    """What a layer reads along one axis: `taps[r]` for output r, then the same again, `moves` positions on."""

    taps: tuple[tuple[int, ...], ...]
    moves: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What the outputs of a layer see along one axis of the network input.

    Args:
        extent: Size of the network input along the axis, in positions.
        ends: First and last position seen, for each output of one period; None for one that sees nothing.
        step: Input positions from one period to the next.
        whole: Whether every output sees everything.
    """

    extent: int
    ends: tuple[_Ends | None, ...] = ((0, 0),)
    step: int = 1
    whole: bool = False

    @property
    def size(self) -> int:
        """Most input positions an output sees, from the first to the last, both included."""
        return (
            self.extent if self.whole else max((last - first + 1 for first, last in filter(None, self.ends)), default=0)
        )

    @property
    def stride(self) -> float:
        """Input positions from one output to the next; below 1 after enlarging."""
        whole, rest = divmod(self.step, len(self.ends))
        return whole if rest == 0 else self.step / len(self.ends)

    def through(self, pattern: _Pattern) -> "Field":
        """The field after a layer.

        Args:
            pattern: What the layer reads.

        Returns:
            The field in terms of the network input.
        """
        period = len(self.ends)
        rounds = period // math.gcd(period, pattern.moves)
        found = tuple(
            self._seen([number * pattern.moves + tap for tap in taps])
            for number in range(rounds)
            for taps in pattern.taps
        )
        step = self.step * rounds * pattern.moves // period
        return Field(extent=self.extent, ends=found, step=step, whole=self.whole)

    def _seen(self, positions: Sequence[int]) -> _Ends | None:
        found = []
        for position in positions:
            turn, place = divmod(position, len(self.ends))
            ends = self.ends[place]
            if ends is not None:
                found.append((ends[0] + turn * self.step, ends[1] + turn * self.step))
        return (min(first for first, _ in found), max(last for _, last in found)) if found else None

    def at(self, position: int) -> tuple[int, int] | None:
        """What one output sees.

        Args:
            position: The output's, from 0.

        Returns:
            First and last position of the network input, which may lie outside, in padding; None for one that sees
            nothing.

        Example:
            >>> Field(extent=32, ends=((-1, 1),), step=2).at(5)
            (9, 11)
        """
        return (0, self.extent - 1) if self.whole else self._seen([position])

    def over(self, period: int) -> "Field":
        """The same field written over a longer period.

        Args:
            period: A multiple of its own period.

        Returns:
            An equal field.
        """
        ends = tuple(self._seen([position]) for position in range(period))
        return Field(extent=self.extent, ends=ends, step=self.step * period // len(self.ends), whole=self.whole)

    def everything(self) -> "Field":
        """The field of a layer that reads all positions.

        Returns:
            The whole axis.
        """
        return Field(extent=self.extent, ends=self.ends, step=self.step, whole=True)


_Settings: TypeAlias = Mapping[str, Any]
_Fields: TypeAlias = tuple[Field, ...]
_Rule: TypeAlias = Callable[[_Settings, Shape, _Fields], _Fields]


def field_after(layer: LayerSpec, settings: _Settings, shapes: Sequence[Shape], fields: Sequence[_Fields]) -> _Fields:
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
    if layer.kind == "resize":
        sizes = (shape.extents for shape in shapes)
        return tuple(_resized(settings["mode"], *axis) for axis in zip(fields[0], *sizes, strict=True))
    if layer.kind in {"attention", "attention_pool"}:
        return tuple(field.everything() for field in fields[0])
    if len(fields) > 1:
        return tuple(_joined(axis) for axis in zip(*fields, strict=True))
    return _RULES.get(layer.kind, _unchanged)(settings, shapes[0], fields[0])


def field_after_step(
    settings: _Settings, shapes: Sequence[Shape], fields: Sequence[_Fields], output: Shape, inputs: Mapping[str, Shape]
) -> _Fields:
    """The field of a step of which only the result was seen.

    Args:
        settings: Its complete settings; with `local`, a value depends on its own position alone.
        shapes: Shapes of what it reads.
        fields: Fields of what it reads.
        output: The shape it gives.
        inputs: Shapes of the network's inputs.

    Returns:
        What it reads where it is local; otherwise everything on every axis, since positions may have been mixed.

    Example:
        >>> photo = {"x": Shape(3, (32, 32))}
        >>> field_after_step({}, [Shape(8, (4,))], [(Field(extent=32),)], Shape(4, (8,)), photo)[0].size
        32
    """
    alike = [field for field, shape in zip(fields, shapes, strict=True) if shape.extents == output.extents]
    if settings.get("local") and alike:
        return tuple(_joined(axis) for axis in zip(*alike, strict=True))
    # An input without spatial axes, such as the words of a text, is one row: everything is the whole of it.
    sizes = [size for shape in inputs.values() for size in shape.extents or (shape.channels,)]
    extent = max(sizes, default=1)
    return tuple(Field(extent=extent, whole=True) for _ in output.extents)


def _joined(fields: Sequence[Field]) -> Field:
    period = math.lcm(*(len(field.ends) for field in fields))
    spread = [field.over(period) for field in fields]
    pairs = []
    for place in zip(*(field.ends for field in spread), strict=True):
        seen = [ends for ends in place if ends is not None]
        pairs.append((min(first for first, _ in seen), max(last for _, last in seen)) if seen else None)
    steps = [field.step for field in spread if not field.whole]  # a gate that sees everything has no place of its own
    whole = any(field.whole for field in fields)
    return Field(extent=fields[0].extent, ends=tuple(pairs), step=max(steps, default=spread[0].step), whole=whole)


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
    found = []
    for field, window in zip(fields, windows(settings, shape.extents), strict=True):
        taps = tuple(range(-window.padding, window.reach - window.padding, window.dilation))
        found.append(field.through(_Pattern(taps=(taps,), moves=window.stride)))
    return tuple(found)


def _transposed(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    # Output o takes part in input i where o = i*stride - padding + tap*dilation.
    names = ("kernel_size", "stride", "padding", "dilation")
    found = []
    for field, kernel, stride, padding, dilation in zip(
        fields, *(per_axis(settings[name], shape.axes) for name in names), strict=True
    ):
        shifts = [padding - tap * dilation for tap in range(kernel)]
        taps = tuple(
            tuple((output + shift) // stride for shift in shifts if (output + shift) % stride == 0)
            for output in range(stride)
        )
        found.append(field.through(_Pattern(taps=taps, moves=1)))
    return tuple(found)


def _adaptive(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    found = []
    for field, extent, size in zip(fields, shape.extents, per_axis(settings["output_size"], shape.axes), strict=True):
        # Window i reads from floor(i extent / size) to ceil((i + 1) extent / size) - 1.
        period = size // math.gcd(size, extent)
        taps = tuple(tuple(range(place * extent // size, -(-(place + 1) * extent // size))) for place in range(period))
        pattern = _Pattern(taps=taps, moves=period * extent // size)
        found.append(field.everything() if size == 1 else field.through(pattern))
    return tuple(found)


def _enlarged(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    found = []
    for field, factor in zip(fields, per_axis(settings["scale_factor"], shape.axes), strict=True):
        if settings["mode"] == "nearest":
            taps: tuple[tuple[int, ...], ...] = ((0,),) * factor
        else:  # the neighbours of (o + 1/2) / factor - 1/2
            halves = [2 * place + 1 - factor for place in range(factor)]
            taps = tuple((half // (2 * factor), -(-half // (2 * factor))) for half in halves)
        found.append(field.through(_Pattern(taps=taps, moves=1)))
    return tuple(found)


def _resized(mode: str, field: Field, extent: int, size: int) -> Field:
    # Output o lies at (o + 1/2) extent / size - 1/2 of what is read. A whole factor repeats soon; any other is written
    # down for the whole axis, so that places that drift apart from those of a skip stay exact.
    period, moves = (size // extent, 1) if size % extent == 0 else (size, extent)
    if mode == "nearest":
        taps: tuple[tuple[int, ...], ...] = tuple((place * extent // size,) for place in range(period))
    else:
        halves = [(2 * place + 1) * extent - size for place in range(period)]
        taps = tuple((half // (2 * size), -(-half // (2 * size))) for half in halves)
    return field.through(_Pattern(taps=taps, moves=moves))


def _subsampled(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    steps = per_axis(settings["stride"], shape.axes)
    return tuple(field.through(_Pattern(taps=((0,),), moves=step)) for field, step in zip(fields, steps, strict=True))


def _padded(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    moved = zip(fields, margins(settings["padding"], shape.axes), strict=True)
    return tuple(field.through(_Pattern(taps=((-before,),), moves=1)) for field, (before, _) in moved)


def _cropped(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    moved = zip(fields, margins(settings["cropping"], shape.axes), strict=True)
    return tuple(field.through(_Pattern(taps=((before,),), moves=1)) for field, (before, _) in moved)


def _spread(settings: _Settings, shape: Shape, fields: _Fields) -> _Fields:
    return _enlarged({"scale_factor": settings["upscale_factor"], "mode": "nearest"}, shape, fields)


_RULES: Mapping[str, _Rule] = MappingProxyType({
    **dict.fromkeys(("flatten", "linear", "global_avg_pool", "global_max_pool"), _none),
    **dict.fromkeys(("group_norm", "layer_norm"), _whole),
    **{f"{family}{axes}d": _windowed for family in ("conv", "max_pool", "avg_pool") for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": _transposed for axes in (1, 2, 3)},
    **{f"adaptive_{how}_pool{axes}d": _adaptive for how in ("avg", "max") for axes in (1, 2, 3)},
    "upsample": _enlarged,
    "subsample": _subsampled,
    "pad": _padded,
    "crop": _cropped,
    "pixel_shuffle": _spread,
})
