"""What is evidently written in another library's order: it would be a network too, but not the one that was meant.

PyTorch gives a convolution the channels that it reads before those that it makes; Keras gives an input its channels
last. Only what hardly anybody means is refused, and the sentence says how to write it if it is meant after all.
"""

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.layer_kinds.inference import output_shape
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape

__all__ = ["refuse_channels_last", "refuse_channels_read"]

_COLOURS = (1, 3, 4)
_PICTURE = 32  # positions: smaller sizes beside three or four others may be something else than a picture
_WIDE = 8  # positions: even windows from here on are rarely meant, but as numbers of channels most usual
_FAR = 8  # positions: and such strides with them


def refuse_channels_last(sizes: tuple[int, ...]) -> None:
    """Refuse the size of a picture or volume whose channels come last.

    Args:
        sizes: Channels, then the size of each spatial axis.

    Raises:
        SpecError: The last is a number of colours, and the others are those of a picture.

    Example:
        >>> refuse_channels_last((3, 32, 32)), refuse_channels_last((64, 128, 1))
        (None, None)
        >>> refuse_channels_last((32, 32, 3))
        Traceback (most recent call last):
        thalweg.core.errors.SpecError: Input(32, 32, 3): channels come first, as in PyTorch; write Input(3, 32, 32)
    """
    *others, last = sizes
    if len(others) < 2 or last not in _COLOURS or min(others) <= max(_COLOURS):  # noqa: PLR2004 - two axes of a picture
        return
    if len(set(others)) == 1 or (last > 1 and min(others) >= _PICTURE):
        turned = ", ".join(map(str, (last, *others)))
        raise SpecError(
            f"Input({', '.join(map(str, sizes))}): channels come first, as in PyTorch; write Input({turned})"
        )


def refuse_channels_read(spec: NetworkSpec) -> None:
    """Refuse a convolution that was told the channels it reads, and so takes those it makes for its window.

    Args:
        spec: The network.

    Raises:
        SpecError: It makes as many channels as it reads, with an even window of eight positions or more on each of two
            or three axes, that moves by something else than its size.

    Example:
        >>> from thalweg.core.network_spec import LayerSpec
        >>> settings = {"out_channels": 3, "kernel_size": 16, "stride": 3}
        >>> layer = LayerSpec(name="conv1", kind="conv2d", settings=settings, inputs=("x",))
        >>> spec = NetworkSpec(name="one", inputs={"x": Shape(3, (64, 64))}, layers=(layer,), outputs=("conv1",))
        >>> refuse_channels_read(spec)
        Traceback (most recent call last):
        thalweg.core.errors.SpecError: layer 'conv1': Conv2d(3, 16, 3) has a window of 16 and a stride of 3...
    """
    suspects = {layer.name for layer in spec.layers if _as_channels(layer)}
    shapes: dict[str, Shape] = dict(spec.inputs)
    for layer in spec.layers if suspects else ():
        reads = tuple(shapes[name] for name in layer.inputs)
        if layer.name in suspects and layer.settings["out_channels"] == reads[0].channels:
            raise SpecError(_told(layer, reads[0].axes))
        try:
            shapes[layer.name] = output_shape(layer, reads)
        except ShapeError:
            return  # told by whoever asks for shapes


def _as_channels(layer: LayerSpec) -> bool:
    """Whether the window is such that a number of channels may have been meant."""
    window, step = layer.settings.get("kernel_size"), layer.settings.get("stride", 1)
    return (
        layer.kind in {"conv2d", "conv3d"}
        and layer.settings.get("groups", 1) == 1
        and isinstance(window, int)
        and isinstance(step, int)
        and window >= _WIDE
        and window % 2 == 0
        and step < min(window, _FAR)
    )


def _told(layer: LayerSpec, axes: int) -> str:
    makes, window, step = (layer.settings.get(name, 1) for name in ("out_channels", "kernel_size", "stride"))
    called, third = layer.kind.capitalize(), "" if step == 1 else f", {step}"
    given, instead = f"{called}({makes}, {window}{third})", f"{called}({window}{third or ', 3'})"
    meant = f"kernel_size=({', '.join([str(window)] * axes)})"
    return (
        f"layer {layer.name!r}: {given} has a window of {window} and a stride of {step}, since the channels it "
        f"reads are inferred; write {instead}, or {meant} if that window is meant"
    )
