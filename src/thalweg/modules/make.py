"""One torch module for each kind of layer, from complete settings and the shapes it reads."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from torch import nn

from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import complete_settings, layer_kind
from thalweg.core.layer_kinds.settings import per_axis
from thalweg.core.layer_kinds.windows import margins
from thalweg.core.network_spec import LayerSpec
from thalweg.core.shape import Shape
from thalweg.modules import depthwise, layers, padding

__all__ = ["MAKERS", "make"]

# Settings are checked by `complete_settings` before any maker sees them, so their types are known here.
_Settings: TypeAlias = Mapping[str, Any]
_Maker: TypeAlias = Callable[[_Settings, Shape], nn.Module]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_PADDED_CONVOLUTIONS = (padding.PaddedConv1d, padding.PaddedConv2d, padding.PaddedConv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
_AVG_POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
_ADAPTIVE_AVG = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
_ADAPTIVE_MAX = (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_LINEAR_MODES = ("linear", "bilinear", "trilinear")


def make(layer: LayerSpec, shapes: tuple[Shape, ...]) -> nn.Module:
    """The module of one layer, its weights not yet initialised to ours.

    Args:
        layer: The layer.
        shapes: The shapes it reads.

    Returns:
        The module.

    Raises:
        SpecError: The kind is unknown or has no module, or a setting is wrong.

    Example:
        >>> layer = LayerSpec(name="fc", kind="linear", settings={"out_features": 5})
        >>> make(layer, (Shape(128),))
        Linear(in_features=128, out_features=5, bias=True)
    """
    settings = complete_settings(layer)
    if layer.kind not in MAKERS:
        raise SpecError(f"layer {layer.name!r}: nothing builds the kind {layer_kind(layer.kind).name!r}")
    return MAKERS[layer.kind](settings, shapes[0])


def _numbers(settings: _Settings, axes: int) -> dict[str, tuple[int, ...]]:
    kernel = per_axis(settings["kernel_size"], axes)
    stride = settings["stride"]
    return {
        "kernel": kernel,
        "stride": kernel if stride is None else per_axis(stride, axes),
        "dilation": per_axis(settings.get("dilation", 1), axes),
    }


def _is_plain(found: object) -> bool:
    return isinstance(found, tuple) and all(isinstance(number, int) for number in found)


def _convolution(settings: _Settings, shape: Shape) -> nn.Module:
    numbers = _numbers(settings, shape.axes)
    found: Any = padding.margins(settings["padding"], **numbers)
    plain = _is_plain(found)
    family = (_CONVOLUTIONS if plain else _PADDED_CONVOLUTIONS)[shape.axes - 1]
    if shape.axes == 2 and settings["groups"] == shape.channels == settings["out_channels"]:  # noqa: PLR2004 - pictures
        family = depthwise.DepthwiseConv2d if plain else depthwise.PaddedDepthwiseConv2d
    module = family(
        shape.channels,
        settings["out_channels"],
        numbers["kernel"],  # type: ignore[arg-type]
        stride=numbers["stride"],  # type: ignore[arg-type]
        padding=found if plain else 0,
        dilation=numbers["dilation"],  # type: ignore[arg-type]
        groups=settings["groups"],
        bias=settings["bias"],
    )
    if not plain:
        module.margins = padding.Margins(found, **numbers)
    return module


def _transposed(settings: _Settings, shape: Shape) -> nn.Module:
    words = dict(settings)
    return _TRANSPOSED[shape.axes - 1](shape.channels, words.pop("out_channels"), words.pop("kernel_size"), **words)


def _max_pool(settings: _Settings, shape: Shape) -> nn.Module:
    return _pool(settings, shape, _MAX_POOLS, {"dilation": settings["dilation"]}, value=float("-inf"))


def _avg_pool(settings: _Settings, shape: Shape) -> nn.Module:
    include = settings["count_include_pad"]
    return _pool(settings, shape, _AVG_POOLS, {"count_include_pad": include}, divide=not include)


def _pool(
    settings: _Settings,
    shape: Shape,
    family: tuple[Any, ...],
    words: dict[str, Any],
    *,
    value: float = 0.0,
    divide: bool = False,
) -> nn.Module:
    numbers = _numbers(settings, shape.axes)
    found: Any = padding.margins(settings["padding"], **numbers)
    pool = family[shape.axes - 1]
    words = {**words, "stride": _spread(numbers["stride"]), "ceil_mode": settings["ceil_mode"]}
    kernel = _spread(numbers["kernel"])
    fits = _is_plain(found) and all(2 * pad <= tap for pad, tap in zip(found, numbers["kernel"], strict=True))
    if fits:  # torch refuses more than half a window, which `same` with dilation needs
        module: nn.Module = pool(kernel, padding=_spread(found), **words)
        return module
    pairs = tuple((pad, pad) for pad in found) if _is_plain(found) else found
    grow = padding.Margins(pairs, **numbers)
    grow.value = value
    return padding.PaddedPool(grow, pool(kernel, **words), divide=divide)


def _spread(numbers: tuple[int, ...]) -> int | tuple[int, ...]:
    return numbers[0] if len(set(numbers)) == 1 else numbers


def _adaptive(family: tuple[Any, ...]) -> _Maker:
    return lambda settings, shape: family[shape.axes - 1](settings["output_size"])


def _batch_norm(settings: _Settings, shape: Shape) -> nn.Module:
    words = {name: settings[name] for name in ("eps", "momentum", "affine")}
    return _BATCH_NORMS[shape.axes](shape.channels, **words)


def _layer_norm(settings: _Settings, shape: Shape) -> nn.Module:
    words = {"eps": settings["eps"], "elementwise_affine": settings["affine"]}
    if settings["over"] == "sample":
        return nn.LayerNorm(shape.as_tuple(), **words)
    return layers.ChannelLayerNorm(shape.channels, **words) if shape.extents else nn.LayerNorm(shape.channels, **words)


def _group_norm(settings: _Settings, shape: Shape) -> nn.Module:
    return nn.GroupNorm(settings["num_groups"], shape.channels, eps=settings["eps"], affine=settings["affine"])


def _upsample(settings: _Settings, shape: Shape) -> nn.Module:
    mode = "nearest" if settings["mode"] == "nearest" else _LINEAR_MODES[shape.axes - 1]
    factors = tuple(map(float, per_axis(settings["scale_factor"], shape.axes)))
    return nn.Upsample(scale_factor=factors, mode=mode)


def _pad(settings: _Settings, shape: Shape) -> nn.Module:
    before, after = per_axis(settings["channels"], 2)
    return layers.Pad(tuple(margins(settings["padding"], shape.axes)), (before, after))


def _crop(settings: _Settings, shape: Shape) -> nn.Module:
    before, after = per_axis(settings["channels"], 2)
    return layers.Crop(tuple(margins(settings["cropping"], shape.axes)), (before, after))


def _simple(module: Callable[[], nn.Module]) -> _Maker:
    return lambda _settings, _shape: module()


MAKERS: Mapping[str, _Maker] = MappingProxyType({
    **{f"conv{axes}d": _convolution for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": _transposed for axes in (1, 2, 3)},
    **{f"max_pool{axes}d": _max_pool for axes in (1, 2, 3)},
    **{f"avg_pool{axes}d": _avg_pool for axes in (1, 2, 3)},
    **{f"adaptive_avg_pool{axes}d": _adaptive(_ADAPTIVE_AVG) for axes in (1, 2, 3)},
    **{f"adaptive_max_pool{axes}d": _adaptive(_ADAPTIVE_MAX) for axes in (1, 2, 3)},
    "global_avg_pool": _simple(layers.GlobalAvgPool),
    "global_max_pool": _simple(layers.GlobalMaxPool),
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "dropout": lambda settings, _: nn.Dropout(settings["p"]),
    "rescale": lambda settings, shape: layers.Rescale(settings["scale"], settings["offset"], shape.axes),
    "linear": lambda settings, shape: nn.Linear(shape.channels, settings["out_features"], bias=settings["bias"]),
    "flatten": _simple(nn.Flatten),
    "upsample": _upsample,
    "subsample": lambda settings, shape: layers.Subsample(per_axis(settings["stride"], shape.axes)),
    "pad": _pad,
    "crop": _crop,
    "channel_shuffle": lambda settings, _: nn.ChannelShuffle(settings["groups"]),
    "pixel_shuffle": lambda settings, _: nn.PixelShuffle(settings["upscale_factor"]),
    "local_response_norm": lambda settings, _: nn.LocalResponseNorm(**settings),
    "add": _simple(layers.Add),
    "multiply": _simple(layers.Multiply),
    "concatenate": _simple(layers.Concatenate),
    "resize": lambda settings, _: layers.Resize(settings["mode"]),
    "attention": lambda settings, _: layers.Attention(scaled=settings["scaled"]),
    "attention_pool": _simple(layers.AttentionPool),
    # Never in place: an activation that overwrites what it reads breaks class activation maps and probes.
    "relu": _simple(nn.ReLU),
    "relu6": _simple(nn.ReLU6),
    "gelu": _simple(nn.GELU),
    "silu": _simple(nn.SiLU),
    "hardswish": _simple(nn.Hardswish),
    "hardsigmoid": _simple(nn.Hardsigmoid),
    "elu": _simple(nn.ELU),
    "mish": _simple(nn.Mish),
    "selu": _simple(nn.SELU),
    "softplus": _simple(nn.Softplus),
    "prelu": lambda settings, _: nn.PReLU(settings["num_parameters"]),
    "sigmoid": _simple(nn.Sigmoid),
    "tanh": _simple(nn.Tanh),
    "softmax": lambda _settings, _shape: nn.Softmax(dim=1),
    "leaky_relu": lambda settings, _: nn.LeakyReLU(settings["negative_slope"]),
    "identity": _simple(nn.Identity),
})
