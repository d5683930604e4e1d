"""The layers that slide a window over one, two or three spatial axes: convolution, transposed convolution, pooling."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from thalweg.networks.writing import Layer

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]

PerAxis: TypeAlias = int | tuple[int, ...]
Padding: TypeAlias = int | tuple[int, ...] | tuple[tuple[int, int], ...] | str


@dataclass(frozen=True, eq=False)
class _Convolution(Layer):
    out_channels: int
    kernel_size: PerAxis
    stride: PerAxis = 1
    padding: Padding = 0
    dilation: PerAxis = 1
    groups: int = 1
    bias: bool = True


class Conv1d(_Convolution):
    """Convolution over sequences."""

    kind: ClassVar[str] = "conv1d"


class Conv2d(_Convolution):
    """Convolution over pictures."""

    kind: ClassVar[str] = "conv2d"


class Conv3d(_Convolution):
    """Convolution over volumes."""

    kind: ClassVar[str] = "conv3d"


@dataclass(frozen=True, eq=False)
class _Transposed(Layer):
    out_channels: int
    kernel_size: PerAxis
    stride: PerAxis = 1
    padding: PerAxis = 0
    output_padding: PerAxis = 0
    groups: int = 1
    bias: bool = True
    dilation: PerAxis = 1


class ConvTranspose1d(_Transposed):
    """Transposed convolution over sequences."""

    kind: ClassVar[str] = "conv_transpose1d"


class ConvTranspose2d(_Transposed):
    """Transposed convolution over pictures."""

    kind: ClassVar[str] = "conv_transpose2d"


class ConvTranspose3d(_Transposed):
    """Transposed convolution over volumes."""

    kind: ClassVar[str] = "conv_transpose3d"


@dataclass(frozen=True, eq=False)
class _MaxPool(Layer):
    kernel_size: PerAxis
    stride: PerAxis | None = None
    padding: Padding = 0
    dilation: PerAxis = 1
    ceil_mode: bool = False


class MaxPool1d(_MaxPool):
    """Largest value in each window of a sequence."""

    kind: ClassVar[str] = "max_pool1d"


class MaxPool2d(_MaxPool):
    """Largest value in each window of a picture."""

    kind: ClassVar[str] = "max_pool2d"


class MaxPool3d(_MaxPool):
    """Largest value in each window of a volume."""

    kind: ClassVar[str] = "max_pool3d"


@dataclass(frozen=True, eq=False)
class _AvgPool(Layer):
    kernel_size: PerAxis
    stride: PerAxis | None = None
    padding: Padding = 0
    ceil_mode: bool = False
    count_include_pad: bool = True


class AvgPool1d(_AvgPool):
    """Mean of each window of a sequence."""

    kind: ClassVar[str] = "avg_pool1d"


class AvgPool2d(_AvgPool):
    """Mean of each window of a picture."""

    kind: ClassVar[str] = "avg_pool2d"


class AvgPool3d(_AvgPool):
    """Mean of each window of a volume."""

    kind: ClassVar[str] = "avg_pool3d"


@dataclass(frozen=True, eq=False)
class _AdaptivePool(Layer):
    output_size: PerAxis


class AdaptiveAvgPool1d(_AdaptivePool):
    """Means over as many windows as wanted."""

    kind: ClassVar[str] = "adaptive_avg_pool1d"


class AdaptiveAvgPool2d(_AdaptivePool):
    """Means over as many windows as wanted."""

    kind: ClassVar[str] = "adaptive_avg_pool2d"


class AdaptiveAvgPool3d(_AdaptivePool):
    """Means over as many windows as wanted."""

    kind: ClassVar[str] = "adaptive_avg_pool3d"


class AdaptiveMaxPool1d(_AdaptivePool):
    """Largest values over as many windows as wanted."""

    kind: ClassVar[str] = "adaptive_max_pool1d"


class AdaptiveMaxPool2d(_AdaptivePool):
    """Largest values over as many windows as wanted."""

    kind: ClassVar[str] = "adaptive_max_pool2d"


class AdaptiveMaxPool3d(_AdaptivePool):
    """Largest values over as many windows as wanted."""

    kind: ClassVar[str] = "adaptive_max_pool3d"
