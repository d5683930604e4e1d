"""Families of layers, which share a colour in drawings, and a layer said in a few words."""

from collections.abc import Mapping
from types import MappingProxyType

from thalweg.core.network_spec import LayerSpec

__all__ = ["FAMILIES", "describe_layer", "family_of"]

FAMILIES: Mapping[str, tuple[str, str]] = MappingProxyType({
    "input": ("#6b7a80", "#93a2a8"),
    "convolution": ("#0072b2", "#4aa8de"),
    "dense": ("#7d4fa3", "#bb93dd"),
    "normalisation": ("#c9a227", "#e3c763"),
    "activation": ("#00805e", "#35c096"),
    "pooling": ("#c65102", "#ee9350"),
    "merge": ("#b0417e", "#e58cb8"),
    "other": ("#59676d", "#a3b1b7"),
})
"""Colour of each family on a light and on a dark screen; the words in the boxes say the same."""

_GATES = {"sigmoid", "hardsigmoid", "tanh", "softmax", "log_softmax", "softplus"}
_ACTIVATIONS = _GATES | {
    "gelu",
    "silu",
    "swish",
    "hardswish",
    "mish",
    "elu",
    "selu",
    "celu",
}  # and everything with relu
_MERGES = {"add", "multiply", "concatenate", "subtract", "maximum", "average", "stack", "attention"}
_SAID_FIRST = {"out_channels", "out_features", "kernel_size", "stride", "groups", "output_size"}
_UNSAID = {"padding", "output_padding", "bias", "eps", "momentum", "affine", "ceil_mode", "count_include_pad"}


def family_of(kind: str) -> str:
    """Find the family of a layer kind.

    Args:
        kind: Such as `conv2d`.

    Returns:
        A key of `FAMILIES`; `other` for kinds that belong nowhere.

    Example:
        >>> family_of("conv_transpose1d"), family_of("global_avg_pool"), family_of("batch_norm"), family_of("add")
        ('convolution', 'pooling', 'normalisation', 'merge')
    """
    if kind == "input":
        return "input"
    if kind in _ACTIVATIONS or "relu" in kind:
        return "activation"
    if kind in _MERGES:
        return "merge"
    if kind in {"linear", "dense"}:
        return "dense"
    for part, family in (("conv", "convolution"), ("pool", "pooling"), ("norm", "normalisation")):
        if part in kind:
            return family
    return "other"


def describe_layer(layer: LayerSpec) -> str:
    """Say kind and settings of a layer in a few words; what goes without saying is left out.

    Args:
        layer: The layer.

    Returns:
        Such as `conv2d 3×3, 64, stride 2`.

    Example:
        >>> settings = {"out_channels": 64, "kernel_size": 3, "stride": 2}
        >>> describe_layer(LayerSpec(name="conv1", kind="conv2d", settings=settings))
        'conv2d 3×3, 64, stride 2'
    """
    settings = layer.settings
    if "what" in settings:  # a step of a traced module says itself what it is
        return f"{layer.kind} {settings['what']}"
    if layer.kind == "rescale" and len(settings) > 1:  # said short, or a box cuts it
        scale, offset = (_alike(settings[key]) for key in ("scale", "offset"))
        return "rescale per channel" if "per channel" in {scale, offset} else f"rescale ×{scale}, offset {offset}"
    axes = int(layer.kind[-2]) if layer.kind[-2:] in {"1d", "2d", "3d"} else 1
    words = [layer.kind]
    if "kernel_size" in settings:
        words[0] += f" {_extents(settings['kernel_size'], axes)}"
    words += [str(settings[key]) for key in ("out_channels", "out_features") if key in settings]
    if "output_size" in settings:
        words[0] += f" to {_extents(settings['output_size'], axes)}"
    stride = settings.get("stride")
    usual = settings.get("kernel_size") if "pool" in layer.kind else 1
    if stride is not None and _extents(stride, axes) not in {_extents(usual, axes), "1" if axes == 1 else ""}:
        words.append(f"stride {_alike(stride)}")
    groups = settings.get("groups", 1)
    if groups != 1:
        words.append("depthwise" if groups == settings.get("out_channels") else f"groups {groups}")
    for key, value in settings.items():
        if (
            key not in _UNSAID | _SAID_FIRST
            and isinstance(value, int | float | str | tuple)
            and not isinstance(value, bool)
        ):
            words += [] if key == "dilation" and _alike(value) == "1" else [f"{key} {_alike(value)}"]
    return ", ".join(words)


def _extents(value: object, axes: int) -> str:
    sizes = value if isinstance(value, tuple) else (value,) * axes
    return "×".join(map(str, sizes))


def _alike(value: object) -> str:
    """One number where all axes have the same."""
    if isinstance(value, tuple) and value:
        if any(isinstance(item, float) for item in value):  # one for each channel; nobody reads them in a box
            return f"{value[0]:.4g}" if len(set(value)) == 1 else "per channel"
        return str(value[0]) if len(set(value)) == 1 else "×".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
