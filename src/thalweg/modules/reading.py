"""A torch module read back as a kind of layer and its settings: the opposite of `make`."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from torch import nn

from thalweg.core.errors import SpecError
from thalweg.core.network_spec import Setting
from thalweg.modules import depthwise, layers, padding

__all__ = ["READERS", "read_module"]

_Settings: TypeAlias = dict[str, Setting]
_Reader: TypeAlias = Callable[[Any], tuple[str, _Settings]]


def read_module(module: nn.Module) -> tuple[str, _Settings]:
    """Read one module.

    Args:
        module: A layer of torch or of this package.

    Returns:
        Its kind and settings.

    Raises:
        SpecError: Nothing reads this class, or it has an option that no kind of ours has.

    Example:
        >>> read_module(nn.Conv1d(3, 16, 7, bias=False))[1]["kernel_size"]
        7
    """
    reader = READERS.get(type(module))
    if reader is None:
        raise SpecError(f"nothing reads a {type(module).__name__}")
    return reader(module)


def _short(value: Any) -> Setting:  # noqa: ANN401 - torch's numbers, tuples and words
    if isinstance(value, list | tuple):
        value = tuple(value)
        return value[0] if len(set(value)) == 1 and isinstance(value[0], int) else value
    return value  # type: ignore[no-any-return]


def _refuse(module: nn.Module, option: str, value: object) -> None:
    raise SpecError(f"a {type(module).__name__} with {option}={value!r} has no counterpart among our layers")


def _window(module: Any) -> _Settings:  # noqa: ANN401 - several classes without a common base
    names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "count_include_pad")
    return {name: _short(getattr(module, name)) for name in names if hasattr(module, name)}


def _convolution(module: Any) -> tuple[str, _Settings]:  # noqa: ANN401 - as above
    if module.padding_mode != "zeros":
        _refuse(module, "padding_mode", module.padding_mode)
    axes = len(module.kernel_size)
    settings = {"out_channels": module.out_channels, "groups": module.groups, "bias": module.bias is not None}
    settings |= {name: _short(getattr(module, name)) for name in ("kernel_size", "stride", "padding", "dilation")}
    if module.transposed:
        return f"conv_transpose{axes}d", {**settings, "output_padding": _short(module.output_padding)}
    if isinstance(module, padding.PaddedConv1d | padding.PaddedConv2d | padding.PaddedConv3d):
        settings["padding"] = module.margins.pairs or "same"
    return f"conv{axes}d", settings


def _pool(kind: str) -> _Reader:
    def read(module: Any) -> tuple[str, _Settings]:  # noqa: ANN401 - as above
        if getattr(module, "return_indices", False) or getattr(module, "divisor_override", None) is not None:
            _refuse(module, "return_indices or divisor_override", value=True)
        return kind, _window(module)

    return read


def _padded_pool(module: padding.PaddedPool) -> tuple[str, _Settings]:
    kind, settings = read_module(module.pool)  # type: ignore[arg-type]
    return kind, {**settings, "padding": module.grow.pairs or "same"}


def _adaptive(kind: str) -> _Reader:
    def read(module: Any) -> tuple[str, _Settings]:  # noqa: ANN401 - as above
        size = module.output_size
        if size is None or (isinstance(size, tuple) and None in size):
            _refuse(module, "output_size", size)
        return kind, {"output_size": _short(size)}

    return read


def _batch_norm(module: Any) -> tuple[str, _Settings]:  # noqa: ANN401 - as above
    if not module.track_running_stats or module.momentum is None:
        _refuse(module, "track_running_stats or momentum", module.momentum)
    return "batch_norm", {"eps": module.eps, "momentum": module.momentum, "affine": module.affine}


def _layer_norm(module: Any) -> tuple[str, _Settings]:  # noqa: ANN401 - its bias may be None, which torch does not say
    if module.elementwise_affine and module.bias is None:
        _refuse(module, "bias", value=False)
    over = "sample" if len(module.normalized_shape) > 1 else "channels"
    return "layer_norm", {"eps": module.eps, "affine": module.elementwise_affine, "over": over}


def _upsample(module: nn.Upsample) -> tuple[str, _Settings]:
    factors = module.scale_factor if isinstance(module.scale_factor, tuple) else (module.scale_factor,)
    if any(factor is None or factor != int(factor) for factor in factors) or module.align_corners:
        _refuse(module, "scale_factor", module.scale_factor)
    mode = "nearest" if module.mode == "nearest" else "linear"
    return "upsample", {"scale_factor": _short([int(factor) for factor in factors if factor]), "mode": mode}


def _rescale(module: layers.Rescale) -> tuple[str, _Settings]:
    scale, offset = module.numbers
    settings: dict[str, Any] = {"scale": scale, "offset": offset}
    return "rescale", settings


def _flatten(module: nn.Flatten) -> tuple[str, _Settings]:
    if (module.start_dim, module.end_dim) != (1, -1):
        _refuse(module, "start_dim", module.start_dim)
    return "flatten", {}


def _pad(module: layers.Pad) -> tuple[str, _Settings]:
    *spatial, before, after = module.flat
    pairs = tuple(zip(spatial[::2], spatial[1::2], strict=True))[::-1]
    return "pad", {"padding": pairs, "channels": (before, after)}


def _zeros(module: Any) -> tuple[str, _Settings]:  # noqa: ANN401 - several classes without a common base
    flat, value = module.padding, getattr(module, "value", 0)
    if value != 0 or min(flat) < 0:
        _refuse(module, "value or padding", (value, flat))
    return "pad", {"padding": _short(tuple(zip(flat[::2], flat[1::2], strict=True))[::-1])}


def _crop(module: layers.Crop) -> tuple[str, _Settings]:
    channels, *pairs = module.pairs
    return "crop", {"cropping": tuple(pairs), "channels": channels}


def _softplus(module: nn.Softplus) -> tuple[str, _Settings]:
    if (module.beta, module.threshold) != (1, 20):
        _refuse(module, "beta or threshold", (module.beta, module.threshold))
    return "softplus", {}


def _softmax(module: nn.Softmax) -> tuple[str, _Settings]:
    if module.dim != 1:
        _refuse(module, "dim", module.dim)
    return "softmax", {}


def _named(kind: str, *names: str) -> _Reader:
    return lambda module: (kind, {name: getattr(module, name) for name in names})


def _usual(kind: str, option: str, value: object) -> _Reader:
    def read(module: nn.Module) -> tuple[str, _Settings]:
        if getattr(module, option) != value:
            _refuse(module, option, getattr(module, option))
        return kind, {}

    return read


_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_PADDED = (padding.PaddedConv1d, padding.PaddedConv2d, padding.PaddedConv3d)
_DEPTHWISE = (depthwise.DepthwiseConv2d, depthwise.PaddedDepthwiseConv2d)

READERS: Mapping[type[nn.Module], _Reader] = MappingProxyType({
    **dict.fromkeys((*_CONVOLUTIONS, *_PADDED, *_DEPTHWISE), _convolution),
    **{pool: _pool(f"max_pool{axes}d") for axes, pool in enumerate((nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d), 1)},
    **{pool: _pool(f"avg_pool{axes}d") for axes, pool in enumerate((nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d), 1)},
    padding.PaddedPool: _padded_pool,
    nn.AdaptiveAvgPool1d: _adaptive("adaptive_avg_pool1d"),
    nn.AdaptiveAvgPool2d: _adaptive("adaptive_avg_pool2d"),
    nn.AdaptiveAvgPool3d: _adaptive("adaptive_avg_pool3d"),
    nn.AdaptiveMaxPool1d: _adaptive("adaptive_max_pool1d"),
    nn.AdaptiveMaxPool2d: _adaptive("adaptive_max_pool2d"),
    nn.AdaptiveMaxPool3d: _adaptive("adaptive_max_pool3d"),
    layers.GlobalAvgPool: _named("global_avg_pool"),
    layers.GlobalMaxPool: _named("global_max_pool"),
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), _batch_norm),
    nn.LayerNorm: _layer_norm,
    layers.ChannelLayerNorm: _layer_norm,
    nn.GroupNorm: _named("group_norm", "num_groups", "eps", "affine"),
    nn.Dropout: _named("dropout", "p"),
    layers.Rescale: _rescale,
    nn.Linear: lambda module: ("linear", {"out_features": module.out_features, "bias": module.bias is not None}),
    nn.Flatten: _flatten,
    nn.Upsample: _upsample,
    layers.Subsample: lambda module: ("subsample", {"stride": _short(module.stride)}),
    layers.Pad: _pad,
    **dict.fromkeys((nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d), _zeros),
    **dict.fromkeys((nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d), _zeros),
    layers.Crop: _crop,
    nn.ChannelShuffle: _named("channel_shuffle", "groups"),
    nn.PixelShuffle: _named("pixel_shuffle", "upscale_factor"),
    nn.LocalResponseNorm: _named("local_response_norm", "size", "alpha", "beta", "k"),
    layers.Add: _named("add"),
    layers.Multiply: _named("multiply"),
    layers.Concatenate: _named("concatenate"),
    layers.Resize: _named("resize", "mode"),
    layers.Attention: _named("attention", "scaled"),
    layers.AttentionPool: _named("attention_pool"),
    nn.ReLU: _named("relu"),
    nn.ReLU6: _named("relu6"),
    nn.GELU: _usual("gelu", "approximate", "none"),
    nn.SiLU: _named("silu"),
    nn.Mish: _named("mish"),
    nn.SELU: _named("selu"),
    nn.Softplus: _softplus,
    nn.PReLU: _named("prelu", "num_parameters"),
    nn.Hardswish: _named("hardswish"),
    nn.Hardsigmoid: _named("hardsigmoid"),
    nn.ELU: _usual("elu", "alpha", 1.0),
    nn.Sigmoid: _named("sigmoid"),
    nn.Tanh: _named("tanh"),
    nn.Softmax: _softmax,
    nn.LeakyReLU: _named("leaky_relu", "negative_slope"),
    nn.Identity: _named("identity"),
})
