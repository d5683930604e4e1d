"""Every layer that can be written, with PyTorch's arguments in PyTorch's order; input channels are inferred.

`Dense(128)` is `Linear(128)`. A depthwise convolution is `Conv2d(channels, 3, groups=channels)`.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from thalweg.core.errors import SpecError
from thalweg.core.network_spec import Setting
from thalweg.networks.activations import (
    ELU,
    GELU,
    SELU,
    Hardsigmoid,
    Hardswish,
    Identity,
    LeakyReLU,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from thalweg.networks.windowed import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from thalweg.networks.writing import Layer

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "Add",
    "Attention",
    "AttentionPool",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm",
    "ChannelShuffle",
    "Concatenate",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Crop",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "Identity",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Mish",
    "Multiply",
    "PReLU",
    "Pad",
    "PixelShuffle",
    "ReLU",
    "ReLU6",
    "Rescale",
    "Resize",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Subsample",
    "Tanh",
    "Upsample",
]

PerAxis: TypeAlias = int | tuple[int, ...]


class GlobalAvgPool(Layer):
    """Mean over all positions: one number a channel, no spatial axis left."""

    kind: ClassVar[str] = "global_avg_pool"


class GlobalMaxPool(Layer):
    """Largest value over all positions: one number a channel, no spatial axis left."""

    kind: ClassVar[str] = "global_max_pool"


def _refuse_channels(eps: float, given: str, instead: str) -> None:
    """Refuse a number of channels, as PyTorch wants one, where the tiny number beside the variance stands here."""
    if isinstance(eps, int) and eps > 0:
        raise SpecError(f"{given}: how many channels it reads is inferred; write {instead}")


@dataclass(frozen=True, eq=False)
class BatchNorm(Layer):
    """Batch normalisation; `momentum` in PyTorch's sense, `zero_init` starts its scale at nought."""

    kind: ClassVar[str] = "batch_norm"
    eps: float = 1e-5
    momentum: float = 0.1
    affine: bool = True
    zero_init: bool = False

    def __post_init__(self) -> None:
        """Refuse PyTorch's number of features: `BatchNorm(64)` would divide by the root of the variance plus 64.

        Raises:
            SpecError: A whole number was given in place of the tiny one.
        """
        _refuse_channels(self.eps, f"BatchNorm({self.eps})", "BatchNorm()")


@dataclass(frozen=True, eq=False)
class LayerNorm(Layer):
    """Layer normalisation over the `channels` of each position, or over the whole `sample`."""

    kind: ClassVar[str] = "layer_norm"
    eps: float = 1e-5
    affine: bool = True
    over: str = "channels"

    def __post_init__(self) -> None:
        """Refuse PyTorch's number of features: `LayerNorm(64)` would divide by the root of the variance plus 64.

        Raises:
            SpecError: A whole number was given in place of the tiny one.
        """
        _refuse_channels(self.eps, f"LayerNorm({self.eps})", "LayerNorm()")


@dataclass(frozen=True, eq=False)
class GroupNorm(Layer):
    """Group normalisation."""

    kind: ClassVar[str] = "group_norm"
    num_groups: int
    eps: float = 1e-5
    affine: bool = True

    def __post_init__(self) -> None:
        """Refuse PyTorch's pair of groups and channels, of which the second would be taken for `eps`.

        Raises:
            SpecError: A whole number was given in place of the tiny one.
        """
        _refuse_channels(self.eps, f"GroupNorm({self.num_groups}, {self.eps})", f"GroupNorm({self.num_groups})")


@dataclass(frozen=True, eq=False)
class LocalResponseNorm(Layer):
    """Each value over a power of the squares of its `size` neighbouring channels; torch divides `alpha` by the size."""

    kind: ClassVar[str] = "local_response_norm"
    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0


@dataclass(frozen=True, eq=False)
class Linear(Layer):
    """A dense layer."""

    kind: ClassVar[str] = "linear"
    out_features: int
    bias: bool = True

    def __post_init__(self) -> None:
        """Refuse PyTorch's pair of sizes: `Linear(192, 10)` would have a bias of 10.

        Raises:
            SpecError: A second size was given.
        """
        if isinstance(self.bias, int) and not isinstance(self.bias, bool):
            raise SpecError(
                f"Linear({self.out_features}, {self.bias}): how many values it reads is inferred; "
                f"write Linear({self.bias})"
            )


Dense = Linear


@dataclass(frozen=True, eq=False)
class Dropout(Layer):
    """Dropout of single values with probability `p`."""

    kind: ClassVar[str] = "dropout"
    p: float = 0.5


@dataclass(frozen=True, eq=False)
class Rescale(Layer):
    """y = x scale + offset, fixed, each a number or one for each channel."""

    kind: ClassVar[str] = "rescale"
    scale: float | tuple[float, ...] = 1.0
    offset: float | tuple[float, ...] = 0.0


class Flatten(Layer):
    """All values of a sample in one row."""

    kind: ClassVar[str] = "flatten"


@dataclass(frozen=True, eq=False)
class Upsample(Layer):
    """Enlarge every spatial axis by a whole factor, `nearest` or `linear` (bilinear, trilinear)."""

    kind: ClassVar[str] = "upsample"
    scale_factor: PerAxis
    mode: str = "nearest"


@dataclass(frozen=True, eq=False)
class Subsample(Layer):
    """Keep every `stride`-th position."""

    kind: ClassVar[str] = "subsample"
    stride: PerAxis


@dataclass(frozen=True, eq=False)
class Pad(Layer):
    """Zeros around the positions, and zero channels before and after."""

    kind: ClassVar[str] = "pad"
    padding: Setting = 0
    channels: tuple[int, int] = (0, 0)


@dataclass(frozen=True, eq=False)
class Crop(Layer):
    """The opposite of `Pad`: positions left out on either side of each axis, and channels before and after."""

    kind: ClassVar[str] = "crop"
    cropping: Setting = 0
    channels: tuple[int, int] = (0, 0)


@dataclass(frozen=True, eq=False)
class ChannelShuffle(Layer):
    """The channels of all `groups` dealt out in turn."""

    kind: ClassVar[str] = "channel_shuffle"
    groups: int


@dataclass(frozen=True, eq=False)
class PixelShuffle(Layer):
    """Channels become positions: `upscale_factor` times as many on both axes of a picture."""

    kind: ClassVar[str] = "pixel_shuffle"
    upscale_factor: int


class Add(Layer):
    """The sum of all inputs."""

    kind: ClassVar[str] = "add"


class Multiply(Layer):
    """The product of all inputs; one may be a gate with one number a channel."""

    kind: ClassVar[str] = "multiply"


class Concatenate(Layer):
    """All inputs stacked along the channels."""

    kind: ClassVar[str] = "concatenate"


@dataclass(frozen=True, eq=False)
class Resize(Layer):
    """The first input, resized to the spatial size of the second, `linear` (bilinear, trilinear) or `nearest`."""

    kind: ClassVar[str] = "resize"
    mode: str = "linear"


@dataclass(frozen=True, eq=False)
class Attention(Layer):
    """Of query, key and value: each position's mean of all values, weighted by the softmax of query times key."""

    kind: ClassVar[str] = "attention"
    scaled: bool = False


class AttentionPool(Layer):
    """Of a value and one score a position: the mean over all positions, weighted by the softmax of the scores."""

    kind: ClassVar[str] = "attention_pool"
